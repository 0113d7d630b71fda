//! Alarms: events by the rules of their place. What a rule says, and how an alarm is handled.

use std::num::ParseIntError;

use crate::code_enum;
use crate::event::EventKind;
use crate::notification::NotificationChannel;
use crate::order::Tender;
use crate::time::{HOUR, MINUTE, SECOND};

code_enum! {
    /// How grave an alarm is.
    pub enum AlarmLevel {
        /// Somebody must look at once; its messages come in quiet hours too.
        Urgent = 1,
        /// Somebody must look today.
        Warning = 2,
        /// Good to know; operators get no message.
        Notice = 3,
    }
}

impl AlarmLevel {
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Warning, Self::Notice];
}

/// A channel of payments or of messages that an alarm is about. WeChat can be either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmChannel {
    Payment(Tender),
    Message(NotificationChannel),
}

impl AlarmChannel {
    /// The prefix of the stored words of message channels.
    const MESSAGE: &str = "message-";

    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment(tender) => tender.as_str(),
            Self::Message(NotificationChannel::Mail) => "message-mail",
            Self::Message(NotificationChannel::Sms) => "message-sms",
            Self::Message(NotificationChannel::WeCom) => "message-wecom",
            Self::Message(NotificationChannel::DingTalk) => "message-dingtalk",
            Self::Message(NotificationChannel::Feishu) => "message-feishu",
            Self::Message(NotificationChannel::Webhook) => "message-webhook",
            Self::Message(NotificationChannel::Wechat) => "message-wechat",
            Self::Message(NotificationChannel::Push) => "message-push",
        }
    }

    /// From the stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix(Self::MESSAGE) {
            Some(channel) => NotificationChannel::parse(channel).map(Self::Message),
            None => Tender::parse(word).map(Self::Payment),
        }
    }
}

crate::__stored_as_text!(AlarmChannel);

/// What a threshold counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdUnit {
    /// Disturbed answers an hour.
    PerHour,
    /// Minutes that something has waited.
    Minutes,
    /// Hours since the newest one.
    Hours,
    /// Days until the end; fewer are worse.
    Days,
    /// Percent that are free; fewer are worse.
    Percent,
}

impl ThresholdUnit {
    /// Whether smaller values are the worse ones.
    #[must_use]
    pub const fn is_lower_worse(self) -> bool {
        matches!(self, Self::Days | Self::Percent)
    }

    /// The largest threshold that can be set.
    #[must_use]
    pub const fn most(self) -> u32 {
        match self {
            Self::PerHour | Self::Minutes => 100_000,
            Self::Hours => 10_000,
            Self::Days => 365,
            Self::Percent => 90,
        }
    }
}

/// The longest delay, s.
pub const DELAY_MOST: u32 = 86_400;

/// The rule of a kind at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlarmRule {
    pub is_on: bool,
    pub level: AlarmLevel,
    /// How long the condition must hold before it is an alarm, ms.
    pub raise_delay: i64,
    /// How long it must be gone before the alarm is over, ms.
    pub clear_delay: i64,
    /// From which value on the condition holds, for kinds with a [`ThresholdUnit`].
    pub threshold: Option<i64>,
}

impl EventKind {
    /// What the threshold of this kind counts; `None` for a kind that holds or does not.
    #[must_use]
    pub const fn threshold_unit(self) -> Option<ThresholdUnit> {
        match self {
            Self::LineNoise => Some(ThresholdUnit::PerHour),
            Self::DeliveryStuck => Some(ThresholdUnit::Minutes),
            Self::BackupOverdue => Some(ThresholdUnit::Hours),
            Self::CertificateExpiring => Some(ThresholdUnit::Days),
            Self::DiskLow => Some(ThresholdUnit::Percent),
            _ => None,
        }
    }

    /// Whether its events end the moment they are raised, so that delays do not apply.
    #[must_use]
    pub const fn is_instant(self) -> bool {
        matches!(self, Self::Tamper | Self::Restored)
    }

    /// Whether other parts of the program act on its event, such as commands that wait until it is over. So it follows its
    /// condition without delays, whatever its rule says.
    #[must_use]
    pub const fn is_interlock(self) -> bool {
        matches!(self, Self::ClockStepped)
    }

    /// Whether operators are told of the cases behind it, whatever its rule says.
    #[must_use]
    pub const fn is_told_as_case(self) -> bool {
        matches!(self, Self::DeliveryStuck | Self::PaymentMismatch | Self::CertificateExpiring)
    }

    /// Whether only the rule of the site applies: it is about the server, and not about a place.
    #[must_use]
    pub const fn is_of_site(self) -> bool {
        use EventKind::{BackupOverdue, CertificateExpiring, ChannelDown, ClockStepped, DiskLow, PaymentMismatch};
        matches!(self, BackupOverdue | CertificateExpiring | ChannelDown | ClockStepped | DiskLow | PaymentMismatch)
    }
}

