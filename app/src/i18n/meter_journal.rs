//! Texts for what a meter records itself, and for the rates of a day.

use super::Lang;
pub use super::catalogue::meter_journal::*;
use model::console::JournalLine;
use model::reading::JournalKind;

/// A record; with the reason where the meter gives one.
#[must_use]
pub fn record(line: &JournalLine, lang: Lang) -> String {
    let t = texts(lang);
    let word = line.kind.as_str();
    let record = t.record.get(word).unwrap_or(word);
    let cause = match (line.kind, line.cause) {
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 4) => t.cause.arrears,
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 5) => t.cause.overload,
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 11) => t.cause.malignant,
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 12) => t.cause.relay_fault,
        (JournalKind::RelayOpened | JournalKind::RelayClosed, 0xff) => t.cause.command,
        _ => return record.to_owned(),
    };
    RecordWithCause { record, cause }.text(lang)
}
