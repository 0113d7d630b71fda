//! The room at a glance: balance and its meaning, top up, the switch, then usage and records.

use leptos::prelude::*;

use super::balance_status::{BalanceFacts, balance_status, read, relay};
use super::frame::{Frame, Tab, load};
use super::record_list::RecordList;
use super::usage::daily_bars;
use crate::api::resident::{self as api, Home};
use crate::i18n::resident::{PowerNow, sentences, texts};
use crate::i18n::{common, lang};
use crate::ports::{anyone, now, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::icon::{Icon, IconMark};
use crate::ui::live::{CALM, Live};
use crate::ui::notice::Notice;
use crate::ui::state::{Mode, RelayOpen, State};
use model::meter::SupplyState;
use model::switch;

#[component]
pub fn HomePage() -> impl IntoView {
    load(Tab::Home, api::home(), |home| view! { <Room home /> }.into_any())
}

#[component]
fn Room(home: Home) -> impl IntoView {
    let t = texts(lang());
    let latest = home.room.latest.clone();
    let (coming, opened, leaving) = (home.coming, home.room.opened, home.room.leaving);
    let (suspended, emergency) = (home.room.suspended, home.emergency);
    let takes_money = opened && !leaving && !suspended;
    let heading = home.room.name.clone();
    let whose = [home.room.place.clone(), anyone().map(|who| who.name).unwrap_or_default()];
    let whose = whose.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let state = if home.room.opened { latest.state() } else { SupplyState::NotOpen };
    // The states arrears and not open imply it.
    let off = !latest.status.relay_closed() && matches!(state, SupplyState::Open | SupplyState::Alarm1 | SupplyState::Alarm2);
    let recorded = home.days.iter().any(|used| used.energy.is_some());
    view! {
        <Frame title=heading.clone() tab=Tab::Home own_heading=true>
            <Notice />
            <Live id="room" again=Some(CALM)>
                <header class="room-head">
                    <div>
                        <h1>{heading}</h1>
                        <p class="muted small">{whose}</p>
                    </div>
                    <p class="marks"><State state />
                        {off.then(|| view! { <RelayOpen /> })}
                        <Mode mode=latest.status.mode() /></p>
                </header>
                {coming
                    .map(|(order, amount)| {
                        view! {
                            <Callout>
                                <p>{sentences::coming(amount, lang())}" "<a class="tap" href=format!("/orders/{order}")>
                                    {t.progress}</a></p>
                            </Callout>
                        }
                    })}
                <Balance home=home.clone() />
                {leaving.then(|| view! { <Callout tone=Tone::Warn><p>{t.leaving}</p></Callout> })}
                {suspended.then(|| view! { <Callout tone=Tone::Warn><p>{t.suspended}</p></Callout> })}
                {takes_money.then(|| view! { <a class="button primary wide tall" href="/topup">{t.top_up}</a> })}
                {(takes_money && emergency.is_shown())
                    .then(|| view! { <a class="button wide" href="/emergency-credit">{t.emergency}</a> })}
                {latest.observed_at.map(|_| view! { <SwitchCard home=home.clone() /> })}
                <section class="card stack-tight" aria-labelledby="use">
                    <div class="page-head">
                        <h2 id="use">{t.recent_use}<span class="unit">"kWh"</span></h2>
                        <a href="/usage">{t.all_use}</a>
                    </div>
                    {if recorded {
                        daily_bars(&home.days, 96).into_any()
                    } else {
                        view! { <p class="muted">{t.no_use}</p> }.into_any()
                    }}
                </section>
                <section class="card stack-tight" aria-labelledby="records">
                    <div class="page-head">
                        <h2 id="records">{t.recent_records}</h2>
                        {(!home.records.is_empty()).then(|| view! { <a href="/records">{t.all_records}</a> })}
                    </div>
                    <RecordList records=home.records />
                </section>
            </Live>
        </Frame>
    }
}

#[component]
fn Balance(home: Home) -> impl IntoView {
    let (lang, now) = (lang(), now());
    let t = texts(lang);
    let latest = &home.room.latest;
    let known = BalanceFacts {
        latest,
        opened: home.room.opened,
        off_since: home.off_since,
        forecast: home.forecast,
        kept_on: home.kept_on,
    };
    let (tone, line) = balance_status(&known, now, lang);
    let class = match tone {
        Tone::Bad => "meaning bad",
        Tone::Warn => "meaning warn",
        Tone::Lost => "meaning lost",
        Tone::Plain | Tone::Good => "meaning",
    };
    let amount = latest.observed_at.map_or_else(|| "—".to_owned(), |_| latest.remaining.to_string());
    // What `installed.js` keeps for the page without a connection; in the lobby nothing.
    let last_known = latest.observed_at.filter(|_| !visit().at_kiosk).map(|at| {
        let (amount, words) = (amount.clone(), line.clone());
        view! { <span id="last-known" data-amount=amount data-words=words data-at=at.0.to_string() data-now=now.0.to_string() /> }
    });
    view! {
        <section class="balance" aria-labelledby="balance">
            <h2 class="muted small" id="balance">
                {t.balance}
                {read(latest, now, lang).map(|words| view! { <span class="aside">{words}</span> })}
            </h2>
            <p class="figure"><span class="num">{amount}</span><span class="unit">{common::yuan(lang)}</span></p>
            <p class=class>{line}</p>
            {last_known}
        </section>
    }
}

#[component]
fn SwitchCard(home: Home) -> impl IntoView {
    let (lang, now) = (lang(), now());
    let t = texts(lang);
    let latest = &home.room.latest;
    let word = relay(latest, lang);
    let on = latest.status.relay_closed();
    let refusal = switch::refusal(latest);
    // A query machine shows the room and switches nothing.
    let at_kiosk = visit().at_kiosk;
    let action = match (home.switching, refusal) {
        _ if at_kiosk => ().into_any(),
        (Some((command, to_on)), _) => {
            let words = if to_on { t.switching_on } else { t.switching_off };
            view! { <a class="button" href=format!("/switch/{command}")>{words}</a> }.into_any()
        }
        (None, None) => {
            // Shows the resident's last command, not the relay: with the switch on and the relay open for another reason,
            // switching off is still the available choice.
            let words = if latest.status.user_switch_off() { t.turn_on } else { t.turn_off };
            view! { <a class="button" href="/switch">{words}</a> }.into_any()
        }
        (None, Some(_)) => ().into_any(),
    };
    let class = if on && latest.lost_since.is_none() { "power on" } else { "power" };
    let power = latest.power_w.filter(|_| latest.lost_since.is_none()).map(|watts| PowerNow { watts }.text(lang));
    let facts = [power, read(latest, now, lang)].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <section class="card switch-card" aria-labelledby="supply">
            <span class=class><IconMark icon=Icon::Power /></span>
            <div class="grow">
                <h2 id="supply">{t.supply}" · "{word}</h2>
                {(!facts.is_empty()).then(|| view! { <p class="muted small">{facts}</p> })}
                {(refusal.is_some() && home.switching.is_none() && !at_kiosk)
                    .then(|| view! { <p class="small"><a class="tap" href="/switch">{t.may_not}</a></p> })}
            </div>
            {action}
        </section>
    }
}
