//! Asking the server again while something is under way; with a script every second, without one by loading the page again.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::i18n::lang;
use crate::i18n::resident::words;

/// What comes after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask again.
    Ask,
    /// It is over.
    Stop,
}

/// Asks a second after the answer to the last question, so that a slow network is never asked twice at once. Does nothing
/// on the server.
pub fn every_second<Fut>(ask: impl Fn() -> Fut + Copy + Send + Sync + 'static, begin: bool)
where
    Fut: Future<Output = Next> + 'static,
{
    Effect::new(move |_| {
        if begin {
            later(ask);
        }
    });
}

fn later<Fut>(ask: impl Fn() -> Fut + Copy + 'static)
where
    Fut: Future<Output = Next> + 'static,
{
    let again = move || {
        spawn_local(async move {
            if ask().await == Next::Ask {
                later(ask);
            }
        });
    };
    set_timeout(again, Duration::from_secs(1));
}

/// The same without a script: the page loads itself again every three seconds. A link does where there is a script and no
/// WebAssembly; styles take it away once the page is alive. Belongs below what it would load again.
pub fn without_script(over: bool) -> impl IntoView {
    (!over).then(|| {
        view! {
            <noscript>
                <meta http-equiv="refresh" content="3" />
            </noscript>
            <p class="until-alive small">
                <a href="">{words(lang()).refresh}</a>
            </p>
        }
    })
}