impl AlarmRule {
    /// What applies where nobody set anything.
    #[must_use]
    pub const fn usual(kind: EventKind) -> Self {
        use EventKind::{
            AbnormalUse, Alarm1, Alarm2, BackupOverdue, CertificateExpiring, ChannelDown, ClockLost, CounterZeroed, CoverOpen,
            DeliveryStuck, DiskLow, InstrumentHeld, InstrumentLost, ItemUnreadable, LineNoise, Restored, Tamper, Tripped,
        };
        let level = match kind {
            AbnormalUse | Alarm1 | ItemUnreadable | InstrumentHeld | Restored => AlarmLevel::Notice,
            Alarm2 | ClockLost | CoverOpen | Tamper | CounterZeroed | LineNoise | InstrumentLost | CertificateExpiring
            | Tripped | BackupOverdue | DeliveryStuck => AlarmLevel::Warning,
            _ => AlarmLevel::Urgent,
        };
        let (raise_delay, clear_delay) = match kind {
            ChannelDown => (5 * MINUTE, MINUTE),
            DiskLow => (MINUTE, MINUTE),
            LineNoise => (0, 10 * MINUTE),
            // A relay may move between two readings.
            Tripped => (10 * MINUTE, 0),
            _ => (0, 0),
        };
        let threshold = match kind {
            LineNoise => Some(20),
            DeliveryStuck => Some(60),
            BackupOverdue => Some(26),
            CertificateExpiring => Some(30),
            DiskLow => Some(10),
            _ => None,
        };
        // That the power is back is seen at the end of what had cut it, and an unusual day in its report; a site that wants them
        // as alarms of their own says so.
        Self { is_on: !matches!(kind, AbnormalUse | Restored), level, raise_delay, clear_delay, threshold }
    }

    /// The rule of a kind: the defaults with the values that are set.
    #[must_use]
    pub fn of(kind: EventKind, own: &OwnAlarmRule) -> Self {
        let rule = Self::usual(kind).with(own);
        if kind.is_interlock() { Self { is_on: true, raise_delay: 0, clear_delay: 0, ..rule } } else { rule }
    }

    /// This rule with the values that a place or group sets itself.
    fn with(self, own: &OwnAlarmRule) -> Self {
        let delay = |own: Option<u32>, inherited| own.map_or(inherited, |seconds| i64::from(seconds) * SECOND);
        Self {
            is_on: own.is_on.unwrap_or(self.is_on),
            level: own.level.unwrap_or(self.level),
            raise_delay: delay(own.raise_s, self.raise_delay),
            clear_delay: delay(own.clear_s, self.clear_delay),
            threshold: self.threshold.map(|inherited| own.threshold.map_or(inherited, i64::from)),
        }
    }
}

/// What a place or group sets of a rule; `None` is inherited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnAlarmRule {
    pub is_on: Option<bool>,
    pub level: Option<AlarmLevel>,
    pub raise_s: Option<u32>,
    pub clear_s: Option<u32>,
    pub threshold: Option<u32>,
}

impl OwnAlarmRule {
    /// From a form: an empty field is inherited, `off` switches it off, and a level is on with that. `None` for anything else.
    #[must_use]
    pub fn read(level: &str) -> Option<Self> {
        match level.trim() {
            "" => Some(Self::default()),
            "off" => Some(Self { is_on: Some(false), ..Self::default() }),
            code => {
                let level = AlarmLevel::from_code(code.parse().ok()?)?;
                Some(Self { is_on: Some(true), level: Some(level), ..Self::default() })
            }
        }
    }

    /// As [`Self::read`] takes it.
    #[must_use]
    pub fn level_text(&self) -> String {
        match (self.is_on, self.level) {
            (Some(false), _) => "off".to_owned(),
            (_, Some(level)) => level.code().to_string(),
            (_, None) => String::new(),
        }
    }

