//! The actions on the account of a room. Each leads to a confirmation page, which states the consequence and submits it.

use leptos::prelude::*;

use super::super::parts::param;
use super::forms::tenders;
use crate::i18n::account_lifecycle::texts;
use crate::i18n::{cash_desk, lang};
use crate::ui::callout::{Callout, Tone};
use model::console::{AccountState, ChannelSale, Lifecycle, OtherMeter, Room};
use model::ids::{GatewayId, MeterId};
use model::meter::Wallet;

/// A change in progress, with a link to it.
pub fn under_way(life: &Lifecycle) -> impl IntoView + use<> {
    let t = texts(lang());
    life.closing.map(|closing| {
        view! {
            <Callout tone=Tone::Warn>
                <p>{t.under_way}</p>
                <p><a href=format!("/closings/{closing}")>{t.see}</a></p>
            </Callout>
        }
    })
}

/// The actions on the open account.
pub fn changes(room: &Room, life: &Lifecycle, by_channel: &[ChannelSale]) -> impl IntoView + use<> {
    let (t, meter) = (texts(lang()), room.progress.latest.meter);
    let open = room.account.as_ref().is_some_and(|account| account.state == AccountState::Open);
    // After an error the attempted action is unfolded.
    let again = !param("e").is_empty();
    view! {
        <details class="card" open=again>
            <summary>{t.title}</summary>
            <div class="stack">
                {residents(room, meter)}
                {(open && life.closing.is_none()).then(|| add_meter(meter, &life.free))}
                {close(meter, by_channel)}
                {relocate(meter)}
                {open.then(|| replace(meter, room.kind == Wallet::Meter))}
            </div>
        </details>
    }
}

/// The closure alone.
pub fn end(meter: MeterId, by_channel: &[ChannelSale]) -> impl IntoView + use<> {
    view! { <div class="card stack-tight">{close(meter, by_channel)}</div> }
}

fn residents(room: &Room, meter: MeterId) -> impl IntoView + use<> {
    let t = texts(lang());
    let lines = room.account.iter().flat_map(|account| &account.residents).map(|resident| {
        let (name, login) = (resident.name.clone(), resident.login.clone());
        view! {
            <li class="page-head">
                <span>{name}" ("{login.clone()}")"</span>
                <form method="post" action="/api/operator/invite-resident">
                    <input type="hidden" name="meter" value=meter.to_string() />
                    <input type="hidden" name="login" value=login.clone() />
                    <button>{t.password_link}</button>
                </form>
                <form action=format!("/rooms/{meter}")>
                    <input type="hidden" name="do" value="resident-out" />
                    <input type="hidden" name="login" value=login />
                    <button>{t.remove}</button>
                </form>
            </li>
        }
    });
    view! {
        <section class="stack-tight">
            <h3>{t.residents}</h3>
            <ul class="plain-list">{lines.collect_view()}</ul>
            <form class="stack-tight" method="post" action="/api/operator/add-resident">
                <h3>{t.add_resident}</h3>
                <p class="hint">{t.add_resident_hint}</p>
                <input type="hidden" name="meter" value=meter.to_string() />
                <label class="field">
                    <span>{t.name}</span>
                    <input class="input" name="name" maxlength="40" autocomplete="off" />
                </label>
                <label class="field">
                    <span>{t.login}</span>
                    <input class="input" name="login" required maxlength="60" autocomplete="off" autocapitalize="off"
                        spellcheck="false" />
                </label>
                <label class="field">
                    <span>{t.password}</span>
                    <input class="input" name="password" minlength="8" maxlength="200" autocomplete="new-password" />
                </label>
                <button>{t.add_resident}</button>
            </form>
        </section>
    }
}

fn add_meter(meter: MeterId, free: &[OtherMeter]) -> impl IntoView + use<> {
    let t = texts(lang());
    let choices = free.iter().map(|one| view! { <option value=one.meter.to_string()>{one.serial.clone()}</option> });
    let body = if free.is_empty() {
        view! { <p class="muted">{t.no_free}</p> }.into_any()
    } else {
        view! {
            <input type="hidden" name="do" value="add-meter" />
            <label class="field">
                <span>{t.meter}</span>
                <select class="input" name="other">{choices.collect_view()}</select>
            </label>
            <button>{t.go_on}</button>
        }
        .into_any()
    };
    view! {
        <form class="stack-tight" action=format!("/rooms/{meter}")>
            <h3>{t.add_meter}</h3>
            <p class="hint">{t.add_meter_hint}</p>
            {body}
        </form>
    }
}

