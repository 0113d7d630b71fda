//! What can be done to a room. Each leads to a page that says what it will do to whom; only that one does it.

use leptos::prelude::*;

use super::super::parts::param;
use crate::i18n::room::words;
use crate::i18n::{common, lang, till};
use crate::model::ids::{MeterId, Uuid};
use crate::model::meter::ControlMode;
use crate::model::order::Tender;

/// A sale: amount, Enter, Enter.
pub fn sale(meter: MeterId) -> impl IntoView {
    let t = words(lang());
    view! {
        <form class="card stack-tight" action=format!("/rooms/{meter}")>
            <h2>{t.sale}</h2>
            <input type="hidden" name="do" value="sale" />
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" autofocus required pattern="[0-9]+([.][0-9]{1,2})?" />
            </label>
            {tenders()}
            <button class="primary">{t.go_on}</button>
        </form>
    }
}

/// A return: amount, how it is paid out, and why.
pub fn give_back(meter: MeterId) -> impl IntoView {
    let (t, k) = (words(lang()), till::words(lang()));
    view! {
        <details class="card">
            <summary>{k.give_back}</summary>
            <form class="stack-tight" action=format!("/rooms/{meter}")>
                <input type="hidden" name="do" value="return" />
                <p class="hint">{k.give_back_hint}</p>
                <label class="field">
                    <span>{t.amount}</span>
                    <input class="input" name="amount" inputmode="decimal" autocomplete="off" required pattern="[0-9]+([.][0-9]{1,2})?" />
                </label>
                {tenders()}
                <label class="field">
                    <span>{k.reason}</span>
                    <input class="input" name="reason" required maxlength="200" autocomplete="off" />
                    <span class="hint">{k.reason_hint}</span>
                </label>
                <button>{t.go_on}</button>
            </form>
        </details>
    }
}

pub fn tenders() -> impl IntoView {
    let choices = Tender::COUNTER.into_iter().map(|tender| {
        view! {
            <label class="choice">
                <input type="radio" name="tender" value=tender.as_str() checked=tender == Tender::Cash />
                <span class="face">{common::tender(tender, lang())}</span>
            </label>
        }
    });
    view! { <fieldset class="choices three"><legend class="visually-hidden">{words(lang()).tender}</legend>{choices.collect_view()}</fieldset> }
}

/// Reading now, and the control modes: all of them, for a command may be under way, and setting the mode in force releases a trip.
/// An instrument can only be read.
pub fn control(meter: MeterId, measures_only: bool) -> impl IntoView {
    let t = words(lang());
    let links = (!measures_only).then(|| {
        [ControlMode::Prepaid, ControlMode::Guaranteed, ControlMode::ForcedOff].map(|one| {
            let class = if one == ControlMode::ForcedOff { "button danger" } else { "button" };
            view! { <a class=class href=format!("/rooms/{meter}?do={}", one.as_str())>{common::mode(one, lang())}</a> }
        })
    });
    view! {
        <section class="card stack-tight">
            <h2>{t.control}</h2>
            <div class="buttons">
                <form method="post" action="/api/operator/read-now">
                    <input type="hidden" name="meter" value=meter.to_string() />
                    <button>{t.read_now}</button>
                </form>
                {links}
            </div>
        </section>
    }
}

/// Opening an account, with or without a first purchase.
pub fn opening(meter: MeterId, key: Uuid) -> impl IntoView {
    let t = words(lang());
    // After a mistake the page comes back with `?do=open`; then the form is where one looks.
    let again = param("do") == "open";
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/open-account">
            <h2>{t.open_account}</h2>
            <p class="hint">{t.open_hint}</p>
            <input type="hidden" name="meter" value=meter.to_string() />
            <input type="hidden" name="key" value=key.to_string() />
            <label class="field">
                <span>{t.name}</span>
                <input class="input" name="name" required maxlength="60" autocomplete="off" autofocus=again />
            </label>
            <label class="field">
                <span>{t.login}</span>
                <input class="input" name="login" required maxlength="60" autocomplete="off" autocapitalize="off" spellcheck="false" />
            </label>
            <label class="field">
                <span>{t.first_password}</span>
                <input class="input" name="password" required minlength="10" maxlength="200" autocomplete="new-password" />
                <span class="hint">{t.password_hint}</span>
            </label>
            <label class="field">
                <span>{t.first_purchase}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" pattern="[0-9]+([.][0-9]{1,2})?" />
                <span class="hint">{t.first_hint}</span>
            </label>
            {tenders()}
            <button class="primary">{t.open_account}</button>
        </form>
    }
}
