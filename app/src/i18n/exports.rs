//! Texts of files that are made in the background.

use super::catalogue::exports::Between;
pub use super::catalogue::exports::{SoFar, texts};
use super::{Lang, history, meter_states, operator, register, reports};
use model::export::{Export, ExportList, ExportSource, ExportState, ExportTrouble};

/// The name of a report or list.
#[must_use]
pub fn source(source: ExportSource, lang: Lang) -> &'static str {
    match source {
        ExportSource::Report(kind) => reports::report(kind, lang).0,
        ExportSource::List(ExportList::Register) => register::texts(lang).register,
        ExportSource::List(ExportList::Audit) => operator::texts(lang).audit,
        ExportSource::List(ExportList::Readings) => history::texts(lang).title,
        ExportSource::List(ExportList::Meters) => meter_states::texts(lang).title,
    }
}

/// The place, room, meter or text that a file is about.
#[must_use]
pub fn about(export: &Export, lang: Lang) -> String {
    if export.about.is_empty() { texts(lang).all.to_owned() } else { export.about.clone() }
}

/// The days that a file is about; empty where it is about no days.
#[must_use]
pub fn days(export: &Export, lang: Lang) -> String {
    match export.days {
        Some((from, until)) if from == until => from.to_string(),
        Some((from, until)) => Between { from, until }.text(lang),
        None => String::new(),
    }
}

#[must_use]
pub fn state(state: ExportState, lang: Lang) -> &'static str {
    texts(lang).states.get(state.as_str()).unwrap_or_default()
}

/// Why a file was not made, and what to do.
#[must_use]
pub fn trouble(trouble: ExportTrouble, lang: Lang) -> &'static str {
    texts(lang).troubles.get(trouble.as_str()).unwrap_or_default()
}

/// As people say how large a file is: `12 KB`, `3.4 MB`.
#[must_use]
pub fn size(bytes: i64) -> String {
    if bytes < 1_000_000 {
        format!("{} KB", (bytes + 999) / 1_000)
    } else {
        format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!([1, 12_000, 999_999, 1_000_000, 34_560_000].map(size), ["1 KB", "12 KB", "1000 KB", "1.0 MB", "34.5 MB"]);
    }

    #[test]
    fn every_word_has_its_text() {
        for lang in [Lang::Zh, Lang::En] {
            assert!(ExportList::ALL.iter().all(|list| !source(ExportSource::List(*list), lang).is_empty()));
            assert!(ExportState::ALL.iter().all(|one| !state(*one, lang).is_empty()));
            assert!(ExportTrouble::ALL.iter().all(|one| !trouble(*one, lang).is_empty()));
        }
    }
}
