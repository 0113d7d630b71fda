//! Messages to people: what they are about, which channel brings them, and what became of them.

mod contact;
mod operator_alerts;
mod phone;
mod preferences;
mod text;
mod text_length;
mod values;

pub use contact::{Contact, NoContact};
pub use operator_alerts::{AlertDelivery, OperatorAlerts};
pub use phone::{NoPhoneNumber, PhoneNumber};
pub use preferences::{AlertPreferences, QuietHours};
pub use text::{MessageText, PARTS_MAX, TEXT_MAX, TextMistake};
pub use text_length::{TextCoding, TextLength};
pub use values::NotificationValues;

use crate::console::RoomName;
use crate::ids::NotificationId;
use crate::money::Money;
use crate::time::Timestamp;
use crate::word_enum;

word_enum! {
    /// What a message is about.
    pub enum NotificationKind {
        /// The room is below alarm amount 1.
        Alarm1 = "alarm-1",
        /// The room is below alarm amount 2.
        Alarm2 = "alarm-2",
        /// Nothing is left, and the power is cut.
        Arrears = "arrears",
        /// The credit is used up, and the power stays on until friendly hours end.
        StaysOn = "stays-on",
        /// The power is back after arrears.
        Restored = "restored",
        /// A purchase has arrived in the meter.
        Recharge = "recharge",
        /// By its usual use the room may be without power before morning.
        EmptyTonight = "empty-tonight",
        /// The balance is below what the resident wants to be reminded at.
        TopUp = "top-up",
        /// The code that proves that an address is the person's.
        AddressCode = "address-code",
        /// The answer to a text message that asked for the balance.
        ReplyBalance = "reply-balance",
        /// The answer to a text message that asked for no more of them.
        ReplyStop = "reply-stop",
        /// The answer to a text message that asked how to pay.
        ReplyTopUp = "reply-top-up",
        /// The code by which a resident logs in, or chooses another password.
        LogInCode = "log-in-code",
        /// Nothing behind a gateway answers.
        GatewayLost = "gateway-lost",
        /// A money command waits for a person.
        DeliveryStuck = "delivery-stuck",
        /// A payment does not fit its order.
        PaymentMismatch = "payment-mismatch",
        /// A certificate of a payment channel ends.
        CertificateExpiring = "certificate-expiring",
        /// What is open at an hour of the day, for one operator.
        Digest = "digest",
        /// An alarm of another kind.
        Alarm = "alarm",
        /// An operator tries a channel.
        Test = "test",
    }

    /// What brings a message to people.
    pub enum NotificationChannel {
        Mail = "mail",
        Sms = "sms",
        /// The robot of a group in WeCom.
        WeCom = "wecom",
        /// The robot of a group in DingTalk.
        DingTalk = "dingtalk",
        /// The robot of a group in Feishu.
        Feishu = "feishu",
        /// Another system of the site.
        Webhook = "webhook",
        /// A resident's WeChat, from the service account of the site.
        Wechat = "wechat",
        /// A resident's browser, also while no page of the site is open (Web Push).
        Push = "push",
    }

    /// What became of a message.
    pub enum NotificationState {
        /// It will be sent, now or later.
        Waiting = "waiting",
        /// The channel took it.
        Sent = "sent",
        /// It was not sent, because nobody needs it any more.
        Dropped = "dropped",
        /// It could not be sent. A person may send it again.
        Failed = "failed",
    }

    /// Why a message was not sent, or not yet.
    pub enum NotificationReason {
        /// No answer in time, or no connection.
        Unreachable = "unreachable",
        /// The channel takes no more now.
        Busy = "busy",
        /// The channel refused the message or the address.
        Refused = "refused",
        /// The channel answered what cannot be understood; whether it took the message is not known.
        Garbage = "garbage",
        /// The channel sends the request to another address, which is not followed.
        Redirected = "redirected",
        /// The channel does not accept name, key or signature.
        LogIn = "log-in",
        /// The configuration names no template of the provider for this kind.
        NoTemplate = "no-template",
        /// It is too late to be of use.
        Stale = "stale",
        /// What it warns of is over.
        Over = "over",
        /// The person does not want it any more, or has left the room.
        Withdrawn = "withdrawn",
        /// The channel cannot send to this number.
        BadNumber = "bad-number",
        /// The text needs more parts than a text message may have.
        TooLong = "too-long",
        /// The address no longer accepts messages, and was removed.
        Gone = "gone",
    }

    /// What became of a message after its channel took it, where the channel says so.
    pub enum NotificationReceipt {
        /// It is on the person's phone.
        Delivered = "delivered",
        /// It will not come.
        Undelivered = "undelivered",
    }
}

