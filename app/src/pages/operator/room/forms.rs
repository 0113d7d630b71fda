//! The actions on a room. Each leads to a confirmation page, which states the consequence and submits it.

use leptos::prelude::*;

use crate::i18n::room::texts;
use crate::i18n::{cash_desk, common, lang};
use crate::ports::allowed;
use crate::ui::time::At;
use model::console::{ChannelSale, parts};
use model::ids::{MeterId, Uuid};
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;

/// A sale: amount, Enter, Enter. `key` goes along in the address, so that the way back to the confirmation finds what was done.
pub fn sale(meter: MeterId, key: Uuid) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="card stack-tight" action=format!("/rooms/{meter}")>
            <h2>{t.sale}</h2>
            <input type="hidden" name="do" value="sale" />
            <input type="hidden" name="key" value=key.to_string() />
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" autofocus required
                    pattern="[0-9]+([.][0-9]{1,2})?" />
            </label>
            {tenders()}
            <button class="primary">{t.go_on}</button>
        </form>
    }
}

/// A return: amount, payment method and reason.
pub fn give_back(meter: MeterId, by_channel: &[ChannelSale], key: Uuid) -> impl IntoView + use<> {
    let (t, k) = (texts(lang()), cash_desk::texts(lang()));
    view! {
        <details class="card">
            <summary>{k.give_back}</summary>
            <form class="stack-tight" action=format!("/rooms/{meter}")>
                <input type="hidden" name="do" value="return" />
                <input type="hidden" name="key" value=key.to_string() />
                <p class="hint">{k.give_back_hint}</p>
                {(!by_channel.is_empty()).then(|| view! { <p class="hint">{k.by_channel_hint}</p> })}
                <label class="field">
                    <span>{t.amount}</span>
                    <input class="input" name="amount" inputmode="decimal" autocomplete="off" required
                        pattern="[0-9]+([.][0-9]{1,2})?" />
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

/// How an amount is refunded through its channels; each part is a correction. Empty if no channel can refund any.
pub fn by_channel(amount: Fen, sales: &[ChannelSale]) -> Option<AnyView> {
    let k = cash_desk::texts(lang());
    let lines = parts(amount, sales).into_iter().map(|(sale, part)| {
        let to = format!("/corrections/{}?amount={part}", sale.order);
        view! {
            <li>
                <a class="num" href=to>{part.to_string()}" "{common::yuan(lang())}</a>
                " · "{common::tender(sale.tender, lang())}" · "<At at=sale.at />" · "<span class="num">{sale.number}</span>
            </li>
        }
    });
    let lines = lines.collect_view();
    (!lines.is_empty()).then(|| {
        view! {
            <section class="stack-tight">
                <p>{k.by_channel}</p>
                <ul class="plain-list">{lines}</ul>
            </section>
        }
        .into_any()
    })
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
    view! { <fieldset class="choices three"><legend
    class="visually-hidden">{texts(lang()).tender}</legend>{choices.collect_view()}</fieldset> }
}

/// Read now, and all control modes: a command may be in progress, and setting the current mode again releases a trip.
/// An instrument can only be read.
pub fn control(meter: MeterId, measures_only: bool) -> impl IntoView {
    let t = texts(lang());
    let links = (!measures_only && allowed("/api/operator/mode")).then(|| {
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
