//! What a case is about: the reason that its detail gives, the page that it leads to, and how it was resolved.

use crate::i18n::catalogue::cases::*;
use crate::i18n::{Lang, common, gateways};
use model::case::{CaseDetail, CertificateState, ExpiryCase, UnusableCase, UnusableReason};
use model::gateway::Framing;

/// Why a meter cannot be read as it is registered, and what to do.
#[must_use]
pub fn unusable(case: &UnusableCase, lang: Lang) -> String {
    let UnusableCase { reason, value } = case;
    match reason {
        UnusableReason::Unit => UnusableUnit { value }.text(lang),
        UnusableReason::Serial => texts(lang).unusable.serial.to_owned(),
        UnusableReason::Profile => UnusableProfile { value }.text(lang),
        UnusableReason::Framing => {
            let framing = Framing::parse(value).unwrap_or_default();
            UnusableFraming { framing: gateways::framing(framing, lang) }.text(lang)
        }
    }
}

/// Which certificate expires and when, and why the files that are there now cannot be used.
#[must_use]
pub fn expiry(case: &ExpiryCase, lang: Lang) -> String {
    let ExpiryCase { key, until, state, refused } = case;
    let Some(until) = until else {
        let why = refused.as_deref().unwrap_or_default();
        return ExpiryNone { key, why }.text(lang);
    };
    let ends = match state {
        Some(CertificateState::Expired) => ExpiryOver { key, until }.text(lang),
        Some(CertificateState::SevenDays) => ExpiryWithin7Days { key, until }.text(lang),
        Some(CertificateState::ThirtyDays) => ExpiryAhead { key, until }.text(lang),
        None => ExpiryInUse { key, until }.text(lang),
    };
    match refused {
        Some(why) => format!("{ends} {}", ExpiryRefused { why }.text(lang)),
        None => ends,
    }
}

/// The page of the settlement day that a case is about.
#[must_use]
pub fn settlement(case: &CaseDetail) -> Option<String> {
    case.settlement_day().map(|(channel, day)| crate::api::reconciliation::page_of(channel, day))
}

/// What that day is called.
#[must_use]
pub fn settlement_name(case: &CaseDetail, lang: Lang) -> Option<String> {
    case.settlement_day().map(|(channel, day)| format!("{} {day}", common::tender(channel, lang)))
}

/// The resolution: of the system by its code, of a person as it was written.
#[must_use]
pub fn resolution(text: &str, lang: Lang) -> String {
    texts(lang).resolution.get(text).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::order::Tender;
    use model::time::Date;

    #[test]
    fn an_unusable_meter_has_a_next_step() {
        for (reason, value, word) in [
            (UnusableReason::Unit, "248", "248"),
            (UnusableReason::Serial, "", "12"),
            (UnusableReason::Profile, "abc", "abc"),
            (UnusableReason::Framing, "modbus-tls", "TLS"),
        ] {
            let case = UnusableCase { reason, value: value.into() };
            for lang in [Lang::Zh, Lang::En] {
                assert!(unusable(&case, lang).contains(word), "{case:?}");
            }
        }
    }

    #[test]
    fn an_expiring_certificate_is_named_with_its_day() {
        let until = model::time::Timestamp(1_795_438_800_000);
        let until = Some(until);
        let words = |state, lang| expiry(&ExpiryCase { key: "pay.x".into(), until, state: Some(state), refused: None }, lang);
        for (until, state) in [(until, Some(CertificateState::SevenDays)), (until, None), (None, None)] {
            let refused = ExpiryCase { key: "pay.x".into(), until, state, refused: Some("no PEM file".into()) };
            for lang in [Lang::Zh, Lang::En] {
                let text = expiry(&refused, lang);
                assert!(text.contains("pay.x") && text.contains("no PEM file"), "{text}");
                assert_eq!(text.contains("2026-11-23"), until.is_some(), "{text}");
            }
        }
        for state in CertificateState::ALL {
            for lang in [Lang::Zh, Lang::En] {
                let text = words(state, lang);
                assert!(text.contains("pay.x") && text.contains("2026-11-23"), "{text}");
            }
        }
        assert_ne!(words(CertificateState::Expired, Lang::En), words(CertificateState::ThirtyDays, Lang::En));
    }

    #[test]
    fn a_statement_case_links_to_its_day() {
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        let case = CaseDetail::StatementReopened { channel: Tender::Alipay, day };
        assert_eq!(settlement(&case).as_deref(), Some("/reconcile/alipay/2026-11-23"));
        assert_eq!(settlement_name(&case, Lang::Zh).as_deref(), Some("支付宝 2026-11-23"));
        assert_eq!(settlement(&CaseDetail::Clock { off_s: Some(1), sets: 1 }), None);
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
            "adjusted",
            "foreign-closed",
        ] {
            assert_ne!(resolution(code, Lang::Zh), code);
        }
        assert_eq!(resolution("换了继电器", Lang::En), "换了继电器");
    }
}