impl NotificationKind {
    /// Those that residents choose or get; the others are for operators, or about an address.
    pub const OF_RESIDENTS: [Self; 8] = [
        Self::Alarm1,
        Self::Alarm2,
        Self::Arrears,
        Self::StaysOn,
        Self::Restored,
        Self::Recharge,
        Self::EmptyTonight,
        Self::TopUp,
    ];
    /// Those that each operator chooses.
    pub const OF_OPERATORS: [Self; 5] =
        [Self::GatewayLost, Self::DeliveryStuck, Self::PaymentMismatch, Self::CertificateExpiring, Self::Alarm];

    /// Whether it is sent for the secret in it, which is not kept and not sent again.
    #[must_use]
    pub const fn is_code(self) -> bool {
        matches!(self, Self::AddressCode | Self::LogInCode)
    }

    /// Whether it is only for the person who gets it, and not about a room, a gateway or the site.
    #[must_use]
    pub const fn is_of_person(self) -> bool {
        self.is_code() || matches!(self, Self::ReplyBalance | Self::ReplyStop | Self::ReplyTopUp)
    }

    /// Whether it is of no use without the link in it.
    #[must_use]
    pub const fn is_link(self) -> bool {
        matches!(self, Self::TopUp | Self::ReplyTopUp)
    }

    /// Whether residents are told whom to ask.
    #[must_use]
    pub const fn names_contact(self) -> bool {
        matches!(self, Self::Alarm1 | Self::Alarm2 | Self::Arrears | Self::StaysOn | Self::EmptyTonight)
    }

    /// The values that a text of this kind may have a place for.
    #[must_use]
    pub const fn values(self) -> &'static [&'static str] {
        match self {
            Self::Alarm1 | Self::Alarm2 | Self::Arrears | Self::EmptyTonight => &["room", "balance", "contact"],
            Self::StaysOn => &["room", "balance", "until", "contact"],
            Self::TopUp => &["room", "balance", "subject", "contact"],
            Self::Restored => &["room", "contact"],
            Self::Recharge => &["room", "amount", "balance", "count", "contact"],
            Self::AddressCode | Self::LogInCode => &["code"],
            Self::GatewayLost => &["subject", "since"],
            Self::DeliveryStuck | Self::Alarm => &["room", "subject", "since"],
            Self::PaymentMismatch | Self::CertificateExpiring => &["subject", "since"],
            Self::ReplyBalance => &["room", "balance"],
            Self::Digest | Self::ReplyTopUp => &["subject"],
            Self::ReplyStop | Self::Test => &[],
        }
    }
}

impl NotificationChannel {
    /// Channels to a person's own address; the others reach a group or another system.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Mail | Self::Sms | Self::Wechat | Self::Push)
    }

    /// Whether all its messages go to the same provider, so that after one failure the next is likely to fail too.
    #[must_use]
    pub const fn has_one_provider(self) -> bool {
        !matches!(self, Self::Push)
    }

    /// Whether its addresses are typed in and proved by a code.
    #[must_use]
    pub const fn is_typed_in(self) -> bool {
        matches!(self, Self::Mail | Self::Sms)
    }

    /// An address in the form that the channel takes; `None` where it is none.
    #[must_use]
    pub fn address(self, text: &str) -> Option<String> {
        match self {
            Self::Mail => text.parse::<crate::saved_report::MailAddress>().ok().map(|address| address.to_string()),
            Self::Sms => text.parse::<PhoneNumber>().ok().map(|number| number.to_string()),
            _ => None,
        }
    }
}

impl NotificationReason {
    /// Whether another try would end the same way.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::NoTemplate
                | Self::Stale
                | Self::Over
                | Self::Withdrawn
                | Self::BadNumber
                | Self::TooLong
                | Self::Gone
        )
    }

    /// Whether the next message would fail in the same way.
    #[must_use]
    pub const fn is_of_channel(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy | Self::Redirected | Self::LogIn)
    }
}

