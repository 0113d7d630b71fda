//! Messages to people: their texts, and the words of the operators' page.

pub use super::catalogue::notifications::*;
use super::common::list;
use super::events::event;
use super::{Lang, alarms};
use model::alarm::AlarmChannel;
use model::event::EventKind;
use model::notification::{
    MessageText, NotificationChannel, NotificationKind, NotificationReason, NotificationReceipt, NotificationState,
    NotificationValues, PARTS_MAX, TEXT_MAX, TextLength, TextMistake,
};

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
        NotificationChannel::Wechat => t.wechat,
        NotificationChannel::Push => t.push,
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
        NotificationKind::StaysOn => t.stays_on,
        NotificationKind::Restored => t.restored,
        NotificationKind::Recharge => t.recharge,
        NotificationKind::EmptyTonight => t.empty_tonight,
        NotificationKind::TopUp => t.top_up,
        NotificationKind::AddressCode => t.address_code,
        NotificationKind::ReplyBalance => t.reply_balance,
        NotificationKind::ReplyStop => t.reply_stop,
        NotificationKind::ReplyTopUp => t.reply_top_up,
        NotificationKind::LogInCode => t.log_in_code,
        NotificationKind::GatewayLost => t.gateway_lost,
        NotificationKind::DeliveryStuck => t.delivery_stuck,
        NotificationKind::PaymentMismatch => t.payment_mismatch,
        NotificationKind::CertificateExpiring => t.certificate_expiring,
        NotificationKind::Digest => t.digest,
        NotificationKind::Alarm => t.alarm,
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
        NotificationReason::BadNumber => t.bad_number,
        NotificationReason::TooLong => t.too_long,
        NotificationReason::Gone => t.gone,
    }
}

/// What became of a message after its channel took it.
#[must_use]
pub const fn receipt(receipt: NotificationReceipt, lang: Lang) -> &'static str {
    let t = texts(lang).receipt;
    match receipt {
        NotificationReceipt::Delivered => t.delivered,
        NotificationReceipt::Undelivered => t.undelivered,
    }
}

/// The balance as far as it is known.
fn reply_balance(values: &NotificationValues, lang: Lang) -> String {
    let room = &values.room;
    match (values.balance, values.count) {
        (Some(balance), Some(days)) => TextReplyBalanceDays { room, balance, days }.text(lang),
        (Some(balance), None) => TextReplyBalance { room, balance }.text(lang),
        (None, _) => TextReplyNoBalance { room }.text(lang),
    }
}

/// Until when the power stays on, of a meter with its own wallet also until how much is owed.
fn stays_on(values: &NotificationValues, lang: Lang) -> String {
    let [room, _, amount, balance, _, _, until, ..] = values.named().map(|(_, value)| value);
    TextStaysOnLimit { room, balance, until, amount }.text(lang)
}

/// The product's text of a kind, with places for its values.
#[must_use]
pub fn standard(kind: NotificationKind, lang: Lang) -> String {
    let [room, subject, amount, balance, purchases, since, until, code, _] =
        NotificationValues::NAMES.map(|name| format!("{{{name}}}"));
    match kind {
        NotificationKind::Alarm1 => TextAlarm1 { room, balance }.text(lang),
        NotificationKind::Alarm2 => TextAlarm2 { room, balance }.text(lang),
        NotificationKind::Arrears => TextArrears { room, balance }.text(lang),
        NotificationKind::StaysOn => TextStaysOn { room, balance, until }.text(lang),
        NotificationKind::Restored => TextRestored { room }.text(lang),
        NotificationKind::Recharge => TextRecharge { room, amount, balance, purchases }.text(lang),
        NotificationKind::EmptyTonight => TextEmptyTonight { room, balance }.text(lang),
        NotificationKind::TopUp => TextTopUp { room, balance, subject }.text(lang),
        NotificationKind::AddressCode => TextAddressCode { code }.text(lang),
        // The variant that has all; [`reply_balance`] has the others.
        NotificationKind::ReplyBalance => TextReplyBalance { room, balance }.text(lang),
        NotificationKind::ReplyStop => texts(lang).text.reply_stop.to_owned(),
        NotificationKind::ReplyTopUp => TextReplyTopUp { subject }.text(lang),
        NotificationKind::LogInCode => TextLogInCode { code }.text(lang),
        NotificationKind::GatewayLost => TextGatewayLost { subject, since }.text(lang),
        NotificationKind::DeliveryStuck => TextDeliveryStuck { room, subject }.text(lang),
        NotificationKind::PaymentMismatch => TextPaymentMismatch { subject }.text(lang),
        NotificationKind::CertificateExpiring => TextCertificateExpiring { subject }.text(lang),
        NotificationKind::Digest => TextDigest { subject }.text(lang),
        NotificationKind::Alarm => TextAlarm { alarm: subject, room }.text(lang),
        NotificationKind::Test => texts(lang).text.test.to_owned(),
    }
}

