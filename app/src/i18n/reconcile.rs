//! Words of reconciliation.

use super::Lang;
use super::till::catalogue;
use crate::api::reconciliation::DayState;

catalogue! {
    reconcile: "对账", "Reconciliation";
    hint: "每天账单出来后自动取账单，与账本和电表三方核对；差异进入“待办”，由人处理后结账。",
        "Each day's bill is fetched once it is ready and compared with the ledger and the meters. What differs becomes a case; a person closes the day.";
    until: "截至", "Up to";
    show: "查看", "Show";
    earlier: "更早", "Earlier";
    date: "日期", "Day";
    no_days: "还没有需要对账的日子。", "There is no day to reconcile yet.";
    no_channel: "没有启用任何支付渠道。", "No payment channel is configured.";
    all_settled: "没有未处理的差异。", "Nothing waits for a decision.";
    undecided: "条差异未处理", "to be decided";
    differences: "条差异", "listed";
    bill: "渠道账单（元）", "Bill (yuan)";
    ledger: "账本（元）", "Ledger (yuan)";
    listed: "已列差异（元）", "Listed (yuan)";
    difference: "差额（元）", "Difference (yuan)";
    fees: "手续费（元）", "Fees (yuan)";
    net: "应到账（元）", "Net to the bank (yuan)";
    received: "已到账（元）", "Received by the bank (yuan)";
    outstanding: "未到账（元）", "Outstanding (yuan)";
    balances: "账单 = 账本 + 已列差异，平。", "The bill is the ledger and what is listed.";
    unbalanced: "账单与账本加已列差异不相等！请重新对账；仍不相等请运行 dormwatt verify。",
        "The bill is not the ledger and what is listed! Compare again; if it stays so, run dormwatt verify.";
    window: "结算时段", "Settlement window";
    compared: "最近核对", "Compared";
    tried: "最近取账单", "Last asked for";
    equal_lines: "一致的笔数", "Equal lines";
    meters: "电表核对", "Meters";
    paid_orders: "笔付款", "purchases paid";
    delivered: "笔已下发", "delivered";
    witnessed: "笔有电表记录佐证", "in the meters' own journals";
    lines: "差异与跨日", "What differs, and what lies across the edge";
    nothing: "没有差异。", "Nothing differs.";
    class: "类别", "Class";
    number: "订单号 / 渠道单号", "Our number / the channel's";
    ours: "我方（元）", "Ours (yuan)";
    gap: "影响（元）", "Adds (yuan)";
    next: "说明与下一步", "What is so, and the next step";
    decision: "处理", "Decision";
    open: "待处理", "waits";
    to_cases: "去待办处理", "Settle its case";
    room: "房间", "Room";
    refund: "退款", "refund";
    run: "重新对账", "Fetch and compare again";
    run_hint: "重新取账单并核对；账单没变时结果不变。", "Fetches the bill anew and compares. The same bill gives the same.";
    fetch: "立即取账单", "Fetch the bill now";
    fetch_title: "立即取某一天的账单", "Fetch the bill of a day now";
    fetch_hint: "不必等自动任务；可以重复，账单没变时结果不变。每个渠道每 10 秒一次。",
        "Without waiting for the task. It may be repeated; the same bill gives the same. Once in 10 seconds a channel.";
    channel: "渠道", "Channel";
    file: "导出 CSV", "CSV file";
    close: "结账", "Close the day";
    close_hint: "确认这一天渠道、账本和电表一致。还有差异未处理时，必须写明原因。",
        "You confirm that channel, ledger and meters agree. Where differences wait for a decision, say why it is closed nevertheless.";
    reason: "原因", "Reason";
    closed: "已结账", "Closed";
    receipt: "登记银行到账", "Note what the bank took in";
    receipt_hint: "按银行流水填写这一天的到账金额；账上从渠道清算转入银行存款。",
        "From the bank's statement, for this day; it moves from the channel's clearing account to the bank's.";
    amount: "金额（元）", "Amount (yuan)";
}

/// How far a day is.
#[must_use]
pub const fn state(state: DayState, lang: Lang) -> &'static str {
    match state {
        DayState::Waiting => lang.pick("账单未到", "No bill yet"),
        DayState::Equal => lang.pick("一致", "Equal"),
        DayState::Differs => lang.pick("有差异", "Differs"),
        DayState::Closed => lang.pick("已结账", "Closed"),
    }
}

