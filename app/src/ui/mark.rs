//! How sure a day's energy is: a quiet sign beside the figure, and a line that says what the signs mean.

use leptos::prelude::*;

use crate::i18n::{Lang, lang};
use model::event::DayMark;

/// The sign; empty for a day whose both midnights were read.
#[must_use]
pub const fn sign(mark: DayMark) -> &'static str {
    match (mark.estimated, mark.revised) {
        (true, true) => "≈*",
        (true, false) => "≈",
        (false, true) => "*",
        (false, false) => "",
    }
}

/// What the signs among these days mean; nothing where there are none.
pub fn legend(marks: impl IntoIterator<Item = DayMark>) -> Option<AnyView> {
    let all = marks.into_iter().fold(DayMark::default(), |all, mark| DayMark {
        estimated: all.estimated || mark.estimated,
        revised: all.revised || mark.revised,
    });
    let words = [all.estimated.then(|| estimated(lang())), all.revised.then(|| revised(lang()))];
    let said: Vec<&str> = words.into_iter().flatten().collect();
    (!said.is_empty()).then(|| view! { <p class="muted small">{said.join(" ")}</p> }.into_any())
}

const fn estimated(lang: Lang) -> &'static str {
    lang.pick(
        "≈ 没有零点读数，与前后一天的分界是按时间推算的。",
        "≈ The counter at midnight is not known; the split from the day beside it is worked out by time.",
    )
}

const fn revised(lang: Lang) -> &'static str {
    lang.pick("* 有数据补到，事后更正过。", "* Corrected later, when more data arrived.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sure_day_has_no_sign() {
        assert_eq!(sign(DayMark::default()), "");
        assert_eq!(sign(DayMark { estimated: true, revised: true }), "≈*");
    }
}
