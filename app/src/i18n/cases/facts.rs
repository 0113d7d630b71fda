//! What is known of a case, in a sentence: from the detail that was stored with it.

use super::reason_codes::{self, clause};
use crate::i18n::catalogue::cases::{ExpectedAndFound, LabelTries, LabelValue, texts};
use crate::i18n::{Lang, commands, common, reconcile};
use model::case::{
    CaseDetail, DeliveryCase, HeldReadingReason, JournalCase, MeterPosition, MoneyRecord, PaymentCase, PaymentSource,
    ReadingCase, RefundCase, RelayCase, StatementCase,
};
use model::energy::Energy;
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

/// The sentence; `None` where the detail has nothing to say.
#[must_use]
pub fn facts(case: &CaseDetail, lang: Lang) -> Option<String> {
    let label = texts(lang).label;
    let parts = match case {
        CaseDetail::Payment(case) | CaseDetail::PaidTwice(case) | CaseDetail::RefundElsewhere(case) => payment(case, lang),
        CaseDetail::Undeliverable(case) => vec![channel(case.channel, lang), money(lang, label.amount, Some(case.amount))],
        CaseDetail::Refund(case) => refund(case, lang),
        CaseDetail::Delivery(case) => delivery(case, lang),
        CaseDetail::MeterDiffers { ledger, meter } => sides(ledger, meter, lang),
        CaseDetail::MeterChanged { expected, found } => sides(expected, found, lang),
        CaseDetail::Reading(case) => reading(case, lang),
        CaseDetail::Identity { answers } => vec![text(lang, label.answers, answers)],
        CaseDetail::Relay(case) | CaseDetail::Password(case) => relay(case, lang),
        CaseDetail::Prices(case) => vec![
            labelled(lang, label.planned, Some(commands::prices(&case.planned, lang))),
            instant(lang, label.since, Some(case.since)),
            clock_off(lang, case.clock_off_s),
        ],
        CaseDetail::Parameters(case) => vec![
            instant(lang, label.since, Some(case.since)),
            number(lang, label.accepted, Some(case.accepted)),
            number(lang, label.sent, Some(case.sent)),
        ],
        CaseDetail::Clock { off_s, sets } => {
            vec![clock_off(lang, *off_s), number(lang, label.times_set, Some(*sets))]
        }
        CaseDetail::Unpriced { since } => vec![instant(lang, label.since, Some(*since))],
        CaseDetail::Journal(case) => journal(case, lang),
        CaseDetail::Closing { reason, .. } => vec![Some(reason_codes::closing(*reason, lang).to_owned())],
        CaseDetail::StatementChannelOnly(case)
        | CaseDetail::StatementLedgerOnly(case)
        | CaseDetail::StatementAmount(case)
        | CaseDetail::StatementState(case)
        | CaseDetail::StatementMeter(case) => statement_facts(case, lang),
        CaseDetail::StatementReopened { channel: tender, .. } => vec![channel(Some(*tender), lang)],
        CaseDetail::ChannelOff(case) => vec![
            channel(Some(case.channel), lang),
            Some(if case.current { label.channel_closed } else { label.channel_former }.to_owned()),
            Some(case.key.clone()),
        ],
        CaseDetail::Unusable(_) | CaseDetail::Expiry(_) => Vec::new(),
    };
    common::clauses(parts.into_iter().flatten(), lang)
}

/// `名称 值`.
fn labelled(lang: Lang, label: &str, value: Option<String>) -> Option<String> {
    value.map(|value| LabelValue { label, value }.text(lang))
}

fn text(lang: Lang, label: &str, value: &str) -> Option<String> {
    labelled(lang, label, (!value.is_empty()).then(|| value.to_owned()))
}

fn money(lang: Lang, label: &str, fen: Option<Fen>) -> Option<String> {
    labelled(lang, label, fen.map(|fen| format!("{fen} {}", common::yuan(lang))))
}

fn number(lang: Lang, label: &str, value: Option<impl Into<i64>>) -> Option<String> {
    labelled(lang, label, value.map(|value| value.into().to_string()))
}

fn instant(lang: Lang, label: &str, at: Option<Timestamp>) -> Option<String> {
    labelled(lang, label, at.map(|at| at.to_string()))
}

fn channel(tender: Option<Tender>, lang: Lang) -> Option<String> {
    tender.map(|tender| common::tender(tender, lang).to_owned())
}

fn clock_off(lang: Lang, seconds: Option<i64>) -> Option<String> {
    let label = texts(lang).label;
    labelled(lang, label.clock_deviation, seconds.map(|off| format!("{off} s")))
}

