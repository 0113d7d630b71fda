//! Texts of the pages of instruments.

use super::Lang;
pub use super::catalogue::instruments::*;
use model::instrument::{InstrumentField, InstrumentTrouble};

/// Why an instrument cannot be read, and what to check.
#[must_use]
pub const fn trouble(trouble: InstrumentTrouble, lang: Lang) -> &'static str {
    let t = texts(lang).trouble;
    match trouble {
        InstrumentTrouble::Silent => t.silent,
        InstrumentTrouble::Refused => t.refused,
        InstrumentTrouble::Unreadable => t.unreadable,
        InstrumentTrouble::Gateway => t.gateway,
        InstrumentTrouble::Unusable => t.unusable,
    }
}

/// The name of a field and a hint; empty where it needs none.
#[must_use]
pub const fn field(field: InstrumentField, lang: Lang) -> (&'static str, &'static str) {
    let (t, h) = (texts(lang).field, texts(lang).hint);
    match field {
        InstrumentField::Number => (t.number, h.number),
        InstrumentField::Name => (t.name, ""),
        InstrumentField::Place => (t.place, h.place),
        InstrumentField::Gateway => (t.gateway, ""),
        InstrumentField::Unit => (t.unit, h.unit),
        InstrumentField::Profile => (t.profile, h.profile),
        InstrumentField::Start => (t.start, h.start),
        InstrumentField::Step => (t.step, h.step),
        InstrumentField::Pt => (t.pt, h.pt),
        InstrumentField::Interval => (t.interval, h.interval),
        InstrumentField::Ct => (t.ct, h.ct),
        InstrumentField::Parent => (t.parent, h.parent),
        InstrumentField::Feeds => (t.feeds, h.feeds),
    }
}