/// An address with its middle left out: enough to recognise it, too little to use it. Of a device: whose push service it uses.
#[must_use]
pub fn masked(address: &str) -> String {
    if let Some((_, rest)) = address.split_once("://") {
        let authority = rest.split(['/', '?', '#', '\\', ' ']).next().unwrap_or_default();
        // A name and password may stand before the host.
        return authority.rsplit('@').next().unwrap_or_default().to_owned();
    }
    let (name, domain) = address.split_once('@').map_or((address, ""), |(name, domain)| (name, domain));
    let characters: Vec<char> = name.chars().collect();
    let (head, tail) = if domain.is_empty() { (3, 4) } else { (1, 0) };
    let start: String = characters.iter().take(head).collect();
    let end: String =
        if characters.len() > head + tail { characters.iter().skip(characters.len() - tail).collect() } else { String::new() };
    let at = if domain.is_empty() { String::new() } else { format!("@{domain}") };
    if address.is_empty() { String::new() } else { format!("{start}****{end}{at}") }
}

/// A message in the operators' list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationLine {
    pub id: NotificationId,
    pub kind: NotificationKind,
    pub channel: NotificationChannel,
    /// The room that it is about.
    pub room: Option<RoomName>,
    /// The gateway that it is about.
    pub gateway: Option<String>,
    /// The resident; empty for a group or another system.
    pub person: String,
    /// As [`masked`] shows it.
    pub address: String,
    pub state: NotificationState,
    pub reason: Option<NotificationReason>,
    pub receipt: Option<NotificationReceipt>,
    pub tries: i64,
    pub asked_at: Timestamp,
    /// When it will be tried, while it waits.
    pub next_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub cost: Money,
}

impl NotificationLine {
    /// Whether a person may have it sent again: what could not be sent or did not arrive, and what another
    /// system may have lost.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        let replayable = self.channel == NotificationChannel::Webhook && self.state == NotificationState::Sent;
        let is_lost = self.state == NotificationState::Sent && self.receipt == Some(NotificationReceipt::Undelivered);
        !self.kind.is_code() && (self.state == NotificationState::Failed || replayable || is_lost)
    }
}

/// Which messages are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotificationQuery {
    pub state: Option<NotificationState>,
    pub channel: Option<NotificationChannel>,
    pub kind: Option<NotificationKind>,
    /// Counted from 0.
    pub page: i64,
}

/// How a channel does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelLine {
    pub channel: NotificationChannel,
    /// Whether the configuration has it.
    pub is_set_up: bool,
    pub waiting: i64,
    pub sent_today: i64,
    pub failed_today: i64,
    pub cost_of_month: Money,
    /// What kept the newest message that was tried from being sent.
    pub trouble: Option<NotificationReason>,
    /// Since when an alarm says that it is down.
    pub down_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_addresses_keep_their_ends() {
        for (address, shown) in [
            ("13800138000", "138****8000"),
            ("+447700900123", "+44****0123"),
            ("li.wei@example.org", "l****@example.org"),
            ("138", "138****"),
            ("https://fcm.googleapis.com/fcm/send/abc BPub c2Vj", "fcm.googleapis.com"),
            ("https://evil.example#fcm.googleapis.com BPub c2Vj", "evil.example"),
            ("https://name:word@push.example BPub c2Vj", "push.example"),
            ("https://a:b@push.example#fcm.googleapis.com BPub c2Vj", "push.example"),
            ("", ""),
        ] {
            assert_eq!(masked(address), shown);
        }
    }

    #[test]
    fn an_address_is_one_of_its_channel() {
        assert_eq!(NotificationChannel::Sms.address(" 138 0013 8000 "), Some("13800138000".to_owned()));
        assert_eq!(NotificationChannel::Mail.address("a@B.cn"), Some("a@b.cn".to_owned()));
        assert_eq!(NotificationChannel::Sms.address("a@b.cn"), None);
        assert_eq!(NotificationChannel::Mail.address("13800138000"), None);
        for channel in NotificationChannel::ALL.into_iter().filter(|channel| !channel.is_typed_in()) {
            assert_eq!(channel.address("13800138000"), None);
        }
    }
}
