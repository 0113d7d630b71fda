//! What is known of a case, in a sentence: from the detail that was stored with it.

use super::why;
use crate::i18n::{Lang, commands, common, reconcile};
use model::case::{
    BillCase, CaseDetail, DeliveryCase, HeldReadingReason, JournalCase, MeterPosition, MoneyRecord, PaymentCase, PaymentSource,
    ReadingCase, RefundCase, RelayCase,
};
use model::energy::Energy;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

/// The sentence; `None` where the detail has nothing to say.
#[must_use]
pub fn facts(case: &CaseDetail, lang: Lang) -> Option<String> {
    let parts = match case {
        CaseDetail::Payment(case) | CaseDetail::PaidTwice(case) | CaseDetail::RefundElsewhere(case) => payment(case, lang),
        CaseDetail::Undeliverable(case) => vec![channel(case.channel, lang), money(lang, "金额", "amount", Some(case.amount))],
        CaseDetail::Refund(case) => refund(case, lang),
        CaseDetail::Delivery(case) => delivery(case, lang),
        CaseDetail::MeterDiffers { ledger, meter } => sides(ledger, meter, lang),
        CaseDetail::Reading(case) => reading(case, lang),
        CaseDetail::Identity { answers } => vec![text(lang, "应答的表号", "answers", answers)],
        CaseDetail::Relay(case) | CaseDetail::Password(case) => relay(case, lang),
        CaseDetail::Prices(case) => vec![
            said(lang, "应为", "planned", Some(commands::prices(&case.planned, lang))),
            instant(lang, "自", "since", Some(case.since)),
            clock_off(lang, case.clock_off_s),
        ],
        CaseDetail::Parameters(case) => vec![
            instant(lang, "自", "since", Some(case.since)),
            number(lang, "电表接受的参数指令", "parameter commands accepted", Some(case.accepted)),
            number(lang, "其中本系统所发", "sent by this system", Some(case.sent)),
        ],
        CaseDetail::Clock { off_s, sets } => {
            vec![clock_off(lang, *off_s), number(lang, "校时次数", "times set", Some(*sets))]
        }
        CaseDetail::Unpriced { since } => vec![instant(lang, "自", "since", Some(*since))],
        CaseDetail::Journal(case) => journal(case, lang),
        CaseDetail::Closing { reason, .. } => vec![Some(why::closing(*reason, lang).to_owned())],
        CaseDetail::BillChannelOnly(bill)
        | CaseDetail::BillOursOnly(bill)
        | CaseDetail::BillAmount(bill)
        | CaseDetail::BillState(bill)
        | CaseDetail::BillMeter(bill) => bill_facts(bill, lang),
        CaseDetail::BillReopened { channel: tender, .. } => vec![channel(Some(*tender), lang)],
        CaseDetail::Unusable(_) | CaseDetail::Expiry(_) => Vec::new(),
    };
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(lang.pick("；", "; ")))
}

/// `名称 值`.
fn said(lang: Lang, zh: &str, en: &str, value: Option<String>) -> Option<String> {
    value.map(|value| format!("{} {value}", lang.pick(zh, en)))
}

fn text(lang: Lang, zh: &str, en: &str, value: &str) -> Option<String> {
    said(lang, zh, en, (!value.is_empty()).then(|| value.to_owned()))
}

fn money(lang: Lang, zh: &str, en: &str, fen: Option<Fen>) -> Option<String> {
    said(lang, zh, en, fen.map(|fen| format!("{fen} {}", common::yuan(lang))))
}

fn number(lang: Lang, zh: &str, en: &str, value: Option<impl Into<i64>>) -> Option<String> {
    said(lang, zh, en, value.map(|value| value.into().to_string()))
}

fn instant(lang: Lang, zh: &str, en: &str, at: Option<Timestamp>) -> Option<String> {
    said(lang, zh, en, at.map(|at| at.to_string()))
}

fn channel(tender: Option<Tender>, lang: Lang) -> Option<String> {
    tender.map(|tender| common::tender(tender, lang).to_owned())
}

fn clock_off(lang: Lang, seconds: Option<i64>) -> Option<String> {
    said(lang, "时钟偏差", "clock off by", seconds.map(|off| format!("{off} s")))
}

/// A verified payment that does not fit: from whom, why, how much, which numbers.
fn payment(case: &PaymentCase, lang: Lang) -> Vec<Option<String>> {
    let from = match case.source {
        PaymentSource::Notify => lang.pick("渠道通知", "told by the channel"),
        PaymentSource::Query => lang.pick("查单得知", "found by asking"),
    };
    vec![
        channel(Some(case.channel), lang),
        Some(from.to_owned()),
        Some(why::payment(case.reason, lang).to_owned()),
        money(lang, "收到", "paid", Some(case.amount).filter(|_| case.refunded.is_none())),
        money(lang, "应收", "ordered", case.expected),
        money(lang, "已退回", "gone back", case.refunded),
        text(lang, "商户单号", "our number", &case.out_trade_no),
        text(lang, "渠道单号", "the channel's number", case.trade_no.as_deref().unwrap_or_default()),
    ]
}