/// A verified payment that does not fit: from whom, why, how much, which numbers.
fn payment(case: &PaymentCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let from = match case.source {
        PaymentSource::Notify => texts(lang).notified,
        PaymentSource::Query => texts(lang).queried,
        PaymentSource::Statement => texts(lang).by_statement,
    };
    vec![
        channel(Some(case.channel), lang),
        Some(from.to_owned()),
        Some(reason_codes::payment(case.reason, lang).to_owned()),
        money(lang, label.paid, Some(case.amount).filter(|_| case.refunded.is_none())),
        money(lang, label.ordered, case.expected),
        money(lang, label.refunded, case.refunded),
        text(lang, label.our_number, &case.out_trade_no),
        text(lang, label.channel_number, case.trade_no.as_deref().unwrap_or_default()),
    ]
}

fn refund(case: &RefundCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    vec![
        case.reason.map(|reason| reason_codes::refund(reason, lang)),
        channel(case.channel, lang),
        money(lang, label.amount, Some(case.amount)),
        labelled(lang, label.refund_number, case.refund.clone()),
    ]
}

fn delivery(case: &DeliveryCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let mut parts = vec![Some(reason_codes::delivery(case.reason, lang))];
    if let (Some(expected), Some(found)) = (&case.expected, &case.found) {
        parts.extend(sides(expected, found, lang));
    }
    parts.extend([
        money(lang, label.in_the_meter, case.remaining),
        money(lang, label.limit, case.limit),
        number(lang, label.count_in_the_meter, case.count),
        number(lang, label.result, case.result),
    ]);
    parts
}

/// What should be and what is; only what differs.
fn sides(wanted: &MeterPosition, found: &MeterPosition, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let differs = |label: &str, expected: Option<String>, found: Option<String>| match (expected, found) {
        (Some(expected), Some(found)) if expected != found => Some(ExpectedAndFound { label, expected, found }.text(lang)),
        _ => None,
    };
    let digits = |n: Option<u16>| n.map(|n| n.to_string());
    let order = |n: Option<u64>| n.map(|n| n.to_string());
    let account = |number: &Option<String>| {
        number.as_ref().map(|number| if number.is_empty() { texts(lang).no_account.to_owned() } else { number.clone() })
    };
    let mode = |mode: Option<ControlMode>| mode.map(|mode| common::mode(mode, lang).to_owned());
    let yuan = |fen: Option<Fen>| fen.map(|fen| format!("{fen} {}", common::yuan(lang)));
    vec![
        differs(label.key_epoch, digits(wanted.epoch), digits(found.epoch)),
        differs(label.purchase_count, digits(wanted.count), digits(found.count)),
        differs(label.last_order, order(wanted.order), order(found.order)),
        differs(label.account, account(&wanted.account), account(&found.account)),
        differs(label.mode, mode(wanted.mode), mode(found.mode)),
        differs(label.cumulative_amount, yuan(wanted.cumulative), yuan(found.cumulative)),
    ]
}

fn reading(case: &ReadingCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let energy = |wh: Option<i64>| wh.map(|wh| format!("{} kWh", Energy(wh)));
    let t = texts(lang).reading;
    let what = match case.quality {
        HeldReadingReason::Fell => t.fell,
        HeldReadingReason::Jumped => t.jumped,
        HeldReadingReason::Disordered => t.disordered,
        HeldReadingReason::Reset => t.reset,
    };
    vec![
        Some(what.to_owned()),
        labelled(lang, label.before, energy(case.last_total_wh)),
        labelled(lang, label.now, energy(Some(case.total_wh))),
        instant(lang, label.read_at, Some(case.at)),
    ]
}

fn relay(case: &RelayCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let t = texts(lang).relay;
    let wanted = case.closed.map(|closed| if closed { t.close } else { t.open });
    let clock = (case.command == "clock").then_some(t.clock);
    vec![
        wanted.or(clock).map(str::to_owned),
        labelled(lang, label.power, case.power_w.filter(|watts| *watts > 0).map(|watts| format!("{watts} W"))),
        case.tries.map(|count| LabelTries { count }.text(lang)),
        instant(lang, label.next_try, case.next_at),
    ]
}

fn journal(case: &JournalCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    let t = texts(lang).record;
    let what = match case.record {
        MoneyRecord::Credit => t.credit,
        MoneyRecord::Debit => t.debit,
    };
    vec![
        Some(what.to_owned()),
        money(lang, label.amount, Some(case.amount)),
        number(lang, label.purchase_count, case.count),
        instant(lang, label.meter_time, case.at),
    ]
}

