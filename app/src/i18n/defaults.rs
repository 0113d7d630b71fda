//! Names of default parameters.

use super::{Lang, settings};
use model::defaults::{DefaultKind, DefaultValues};

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
    }
}

/// The values that are set, with their names.
#[must_use]
pub fn list(values: &DefaultValues, lang: Lang) -> String {
    let set = DefaultKind::ALL.into_iter().filter_map(|one| Some(format!("{} {}", kind(one, lang), one.text(values.get(one)?))));
    super::common::clauses(set, lang).unwrap_or_default()
}
