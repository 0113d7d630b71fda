//! The frame around the resident's pages: a title, one column, the navigation under the thumb.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::error::AppError;
use crate::i18n::lang;
use crate::i18n::resident::words;
use crate::pages::error::ErrorPage;
use crate::ports::ports;
use crate::ui::icon::{Icon, IconMark};

/// The five places of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The room at a glance.
    Home,
    /// Energy by day and hour.
    Usage,
    /// Buying credit.
    TopUp,
    /// What was bought.
    Records,
    /// The person, settings, help.
    Me,
}

/// The frame.
#[component]
pub fn Frame(
    /// The page's name, for the window and the heading.
    #[prop(into)]
    title: String,
    /// Where in the navigation it is.
    tab: Tab,
    /// Whether the page brings its own heading.
    #[prop(optional)]
    own_heading: bool,
    children: Children,
) -> impl IntoView {
    let t = words(lang());
    let links = [
        (Tab::Home, "/home", Icon::Home, t.home),
        (Tab::Usage, "/use", Icon::Bars, t.usage),
        (Tab::TopUp, "/topup", Icon::TopUp, t.top_up),
        (Tab::Records, "/records", Icon::List, t.records),
        (Tab::Me, "/me", Icon::Person, t.me),
    ];
    view! {
        <Title text=format!("{title} · Dormwatt") />
        <a class="skip" href="#content">{t.skip}</a>
        <nav class="thumb-nav" aria-label=t.nav>
            <ul>
                {links
                    .map(|(place, href, icon, word)| {
                        view! {
                            <li>
                                <a href=href aria-current=(place == tab).then_some("page")>
                                    <IconMark icon />
                                    {word}
                                </a>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </nav>
        <main class="column stack" id="content">
            {(!own_heading).then(|| view! { <h1>{title}</h1> })}
            {children()}
        </main>
    }
}

/// Shows what `read` gives; who has no room is told how to get one.
pub fn load<T: 'static>(
    tab: Tab,
    read: impl Future<Output = Result<T, AppError>> + Send + 'static,
    show: impl FnOnce(T) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        match read.await {
            Ok(value) => show(value),
            Err(AppError::AccountNotOpen) => view! { <NoRoom tab /> }.into_any(),
            Err(error) => view! { <ErrorPage error /> }.into_any(),
        }
    })
}

/// Logged in, but without a room: the first day, or after moving out.
#[component]
fn NoRoom(tab: Tab) -> impl IntoView {
    let t = words(lang());
    if let Ok(ports) = ports() {
        ports.reply.status(AppError::NotFound.status());
    }
    view! {
        <Frame title=t.no_room tab>
            <p class="muted">{t.no_room_next}</p>
            <a class="button" href="/me">{t.me}</a>
        </Frame>
    }
}
