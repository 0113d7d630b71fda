//! What a case is about: the reason that its detail gives, the page that it leads to, and how it was resolved.

use crate::i18n::catalogue::cases::*;
use crate::i18n::{Lang, common, gateways};
use model::ids::ClosingId;
use model::order::Tender;
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
    Some(match why {
        "unit" => UnusableUnit { value: is }.text(lang),
        "serial" => texts(lang).unusable.serial.to_owned(),
        "profile" => UnusableProfile { value: is }.text(lang),
        "framing" => UnusableFraming { framing: gateways::framing(&is, lang) }.text(lang),
        _ => return None,
    })
}

/// Which certificate expires, and when; by the detail of its case.
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
    Some(match nearness.as_str() {
        "over" => ExpiryOver { key, until }.text(lang),
        "7-days" => ExpiryWithin7Days { key, until }.text(lang),
        _ => ExpiryAhead { key, until }.text(lang),
    })
}

/// The page of the settlement day that a case is about; by its detail.
#[must_use]
pub fn settlement(detail: &str) -> Option<String> {
    day(detail).map(|(channel, day)| crate::api::reconcile::page_of(channel, day))
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
    crate::api::reconcile::day_of(channel, day).ok()
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

/// The resolution: of the system by its code, of a person as it was written.
#[must_use]
pub fn resolution(text: &str, lang: Lang) -> String {
    texts(lang).resolution.get(text).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_meter_has_a_remedy() {
        for (detail, word) in [
            (r#"{"why":"unit","is":"248"}"#, "248"),
            (r#"{"why":"serial","is":""}"#, "12"),
            (r#"{"why":"profile","is":"abc"}"#, "abc"),
            (r#"{"why":"framing","is":"modbus-tls"}"#, "TLS"),
        ] {
            for lang in Lang::ALL {
                assert!(unusable(detail, lang).is_some_and(|said| said.contains(word)), "{detail}");
            }
        }
        assert_eq!((unusable("{}", Lang::En), unusable(r#"{"why":"new","is":""}"#, Lang::En)), (None, None));
    }

    #[test]
    fn an_expiring_certificate_is_named_with_its_day() {
        let said =
            |nearness: &str, lang| expiry(&format!(r#"{{"key":"pay.x","until":1795438800000,"nearness":"{nearness}"}}"#), lang);
        for nearness in ["30-days", "7-days", "over"] {
            for lang in Lang::ALL {
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
    fn resolutions_of_the_system_have_texts() {
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
