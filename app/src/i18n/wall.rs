//! Texts of the meter wall; apart from the console's, because the browser carries these along.

use super::Lang;
pub use super::catalogue::wall::*;
use model::meter::SupplyState;

/// How long ago a tile was observed, or how long it has been lost or unreadable: `3 秒前观测`, `失联 12 分`.
#[must_use]
pub fn since(age: &str, state: SupplyState, lang: Lang) -> String {
    match state {
        SupplyState::Lost => LostFor { age }.text(lang),
        SupplyState::Unreadable => UnreadableFor { age }.text(lang),
        _ => ObservedAgo { age }.text(lang),
    }
}

/// How old, in as little space as a tile has: `12 秒`, `3 min`.
#[must_use]
pub fn age(seconds: i64, texts: &WallTexts) -> String {
    let [second, minute, hour, day] = texts.age;
    let seconds = seconds.max(0);
    let (n, unit) = match seconds {
        0..60 => (seconds, second),
        60..3_600 => (seconds / 60, minute),
        3_600..86_400 => (seconds / 3_600, hour),
        _ => (seconds / 86_400, day),
    };
    format!("{n} {unit}")
}