fn refund(case: &RefundCase, lang: Lang) -> Vec<Option<String>> {
    vec![
        case.reason.map(|reason| why::refund(reason, lang)),
        channel(case.channel, lang),
        money(lang, "金额", "amount", Some(case.amount)),
        said(lang, "退款单号", "refund", case.refund.clone()),
    ]
}

fn delivery(case: &DeliveryCase, lang: Lang) -> Vec<Option<String>> {
    let mut parts = vec![Some(why::delivery(case.reason, lang))];
    if let (Some(expected), Some(found)) = (&case.expected, &case.found) {
        parts.extend(sides(expected, found, lang));
    }
    parts.extend([
        money(lang, "表内", "in the meter", case.remaining),
        money(lang, "限额", "limit", case.limit),
        number(lang, "表内购电次数", "count in the meter", case.count),
        number(lang, "电表结果码", "the meter's result", case.result),
    ]);
    parts
}

/// What should be and what is; only what differs.
fn sides(wanted: &MeterPosition, found: &MeterPosition, lang: Lang) -> Vec<Option<String>> {
    let differs = |zh: &str, en: &str, one: Option<String>, other: Option<String>| match (one, other) {
        (Some(one), Some(other)) if one != other => Some(match lang {
            Lang::Zh => format!("{zh}应为 {one}，电表为 {other}"),
            Lang::En => format!("{en} should be {one} and is {other} in the meter"),
        }),
        _ => None,
    };
    let digits = |n: Option<u16>| n.map(|n| n.to_string());
    let order = |n: Option<u64>| n.map(|n| n.to_string());
    let yuan = |fen: Option<Fen>| fen.map(|fen| format!("{fen} {}", common::yuan(lang)));
    vec![
        differs("密钥纪元", "the key epoch", digits(wanted.epoch), digits(found.epoch)),
        differs("购电次数", "the purchase count", digits(wanted.count), digits(found.count)),
        differs("最后单号", "the last order", order(wanted.order), order(found.order)),
        differs("户号", "the account", wanted.account.clone(), found.account.clone()),
        differs("累计金额", "the cumulative amount", yuan(wanted.cumulative), yuan(found.cumulative)),
    ]
}

fn reading(case: &ReadingCase, lang: Lang) -> Vec<Option<String>> {
    let energy = |wh: Option<i64>| wh.map(|wh| format!("{} kWh", Energy(wh)));
    let what = match case.quality {
        HeldReadingReason::Fell => lang.pick("倒走", "fell"),
        HeldReadingReason::Jumped => lang.pick("跳变", "jumped"),
        HeldReadingReason::Disordered => lang.pick("乱序", "out of order"),
        HeldReadingReason::Reset => lang.pick("清零", "reset"),
    };
    vec![
        Some(what.to_owned()),
        said(lang, "上次", "before", energy(case.last_total_wh)),
        said(lang, "这次", "now", energy(Some(case.total_wh))),
        instant(lang, "读于", "read", Some(case.at)),
    ]
}

fn relay(case: &RelayCase, lang: Lang) -> Vec<Option<String>> {
    let wanted = case
        .closed
        .map(|closed| if closed { lang.pick("应合闸", "should be closed") } else { lang.pick("应断开", "should be open") });
    let clock = (case.command == "clock").then(|| lang.pick("校时", "setting the clock"));
    vec![
        wanted.or(clock).map(str::to_owned),
        said(lang, "仍有功率", "power still", case.power_w.filter(|watts| *watts > 0).map(|watts| format!("{watts} W"))),
    ]
}

fn journal(case: &JournalCase, lang: Lang) -> Vec<Option<String>> {
    let what = match case.record {
        MoneyRecord::Credit => lang.pick("充入", "credit"),
        MoneyRecord::Debit => lang.pick("退出", "debit"),
    };
    vec![
        Some(what.to_owned()),
        money(lang, "金额", "amount", Some(case.amount)),
        number(lang, "购电次数", "purchase count", case.count),
        instant(lang, "电表记录时间", "by the meter's clock", case.at),
    ]
}

