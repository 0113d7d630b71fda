//! Texts about the installation of meters.

pub use super::catalogue::commissioning::*;
use super::{Lang, common, defaults};
use model::console::{CheckItem, CheckState, Commissioning};
use model::meter::Wallet;

/// What is checked.
#[must_use]
pub const fn item(item: CheckItem, lang: Lang) -> &'static str {
    let t = texts(lang).item;
    match item {
        CheckItem::Identity => t.identity,
        CheckItem::Clock => t.clock,
        CheckItem::Parameters => t.parameters,
        CheckItem::Prices => t.prices,
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
        CheckState::NotApplicable => t.not_applicable,
    }
}

/// The version, and what is not as the default parameters say.
fn parameters(meter: &Commissioning, version: i64, lang: Lang) -> String {
    let version = Version { version }.text(lang);
    let differing = meter.differing().into_iter().map(|(kind, has, wanted)| {
        Differing { name: defaults::kind(kind, lang), has: kind.text(has), wanted: kind.text(wanted) }.text(lang)
    });
    common::clauses(std::iter::once(version).chain(differing), lang).unwrap_or_default()
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
        CheckItem::Parameters if meter.wallet != Wallet::Meter => t.no_parameters_in_meter.to_owned(),
        CheckItem::Parameters => match meter.parameters {
            None => t.no_parameters.to_owned(),
            Some((version, _)) => parameters(meter, version, lang),
        },
        CheckItem::Prices if meter.wallet != Wallet::Meter => t.prices_in_plan.to_owned(),
        CheckItem::Prices => match meter.is_priced {
            None => t.no_prices.to_owned(),
            Some(true) => t.prices_same.to_owned(),
            Some(false) => t.prices_differ.to_owned(),
        },
        CheckItem::Cases => OpenCases { count: u32::try_from(meter.cases.len()).unwrap_or(u32::MAX) }.text(lang),
        CheckItem::ReadQuality => meter.quality.map_or_else(
            || t.not_polled.to_owned(),
            |quality| Answered { answered: quality.answered, requests: quality.requests }.text(lang),
        ),
    }
}
