//! Topping up: choose an amount and a channel, then continue to the payment.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, TopUpOffer};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{common, lang};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::icon::{Icon, IconMark};
use crate::ui::notice::Notice;
use model::money::Fen;
use model::order::Tender;

/// The amounts on the buttons.
pub const OFFERED: [Fen; 4] = [Fen(2_000), Fen(5_000), Fen(10_000), Fen(20_000)];

#[component]
pub fn TopUpPage() -> impl IntoView {
    load(Tab::TopUp, api::top_up_offer(), |offer| view! { <Ask offer /> }.into_any())
}

#[component]
fn Ask(offer: TopUpOffer) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let latest = &offer.room.latest;
    let lost = offer.room.opened && (latest.lost_since.is_some() || latest.observed_at.is_none());
    let balance = latest.observed_at.map(|_| format!("{} {} {}", t.balance, latest.remaining, common::yuan(lang)));
    let form = if offer.room.leaving {
        view! { <Callout><p>{t.leaving}</p></Callout> }.into_any()
    } else if offer.room.suspended {
        view! { <Callout tone=Tone::Warn><p>{t.suspended}</p></Callout> }.into_any()
    } else if !offer.room.opened {
        view! { <Callout><p>{t.not_opened}</p></Callout> }.into_any()
    } else if offer.channels.is_empty() {
        view! { <Callout tone=Tone::Warn><p>{t.no_channel}</p></Callout> }.into_any()
    } else if offer.max < offer.min {
        view! { <Callout tone=Tone::Warn><p>{t.meter_full}</p></Callout> }.into_any()
    } else {
        view! { <Form offer=offer.clone() /> }.into_any()
    };
    view! {
        <Frame title=t.top_up tab=Tab::TopUp>
            <p class="muted">{offer.room.place.clone()}" "{offer.room.name.clone()}{balance.map(|balance|
                format!(" · {balance}"))}</p>
            <Notice />
            {lost.then(|| view! { <Callout tone=Tone::Lost><p>{t.lost_top_up}</p></Callout> })}
            {form}
        </Frame>
    }
}

/// The icon of a channel.
const fn icon(channel: Tender) -> Icon {
    match channel {
        Tender::WechatPay => Icon::Bubble,
        Tender::UnionPay => Icon::Card,
        _ => Icon::Purse,
    }
}

#[component]
fn Form(offer: TopUpOffer) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    // The first allowed amount is preselected, so that the form is complete.
    let within = move |amount: Fen| amount >= offer.min && amount <= offer.max;
    let first = OFFERED.iter().skip(1).chain(&OFFERED).copied().find(|&amount| within(amount));
    let amounts = OFFERED.map(|amount| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="amount"
                    value=sentences::whole(amount)
                    checked=Some(amount) == first
                    disabled=!within(amount)
                />
                <span class="face"><span class="figure num">{sentences::whole(amount)}</span>{common::yuan(lang)}</span>
            </label>
        }
    });
    let channels = offer.channels.iter().enumerate().map(|(n, &tender)| {
        view! {
            <label class="choice">
                <input type="radio" name="channel" value=tender.as_str() checked=n == 0 />
                <span class="face"><IconMark icon=icon(tender) />{common::tender(tender, lang)}</span>
            </label>
        }
    });
    let hint = sentences::range(offer.min, offer.max, lang);
    view! {
        <form class="stack" method="post" action="/api/resident/top-up">
            <input type="hidden" name="key" value=offer.key.to_string() />
            <fieldset class="stack-tight">
                <legend>{t.amount}</legend>
                <div class="choices">{amounts.collect_view()}</div>
            </fieldset>
            <Field name="own" label=t.own_amount inputmode="decimal" hint optional=true />
            <fieldset class="stack-tight">
                <legend>{t.pay_by}</legend>
                <div class="choices single">{channels.collect_view()}</div>
            </fieldset>
            <button class="primary wide tall">{t.go_pay}</button>
        </form>
    }
}
