//! Words of the till: returns, corrections, approvals, receipts.

use super::Lang;
use model::console::ReceiptOf;
use model::order::{ReturnKind, ReturnState};

macro_rules! catalogue {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        #[derive(Clone, Copy)]
        pub struct Words {$(pub $name: &'static str),*}

        /// In a language.
        #[must_use]
        pub const fn words(lang: Lang) -> Words {
            lang.pick(Words {$($name: $zh),*}, Words {$($name: $en),*})
        }
    };
}

pub(super) use catalogue;

catalogue! {
    approvals: "复核", "Approvals";
    approvals_hint: "超过限额的退电和冲正，须由另一位操作员复核后才会下发到电表。",
        "Returns and corrections above the limit go to the meter only when a second operator has approved them.";
    may_not: "您没有复核权限；由管理员用命令行授予。", "You may not approve; an administrator grants it on the command line.";
    nothing_waits: "没有待复核的申请。", "Nothing waits for approval.";
    own_request: "您自己的申请，须由他人复核。", "Your own request: somebody else must approve it.";
    give_back: "退电", "Return";
    give_back_hint: "先从电表扣减，电表确认后才付款。", "The meter is debited first; money is paid only after it confirmed.";
    by_channel: "这些售电可以原路退，从最近的一笔起；逐笔冲正后自动退回付款人，余下的再由柜台付：",
        "These sales can go back the way they came, the newest first. Each is corrected by itself and then goes back to who paid; the rest is paid at the counter:";
    by_channel_hint: "线上付的款可以原路退：先填退电金额，下一步会列出可以原路退的售电；销户前也可以先这样退。",
        "What was paid online can go back the way it came: give the amount of a return, and the next page lists the sales. Do so before an account is closed, too.";
    reason: "原因", "Reason";
    reason_hint: "必填，将打印在收据上并记入审计。", "Required; it is printed on the receipt and kept in the audit.";
    amount: "金额（元）", "Amount (yuan)";
    pay_by: "付款方式", "Paid out by";
    room: "房间", "Room";
    account: "户号", "Account";
    residents: "住户", "Residents";
    meter: "表号", "Meter";
    asked: "申请", "Asked";
    approve: "同意", "Approve";
    reject: "不同意", "Reject";
    reject_reason: "不同意的原因", "Why not";
    decided: "复核", "Decided";
    until: "有效期至", "Valid until";
    open: "查看", "Open";
    cancel: "撤回申请", "Take it back";
    pay_out: "已付款，完成", "Paid out, done";
    pay_out_hint: "把钱交给住户（或收回错收的钱款登记）后再点。收据随后生成。",
        "Hand the money over first, then press. The receipt follows.";
    receipt: "收据", "Receipt";
    original: "原单号", "Original";
    remaining: "退后剩余（元）", "Left in the meter (yuan)";
    taken: "电表确认", "Confirmed by the meter";
    settled: "付款", "Paid out";
    order_number: "单号", "Order";
    correct: "冲正", "Correct";
    correct_sale_hint: "从电表扣回这笔售电（不超过电表现有余额），确认后退款。柜台收的每笔只能冲正一次；渠道收的可分次，原路退回。",
        "Takes this sale out of the meter again, as far as it still holds it; then the money goes back. Once per sale at the counter; what came through a channel may go back in parts, the way it came.";
    correct_return_hint: "收回已付的退款，并把同样的金额重新充入电表。每笔只能冲正一次。",
        "Takes the money in again and puts the same amount back into the meter. Once per return.";
    whole: "全额", "The whole amount";
    held: "电表现有（元）", "The meter holds (yuan)";
    sold_at: "时间", "When";
    by: "经手人", "By";
    back: "返回房间", "Back to the room";
    print: "打印", "Print";
    print_hint: "登记一次打印后，用浏览器的打印功能（Ctrl+P）。", "Registers a print; then use the browser's own print (Ctrl+P).";
    copy: "副本", "Copy";
    in_words: "大写", "In words";
    count: "购电次数", "Purchase count";
    left: "剩余金额（元）", "Remaining (yuan)";
    corrects_receipt: "冲正收据", "Corrects receipt";
    signature: "签字", "Signature";
    on_its_way: "下发中", "on its way";
}

/// What a return is called.
#[must_use]
pub const fn kind(kind: ReturnKind, lang: Lang) -> &'static str {
    let (zh, en) = match kind {
        ReturnKind::Return => ("退电", "Return"),
        ReturnKind::UndoSale => ("售电冲正", "Correction of a sale"),
        ReturnKind::UndoReturn => ("退电冲正", "Correction of a return"),
    };
    lang.pick(zh, en)
}

