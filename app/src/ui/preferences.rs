//! The switches of language and theme: plain forms, since both change the whole page.

use leptos::prelude::*;

use super::theme::Theme;
use crate::i18n::site::texts;
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports;

/// Both switches, side by side.
#[component]
pub fn Preferences() -> impl IntoView {
    let visit = ports::visit();
    let back = link::without_error(&visit.here);
    let (lang, t) = (lang(), texts(lang()));
    let others = Lang::ALL.into_iter().filter(move |other| *other != lang).map(|other| {
        view! { <button class="quiet" name="lang" value=other.tag() lang=other.tag()>{texts(other).language}</button> }
    });
    let theme = match visit.theme {
        Theme::System => t.theme_system,
        Theme::Light => t.theme_light,
        Theme::Dark => t.theme_dark,
    };
    view! {
        <div class="preferences">
            <form method="post" action="/api/site/language">
                <input type="hidden" name="back" value=back.clone()/>
                {others.collect_view()}
            </form>
            <form method="post" action="/api/site/theme">
                <input type="hidden" name="back" value=back/>
                <button class="quiet" name="theme" value=visit.theme.next().word()>{theme}</button>
            </form>
        </div>
    }
}
