//! Messages to people: what they are about, which channel brings them, and what became of them.

mod phone;
mod preferences;
mod values;

pub use phone::{NoPhoneNumber, PhoneNumber};
pub use preferences::{AlertPreferences, QuietHours};
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
        /// The power is back after arrears.
        Restored = "restored",
        /// A purchase has arrived in the meter.
        Recharge = "recharge",
        /// By its usual use the room may be without power before morning.
        EmptyTonight = "empty-tonight",
        /// The code that proves that an address is the person's.
        AddressCode = "address-code",
        /// Nothing behind a gateway answers.
        GatewayLost = "gateway-lost",
        /// A money command waits for a person.
        DeliveryStuck = "delivery-stuck",
        /// A payment does not fit its order.
        PaymentMismatch = "payment-mismatch",
        /// A certificate of a payment channel ends.
        CertificateExpiring = "certificate-expiring",
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
    }
}

impl NotificationKind {
    /// Those that residents choose or get; the others are for operators, or about an address.
    pub const OF_RESIDENTS: [Self; 6] =
        [Self::Alarm1, Self::Alarm2, Self::Arrears, Self::Restored, Self::Recharge, Self::EmptyTonight];
}

impl NotificationChannel {
    /// Channels to a person's own address; the others reach a group or another system.
    #[must_use]
    pub const fn is_personal(self) -> bool {
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
        matches!(self, Self::Refused | Self::NoTemplate | Self::Stale | Self::Over | Self::Withdrawn)
    }

    /// Whether the next message would fail in the same way.
    #[must_use]
    pub const fn is_of_channel(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy | Self::Redirected | Self::LogIn)
    }
}

/// An address with its middle left out: enough to recognise it, too little to use it.
#[must_use]
pub fn masked(address: &str) -> String {
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
    pub tries: i64,
    pub asked_at: Timestamp,
    /// When it will be tried, while it waits.
    pub next_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub cost: Money,
}

impl NotificationLine {
    /// Whether a person may have it sent again: what could not be sent, and what another system may have lost.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        let replayable = self.channel == NotificationChannel::Webhook && self.state == NotificationState::Sent;
        self.kind != NotificationKind::AddressCode && (self.state == NotificationState::Failed || replayable)
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
        assert_eq!(NotificationChannel::WeCom.address("13800138000"), None);
    }
}
