//! What is known of a case, in a sentence: from the detail that was stored with it.

use serde::Deserialize;
use serde_json::Value;

use super::why;
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
    let facts: Facts = serde_json::from_str(detail).ok()?;
    let parts = match kind {
        "payment" | "paid-twice" | "refund-elsewhere" => facts.payment(lang),
        "undeliverable" | "refund" => facts.refund(lang),
        "delivery" => facts.delivery(lang),
        "meter-differs" => facts.sides(&facts.ledger, &facts.meter, lang),
        "reading" => facts.reading(lang),
        "identity" => vec![said(lang, "应答的表号", "answers", Some(facts.answers.clone()).filter(|text| !text.is_empty()))],
        "relay" | "password" => facts.relay(lang),
        "prices" | "parameters" | "clock" | "unpriced" => facts.setting(lang),
        "journal" => facts.journal(lang),
        "closing" => vec![why::closing(&facts.why, lang)],
        kind if kind.starts_with("bill-") => facts.bill(lang),
        _ => Vec::new(),
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

fn money(lang: Lang, zh: &str, en: &str, fen: Option<i64>) -> Option<String> {
    said(lang, zh, en, fen.map(|fen| format!("{} {}", Fen(fen), common::yuan(lang))))
}

fn number(lang: Lang, zh: &str, en: &str, value: Option<i64>) -> Option<String> {
    said(lang, zh, en, value.map(|value| value.to_string()))
}

fn instant(lang: Lang, zh: &str, en: &str, at: Option<i64>) -> Option<String> {
    said(lang, zh, en, at.map(|at| Timestamp(at).to_string()))
}

fn channel(word: &str, lang: Lang) -> Option<String> {
    Tender::parse(word).map(|tender| common::tender(tender, lang).to_owned())
}

impl Facts {
    /// A verified payment that does not fit: from whom, why, how much, which numbers.
    fn payment(&self, lang: Lang) -> Vec<Option<String>> {
        let from = match self.source.as_str() {
            "notify" => lang.pick("渠道通知", "told by the channel"),
            "query" => lang.pick("查单得知", "found by asking"),
            _ => "",
        };
        vec![
            channel(&self.channel, lang),
            Some(from.to_owned()).filter(|from| !from.is_empty()),
            why::payment(&self.reason, lang).map(str::to_owned),
            money(lang, "收到", "paid", self.amount_fen.filter(|_| self.refunded_fen.is_none())),
            money(lang, "应收", "ordered", self.expected_fen),
            money(lang, "已退回", "gone back", self.refunded_fen),
            text(lang, "商户单号", "our number", &self.out_trade_no),
            text(lang, "渠道单号", "the channel's number", &self.trade_no),
        ]
    }

    fn refund(&self, lang: Lang) -> Vec<Option<String>> {
        vec![
            why::refund(&self.why, lang),
            channel(&self.channel, lang),
            money(lang, "金额", "amount", self.amount_fen),
            text(lang, "退款单号", "refund", &self.refund),
        ]
    }

    fn delivery(&self, lang: Lang) -> Vec<Option<String>> {
        let mut parts = vec![why::delivery(&self.why, lang)];
        parts.extend(self.sides(&self.expected, &self.found, lang));
        parts.extend([
            money(lang, "表内", "in the meter", self.remaining_fen),
            money(lang, "限额", "limit", self.limit_fen),
            number(lang, "表内购电次数", "count in the meter", self.count),
            number(lang, "电表结果码", "the meter's result", self.result),
        ]);
        parts
    }

    /// What should be and what is; only what differs.
    fn sides(&self, wanted: &Side, found: &Side, lang: Lang) -> Vec<Option<String>> {
        let differs = |zh: &str, en: &str, one: Option<String>, other: Option<String>| match (one, other) {
            (Some(one), Some(other)) if one != other => Some(match lang {
                Lang::Zh => format!("{zh}应为 {one}，电表为 {other}"),
                Lang::En => format!("{en} should be {one} and is {other} in the meter"),
            }),
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
            differs("密钥纪元", "the key epoch", digits(wanted.epoch), digits(found.epoch)),
            differs("购电次数", "the purchase count", digits(wanted.count), digits(found.count)),
            differs("最后单号", "the last order", plain(&wanted.order), plain(&found.order)),
            differs("户号", "the account", plain(&wanted.account), plain(&found.account)),
            differs("累计金额", "the cumulative amount", yuan(wanted.cumulative_fen), yuan(found.cumulative_fen)),
        ]
    }

    fn reading(&self, lang: Lang) -> Vec<Option<String>> {
        let energy = |wh: Option<i64>| wh.map(|wh| format!("{} kWh", Energy(wh)));
        let what = match self.quality.as_str() {
            "fell" => Some(lang.pick("倒走", "fell")),
            "jumped" => Some(lang.pick("跳变", "jumped")),
            "disordered" => Some(lang.pick("乱序", "out of order")),
            "reset" => Some(lang.pick("清零", "reset")),
            _ => None,
        };
        vec![
            what.map(str::to_owned),
            said(lang, "上次", "before", energy(self.last_total_wh)),
            said(lang, "这次", "now", energy(self.total_wh)),
            instant(lang, "读于", "read", self.at),
        ]
    }

    fn relay(&self, lang: Lang) -> Vec<Option<String>> {
        let wanted = self
            .closed
            .map(|closed| if closed { lang.pick("应合闸", "should be closed") } else { lang.pick("应断开", "should be open") });
        let clock = (self.command == "clock").then(|| lang.pick("校时", "setting the clock"));
        vec![
            wanted.or(clock).map(str::to_owned),
            said(lang, "仍有功率", "power still", self.power_w.filter(|watts| *watts > 0).map(|watts| format!("{watts} W"))),
        ]
    }

    fn setting(&self, lang: Lang) -> Vec<Option<String>> {
        let seconds = self.off_s.or(self.clock_off_s);
        vec![
            said(lang, "应为", "planned", self.planned.map(|prices| commands::prices(&prices, lang))),
            instant(lang, "自", "since", self.since),
            number(lang, "电表接受的参数指令", "parameter commands accepted", self.accepted),
            number(lang, "其中本系统所发", "sent by this system", self.sent),
            said(lang, "时钟偏差", "clock off by", seconds.map(|off| format!("{off} s"))),
            number(lang, "校时次数", "times set", self.sets),
        ]
    }

    fn journal(&self, lang: Lang) -> Vec<Option<String>> {
        let what = match self.record.as_str() {
            "credit" => Some(lang.pick("充入", "credit")),
            "debit" => Some(lang.pick("退出", "debit")),
            _ => None,
        };
        vec![
            what.map(str::to_owned),
            money(lang, "金额", "amount", self.amount_fen),
            number(lang, "购电次数", "purchase count", self.count),
            instant(lang, "电表记录时间", "by the meter's clock", self.at),
        ]
    }

    fn bill(&self, lang: Lang) -> Vec<Option<String>> {
        vec![
            channel(&self.channel, lang),
            reconcile::why(&self.why, lang).map(|why| why.trim_end_matches(['。', '.']).to_owned()),
            money(lang, "账单", "bill", self.bill_fen),
            money(lang, "我方", "ours", self.ours_fen),
            text(lang, "商户单号", "our number", &self.out_trade_no),
            text(lang, "渠道单号", "the channel's number", &self.trade_no),
            text(lang, "退款单号", "refund", &self.refund_no),
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
            r#"{"reason":"noted","channel":"alipay","source":"notify","out_trade_no":"A1","trade_no":"T9","amount_fen":5000,"refunded_fen":1200,"expected_fen":5000,"order_was":"credited"}"#,
            ["已退回 12.00 元", "不是本系统发起的"],
            ["gone back 12.00 yuan", "not by this system"],
        ),
        ("undeliverable", r#"{"closing":null,"amount_fen":5000}"#, ["50.00", "金额"], ["50.00", "amount"]),
        (
            "refund",
            r#"{"why":"slow","refund":"R7","channel":"unionpay","amount_fen":5000}"#,
            ["退款单号 R7", "继续查询"],
            ["refund R7", "asked on"],
        ),
        ("refund", r#"{"why":"refund-too-old","amount_fen":5000}"#, ["退款期限", "50.00"], ["older than", "50.00"]),
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
            r#"{"channel":"alipay","day":"2026-11-23","kind":"paid","out_trade_no":"A1","trade_no":"T9","refund_no":"","bill_fen":4900,"ours_fen":5000,"why":"credited"}"#,
            ["账单 49.00 元", "我方 50.00 元"],
            ["bill 49.00", "ours 50.00"],
        ),
        ("closing", r#"{"why":"lost","closing":null}"#, ["失联", "电表"], ["lost", "meter"]),
    ];

    #[test]
    fn each_kind_is_told_in_words_of_both_languages() {
        for (kind, detail, zh, en) in STORED {
            for (lang, words) in [(Lang::Zh, zh), (Lang::En, en)] {
                let said = facts(kind, detail, lang).unwrap_or_default();
                assert!(words.iter().all(|word| said.contains(word)), "{kind}: {said}");
                assert!(!said.contains(['{', '"']), "{kind}: {said}");
            }
        }
    }

    #[test]
    fn what_has_no_words_is_left_to_be_shown_as_it_is() {
        for (kind, detail) in
            [("payment", "{}"), ("payment", "?"), ("other", r#"{"amount_fen":1}"#), ("delivery", r#"{"new":1}"#)]
        {
            assert_eq!(facts(kind, detail, Lang::Zh), None, "{kind} {detail}");
        }
    }
}
