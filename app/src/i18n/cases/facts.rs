//! What is known of a case, in a sentence: from the detail that was stored with it.

use serde::Deserialize;
use serde_json::Value;

use super::reason_codes::{self, clause};
use crate::i18n::catalogue::cases::{ExpectedAndFound, LabelValue, texts};
use crate::i18n::{Lang, commands, common, reconcile};
use model::energy::Energy;
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;

/// The fields that details have, whatever their kind.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Facts {
    why: String,
    reason: String,
    channel: String,
    source: String,
    out_trade_no: String,
    trade_no: String,
    /// A refund's number.
    refund: String,
    refund_no: String,
    amount_fen: Option<i64>,
    expected_fen: Option<i64>,
    refunded_fen: Option<i64>,
    bill_fen: Option<i64>,
    ours_fen: Option<i64>,
    remaining_fen: Option<i64>,
    limit_fen: Option<i64>,
    count: Option<i64>,
    result: Option<i64>,
    expected: Side,
    found: Side,
    ledger: Side,
    meter: Side,
    command: String,
    closed: Option<bool>,
    power_w: Option<i64>,
    quality: String,
    total_wh: Option<i64>,
    last_total_wh: Option<i64>,
    record: String,
    at: Option<i64>,
    since: Option<i64>,
    accepted: Option<i64>,
    sent: Option<i64>,
    off_s: Option<i64>,
    clock_off_s: Option<i64>,
    sets: Option<i64>,
    planned: Option<[u32; 4]>,
    answers: String,
}

/// What a meter shows, or should show.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Side {
    epoch: Option<i64>,
    count: Option<i64>,
    /// Order numbers have more digits than a JSON number of a browser keeps; accounts are text.
    order: Value,
    account: Value,
    cumulative_fen: Option<i64>,
}