/// What a receipt is called.
#[must_use]
pub const fn receipt(of: ReceiptOf, lang: Lang) -> &'static str {
    match of {
        ReceiptOf::Sale => lang.pick("售电收据", "Receipt for a sale"),
        ReceiptOf::Refund => lang.pick("退款收据", "Receipt for a refund"),
        ReceiptOf::Back(ReturnKind::Return) => lang.pick("退电收据", "Receipt for a return"),
        ReceiptOf::Back(ReturnKind::UndoSale) => lang.pick("售电冲正收据", "Receipt for a corrected sale"),
        ReceiptOf::Back(ReturnKind::UndoReturn) => lang.pick("退电冲正收据", "Receipt for a corrected return"),
    }
}

/// The word for where it stands.
#[must_use]
pub const fn state(state: ReturnState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        ReturnState::Waiting => ("待复核", "Waits for approval"),
        ReturnState::Taking => ("扣减中", "Being taken"),
        ReturnState::Taken => ("待付款", "To be paid out"),
        ReturnState::Case => ("人工处理中", "Being settled"),
        ReturnState::Done => ("已完成", "Done"),
        ReturnState::Refused => ("电表拒绝", "Refused by the meter"),
        ReturnState::Rejected => ("未同意", "Rejected"),
        ReturnState::Cancelled => ("已撤回", "Taken back"),
        ReturnState::Expired => ("已过期", "Expired"),
    };
    lang.pick(zh, en)
}

/// What is so, and what to do next.
#[must_use]
pub const fn next(state: ReturnState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        ReturnState::Waiting => (
            "等待另一位操作员复核；在此之前电表和账目都不变。",
            "A second operator must approve it. Until then neither the meter nor the books change.",
        ),
        ReturnState::Taking => (
            "已通知电表，正在等待读回确认。确认之前请不要付款。电表失联时会一直等待，未发出前可以撤回。",
            "The meter was told and will be read back. Do not pay before it confirms. If it is lost this waits, and can be taken back while nothing was sent.",
        ),
        ReturnState::Taken => ("电表已确认扣减，现在可以付款。", "The meter has confirmed. The money may be paid out now."),
        ReturnState::Case => (
            "无法判断电表是否已扣减。请不要付款；到“待处理”中核对电表后重新核对并下发。",
            "Nobody can tell yet whether the meter gave it. Do not pay; look at the meter and settle the case first.",
        ),
        ReturnState::Done => ("已付款，账目已完成。", "Paid, and in the books."),
        ReturnState::Refused => (
            "电表余额不足，没有扣减，也没有付款。请立即抄读后按现有余额重新申请。",
            "The meter holds less; nothing was taken and nothing paid. Read it now and ask for what is left.",
        ),
        ReturnState::Rejected => ("复核人不同意，没有任何改动。", "The second operator said no. Nothing was changed."),
        ReturnState::Cancelled => ("已撤回，没有任何改动。", "Taken back. Nothing was changed."),
        ReturnState::Expired => {
            ("没有人及时复核，已作废。如仍需要请重新申请。", "Nobody approved in time. Ask again if it is still wanted.")
        }
    };
    lang.pick(zh, en)
}
