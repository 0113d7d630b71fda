//! What a case is about: the reason that its detail gives, the page that it leads to, and what the system did about it.

use crate::i18n::{Lang, common, gateways, life, operator, refunds};
use model::ids::ClosingId;
use model::order::Tender;
use model::refund::RefundState;
use model::time::{Date, Timestamp};

/// Why a meter cannot be read as it is registered, and what to do; by the detail of its case.
#[must_use]
pub fn unusable(detail: &str, lang: Lang) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Reason<'a> {
        why: &'a str,
        is: String,
    }
    let Reason { why, is } = serde_json::from_str(detail).ok()?;
    let (zh, en) = match why {
        "unit" => (format!("站号是 {is}，应改为 1 到 247。"), format!("Its unit id is {is}: give it one from 1 to 247.")),
        "serial" => ("表号应为 12 位数字，请改正。".to_owned(), "Its serial number must have 12 digits: correct it.".to_owned()),
        "profile" => (
            format!("没有表型“{is}”：把表型文件放进 meters.profiles_dir，或改用别的表型。"),
            format!("There is no profile {is:?}: put its file into meters.profiles_dir, or name another."),
        ),
        "framing" => {
            let (zh, en) = (gateways::framing(&is, Lang::Zh), gateways::framing(&is, Lang::En));
            (
                format!("电表使用 DL/T 645，而管理机是“{zh}”：改为透明传输，或把表接到透明传输的管理机。"),
                format!(
                    "It speaks DL/T 645 and its gateway {en}: make the gateway transparent, or put the meter behind one that is."
                ),
            )
        }
        _ => return None,
    };
    Some(match lang {
        Lang::Zh => zh,
        Lang::En => en,
    })
}

/// Which certificate ends, and when; by the detail of its case.
#[must_use]
pub fn expiry(detail: &str, lang: Lang) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Ends {
        key: String,
        until: i64,
        nearness: String,
    }
    let Ends { key, until, nearness } = serde_json::from_str(detail).ok()?;
    let until = Timestamp(until);
    Some(match (nearness.as_str(), lang) {
        ("over", Lang::Zh) => format!("{key} 已于 {until} 到期。"),
        ("over", Lang::En) => format!("{key} ended on {until}."),
        ("7-days", Lang::Zh) => format!("{key} 将于 {until} 到期，不足 7 天。"),
        ("7-days", Lang::En) => format!("{key} ends on {until}, within 7 days."),
        (_, Lang::Zh) => format!("{key} 将于 {until} 到期。"),
        (_, Lang::En) => format!("{key} ends on {until}."),
    })
}

/// The page of the settlement day that a case is about; by its detail.
#[must_use]
pub fn settlement(detail: &str) -> Option<String> {
    day(detail).map(|(channel, day)| crate::api::reconciliation::page_of(channel, day))
}

/// What that day is called.
#[must_use]
pub fn settlement_name(detail: &str, lang: Lang) -> Option<String> {
    day(detail).map(|(channel, day)| format!("{} {day}", common::tender(channel, lang)))
}

fn day(detail: &str) -> Option<(Tender, Date)> {
    #[derive(serde::Deserialize)]
    struct Day<'a> {
        channel: &'a str,
        day: &'a str,
    }
    let Day { channel, day } = serde_json::from_str(detail).ok()?;
    crate::api::reconciliation::day_of(channel, day).ok()
}

/// The closing that a case is about, by its detail.
#[must_use]
pub fn closing(detail: &str) -> Option<ClosingId> {
    #[derive(serde::Deserialize)]
    struct About {
        closing: Option<ClosingId>,
    }
    serde_json::from_str::<About>(detail).ok()?.closing
}

