//! Marks for estimated and corrected days, and their legend.

use leptos::prelude::*;

use crate::i18n::{common, lang};
use model::event::DayMark;

/// The mark; empty for a day with both midnight readings.
#[must_use]
pub const fn sign(mark: DayMark) -> &'static str {
    match (mark.estimated, mark.revised) {
        (true, true) => "≈*",
        (true, false) => "≈",
        (false, true) => "*",
        (false, false) => "",
    }
}

/// The legend of the marks that occur among these days.
pub fn legend(marks: impl IntoIterator<Item = DayMark>) -> Option<AnyView> {
    let all = marks.into_iter().fold(DayMark::default(), |all, mark| DayMark {
        estimated: all.estimated || mark.estimated,
        revised: all.revised || mark.revised,
    });
    let words =
        [all.estimated.then(|| common::texts(lang()).estimated_day), all.revised.then(|| common::texts(lang()).revised_day)];
    let said: Vec<&str> = words.into_iter().flatten().collect();
    (!said.is_empty()).then(|| view! { <p class="muted small">{said.join(" ")}</p> }.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measured_day_has_no_mark() {
        assert_eq!(sign(DayMark::default()), "");
        assert_eq!(sign(DayMark { estimated: true, revised: true }), "≈*");
    }
}
