//! The frame around the resident's pages: a title, one column, the navigation under the thumb.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::resident::{self as api, PastAccount};
use crate::i18n::installed::Offline;
use crate::i18n::resident::texts;
use crate::i18n::{common, kiosk, lang};
use crate::pages::error::ErrorPage;
use crate::ports::{now, reply, visit};
use crate::ui::icon::{Icon, IconMark};
use model::error::AppError;
use model::kiosk::IDLE_SECONDS;

/// The five places of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The room at a glance.
    Home,
    /// Energy by day and hour.
    Usage,
    TopUp,
    /// Top-ups.
    Records,
    /// The person, settings, help.
    Me,
}

#[component]
pub fn Frame(
    /// The title of the window and the heading.
    #[prop(into)]
    title: String,
    /// The current tab.
    tab: Tab,
    /// Whether the page brings its own heading.
    #[prop(optional)]
    own_heading: bool,
    children: Children,
) -> impl IntoView {
    let t = texts(lang());
    let at_kiosk = visit().at_kiosk;
    // The time is filled in by `installed.js`.
    let offline = Offline { at: "{at}" }.text(lang());
    let links = [
        (Tab::Home, "/home", Icon::Home, t.home),
        (Tab::Usage, "/usage", Icon::Bars, t.usage),
        (Tab::TopUp, "/topup", Icon::TopUp, t.top_up),
        (Tab::Records, "/records", Icon::List, t.records),
        (Tab::Me, "/me", Icon::Person, t.me),
    ];
    view! {
        <Title text=format!("{title} · Dormwatt") />
        <a class="skip" href="#content">{t.skip}</a>
        <nav class=if at_kiosk { "thumb-nav kiosk" } else { "thumb-nav" } aria-label=t.nav>
            <ul>
                {links
                    .into_iter()
                    .filter(|(place, ..)| !(at_kiosk && *place == Tab::Me))
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
        <p class="connection" id="connection" role="status" data-text=offline></p>
        <main class=if at_kiosk { "column stack kiosk" } else { "column stack" } id="content">
            {at_kiosk.then(log_out_soon)}
            {(!own_heading).then(|| view! { <h1>{title}</h1> })}
            {children()}
        </main>
    }
}

/// The secret that the request before left for this page, if it begins so; the browser gives it up.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn shown_once(prefix: &str) -> Result<Option<String>, AppError> {
    let secret = visit().once;
    if !secret.starts_with(prefix) {
        return Ok(None);
    }
    reply()?.once("");
    Ok(Some(secret))
}

/// At a query machine: what is left until it logs out, and a button to do so at once.
pub fn log_out_soon() -> impl IntoView {
    let t = kiosk::texts(lang());
    view! {
        <form class="kiosk-end" method="post" action="/api/auth/log-out" id="kiosk-end">
            <p>
                {t.logs_out}" "
                <strong class="num" id="kiosk-left" data-seconds=IDLE_SECONDS.to_string()>{IDLE_SECONDS.to_string()}</strong>
            </p>
            <button class="danger">{t.log_out}</button>
        </form>
        <noscript><meta http-equiv="refresh" content="125;url=/kiosk" /></noscript>
        <script nonce=use_nonce()>{include_str!("../kiosk/kiosk.js")}</script>
    }
}

/// Shows the result of `read`; a resident without a room sees what became of the last one, and how to get one.
pub fn load<T: Send + 'static>(
    tab: Tab,
    read: impl Future<Output = Result<T, AppError>> + Send + 'static,
    show: impl FnOnce(T) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        match read.await {
            Ok(value) => show(value),
            Err(AppError::AccountNotOpen) => {
                let past = api::past_account().await.unwrap_or_default();
                view! { <NoRoom tab past /> }.into_any()
            }
            Err(error) => view! { <ErrorPage error /> }.into_any(),
        }
    })
}

/// Logged in without a room: before moving in, or after moving out.
#[component]
fn NoRoom(tab: Tab, past: Option<PastAccount>) -> impl IntoView {
    let t = texts(lang());
    if let Ok(reply) = reply() {
        reply.status(AppError::NotFound.status());
    }
    let waits = past.as_ref().is_some_and(|past| past.replacing);
    view! {
        <Frame title=t.no_room tab>
            {past.as_ref().map(was)}
            {(!waits).then(|| view! { <p class="muted">{t.no_room_next}</p> })}
            {(!visit().at_kiosk).then(|| view! { <a class="button" href="/me">{t.me}</a> })}
        </Frame>
    }
}

/// What became of the last room.
fn was(past: &PastAccount) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let state = match past.closed_at {
        Some(at) => format!("{} · {}", t.was_closed, common::at(at, now(), lang)),
        None if past.replacing => t.is_replacing.to_owned(),
        None => t.is_closing.to_owned(),
    };
    let left = past.left.map(|(amount, settled)| {
        let word = if settled { t.was_settled } else { t.to_be_settled };
        view! { <dt>{t.was_left}</dt><dd>{format!("{amount} {} · {word}", common::yuan(lang))}</dd> }
    });
    view! {
        <section class="card">
            <dl class="facts">
                <dt>{t.room}</dt>
                <dd>{past.room.clone()}</dd>
                <dt>{t.account}</dt>
                <dd>{format!("{} · {state}", past.account)}</dd>
                {left}
            </dl>
        </section>
    }
}
