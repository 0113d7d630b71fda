//! Texts for what a meter records itself, and for the rates of a day.

use super::Lang;
pub use super::catalogue::meter_journal::*;
use model::console::JournalLine;

/// A record; with the reason where the meter gives one.
#[must_use]
pub fn record(line: &JournalLine, lang: Lang) -> String {
    let t = texts(lang);
    let Some(record) = t.record.get(&line.kind) else { return line.kind.clone() };
    let cause = match (line.kind.as_str(), line.cause) {
        ("relay_opened" | "relay_closed", 4) => t.cause.arrears,
        ("relay_opened" | "relay_closed", 5) => t.cause.overload,
        ("relay_opened" | "relay_closed", 11) => t.cause.malignant,
        ("relay_opened" | "relay_closed", 12) => t.cause.relay_fault,
        ("relay_opened" | "relay_closed", 0xff) => t.cause.command,
        _ => return record.to_owned(),
    };
    RecordWithCause { record, cause }.text(lang)
}