/// The sentence; `None` where the detail says nothing that has words.
#[must_use]
pub fn facts(kind: &str, detail: &str, lang: Lang) -> Option<String> {
    let label = texts(lang).label;
    let facts: Facts = serde_json::from_str(detail).ok()?;
    let parts = match kind {
        "payment" | "paid-twice" | "refund-elsewhere" => facts.payment(lang),
        "undeliverable" | "refund" => facts.refund(lang),
        "delivery" => facts.delivery(lang),
        "meter-differs" => facts.sides(&facts.ledger, &facts.meter, lang),
        "reading" => facts.reading(lang),
        "identity" => vec![labelled(lang, label.answers, Some(facts.answers.clone()).filter(|text| !text.is_empty()))],
        "relay" | "password" => facts.relay(lang),
        "prices" | "parameters" | "clock" | "unpriced" => facts.setting(lang),
        "journal" => facts.journal(lang),
        "closing" => vec![reason_codes::closing(&facts.why, lang)],
        kind if kind.starts_with("bill-") => facts.bill(lang),
        _ => Vec::new(),
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

fn money(lang: Lang, label: &str, fen: Option<i64>) -> Option<String> {
    labelled(lang, label, fen.map(|fen| format!("{} {}", Fen(fen), common::yuan(lang))))
}

fn number(lang: Lang, label: &str, value: Option<i64>) -> Option<String> {
    labelled(lang, label, value.map(|value| value.to_string()))
}

fn instant(lang: Lang, label: &str, at: Option<i64>) -> Option<String> {
    labelled(lang, label, at.map(|at| Timestamp(at).to_string()))
}

fn channel(word: &str, lang: Lang) -> Option<String> {
    Tender::parse(word).map(|tender| common::tender(tender, lang).to_owned())
}

impl Facts {
    /// A verified payment that does not fit: from whom, why, how much, which numbers.
    fn payment(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let t = texts(lang);
        let from = match self.source.as_str() {
            "notify" => Some(t.notified),
            "query" => Some(t.queried),
            _ => None,
        };
        vec![
            channel(&self.channel, lang),
            from.map(str::to_owned),
            reason_codes::payment(&self.reason, lang).map(str::to_owned),
            money(lang, label.paid, self.amount_fen.filter(|_| self.refunded_fen.is_none())),
            money(lang, label.ordered, self.expected_fen),
            money(lang, label.refunded, self.refunded_fen),
            text(lang, label.our_number, &self.out_trade_no),
            text(lang, label.channel_number, &self.trade_no),
        ]
    }

    fn refund(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        vec![
            reason_codes::refund(&self.why, lang),
            channel(&self.channel, lang),
            money(lang, label.amount, self.amount_fen),
            text(lang, label.refund_number, &self.refund),
        ]
    }

    fn delivery(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let mut parts = vec![reason_codes::delivery(&self.why, lang)];
        parts.extend(self.sides(&self.expected, &self.found, lang));
        parts.extend([
            money(lang, label.in_the_meter, self.remaining_fen),
            money(lang, label.limit, self.limit_fen),
            number(lang, label.count_in_the_meter, self.count),
            number(lang, label.result, self.result),
        ]);
        parts
    }

    /// What should be and what is; only what differs.
    fn sides(&self, wanted: &Side, found: &Side, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let differs = |label: &str, expected: Option<String>, found: Option<String>| match (expected, found) {
            (Some(expected), Some(found)) if expected != found => Some(ExpectedAndFound { label, expected, found }.text(lang)),
            _ => None,
        };
        let digits = |n: Option<i64>| n.map(|n| n.to_string());
        let plain = |value: &Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let yuan = |fen: Option<i64>| fen.map(|fen| format!("{} {}", Fen(fen), common::yuan(lang)));
        vec![
            differs(label.key_epoch, digits(wanted.epoch), digits(found.epoch)),
            differs(label.purchase_count, digits(wanted.count), digits(found.count)),
            differs(label.last_order, plain(&wanted.order), plain(&found.order)),
            differs(label.account, plain(&wanted.account), plain(&found.account)),
            differs(label.cumulative_amount, yuan(wanted.cumulative_fen), yuan(found.cumulative_fen)),
        ]
    }

    fn reading(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let energy = |wh: Option<i64>| wh.map(|wh| format!("{} kWh", Energy(wh)));
        let what = texts(lang).reading.get(&self.quality);
        vec![
            what.map(str::to_owned),
            labelled(lang, label.before, energy(self.last_total_wh)),
            labelled(lang, label.now, energy(self.total_wh)),
            instant(lang, label.read_at, self.at),
        ]
    }

    fn relay(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let t = texts(lang).relay;
        let wanted = self.closed.map(|closed| if closed { t.close } else { t.open });
        let clock = (self.command == "clock").then_some(t.clock);
        vec![
            wanted.or(clock).map(str::to_owned),
            labelled(lang, label.power, self.power_w.filter(|watts| *watts > 0).map(|watts| format!("{watts} W"))),
        ]
    }

    fn setting(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let seconds = self.off_s.or(self.clock_off_s);
        vec![
            labelled(lang, label.planned, self.planned.map(|prices| commands::prices(&prices, lang))),
            instant(lang, label.since, self.since),
            number(lang, label.accepted, self.accepted),
            number(lang, label.sent, self.sent),
            labelled(lang, label.clock_deviation, seconds.map(|off| format!("{off} s"))),
            number(lang, label.times_set, self.sets),
        ]
    }

    fn journal(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        let what = texts(lang).record.get(&self.record);
        vec![
            what.map(str::to_owned),
            money(lang, label.amount, self.amount_fen),
            number(lang, label.purchase_count, self.count),
            instant(lang, label.meter_time, self.at),
        ]
    }

    fn bill(&self, lang: Lang) -> Vec<Option<String>> {
        let label = texts(lang).label;
        vec![
            channel(&self.channel, lang),
            reconcile::why(&self.why, lang).map(|reason| clause(reason).to_owned()),
            money(lang, label.statement, self.bill_fen),
            money(lang, label.ledger, self.ours_fen),
            text(lang, label.our_number, &self.out_trade_no),
            text(lang, label.channel_number, &self.trade_no),
            text(lang, label.refund_number, &self.refund_no),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detail as each kind stores it, and what must be in its sentence.
    const STORED: &[(&str, &str, [&str; 2], [&str; 2])] = &[
        (
            "payment",
            r#"{"reason":"amount","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,"refunded_fen":null,"expected_fen":5000,"order_was":"pending"}"#,
            ["金额与订单不符", "收到 49.00 元"],
            ["differs from the order", "ordered 50.00 yuan"],
        ),
        (
            "paid-twice",
            r#"{"reason":"paid-twice","channel":"wechat","source":"query","out_trade_no":"A1","trade_no":"T9","amount_fen":4900,"refunded_fen":null,"expected_fen":4900,"order_was":"credited"}"#,
            ["查单得知", "T9"],
            ["already paid", "found by query"],
        ),
        (
            "refund-elsewhere",
            r#"{"reason":"noted","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":5000,"refunded_fen":1200,"expected_fen":5000,"order_was":"credited"}"#,
            ["已退回 12.00 元", "不是本系统发起的"],
            ["refunded 12.00 yuan", "not by this system"],
        ),
        ("undeliverable", r#"{"closing":null,"amount_fen":5000}"#, ["50.00", "金额"], ["50.00", "amount"]),
        (
            "refund",
            r#"{"why":"slow","refund":"R7","channel":"unionpay","amount_fen":5000}"#,
            ["退款单号 R7", "继续查询"],
            ["refund number R7", "still being queried"],
        ),
        ("refund", r#"{"why":"refund-too-old","amount_fen":5000}"#, ["退款期限", "50.00"], ["refund period", "50.00"]),
        (
            "delivery",
            r#"{"why":"count","expected":{"epoch":1,"count":5,"order":7},"found":{"epoch":1,"count":9,"order":8}}"#,
            ["购电次数应为 5，电表为 9", "最后单号"],
            ["should be 5 but is 9", "last order"],
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
            ["decreased", "previous 2.00"],
        ),
        ("identity", r#"{"answers":"990000000001"}"#, ["990000000001", "表号"], ["990000000001", "responding"]),
        (
            "relay",
            r#"{"command":"relay","closed":false,"status":1,"current_ca":3,"power_w":40}"#,
            ["应断开", "40 W"],
            ["open", "40 W"],
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
            "bill-amount",
            r#"{"channel":"alipay","day":"2026-11-23","kind":"paid","out_trade_no":"A1","trade_no":"T9","refund_no":"","bill_fen":4900,"ours_fen":5000,"why":"credited"}"#,
            ["账单 49.00 元", "我方 50.00 元"],
            ["statement 49.00", "ledger 50.00"],
        ),
        ("closing", r#"{"why":"lost","closing":null}"#, ["失联", "电表"], ["lost", "meter"]),
    ];

    #[test]
    fn each_kind_has_facts_in_both_languages() {
        for (kind, detail, zh, en) in STORED {
            for (lang, words) in [(Lang::Zh, zh), (Lang::En, en)] {
                let said = facts(kind, detail, lang).unwrap_or_default();
                assert!(words.iter().all(|word| said.contains(word)), "{kind}: {said}");
                assert!(!said.contains(['{', '"']), "{kind}: {said}");
            }
        }
    }

    #[test]
    fn details_without_texts_give_no_facts() {
        for (kind, detail) in
            [("payment", "{}"), ("payment", "?"), ("other", r#"{"amount_fen":1}"#), ("delivery", r#"{"new":1}"#)]
        {
            assert_eq!(facts(kind, detail, Lang::Zh), None, "{kind} {detail}");
        }
    }
}
