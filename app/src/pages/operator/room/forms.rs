//! The actions on a room. Each leads to a confirmation page, which states the consequence and submits it.

use leptos::prelude::*;

use crate::i18n::resident::sentences::whole;
use crate::i18n::room::{EmergencyOutstanding, EmergencyTooLittle, EmergencyUsed, SaleRange, texts};
use crate::i18n::{cash_desk, common, lang};
use crate::ports::{allowed, now};
use crate::ui::time::At;
use model::console::{ChannelSale, parts};
use model::friendly::EmergencyCredit;
use model::ids::{MeterId, Uuid};
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;
use model::time::MINUTE;

/// A sale: amount, Enter, Enter. `key` goes along in the address, so that the way back to the confirmation finds what was done.
pub fn sale(meter: MeterId, (min, max): (Fen, Fen), key: Uuid) -> impl IntoView {
    let t = texts(lang());
    let range = SaleRange { min: whole(min), max: whole(max) }.text(lang());
    view! {
        <form class="card stack-tight" action=format!("/rooms/{meter}")>
            <h2>{t.sale}</h2>
            <input type="hidden" name="do" value="sale" />
            <input type="hidden" name="key" value=key.to_string() />
            <label class="field">
                <span>{t.amount}</span>
                <input class="input" name="amount" inputmode="decimal" autocomplete="off" autofocus required
                    pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" />
                <span class="hint">{range}</span>
            </label>
            {tenders()}
            <button class="primary">{t.go_on}</button>
        </form>
    }
}

/// What became of emergency credit that was just given: somebody may have taken it before.
pub fn emergency_given(credit: &EmergencyCredit) -> String {
    match credit {
        EmergencyCredit::Outstanding { amount, taken_at } if now().since(*taken_at) > MINUTE => {
            EmergencyOutstanding { amount, at: taken_at }.text(lang())
        }
        _ => texts(lang()).emergency_given.to_owned(),
    }
}

/// Emergency credit at the counter, or why there is none now; nothing where none is set for the room.
pub fn emergency_credit(meter: MeterId, credit: &EmergencyCredit) -> impl IntoView + use<> {
    let (t, is_offered) = (texts(lang()), matches!(credit, EmergencyCredit::Offered { .. }));
    let is_open = matches!(credit, EmergencyCredit::Outstanding { .. } | EmergencyCredit::TooLittle { .. });
    let about = match credit {
        EmergencyCredit::NotOffered => return None,
        EmergencyCredit::NotYet { .. } | EmergencyCredit::Offered { .. } => t.emergency_hint.to_owned(),
        EmergencyCredit::TooLittle { amount, least } => EmergencyTooLittle { amount, least }.text(lang()),
        EmergencyCredit::Outstanding { amount, taken_at } => EmergencyOutstanding { amount, at: taken_at }.text(lang()),
        EmergencyCredit::Used { next } => EmergencyUsed { day: next }.text(lang()),
    };
    Some(view! {
        <details class="card" open=is_open>
            <summary>{t.emergency}</summary>
            <form class="stack-tight" method="post" action="/api/operator/emergency-credit">
                <input type="hidden" name="meter" value=meter.to_string() />
                <p class="hint">{about}</p>
                {is_offered.then(|| view! { <button>{t.emergency_give}</button> })}
            </form>
        </details>
    })
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
                        pattern="[0-9０-９]+([.．][0-9０-９]{1,2})?" />
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