    /// A delay or threshold from a form: an empty field is inherited.
    ///
    /// # Errors
    /// The text is no number from 0 on.
    pub fn number(text: &str) -> Result<Option<u32>, ParseIntError> {
        match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every value is within its bounds, and only what the kind has is set.
    #[must_use]
    pub fn fits(&self, kind: EventKind) -> bool {
        let longest = if kind.is_instant() || kind.is_interlock() { 0 } else { DELAY_MOST };
        let delays = [self.raise_s, self.clear_s].into_iter().flatten().all(|s| s <= longest);
        let is_kept = !kind.is_interlock() || self.is_on != Some(false);
        let most = kind.threshold_unit().map_or(0, ThresholdUnit::most);
        delays && is_kept && self.threshold.is_none_or(|value| (1..=most).contains(&value))
    }

    /// The same, where what is not set is as `above` says.
    #[must_use]
    pub fn or(self, above: &Self) -> Self {
        Self {
            is_on: self.is_on.or(above.is_on),
            level: self.level.or(above.level),
            raise_s: self.raise_s.or(above.raise_s),
            clear_s: self.clear_s.or(above.clear_s),
            threshold: self.threshold.or(above.threshold),
        }
    }
}

/// The longest silence, h.
pub const SILENCE_MOST_H: i64 = 31 * 24;

/// How long somebody wants no messages about alarms, ms.
#[must_use]
pub const fn silence_length(hours: i64) -> Option<i64> {
    if hours >= 1 && hours <= SILENCE_MOST_H { Some(hours * HOUR) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_of_payments_and_messages_round_trip() {
        let payments = Tender::ALL.map(AlarmChannel::Payment).into_iter();
        for channel in payments.chain(NotificationChannel::ALL.map(AlarmChannel::Message)) {
            assert_eq!(AlarmChannel::parse(channel.as_str()), Some(channel));
        }
        assert_eq!((AlarmChannel::parse("message-"), AlarmChannel::parse("sms")), (None, None));
    }

    #[test]
    fn an_own_value_goes_before_what_is_inherited() {
        let usual = AlarmRule::usual(EventKind::DiskLow);
        let own = OwnAlarmRule { threshold: Some(25), raise_s: Some(0), ..OwnAlarmRule::default() };
        assert_eq!(usual.with(&own), AlarmRule { threshold: Some(25), raise_delay: 0, ..usual });
        let above = OwnAlarmRule { threshold: Some(5), is_on: Some(false), ..OwnAlarmRule::default() };
        assert_eq!(own.or(&above), OwnAlarmRule { is_on: Some(false), ..own });
        let overload = AlarmRule::usual(EventKind::Overload);
        assert_eq!(overload.with(&own).threshold, None, "it holds or does not");
    }

    #[test]
    fn a_level_round_trips() {
        for text in ["", "off", "1", "3"] {
            assert_eq!(OwnAlarmRule::read(text).map(|own| own.level_text()).as_deref(), Some(text));
        }
        assert_eq!((OwnAlarmRule::read("4"), OwnAlarmRule::read("on")), (None, None));
        assert_eq!([" 5 ", "", "x", "-1"].map(|text| OwnAlarmRule::number(text).ok()), [Some(Some(5)), Some(None), None, None]);
    }

    #[test]
    fn values_are_bounded_by_their_kind() {
        let own = |raise_s, threshold| OwnAlarmRule { raise_s, threshold, ..OwnAlarmRule::default() };
        assert!(own(Some(86_400), None).fits(EventKind::Overload) && !own(Some(86_401), None).fits(EventKind::Overload));
        assert!(!own(None, Some(1)).fits(EventKind::Overload) && own(None, Some(1)).fits(EventKind::DiskLow));
        assert!(!own(None, Some(91)).fits(EventKind::DiskLow) && !own(None, Some(0)).fits(EventKind::DiskLow));
        assert!(!own(Some(1), None).fits(EventKind::Tamper));
    }

    #[test]
    fn an_interlock_is_neither_switched_off_nor_delayed() {
        let own = OwnAlarmRule { level: Some(AlarmLevel::Notice), ..OwnAlarmRule::default() };
        assert!(own.fits(EventKind::ClockStepped), "its level is free");
        let off = OwnAlarmRule { is_on: Some(false), ..own };
        let late = OwnAlarmRule { raise_s: Some(60), clear_s: Some(60), ..own };
        for refused in [off, OwnAlarmRule { raise_s: Some(1), ..own }, OwnAlarmRule { clear_s: Some(1), ..own }] {
            assert!(!refused.fits(EventKind::ClockStepped) && refused.fits(EventKind::Overload), "{refused:?}");
        }
        // Also where the database holds such values.
        let rule = AlarmRule::of(EventKind::ClockStepped, &off.or(&late));
        assert_eq!((rule.is_on, rule.level, rule.raise_delay, rule.clear_delay), (true, AlarmLevel::Notice, 0, 0));
        assert!(!AlarmRule::of(EventKind::Overload, &off).is_on);
    }

    #[test]
    fn usual_rules_have_the_values_of_their_kind() {
        for kind in EventKind::ALL {
            assert_eq!(AlarmRule::usual(kind).threshold.is_some(), kind.threshold_unit().is_some(), "{kind:?}");
            assert_eq!(AlarmRule::usual(kind).is_on, !matches!(kind, EventKind::AbnormalUse | EventKind::Restored), "{kind:?}");
        }
    }
}