fn close(meter: MeterId, by_channel: &[ChannelSale]) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="stack-tight" action=format!("/rooms/{meter}")>
            <h3>{t.close}</h3>
            <p class="hint">{t.close_hint}</p>
            {(!by_channel.is_empty()).then(|| view! { <p class="hint">{cash_desk::texts(lang()).by_channel_hint}</p> })}
            <input type="hidden" name="do" value="close" />
            {balance_target()}
            {reason()}
            <button class="danger">{t.go_on}</button>
        </form>
    }
}

/// Over the counter, or into another account.
pub fn balance_target() -> impl IntoView {
    let t = texts(lang());
    view! {
        <p>{t.to_counter}</p>
        {tenders()}
        <label class="field">
            <span>{t.to_account}</span>
            <input class="input" name="account" inputmode="numeric" maxlength="16" pattern="[0-9０-９]{16}"
                autocomplete="off" />
            <span class="hint">{t.to_account_hint}</span>
        </label>
    }
}

pub fn reason() -> impl IntoView {
    view! {
        <label class="field">
            <span>{texts(lang()).reason}</span>
            <input class="input" name="reason" required maxlength="200" autocomplete="off" />
        </label>
    }
}

fn relocate(meter: MeterId) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="stack-tight" action=format!("/rooms/{meter}")>
            <h3>{t.relocate}</h3>
            <p class="hint">{t.relocate_hint}</p>
            <input type="hidden" name="do" value="move" />
            <label class="field">
                <span>{t.new_room}</span>
                <input class="input" name="to" required maxlength="60" autocomplete="off" />
            </label>
            {reason()}
            <button>{t.go_on}</button>
        </form>
    }
}

fn replace(meter: MeterId, own_wallet: bool) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="stack-tight" action=format!("/rooms/{meter}")>
            <h3>{t.replace}</h3>
            <p class="hint">{t.replace_hint}" "{if own_wallet { t.replace_settings } else { t.replace_ledger }}</p>
            <input type="hidden" name="do" value="replace" />
            {reason()}
            <button>{t.go_on}</button>
        </form>
    }
}

/// A meter without an account is replaced in one step.
pub fn swap(meter: MeterId, life: &Lifecycle) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <details class="card">
            <summary>{t.replace}</summary>
            <form class="stack-tight" method="post" action="/api/operator/swap-meter">
                <p class="hint">{t.swap_hint}</p>
                <input type="hidden" name="meter" value=meter.to_string() />
                {device(&life.gateways)}
                {reason()}
                <button>{t.install}</button>
            </form>
        </details>
    }
}

/// The new meter.
pub fn device(gateways: &[(GatewayId, String)]) -> impl IntoView + use<> {
    let t = texts(lang());
    let choices = gateways.iter().map(|(id, name)| view! { <option value=id.to_string()>{name.clone()}</option> });
    view! {
        <label class="field">
            <span>{t.new_serial}</span>
            <input class="input" name="serial" required inputmode="numeric" minlength="12" maxlength="12"
                pattern="[0-9０-９]{12}" autocomplete="off" />
        </label>
        <label class="field">
            <span>{t.gateway}</span>
            <select class="input" name="gateway">
                <option value="">{t.as_before}</option>
                {choices.collect_view()}
            </select>
        </label>
        <label class="field">
            <span>{t.unit}</span>
            <input class="input" name="unit" inputmode="numeric" maxlength="3" pattern="[0-9０-９]{1,3}" autocomplete="off" />
        </label>
        <label class="field">
            <span>{t.profile}</span>
            <input class="input" name="profile" maxlength="60" autocomplete="off" />
        </label>
    }
}

/// The other meters of the account.
pub fn siblings(life: &Lifecycle) -> impl IntoView + use<> {
    let t = texts(lang());
    let lines = life.siblings.iter().map(|one| {
        view! { <li><a class="num" href=format!("/rooms/{}", one.meter)>{one.serial.clone()}</a></li> }
    });
    (!life.siblings.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.siblings}</h2>
                <ul class="plain-list">{lines.collect_view()}</ul>
            </section>
        }
    })
}