fn statement_facts(case: &StatementCase, lang: Lang) -> Vec<Option<String>> {
    let label = texts(lang).label;
    vec![
        channel(Some(case.channel), lang),
        reconcile::reason(case.reason, lang).map(|reason| clause(reason).to_owned()),
        money(lang, label.statement, case.statement),
        money(lang, label.ledger, case.ledger),
        text(lang, label.our_number, &case.out_trade_no),
        text(lang, label.channel_number, &case.trade_no),
        text(lang, label.refund_number, &case.refund_no),
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
            r#"{"reason":"amount","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,
               "refunded_fen":null,"expected_fen":5000,"order_was":"pending"}"#,
            ["金额与订单不符", "收到 49.00 元"],
            ["differs from the order", "ordered 50.00 yuan"],
        ),
        (
            "paid-twice",
            r#"{"reason":"paid-twice","channel":"wechat","source":"query","out_trade_no":"A1","trade_no":"T9",
               "amount_fen":4900,"refunded_fen":null,"expected_fen":4900,"order_was":"credited"}"#,
            ["查单得知", "T9"],
            ["already paid", "found by query"],
        ),
        (
            "refund-elsewhere",
            r#"{"reason":"refunded","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9",
               "amount_fen":5000,"refunded_fen":1200,"expected_fen":5000,"order_was":"credited"}"#,
            ["已退回 12.00 元", "不是本系统发起的"],
            ["refunded 12.00 yuan", "not by this system"],
        ),
        ("undeliverable", r#"{"closing":null,"channel":null,"amount_fen":5000}"#, ["50.00", "金额"], ["50.00", "amount"]),
        (
            "refund",
            r#"{"reason":"slow","refund":"R7","channel":"unionpay","amount_fen":5000}"#,
            ["退款单号 R7", "继续查询"],
            ["refund number R7", "still being queried"],
        ),
        (
            "refund",
            r#"{"reason":"refund-too-old","refund":null,"channel":null,"amount_fen":5000}"#,
            ["退款期限", "50.00"],
            ["refund period", "50.00"],
        ),
        (
            "delivery",
            r#"{"why":"count","expected":{"epoch":1,"count":5,"order":7},"found":{"epoch":1,"count":9,"order":8}}"#,
            ["购电次数应为 5，电表为 9", "最后单号"],
            ["should be 5, but the meter shows 9", "last order"],
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
            "meter-changed",
            r#"{"expected":{"account":"6407353703886369","mode":"prepaid"},"found":{"account":"","mode":"forced_off"}}"#,
            ["未开户", "强断"],
            ["no account", "6407353703886369"],
        ),
        (
            "reading",
            r#"{"quality":"fell","at":1795438800000,"total_wh":1000,"last_at":1,"last_total_wh":2000}"#,
            ["倒走", "上次 2.00"],
            ["decreased", "previous 2.00"],
        ),
        ("identity", r#"{"answers":"990000000001"}"#, ["990000000001", "表号"], ["990000000001", "responding"]),
        (
            "relay",
            r#"{"command":"relay","closed":false,"status":1,"current_ca":3,"power_w":40}"#,
            ["应断开", "40 W"],
            ["open", "40 W"],
        ),
        (
            "relay",
            r#"{"command":"relay","closed":true,"tries":3,"next_at":1795438800000}"#,
            ["继电器应合闸；连续 3 次指令未执行", "下次下发 2026"],
            ["relay should be closed; 3 commands in a row were not", "next command 2026"],
        ),
        ("prices", r#"{"planned":[1,2,3,4],"since":1795438800000,"clock_off_s":-7}"#, ["应为 尖", "-7 s"], ["planned", "-7 s"]),
        ("parameters", r#"{"since":1795438800000,"accepted":3,"sent":1}"#, ["指令 3", "所发 1"], ["meter 3", "system 1"]),
        ("clock", r#"{"off_s":95,"sets":3}"#, ["95 s", "次数 3"], ["95 s", "set 3"]),
        ("unpriced", r#"{"since":1795438800000}"#, ["自 2026", "2026-11"], ["since 2026", "2026-11"]),
        (
            "journal",
            r#"{"record":"credit","at":1795438800000,"amount_fen":5000,"count":4}"#,
            ["充入", "50.00"],
            ["credit", "50.00"],
        ),
        (
            "statement-amount",
            r#"{"channel":"alipay","day":20780,"out_trade_no":"A1","trade_no":"T9","refund_no":"","statement_fen":4900,
               "ledger_fen":5000,"reason":"credited"}"#,
            ["账单 49.00 元", "我方 50.00 元"],
            ["statement 49.00", "ledger 50.00"],
        ),
        ("closing", r#"{"reason":"lost","closing":"00000000-0000-0000-0000-000000000007"}"#, ["失联", "电表"], ["lost", "meter"]),
    ];

    #[test]
    fn each_kind_has_facts_in_both_languages() {
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
