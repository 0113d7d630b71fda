//! Words of the refunds.

use super::Lang;
use super::till::catalogue;
use model::refund::{RefundSource, RefundState};

catalogue! {
    refunds: "退款", "Refunds";
    refund: "退款", "Refund";
    hint: "原路退回的款项：渠道给出最终结果之前，系统用同一个退款单号反复查询，不会重复退。",
        "Money that goes back the way it came. Until the channel gives its final word it is asked under one number, so nothing goes back twice.";
    none: "没有符合条件的退款。", "No refund fits.";
    way: "退款方式", "Goes back by";
    came_by: "原付款方式", "Was paid by";
    refund_no: "退款单号", "Refund number";
    trade_no: "渠道交易号", "Channel's number";
    what: "退的是", "What it is";
    amount: "金额（元）", "Amount (yuan)";
    asked: "申请", "Asked";
    system: "系统自动", "By itself";
    tries: "已向渠道发送", "Asked the channel";
    times: "次", "times";
    next_try: "下次查询", "Asks again";
    settled: "完成", "Ended";
    of_order: "订单", "Order";
    all_of_order: "该订单的退款", "Refunds of this order";
    give_back: "退款", "Give back";
    paid: "收到（元）", "Came (yuan)";
    left: "可退（元）", "May go back (yuan)";
    by_channel: "原路退回", "The way it came";
    whole_hint: "未到表的订单只能全额退。提交后不再下发到电表。",
        "An order that is not in the meter goes back whole. Once asked, nothing is sent to the meter.";
    part_hint: "可分多次退，合计不超过收到的金额。", "It may go back in parts, never more than came.";
    counter_hint: "渠道已拒绝或过了期限：由柜台付给付款人本人，请写明原因和凭据。",
        "The channel refused it or gives it back no more: pay the payer in person, and note why and on what proof.";
    nothing: "这张订单没有可退的款项。已到表的电费请先冲正。",
        "Nothing of this order can go back. What is in the meter must be taken out by a correction first.";
    deliver: "不退了，继续下发", "Do not refund: deliver it";
    deliver_hint: "这笔钱仍会充入该房间的电表。", "The money goes into the room's meter after all.";
    elsewhere: "渠道后台已退", "Gone back at the channel's console";
    elsewhere_hint: "有人在渠道后台直接退了款，本系统没有发起；金额已记入待查，请说明它退的是哪一笔。",
        "Somebody gave money back at the channel's own console. It is booked to suspense: say here what it paid.";
    elsewhere_none: "没有待退的款项可以结清。电费若已到表，先冲正这笔售电，电表退出后回到这里结清。",
        "Nothing waits to go back. If the credit is in the meter, correct the sale first; when the meter gave it, settle it here.";
    elsewhere_left: "未说明（元）", "Not accounted for (yuan)";
    clear: "用后台退款结清", "Settle with it";
    write_off: "无法追回，核销", "It is lost: write it off";
    write_off_hint: "电费已用掉、无法从电表退出时使用；需有复核权限，写明原因。", "Where the credit was used and cannot be had back. For those who may approve; say why.";
    approve: "同意退款", "Approve";
    pay: "已付给付款人，完成", "Paid to the payer, done";
    pay_hint: "把钱交给付款人后再点。收据随后生成。", "Hand the money over first, then press. The receipt follows.";
    waiting_link: "待复核的退款", "Refunds that wait for approval";
    open_return: "退电单", "Return";
}

/// The word for where it stands.
#[must_use]
pub const fn state(state: RefundState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        RefundState::Waiting => ("待复核", "Waits for approval"),
        RefundState::Sending => ("退款中", "On its way"),
        RefundState::Payable => ("待付款", "To be paid out"),
        RefundState::Done => ("已退到", "With the payer"),
        RefundState::Failed => ("被拒绝", "Refused"),
        RefundState::Rejected => ("未同意", "Rejected"),
        RefundState::Cancelled => ("已撤回", "Taken back"),
        RefundState::Expired => ("已过期", "Expired"),
    };
    lang.pick(zh, en)
}

/// What is so, and what to do next.
#[must_use]
pub const fn next(state: RefundState, lang: Lang) -> &'static str {
    let (zh, en) = match state {
        RefundState::Waiting => (
            "等待另一位操作员复核。金额已经预留，不会被再次退出。",
            "A second operator must approve it. Its amount is set apart, so nobody gives it back twice.",
        ),
        RefundState::Sending => (
            "已向渠道申请，正在等最终结果；银行卡可能要几个工作日。请不要另外付钱。",
            "The channel was asked; a bank card may take some days. Do not pay it by other means.",
        ),
        RefundState::Payable => ("现在可以由柜台付给付款人。", "The counter may pay it to the payer now."),
        RefundState::Done => ("钱已退到，账已记清。", "The money is with the payer and booked."),
        RefundState::Failed => (
            "渠道拒绝了这笔退款，钱仍在账上。在订单退款页用新单号再退，或改由柜台退。",
            "The channel refused it and the money is still on our books. Try again under a new number, or pay it over the counter.",
        ),
        RefundState::Rejected => ("未同意退款，钱仍在账上。", "It was not approved; the money is still on our books."),
        RefundState::Cancelled => ("申请已撤回，钱仍在账上。", "It was taken back; the money is still on our books."),
        RefundState::Expired => ("无人复核，申请已过期。", "Nobody approved it in time."),
    };
    lang.pick(zh, en)
}

/// Why, where the system asked for it; a person's own words stay theirs.
#[must_use]
pub fn reason(said: &str, by_system: bool, lang: Lang) -> String {
    match said {
        "return" if by_system => lang.pick("电表已退出，原路退回", "The meter gave it; it goes back the way it came").to_owned(),
        "automatic" if by_system => lang.pick("没有充值，自动退回", "It credits nothing and goes back by itself").to_owned(),
        said => said.to_owned(),
    }
}

/// What it gives back.
#[must_use]
pub const fn source(source: RefundSource, lang: Lang) -> &'static str {
    let (zh, en) = match source {
        RefundSource::Suspense => ("多付或付错的款", "Paid twice or wrongly"),
        RefundSource::Order => ("未到表的订单", "Order that was not delivered"),
        RefundSource::Return => ("退电或冲正", "Return or correction"),
    };
    lang.pick(zh, en)
}
