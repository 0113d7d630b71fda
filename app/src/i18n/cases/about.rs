//! What a case is about: the reason that its detail gives, the page that it leads to, and what the system did about it.

use crate::i18n::{Lang, common, gateways, life, operator, refunds};
use model::case::{CaseDetail, CertificateState, ExpiryCase, UnusableCase, UnusableReason};
use model::refund::RefundState;

/// Why a meter cannot be read as it is registered, and what to do.
#[must_use]
pub fn unusable(case: &UnusableCase, lang: Lang) -> String {
    let UnusableCase { reason, value } = case;
    let (zh, en) = match reason {
        UnusableReason::Unit => {
            (format!("站号是 {value}，应改为 1 到 247。"), format!("Its unit id is {value}: give it one from 1 to 247."))
        }
        UnusableReason::Serial => {
            ("表号应为 12 位数字，请改正。".to_owned(), "Its serial number must have 12 digits: correct it.".to_owned())
        }
        UnusableReason::Profile => (
            format!("没有表型“{value}”：把表型文件放进 meters.profiles_dir，或改用别的表型。"),
            format!("There is no profile {value:?}: put its file into meters.profiles_dir, or name another."),
        ),
        UnusableReason::Framing => {
            let (zh, en) = (gateways::framing(value, Lang::Zh), gateways::framing(value, Lang::En));
            (
                format!("电表使用 DL/T 645，而管理机是“{zh}”：改为透明传输，或把表接到透明传输的管理机。"),
                format!(
                    "It speaks DL/T 645 and its gateway {en}: make the gateway transparent, or put the meter behind one that is."
                ),
            )
        }
    };
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// Which certificate ends, and when.
#[must_use]
pub fn expiry(case: &ExpiryCase, lang: Lang) -> String {
    let ExpiryCase { key, until, state } = case;
    match (state, lang) {
        (CertificateState::Expired, Lang::Zh) => format!("{key} 已于 {until} 到期。"),
        (CertificateState::Expired, Lang::En) => format!("{key} ended on {until}."),
        (CertificateState::SevenDays, Lang::Zh) => format!("{key} 将于 {until} 到期，不足 7 天。"),
        (CertificateState::SevenDays, Lang::En) => format!("{key} ends on {until}, within 7 days."),
        (CertificateState::ThirtyDays, Lang::Zh) => format!("{key} 将于 {until} 到期。"),
        (CertificateState::ThirtyDays, Lang::En) => format!("{key} ends on {until}."),
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
        let words = |state, lang| {
            expiry(&ExpiryCase { key: "pay.x".into(), until: model::time::Timestamp(1_795_438_800_000), state }, lang)
        };
        for state in CertificateState::ALL {
            for lang in [Lang::Zh, Lang::En] {
                let text = words(state, lang);
                assert!(text.contains("pay.x") && text.contains("2026-11-23"), "{text}");
            }
        }
        assert_ne!(words(CertificateState::Expired, Lang::En), words(CertificateState::ThirtyDays, Lang::En));
    }

    #[test]
    fn a_case_of_a_bill_links_to_its_day() {
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        let case = CaseDetail::BillReopened { channel: Tender::Alipay, day };
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
        ] {
            assert_ne!(resolution(code, Lang::Zh), code);
        }
        assert_eq!(resolution("换了继电器", Lang::En), "换了继电器");
    }
}
