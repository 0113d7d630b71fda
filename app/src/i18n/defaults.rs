//! Names of default parameters.

use super::{Lang, settings};
use model::defaults::{DefaultKind, DefaultValues, DefaultsOf};
use model::gateway::SweepInterval;

/// The name of a parameter with its unit.
#[must_use]
pub const fn kind(kind: DefaultKind, lang: Lang) -> &'static str {
    let t = settings::texts(lang);
    match kind {
        DefaultKind::Alarm1 => t.alarm1,
        DefaultKind::Alarm2 => t.alarm2,
        DefaultKind::Overdraft => t.overdraft,
        DefaultKind::Hoarding => t.hoarding,
        DefaultKind::Overload => t.overload,
        DefaultKind::Interval => t.interval,
    }
}

/// The name of a place, or the name of a group with the word that it is one.
#[must_use]
pub fn named(of: DefaultsOf, name: &str, lang: Lang) -> String {
    match of {
        DefaultsOf::Place(_) => name.to_owned(),
        DefaultsOf::Group(_) => settings::GroupNamed { name }.text(lang),
    }
}

/// A value as people read it, without its unit where the name has it.
#[must_use]
pub fn value(kind: DefaultKind, value: u32, lang: Lang) -> String {
    match kind {
        DefaultKind::Interval => {
            SweepInterval::new(value.into()).map(|one| super::gateways::interval(one, lang)).unwrap_or_default()
        }
        _ => kind.text(value),
    }
}

/// The values that are set, with their names.
#[must_use]
pub fn list(values: &DefaultValues, lang: Lang) -> String {
    let set = DefaultKind::ALL
        .into_iter()
        .filter_map(|one| Some(format!("{} {}", kind(one, lang), value(one, values.get(one)?, lang))));
    super::common::clauses(set, lang).unwrap_or_default()
}
