//! The resident, the room and the settings.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, Me};
use crate::i18n::resident::texts;
use crate::i18n::{alerts, auth, common, kiosk, lang, personal};
use crate::ports::{anyone, now, ports};
use crate::ui::preferences::Preferences;
use model::time::Date;

/// The page; also for a resident without a room.
#[component]
pub fn MePage() -> impl IntoView {
    load(Tab::Me, api::me(), |me| view! { <Person me /> }.into_any())
}

#[component]
fn Person(me: Me) -> impl IntoView {
    let lang = lang();
    let (t, p) = (texts(lang), personal::texts(lang));
    let day = |day: Date| common::calendar_day(day, now().date(), lang);
    let has_wechat = ports().is_ok_and(|ports| ports.wechat_log_in.has_wechat());
    let name = anyone().map(|who| who.name).unwrap_or_default();
    let mut facts = vec![(t.name, name), (t.login, me.login)];
    match me.room {
        Some(room) => {
            facts.push((t.room, format!("{} {}", room.place, room.name).trim().to_owned()));
            facts.push((t.account, room.account));
            facts.extend(me.opened_at.map(|at| (p.opened, day(at.date()))));
            facts.push((p.meters, me.meters.join(", ")));
            facts.push((p.residents, me.residents.join(", ")));
        }
        None => facts.push((t.room, t.no_room.to_owned())),
    }
    facts.extend(me.since.map(|since| (t.since, day(since.date()))));
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
                <li><a href="/me/roommates">{p.to_roommates}</a></li>
                <li><a href="/password">{p.password_and_devices}</a></li>
                {has_wechat.then(|| view! { <li><a href="/me/wechat">{p.wechat}</a></li> })}
                <li><a href="/me/tokens">{p.tokens}</a></li>
                <li><a href="/me/data">{p.data}</a></li>
                <li><a href="/me/kiosk">{kiosk::texts(lang).code_title}</a></li>
                <li><a href="/help">{t.help}</a></li>
            </ul>
            <form method="post" action="/api/auth/log-out">
                <button class="wide">{t.log_out}</button>
            </form>
            <form method="post" action="/api/auth/log-out-everywhere">
                <button class="wide quiet">{auth::texts(lang).log_out_everywhere}</button>
            </form>
        </Frame>
    }
}