/// The values of a message as people read them: an alarm is stored as the word of its kind, and a channel as its own.
#[must_use]
pub fn in_words(kind: NotificationKind, values: NotificationValues, lang: Lang) -> NotificationValues {
    let alarm = EventKind::parse(&values.subject).filter(|_| kind == NotificationKind::Alarm);
    let Some(alarm) = alarm else { return values };
    let channel = AlarmChannel::parse(&values.room).filter(|_| alarm == EventKind::ChannelDown);
    let room = channel.map_or_else(|| values.room.clone(), |channel| alarms::channel(channel, lang).to_owned());
    NotificationValues { subject: event(alarm, lang).name.to_owned(), room, ..values }
}

/// Usual values of a message, as people read them.
#[must_use]
pub fn example(of: NotificationKind, lang: Lang) -> NotificationValues {
    let values = NotificationValues::example_of(of);
    let open = [NotificationKind::GatewayLost, NotificationKind::DeliveryStuck].map(|one| format!("{} 2", kind(one, lang)));
    let digest = list(open, lang).filter(|_| of == NotificationKind::Digest);
    let subject = digest.unwrap_or_else(|| values.subject.clone());
    in_words(of, NotificationValues { subject, ..values }, lang)
}

/// The text of a message: the site's own, else the product's. Residents who are warned are told whom to ask, where the text does
/// not say it itself, and `signature` stands before all, where there is one.
#[must_use]
pub fn text(
    kind: NotificationKind,
    own: Option<&str>,
    values: &NotificationValues,
    signature: Option<&str>,
    lang: Lang,
) -> String {
    let of_site = own.and_then(|own| MessageText::parse(kind, own).ok());
    let template = of_site.or_else(|| MessageText::parse(kind, &standard(kind, lang)).ok());
    let Some(template) = template else { return String::new() };
    let mut text = match kind {
        // The site's own text has a place for a balance, and some meters were never read.
        NotificationKind::ReplyBalance if own.is_none() || values.balance.is_none() => reply_balance(values, lang),
        NotificationKind::StaysOn if own.is_none() && values.amount.is_some() => stays_on(values, lang),
        _ => template.render(&in_words(kind, values.clone(), lang)),
    };
    if kind.names_contact() && !values.contact.is_empty() && !template.has("contact") {
        text = FrameContact { text: &text, contact: &values.contact }.text(lang);
    }
    signature.map_or_else(|| text.clone(), |signature| FrameSignature { signature, text: &text }.text(lang))
}

/// How long a text is, and in how many text messages it is sent.
#[must_use]
pub fn length(text: &str, lang: Lang) -> String {
    let TextLength { units, parts, .. } = TextLength::of(text);
    TextsMeasured { units, count: i64::try_from(parts).unwrap_or(i64::MAX) }.text(lang)
}

