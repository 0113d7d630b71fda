//! Texts about how alarms are handled, and their rules.

pub use super::catalogue::alarms::*;
use super::{Lang, common, notifications};
use model::alarm::{AlarmChannel, AlarmLevel, ThresholdUnit};
use model::time::{MINUTE, SECOND};

/// The name of a level.
#[must_use]
pub const fn level(level: AlarmLevel, lang: Lang) -> &'static str {
    let t = texts(lang).levels;
    match level {
        AlarmLevel::Urgent => t.urgent,
        AlarmLevel::Warning => t.warning,
        AlarmLevel::Notice => t.notice,
    }
}

/// The name of a channel that an alarm is about.
#[must_use]
pub const fn channel(channel: AlarmChannel, lang: Lang) -> &'static str {
    match channel {
        AlarmChannel::Payment(tender) => common::tender(tender, lang),
        AlarmChannel::Message(channel) => notifications::channel(channel, lang),
    }
}

/// A level as addresses and forms have it.
#[must_use]
pub const fn level_code(level: AlarmLevel) -> &'static str {
    match level {
        AlarmLevel::Urgent => "1",
        AlarmLevel::Warning => "2",
        AlarmLevel::Notice => "3",
    }
}

/// A delay in ms.
#[must_use]
pub fn delay(ms: i64, lang: Lang) -> String {
    match ms {
        0 => texts(lang).at_once.to_owned(),
        _ if ms % MINUTE == 0 => Minutes { count: ms / MINUTE }.text(lang),
        _ => Seconds { count: ms / SECOND }.text(lang),
    }
}

/// A threshold with its unit.
#[must_use]
pub fn threshold(unit: ThresholdUnit, count: i64, lang: Lang) -> String {
    match unit {
        ThresholdUnit::PerHour => PerHour { count }.text(lang),
        ThresholdUnit::Minutes => ThresholdMinutes { count }.text(lang),
        ThresholdUnit::Hours => ThresholdHours { count }.text(lang),
        ThresholdUnit::Days => ThresholdDays { count }.text(lang),
        ThresholdUnit::Percent => ThresholdPercent { count }.text(lang),
    }
}

/// The label of the field of a threshold.
#[must_use]
pub const fn threshold_field(unit: ThresholdUnit, lang: Lang) -> &'static str {
    let t = texts(lang);
    match unit {
        ThresholdUnit::PerHour => t.per_hour_field,
        ThresholdUnit::Minutes => t.minutes_field,
        ThresholdUnit::Hours => t.hours_field,
        ThresholdUnit::Days => t.days_field,
        ThresholdUnit::Percent => t.percent_field,
    }
}
