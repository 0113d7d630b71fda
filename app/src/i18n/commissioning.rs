//! Texts about the installation of meters.

use super::Lang;
pub use super::catalogue::commissioning::*;
use model::console::{CheckItem, CheckState, Commissioning};

/// What is checked.
#[must_use]
pub const fn item(item: CheckItem, lang: Lang) -> &'static str {
    let t = texts(lang).item;
    match item {
        CheckItem::Identity => t.identity,
        CheckItem::Clock => t.clock,
        CheckItem::Parameters => t.parameters,
        CheckItem::Cases => t.cases,
        CheckItem::ReadQuality => t.read_quality,
    }
}

/// How a check ended.
#[must_use]
pub const fn check(state: CheckState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        CheckState::Good => t.good,
        CheckState::Differs => t.differs,
        CheckState::Unknown => t.unknown,
    }
}

/// What was read for a check, or why nothing was.
#[must_use]
pub fn reading(meter: &Commissioning, item: CheckItem, lang: Lang) -> String {
    let t = texts(lang);
    match item {
        CheckItem::Identity if meter.is_identified == Some(false) => t.not_identified.to_owned(),
        CheckItem::Identity if meter.latest.observed_at.is_none() => t.not_read.to_owned(),
        CheckItem::Identity => meter.serial.clone(),
        CheckItem::Clock => meter
            .latest
            .clock_offset_s
            .map_or_else(|| t.no_clock.to_owned(), |seconds| ClockOffset { seconds: format!("{seconds:+}") }.text(lang)),
        CheckItem::Parameters => {
            meter.parameters.map_or_else(|| t.no_parameters.to_owned(), |(version, _)| Version { version }.text(lang))
        }
        CheckItem::Cases => OpenCases { count: u32::try_from(meter.cases.len()).unwrap_or(u32::MAX) }.text(lang),
        CheckItem::ReadQuality => meter.quality.map_or_else(
            || t.not_polled.to_owned(),
            |quality| Answered { answered: quality.answered, requests: quality.requests }.text(lang),
        ),
    }
}
