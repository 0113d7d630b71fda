//! Messages to people: their texts, and the words of the operators' page.

use super::Lang;
pub use super::catalogue::notifications::*;
use model::money::Fen;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason, NotificationState, NotificationValues};

/// The name of a channel.
#[must_use]
pub const fn channel(channel: NotificationChannel, lang: Lang) -> &'static str {
    let t = texts(lang).channel_name;
    match channel {
        NotificationChannel::Mail => t.mail,
        NotificationChannel::Sms => t.sms,
        NotificationChannel::WeCom => t.wecom,
        NotificationChannel::DingTalk => t.dingtalk,
        NotificationChannel::Feishu => t.feishu,
        NotificationChannel::Webhook => t.webhook,
    }
}

/// What became of a message.
#[must_use]
pub const fn state(state: NotificationState, lang: Lang) -> &'static str {
    let t = texts(lang).state_name;
    match state {
        NotificationState::Waiting => t.waiting,
        NotificationState::Sent => t.sent,
        NotificationState::Dropped => t.dropped,
        NotificationState::Failed => t.failed,
    }
}

/// What a message is about, in a few words; also the subject of an e-mail.
#[must_use]
pub const fn kind(kind: NotificationKind, lang: Lang) -> &'static str {
    let t = texts(lang).kind_name;
    match kind {
        NotificationKind::Alarm1 => t.alarm1,
        NotificationKind::Alarm2 => t.alarm2,
        NotificationKind::Arrears => t.arrears,
        NotificationKind::Restored => t.restored,
        NotificationKind::Recharge => t.recharge,
        NotificationKind::EmptyTonight => t.empty_tonight,
        NotificationKind::AddressCode => t.address_code,
        NotificationKind::GatewayLost => t.gateway_lost,
        NotificationKind::DeliveryStuck => t.delivery_stuck,
        NotificationKind::PaymentMismatch => t.payment_mismatch,
        NotificationKind::CertificateExpiring => t.certificate_expiring,
        NotificationKind::Test => t.test,
    }
}

/// Why a message was not sent.
#[must_use]
pub const fn reason(reason: NotificationReason, lang: Lang) -> &'static str {
    let t = texts(lang).reason;
    match reason {
        NotificationReason::Unreachable => t.unreachable,
        NotificationReason::Busy => t.busy,
        NotificationReason::Refused => t.refused,
        NotificationReason::Garbage => t.garbage,
        NotificationReason::Redirected => t.redirected,
        NotificationReason::LogIn => t.log_in,
        NotificationReason::NoTemplate => t.no_template,
        NotificationReason::Stale => t.stale,
        NotificationReason::Over => t.over,
        NotificationReason::Withdrawn => t.withdrawn,
    }
}

/// The text of a message.
#[must_use]
pub fn text(kind: NotificationKind, values: &NotificationValues, lang: Lang) -> String {
    let yuan = |amount: Option<Fen>| amount.unwrap_or_default();
    let NotificationValues { room, subject, amount, balance, count, since, code } = values;
    let (amount, balance, count) = (yuan(*amount), yuan(*balance), count.unwrap_or_default());
    match kind {
        NotificationKind::Alarm1 => TextAlarm1 { room, balance }.text(lang),
        NotificationKind::Alarm2 => TextAlarm2 { room, balance }.text(lang),
        NotificationKind::Arrears => TextArrears { room, balance }.text(lang),
        NotificationKind::Restored => TextRestored { room }.text(lang),
        NotificationKind::Recharge => TextRecharge { room, amount, balance, count }.text(lang),
        NotificationKind::EmptyTonight => TextEmptyTonight { room, balance }.text(lang),
        NotificationKind::AddressCode => TextAddressCode { code }.text(lang),
        NotificationKind::GatewayLost => {
            let since = since.map(|at| format!("{} {}", at.date(), at.clock())).unwrap_or_default();
            TextGatewayLost { subject, since }.text(lang)
        }
        NotificationKind::DeliveryStuck => TextDeliveryStuck { room, subject }.text(lang),
        NotificationKind::PaymentMismatch => TextPaymentMismatch { subject }.text(lang),
        NotificationKind::CertificateExpiring => TextCertificateExpiring { subject }.text(lang),
        NotificationKind::Test => texts(lang).text.test.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::Timestamp;

    #[test]
    fn every_message_says_its_values_in_both_languages() {
        let values = NotificationValues {
            room: "3号楼 301".to_owned(),
            subject: "G1".to_owned(),
            amount: Some(Fen(5_000)),
            balance: Some(Fen(6_320)),
            count: Some(7),
            since: Some(Timestamp(1_795_600_000_000)),
            code: "042317".to_owned(),
        };
        for lang in Lang::ALL {
            for kind in NotificationKind::ALL {
                let said = text(kind, &values, lang);
                assert!(!said.contains(['{', '}']), "{said}");
                let is_of_room = NotificationKind::OF_RESIDENTS.contains(&kind);
                assert_eq!(said.contains("3号楼 301"), is_of_room || kind == NotificationKind::DeliveryStuck, "{said}");
                assert!(!said.is_empty() && message_parts(&said) <= 3, "{said} is short");
            }
        }
        let recharge = text(NotificationKind::Recharge, &values, Lang::Zh);
        assert!(recharge.contains("50.00") && recharge.contains("63.20") && recharge.contains('7'), "{recharge}");
        assert!(text(NotificationKind::AddressCode, &values, Lang::En).contains("042317"));
    }

    /// Parts of a text message with 67 characters each.
    fn message_parts(text: &str) -> usize {
        text.encode_utf16().count().div_ceil(67)
    }
}