/// What is wrong with a text.
#[must_use]
pub fn mistake(mistake: &TextMistake, lang: Lang) -> String {
    let t = texts(lang).text_mistake;
    match mistake {
        TextMistake::Empty => t.empty.to_owned(),
        TextMistake::TooLong(characters) => TextMistakeTooLong { characters, most: TEXT_MAX }.text(lang),
        TextMistake::TooManyParts(parts) => TextMistakeTooManyParts { parts, most: PARTS_MAX }.text(lang),
        TextMistake::UnknownValue { name, at } => TextMistakeUnknownValue { name: format!("{{{name}}}"), at }.text(lang),
        TextMistake::Brace { at } => TextMistakeBrace { at }.text(lang),
        TextMistake::Control { at } => TextMistakeControl { at }.text(lang),
        TextMistake::NoCode => TextMistakeNoCode { name: "{code}" }.text(lang),
        TextMistake::NoLink => TextMistakeNoLink { name: "{subject}" }.text(lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::money::Fen;

    fn plain(kind: NotificationKind, lang: Lang) -> String {
        text(kind, None, &NotificationValues { contact: String::new(), ..example(kind, lang) }, None, lang)
    }

    #[test]
    fn every_message_says_its_values_in_both_languages() {
        for lang in Lang::ALL {
            for kind in NotificationKind::ALL {
                assert!(MessageText::parse(kind, &standard(kind, lang)).is_ok(), "{kind:?}");
                let said = plain(kind, lang);
                assert!(!said.contains(['{', '}']), "{said}");
                let is_of_room = NotificationKind::OF_RESIDENTS.contains(&kind) || kind == NotificationKind::ReplyBalance;
                let names_room = is_of_room || matches!(kind, NotificationKind::DeliveryStuck | NotificationKind::Alarm);
                assert_eq!(said.contains("3号楼 301"), names_room, "{said}");
                assert!(!said.is_empty() && TextLength::of(&said).parts <= 3, "{said} is short");
            }
        }
        let digest = plain(NotificationKind::Digest, Lang::En);
        assert!(digest.contains(kind(NotificationKind::DeliveryStuck, Lang::En)), "{digest}");
        let recharge = plain(NotificationKind::Recharge, Lang::Zh);
        assert!(recharge.contains("50.00") && recharge.contains("63.20") && recharge.contains('7'), "{recharge}");
        for (balance, words) in [(Some(Fen(6_320)), "63.20"), (None, "3号楼 301")] {
            let reply = NotificationValues { balance, count: None, ..NotificationValues::example() };
            for own in [None, Some("{room} 余额 {balance} 元")] {
                let said = text(NotificationKind::ReplyBalance, own, &reply, None, Lang::Zh);
                assert!(said.contains(words) && said.contains('元') == balance.is_some(), "{said}");
            }
        }
        let kept_on = |amount| NotificationValues { amount, ..NotificationValues::example() };
        assert!(text(NotificationKind::StaysOn, None, &kept_on(Some(Fen(2_000))), None, Lang::Zh).contains("欠费未达 20.00 元"));
        assert!(!text(NotificationKind::StaysOn, None, &kept_on(None), None, Lang::Zh).contains("欠费"));
        for kind in [NotificationKind::AddressCode, NotificationKind::LogInCode] {
            assert!(plain(kind, Lang::En).contains("042317"));
        }
    }

    #[test]
    fn a_message_names_whom_to_ask_and_who_writes() {
        let values = NotificationValues::example();
        let warned = |own, signature| text(NotificationKind::Alarm2, own, &values, signature, Lang::Zh);
        assert!(warned(None, Some("清河宿舍")).starts_with("【清河宿舍】3号楼 301 "));
        assert!(warned(None, None).ends_with("咨询电话 010-62770000。"));
        assert_eq!(warned(Some("{room} 请致电 {contact}"), None), "3号楼 301 请致电 010-62770000");
        assert_eq!(warned(Some("{rooom}"), None), warned(None, None), "a text that does not fit its kind is not used");
        let restored = text(NotificationKind::Restored, None, &values, None, Lang::Zh);
        assert!(!restored.contains("010"), "{restored}");
    }

    #[test]
    fn an_alarm_is_named_in_the_language_of_its_message() {
        let values = NotificationValues { subject: "relay-fault".to_owned(), ..NotificationValues::default() };
        for lang in Lang::ALL {
            let name = event(EventKind::RelayFault, lang).name;
            assert_eq!(in_words(NotificationKind::Alarm, values.clone(), lang).subject, name);
            assert!(text(NotificationKind::Alarm, None, &values, None, lang).contains(name));
        }
        let down = NotificationValues { subject: "channel-down".to_owned(), room: "message-sms".to_owned(), ..values.clone() };
        assert!(text(NotificationKind::Alarm, None, &down, None, Lang::Zh).contains(channel(NotificationChannel::Sms, Lang::Zh)));
        // The name of a gateway may be any text.
        assert_eq!(in_words(NotificationKind::GatewayLost, values.clone(), Lang::Zh), values);
    }

    #[test]
    fn mistakes_name_the_place() {
        let found = MessageText::parse(NotificationKind::Alarm1, "您好 {rom}").unwrap_err();
        assert_eq!(mistake(&found, Lang::En), "Character 4: there is no value {rom} in this message. Use those listed below.");
    }
}