/// What was done about a case, where the system did it; a person's own words stay theirs.
#[must_use]
pub fn resolution(code: &str, lang: Lang) -> String {
    let (l, r) = (life::words(lang), refunds::words(lang));
    match code {
        "try-again" => operator::words(lang).try_again,
        "refunded" => refunds::state(RefundState::Done, lang),
        "refund" => r.give_back,
        "deliver" => r.deliver,
        "mended" => lang.pick("已改正，自动结案", "Mended; closed by itself"),
        "read" => l.read,
        "counted" => l.counted,
        "decided" => l.decide_title,
        "withdrawn" => l.withdrawn,
        "replaced" => lang.pick("电表已更换", "The meter was replaced"),
        "sent-on" => l.carried,
        "charged" => lang.pick("已有电价，补扣完成", "There are prices now; what waited was charged"),
        "in-force" => lang.pick("新电价已生效", "The new prices are in force"),
        "answered" => lang.pick("渠道查询已核实，自动结案", "The channel's answer settled it; closed by itself"),
        "cleared" => lang.pick("已用渠道后台退款结清", "Settled by what went back at the channel's console"),
        "lost" => lang.pick("已核销", "Written off"),
        "paid-out" => lang.pick("已由柜台付款", "Paid out at the counter"),
        said => return said.to_owned(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_meter_is_told_what_to_do() {
        for (detail, word) in [
            (r#"{"why":"unit","is":"248"}"#, "248"),
            (r#"{"why":"serial","is":""}"#, "12"),
            (r#"{"why":"profile","is":"abc"}"#, "abc"),
            (r#"{"why":"framing","is":"modbus-tls"}"#, "TLS"),
        ] {
            for lang in [Lang::Zh, Lang::En] {
                assert!(unusable(detail, lang).is_some_and(|said| said.contains(word)), "{detail}");
            }
        }
        assert_eq!((unusable("{}", Lang::En), unusable(r#"{"why":"new","is":""}"#, Lang::En)), (None, None));
    }

    #[test]
    fn a_certificate_that_ends_is_named_with_its_day() {
        let said =
            |nearness: &str, lang| expiry(&format!(r#"{{"key":"pay.x","until":1795438800000,"nearness":"{nearness}"}}"#), lang);
        for nearness in ["30-days", "7-days", "over"] {
            for lang in [Lang::Zh, Lang::En] {
                assert!(
                    said(nearness, lang).is_some_and(|text| text.contains("pay.x") && text.contains("2026-11-23")),
                    "{nearness}"
                );
            }
        }
        assert_ne!(said("over", Lang::En), said("30-days", Lang::En));
        assert_eq!(expiry("{}", Lang::En), None);
    }

    #[test]
    fn a_case_of_a_bill_leads_to_its_day() {
        let page = settlement(r#"{"channel":"alipay","day":"2026-11-23","why":"unknown"}"#);
        assert_eq!(page.as_deref(), Some("/reconcile/alipay/2026-11-23"));
        let name = settlement_name(r#"{"channel":"alipay","day":"2026-11-23","why":"unknown"}"#, Lang::Zh);
        assert_eq!(name.as_deref(), Some("支付宝 2026-11-23"));
        assert_eq!((settlement("{}"), settlement(r#"{"channel":"cash","day":"2026-11-23"}"#)), (None, None));
    }

    #[test]
    fn a_closing_is_found_in_the_detail_of_its_case() {
        let id = ClosingId(uuid::Uuid::from_u128(7));
        assert_eq!(closing(&format!(r#"{{"why":"lost","closing":"{}"}}"#, id.0)), Some(id));
        assert_eq!((closing("{}"), closing("?")), (None, None));
    }

    #[test]
    fn the_systems_codes_have_words_and_a_persons_words_stay() {
        for code in [
            "try-again",
            "refunded",
            "read",
            "counted",
            "withdrawn",
            "replaced",
            "sent-on",
            "charged",
            "in-force",
            "answered",
            "cleared",
            "lost",
            "paid-out",
        ] {
            assert_ne!(resolution(code, Lang::Zh), code);
        }
        assert_eq!(resolution("换了继电器", Lang::En), "换了继电器");
    }
}
