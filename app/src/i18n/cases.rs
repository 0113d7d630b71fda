//! What each kind of case means, and a person's next step.

mod about;
mod facts;
mod why;

pub use about::{expiry, resolution, settlement, settlement_name, unusable};
pub use facts::facts;

use super::Lang;
use model::case::CaseKind;

/// What a kind of case is called, what it means, and what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: &'static str,
    pub meaning: &'static str,
    pub next: &'static str,
}

#[must_use]
pub fn case(kind: CaseKind, lang: Lang) -> Case {
    let (zh, en) = match kind {
        CaseKind::Delivery => (
            (
                "下发存疑",
                "电表的购电次数和累计金额既不像收到了这笔，也不像没收到。该表的购电指令已暂停。",
                "到现场核对电表显示的余额与购电次数，再重新核对并下发。",
            ),
            (
                "Delivery in doubt",
                "Purchase count and cumulative amount in the meter fit neither a delivered nor an undelivered purchase. Money commands of this meter wait.",
                "Compare the meter's display with the order, then read and try again.",
            ),
        ),
        CaseKind::MeterDiffers => (
            (
                "与账不符",
                "电表里的购电次数或累计金额与账本不一致。",
                "查看该房间的指令和售电记录；如果换过表或现场写过卡，请核对后冲正。",
            ),
            (
                "Differs from the ledger",
                "Purchase count or cumulative amount in the meter is not the ledger's.",
                "Look through the room's commands and sales; if the meter was replaced or charged elsewhere, correct the books.",
            ),
        ),
        CaseKind::Reading => (
            (
                "读数异常",
                "总电量倒走、跳变或乱序；这些读数已保留，但不计入用电。",
                "查看最近读数；必要时到现场看表，确认是否换表、清零或被动过。",
            ),
            (
                "Reading held",
                "The counter fell, jumped or came out of order. The readings are kept and not counted.",
                "Look at the last readings; if needed, look at the meter: was it replaced, reset or tampered with?",
            ),
        ),
        CaseKind::Identity => (
            (
                "表号不符",
                "这个地址上应答的是另一块表。为避免充错房间，已停止对它下发。",
                "核对接线和站号；如果换了表，请更新档案。",
            ),
            (
                "Another meter answers",
                "Another serial number answers at this address. Nothing is sent to it, so that no wrong room is credited.",
                "Check wiring and unit number; if the meter was replaced, update its record.",
            ),
        ),
        CaseKind::Payment => (
            (
                "付款不符",
                "收到一笔验证过的付款，但金额、商户或订单状态对不上。系统会马上向渠道查询，相符即自动入账并结案。",
                "仍未结案的，到支付渠道后台核对这笔交易，再决定入账或退款。",
            ),
            (
                "Payment does not fit",
                "A verified payment does not fit its order: amount, merchant or state. The channel is asked at once; where its answer fits, the payment is credited and the case closes by itself.",
                "If it stays open, look the payment up at the channel, then book it or refund it.",
            ),
        ),
        CaseKind::PaidTwice => (
            (
                "重复付款",
                "同一订单收到两笔付款，第二笔应退回。",
                "按下方“退款”原路退回第二笔；如已设为自动退款，系统会自己退，退到后自动结案。",
            ),
            (
                "Paid twice",
                "One order was paid twice; the second payment goes back.",
                "Refund the second payment with the button below. Where the configuration says so it goes back by itself, and the case closes then.",
            ),
        ),
        CaseKind::Undeliverable => (
            (
                "已付款，无法下发",
                "付款到账时，该房间已销户或已换表，这笔钱充不进电表。",
                "按下方“退款”原路退回，或在销户进度页转入付款人的另一户；柜台收的款在该页退还。如已设为自动退款，系统会自己退，退到后自动结案。",
            ),
            (
                "Paid and not deliverable",
                "When the money came the account was closed or had another meter: it cannot be credited.",
                "Refund it with the button below, or send it to another account of the payer from the closing's page, where counter sales are given back too. Where the configuration says so it goes back by itself, and the case closes then.",
            ),
        ),
        CaseKind::Refund => (
            (
                "退款待处理",
                "一笔退款被渠道拒绝、迟迟没有结果，或无法原路退回。钱仍记在账上，没有丢失。",
                "打开退款页：可用新单号再退一次；渠道确实不能退的，改由柜台以现金或转账退给付款人。",
            ),
            (
                "Refund needs a person",
                "The channel refused a refund, does not end it, or gives this payment back no more. The money is still on our books.",
                "Open the refunds of this order: try again under a new number or, where the channel will not, pay it in cash or by transfer.",
            ),
        ),
        CaseKind::RefundElsewhere => (
            (
                "渠道侧自行退款",
                "有人在支付渠道后台退了款，本系统没有发起。款项已记入待查。",
                "查明是谁退的、为什么退；电费若已到表，先冲正这笔售电。再按“退款”打开退款页，用这笔后台退款结清，或核销。",
            ),
            (
                "Refunded at the channel",
                "Somebody gave money back at the channel's own console. It is booked to suspense.",
                "Find out who and why. If the credit is in the meter, correct the sale first. Then press Give back: settle it there with what went back, or write it off.",
            ),
        ),
        CaseKind::Relay => (
            ("继电器故障", "继电器没有按指令动作：断开后仍有电流，或闭合后无电。", "到现场检查；可能触点粘连或有旁路。"),
            (
                "Relay fault",
                "The relay does not do what it is told: current flows though it is open, or the other way round.",
                "Look at it on site; contacts may be welded or bypassed.",
            ),
        ),
        CaseKind::Password => (
            (
                "电表密码不符",
                "电表不认系统的操作密码，或没有配置密码；为避免电表锁定，系统不再自动重试。",
                "核对配置项 meters.dlt645.password，改正并重启后结案，系统会重新执行。",
            ),
            (
                "Meter password",
                "The meter does not know our password for switching and setting, or none is configured. Nothing is tried again by itself, for meters lock.",
                "Correct meters.dlt645.password in the configuration and restart, then close this case: the server tries again.",
            ),
        ),
        CaseKind::Unusable => (
            ("电表无法抄读", "按现在的档案，这块表无法抄读。", "按记录里的原因改正档案或管理机设置；改正后自动结案。"),
            (
                "Meter cannot be read",
                "As it is registered, this meter cannot be read.",
                "Correct its record or its gateway's settings as the reason says; the case closes by itself then.",
            ),
        ),
        CaseKind::Prices => (
            ("调价未生效", "切换时刻已过，电表仍按旧电价计费。", "在“调价漏切”页重新下发；仍不生效时检查电表时钟。"),
            (
                "Price switch missed",
                "The switch-over has passed and the meter still charges the old prices.",
                "Send them again from the page of missed switches; if they stay away, look at the meter's clock.",
            ),
        ),
        CaseKind::Parameters => (
            (
                "参数被他人改动",
                "电表参数的版本变了，而系统没有下发过这样的指令。",
                "核对该表的限值、电价和时段表；如被改动，重新下发，并检查密钥是否泄露。",
            ),
            (
                "Parameters changed elsewhere",
                "The meter accepted a parameter command that this system did not send.",
                "Compare limits, prices and tables; send them again if they differ, and ask who else holds the keys.",
            ),
        ),
        CaseKind::Clock => (
            ("时钟故障", "一个月内校时两次后，电表时钟仍偏差 5 分钟以上。", "更换时钟电池或电表；分时电价的房间请尽快处理。"),
            (
                "Clock at fault",
                "The meter's clock is more than 5 minutes off though it was set twice within a month.",
                "Replace its battery or the meter, soon where prices go by time of day.",
            ),
        ),
        CaseKind::Unpriced => (
            (
                "没有电价",
                "这个房间用了电，但没有适用的电价方案；电量已记下，暂未扣费。",
                "在“电价”页给房间或楼栋指定方案；下一次读数时补扣，本事项自动关闭。",
            ),
            (
                "No price plan",
                "Energy was used and no price plan holds at the room. It is kept and not charged yet.",
                "Give the room or its building a plan on the page of prices; the next reading charges it and closes this case.",
            ),
        ),
        CaseKind::Expiry => (
            (
                "支付证书将到期",
                "支付渠道的一张证书快到期或已到期；到期后这个渠道就不能收款、也不认付款通知。",
                "到该渠道的商户平台换取新证书，改正配置后重启；换好后自动结案。",
            ),
            (
                "A payment certificate ends",
                "A certificate of a payment channel ends soon, or has ended. After that the channel takes no payment and its word is not believed.",
                "Get a new one from the channel's merchant console, put it into the configuration and restart; the case closes by itself then.",
            ),
        ),
        CaseKind::Closing => (
            (
                "销户受阻",
                "销户、换房或换表无法自动继续：电表失联，或余额没有去向。",
                "打开进度页：电表失联时等待恢复，或由人工确认止码和余额；余额没有去向时重新决定。",
            ),
            (
                "Closing held up",
                "A closing, move or replacement cannot go on by itself: its meter is lost, or its money has no way to go.",
                "Open its page: wait for the meter or count what it holds; decide where the money goes.",
            ),
        ),
        CaseKind::Journal => (
            (
                "电表记录不在账上",
                "电表自己的记录里有一笔充入或退出，账上没有对应的指令。",
                "核对电表的购电次数与售电记录；可能有人在现场或用别的系统写过表。",
            ),
            (
                "Unknown money record",
                "The meter's own journal holds a credit or debit that no command of ours made.",
                "Compare purchase count and sales; the meter may have been charged on site or by another system.",
            ),
        ),
        CaseKind::BillChannelOnly => (
            (
                "对账：渠道有、我方无",
                "渠道账单里有这笔，系统里没有这个单号。",
                "到渠道后台查这笔交易：若是本系统的订单，请查单补记；若是别的业务收款，写明后结案；若无人认领，原路退回。",
            ),
            (
                "Bill: only the channel has it",
                "The channel's bill has it, and no attempt of ours has this number.",
                "Look it up at the channel: if another business took it through this merchant, say so and close; if nobody did, give it back.",
            ),
        ),
        CaseKind::BillOursOnly => (
            (
                "对账：我方有、渠道无",
                "账上已记这笔，渠道的账单里没有，相邻日的账单里也没有。",
                "到渠道后台按单号查询：若渠道确无此笔，请核实验签记录并冲正；若账单漏列，联系渠道重出账单后重新对账。",
            ),
            (
                "Bill: only we have it",
                "The ledger has it, and neither this day's bill nor a neighbour's does.",
                "Ask the channel about the number: if it knows nothing, take the booking back; if its bill is incomplete, have it made anew and run this day again.",
            ),
        ),
        CaseKind::BillAmount => (
            (
                "对账：金额不一致",
                "渠道账单和账上都有这笔，但金额不同。",
                "以渠道后台的实收金额为准核对；有优惠券或部分退款时补记差额，写明后结案。",
            ),
            (
                "Bill: amounts differ",
                "Bill and ledger both have it, with different amounts.",
                "Compare with what the channel says was received; if a coupon or a partial refund explains it, book the rest and say so.",
            ),
        ),
        CaseKind::BillState => (
            (
                "对账：状态不一致",
                "渠道账单说已完成，系统里没有入账（未付款、已关闭或被挂起）。",
                "付款：在该订单上查单，系统会补记并下发；退款：核对是谁在渠道后台退的，再决定是否从电表退电。",
            ),
            (
                "Bill: states differ",
                "The bill has it as done, and nothing is booked for it: unpaid, closed or held.",
                "A payment: have the order asked about again, and it is booked and delivered. A refund: find out who made it at the channel, and whether the meter must give it back.",
            ),
        ),
        CaseKind::BillMeter => (
            (
                "对账：电表不一致",
                "渠道和账本一致，但电表里没有这笔（次数、金额或电表记录不符），或付款一天后仍未下发。",
                "打开房间页查看指令和待办；必要时到现场核对购电次数，再重新核对并下发。",
            ),
            (
                "Bill: the meter differs",
                "Channel and ledger agree, and the meter does not: its count, amount or journal; or nothing was delivered for a day.",
                "Open the room: look at its commands and cases; if needed compare the purchase count on site, then have it read and delivered again.",
            ),
        ),
        CaseKind::BillReopened => (
            (
                "对账：已结账日有变化",
                "已结账的一天，账单或账目又有了变化，已自动重新打开。",
                "到“对账”页查看这一天的差异，处理后重新结账；本事项随结账自动关闭。",
            ),
            (
                "Bill: a closed day changed",
                "Bill or books of a closed day changed; the day is open again.",
                "Look at the day on the page of reconciliation, settle what differs and close it again; that closes this case.",
            ),
        ),
    };
    let (name, meaning, next) = lang.pick(zh, en);
    Case { name, meaning, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_words() {
        for lang in [Lang::Zh, Lang::En] {
            let names: std::collections::BTreeSet<_> = CaseKind::ALL.into_iter().map(|kind| case(kind, lang).name).collect();
            assert_eq!(names.len(), CaseKind::ALL.len());
        }
    }
}
