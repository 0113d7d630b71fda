//! The resident, the room and the settings.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, Me};
use crate::i18n::resident::texts;
use crate::i18n::{alerts, common, lang};
use crate::ports::{anyone, now};
use crate::ui::preferences::Preferences;

/// The page; also for a resident without a room.
#[component]
pub fn MePage() -> impl IntoView {
    load(Tab::Me, api::me(), |me| view! { <Person me /> }.into_any())
}

#[component]
fn Person(me: Me) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let name = anyone().map(|who| who.name).unwrap_or_default();
    let mut facts = vec![(t.name, name), (t.login, me.login)];
    match me.room {
        Some(room) => {
            facts.push((t.room, format!("{} {}", room.place, room.name).trim().to_owned()));
            facts.push((t.account, room.account));
        }
        None => facts.push((t.room, t.no_room.to_owned())),
    }
    facts.extend(me.since.map(|since| (t.since, common::calendar_day(since.date(), now().date(), lang))));
    let rows = facts.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> });
    view! {
        <Frame title=t.me tab=Tab::Me>
            <section class="card"><dl class="facts">{rows.collect_view()}</dl></section>
            <section class="card stack-tight" aria-labelledby="settings">
                <h2 id="settings">{t.settings}</h2>
                <Preferences />
            </section>
            <ul class="links card">
                <li><a href="/me/alerts">{alerts::texts(lang).title}</a></li>
                <li><a href="/help">{t.help}</a></li>
                <li><a href="/password">{t.change_password}</a></li>
            </ul>
            <form method="post" action="/api/auth/log-out">
                <button class="wide">{t.log_out}</button>
            </form>
        </Frame>
    }
}