fn bill_facts(bill: &BillCase, lang: Lang) -> Vec<Option<String>> {
    vec![
        channel(Some(bill.channel), lang),
        reconcile::why(&bill.reason, lang).map(|why| why.trim_end_matches(['。', '.']).to_owned()),
        money(lang, "账单", "bill", bill.bill),
        money(lang, "我方", "ours", bill.ours),
        text(lang, "商户单号", "our number", &bill.out_trade_no),
        text(lang, "渠道单号", "the channel's number", &bill.trade_no),
        text(lang, "退款单号", "refund", &bill.refund_no),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::case::CaseKind;

    /// A detail as each kind stores it, and what must be in its sentence.
    const STORED: &[(&str, &str, [&str; 2], [&str; 2])] = &[
        (
            "payment",
            r#"{"reason":"amount","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,"refunded_fen":null,"expected_fen":5000,"order_was":"pending"}"#,
            ["金额与订单不符", "收到 49.00 元"],
            ["another amount", "ordered 50.00 yuan"],
        ),
        (
            "paid-twice",
            r#"{"reason":"paid-twice","channel":"wechat","source":"query","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,"refunded_fen":null,"expected_fen":4900,"order_was":"credited"}"#,
            ["查单得知", "T9"],
            ["paid already", "found by asking"],
        ),
        (
            "refund-elsewhere",
            r#"{"reason":"refunded","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":5000,"refunded_fen":1200,"expected_fen":5000,"order_was":"credited"}"#,
            ["已退回 12.00 元", "不是本系统发起的"],
            ["gone back 12.00 yuan", "not by this system"],
        ),
        ("undeliverable", r#"{"closing":null,"channel":null,"amount_fen":5000}"#, ["50.00", "金额"], ["50.00", "amount"]),
        (
            "refund",
            r#"{"reason":"slow","refund":"R7","channel":"unionpay","amount_fen":5000}"#,
            ["退款单号 R7", "继续查询"],
            ["refund R7", "asked on"],
        ),
        (
            "refund",
            r#"{"reason":"refund-too-old","refund":null,"channel":null,"amount_fen":5000}"#,
            ["退款期限", "50.00"],
            ["older than", "50.00"],
        ),
        (
            "delivery",
            r#"{"why":"count","expected":{"epoch":1,"count":5,"order":7},"found":{"epoch":1,"count":9,"order":8}}"#,
            ["购电次数应为 5，电表为 9", "最后单号"],
            ["should be 5 and is 9", "last order"],
        ),
        (
            "delivery",
            r#"{"why":"hoarding-limit","remaining_fen":90000,"limit_fen":95000}"#,
            ["超过囤积限额", "限额 950.00 元"],
            ["hoarding limit", "in the meter 900.00"],
        ),
        (
            "meter-differs",
            r#"{"ledger":{"epoch":1,"count":5,"cumulative_fen":5000},"meter":{"epoch":1,"count":5,"cumulative_fen":5100}}"#,
            ["累计金额应为 50.00 元", "51.00"],
            ["cumulative", "51.00"],
        ),
        (
            "reading",
            r#"{"quality":"fell","at":1795438800000,"total_wh":1000,"last_at":1,"last_total_wh":2000}"#,
            ["倒走", "上次 2.00"],
            ["fell", "before 2.00"],
        ),
        ("identity", r#"{"answers":"990000000001"}"#, ["990000000001", "表号"], ["990000000001", "answers"]),
        (
            "relay",
            r#"{"command":"relay","closed":false,"status":1,"current_ca":3,"power_w":40}"#,
            ["应断开", "40 W"],
            ["open", "40 W"],
        ),
        ("prices", r#"{"planned":[1,2,3,4],"since":1795438800000,"clock_off_s":-7}"#, ["应为 尖", "-7 s"], ["planned", "-7 s"]),
        ("parameters", r#"{"since":1795438800000,"accepted":3,"sent":1}"#, ["指令 3", "所发 1"], ["accepted 3", "system 1"]),
        ("clock", r#"{"off_s":95,"sets":3}"#, ["95 s", "次数 3"], ["95 s", "set 3"]),
        ("unpriced", r#"{"since":1795438800000}"#, ["自 2026", "2026-11"], ["since 2026", "2026-11"]),
        (
            "journal",
            r#"{"record":"credit","at":1795438800000,"amount_fen":5000,"count":4}"#,
            ["充入", "50.00"],
            ["credit", "50.00"],
        ),
        (
            "bill-amount",
            r#"{"channel":"alipay","day":20780,"out_trade_no":"A1","trade_no":"T9","refund_no":"","bill_fen":4900,"ours_fen":5000,"reason":"credited"}"#,
            ["账单 49.00 元", "我方 50.00 元"],
            ["bill 49.00", "ours 50.00"],
        ),
        ("closing", r#"{"reason":"lost","closing":"00000000-0000-0000-0000-000000000007"}"#, ["失联", "电表"], ["lost", "meter"]),
    ];

    #[test]
    fn each_kind_is_told_in_words_of_both_languages() {
        for (kind, detail, zh, en) in STORED {
            for (lang, words) in [(Lang::Zh, zh), (Lang::En, en)] {
                let case = CaseDetail::from_json(CaseKind::parse(kind).unwrap(), detail).unwrap();
                let said = facts(&case, lang).unwrap_or_default();
                assert!(words.iter().all(|word| said.contains(word)), "{kind}: {said}");
                assert!(!said.contains(['{', '"']), "{kind}: {said}");
            }
        }
    }
}