/// Why no bill came.
#[must_use]
pub const fn note(note: &str, lang: Lang) -> &'static str {
    let (zh, en) = match note.as_bytes() {
        b"not-asked" => (
            "还没有取过这一天的账单；可立即取，或等自动任务。",
            "The bill of this day has not been asked for yet: fetch it now, or wait for the task.",
        ),
        b"not-ready" => ("渠道还在生成账单，稍后自动再取。", "The channel is still making it; it is asked for again."),
        b"nothing" => {
            ("渠道说当天没有交易；稍后再问一次确认。", "The channel says that nothing happened; it is asked once more.")
        }
        b"unreachable" => ("连不上渠道，稍后自动再取。", "The channel did not answer; it is asked again."),
        b"refused" => (
            "渠道拒绝提供账单：请确认商户号已开通账单下载权限。",
            "The channel refuses: ask whether the merchant may download bills.",
        ),
        b"key" => (
            "请求无法签名：请检查渠道密钥配置。",
            "The request could not be signed: look at the channel's keys in the configuration.",
        ),
        b"packed" | b"encoding" | b"form" | b"column" => (
            "账单文件残缺或格式不认识，未导入；重新取仍不行时，请联系技术支持。",
            "The file is cut off or of an unknown form; nothing was imported. If it stays so, ask for help.",
        ),
        b"too-much" => (
            "账单文件解压后异常巨大，未导入；请联系渠道。",
            "It unpacks to more than any bill is; nothing was imported. Ask the channel.",
        ),
        b"owner" => (
            "账单是别的商户的，未导入；请核对商户号配置。",
            "It is another merchant's; nothing was imported. Compare the merchant's number in the configuration.",
        ),
        b"day" => ("账单不是这一天的，未导入。", "It is of another day; nothing was imported."),
        b"twice" => (
            "账单里同一笔出现两次，未导入；请联系渠道重出账单。",
            "It names a trade twice; nothing was imported. Have it made anew.",
        ),
        b"totals" => (
            "账单明细与合计不符，未导入；请联系渠道重出账单。",
            "Its lines do not add up to its sums; nothing was imported. Have it made anew.",
        ),
        b"digest" => (
            "账单与渠道给的摘要不符，未导入；稍后自动再取。",
            "It is not what the channel's digest is of; nothing was imported. It is asked for again.",
        ),
        _ => (
            "渠道的答复无法识别，未导入；稍后自动再取。",
            "The answer cannot be understood; nothing was imported. It is asked for again.",
        ),
    };
    lang.pick(zh, en)
}

/// A class of difference.
#[must_use]
pub fn class(class: &str, lang: Lang) -> &'static str {
    match class {
        "channel-only" => lang.pick("渠道有我方无", "Channel only"),
        "ours-only" => lang.pick("我方有渠道无", "Ours only"),
        "amount" => lang.pick("金额不一致", "Amount differs"),
        "state" => lang.pick("状态不一致", "State differs"),
        "meter" => lang.pick("电表不一致", "Meter differs"),
        _ => lang.pick("跨日", "Across the day's edge"),
    }
}

/// Why a line is what it is, where that says more than its class.
#[must_use]
pub fn why(why: &str, lang: Lang) -> Option<&'static str> {
    let (zh, en) = match why {
        "bill-to-come" => ("在日切附近，等相邻日的账单。", "Near the edge; the neighbour's bill is still to come."),
        "other-bill" => ("在另一天的账单里，不是差异。", "In another day's bill; no difference."),
        "booked-elsewhere" => ("账上记在另一天，不是差异。", "Booked on another day; no difference."),
        "trade-number" => ("渠道单号与我方所记不同。", "The channel's number is not the one we were told."),
        "not-delivered" => {
            ("付款超过一天仍未下发，且没有待办。", "Paid more than a day ago, not delivered, and no case is open.")
        }
        "delivered-amount" => ("下发的金额与付款不同。", "Another amount was delivered than was paid."),
        "journal" => ("电表自己的记录里金额不同。", "The meter's own journal has another amount."),
        "count" => ("电表的购电次数退回去了。", "The meter's purchase count fell back."),
        "no-event" => ("账上有变动，但没有对应的验签记录。", "The ledger moved without a verified event."),
        "pending" | "closing" => ("我方仍在等付款结果。", "We still wait to hear of it."),
        "sending" => ("我方退款单还在等渠道答复。", "Our refund still waits for the channel's word."),
        "failed" => ("我方退款单记为未退成。", "Our refund is down as come to nothing."),
        "closed" => ("我方已按未付款关闭。", "We closed it as unpaid."),
        "held" => ("我方已挂起，等人处理。", "It is held for a person."),
        "refunded" => ("渠道通知过这笔退款，不是本系统发起的。", "The channel told of it; nobody here asked for it."),
        _ => return None,
    };
    Some(lang.pick(zh, en))
}
