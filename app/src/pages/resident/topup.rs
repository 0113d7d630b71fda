//! Topping up: choose an amount and a channel, then continue to the payment.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use super::offered_channels::offered_channels;
use crate::api::resident::{self as api, PayOffer, TopUpOffer};
use crate::i18n::resident::{sentences, texts};
use crate::i18n::{common, lang, pay};
use crate::ports::visit;
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::icon::{Icon, IconMark};
use crate::ui::notice::Notice;
use model::money::Fen;
use model::order::Tender;

/// The amounts that are suggested to restore the power.
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
    } else if offer.pay.max < offer.pay.min {
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
    let for_another = (offer.pays_for_others && !offer.pay.channels.is_empty() && !visit().at_kiosk)
        .then(|| view! { <p><a class="tap" href="/topup/other">{pay::texts(lang()).title}</a></p> });
    view! {
        {pay_form("/api/resident/top-up", None, &offer.pay)}
        {for_another}
    }
}

/// The form of a payment, with a hidden field that says what is paid for.
pub fn pay_form(action: &'static str, of: Option<(&'static str, String)>, offer: &PayOffer) -> AnyView {
    let t = texts(lang());
    if visit().is_in_wechat() && !offer.works_in_wechat {
        return view! { <Callout tone=Tone::Warn><p>{t.open_browser}</p></Callout> }.into_any();
    }
    let channels = offered_channels(&offer.channels);
    if channels.is_empty() {
        return view! { <Callout tone=Tone::Warn><p>{t.no_channel}</p></Callout> }.into_any();
    }
    view! {
        <form class="stack" method="post" action=action>
            {of.map(|(name, value)| view! { <input type="hidden" name=name value=value /> })}
            <input type="hidden" name="key" value=offer.key.to_string() />
            {pay_fields(offer, &channels)}
            <button class="primary wide tall" id="pay" data-text=sentences::top_up_by("{amount}", lang())>{t.go_pay}</button>
        </form>
        <script nonce=use_nonce()>{include_str!("tablet.js")}</script>
        <script type="module" nonce=use_nonce()>{include_str!("amount.js")}</script>
    }
    .into_any()
}

/// The amount and the channel of a payment, in its form. An amount is preselected, so that the form is complete; the blank
/// placeholder lets styles see whether another one is typed, which then counts.
fn pay_fields(offer: &PayOffer, channels: &[Tender]) -> impl IntoView + use<> {
    let lang = lang();
    let t = texts(lang);
    let likely = offer.likely;
    let amounts = offer.amounts.iter().map(move |&amount| {
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="amount"
                    value=sentences::whole(amount)
                    checked=Some(amount) == likely
                />
                <span class="face"><span class="figure num">{sentences::whole(amount)}</span>{common::yuan(lang)}</span>
            </label>
        }
    });
    let channels = channels.iter().enumerate().map(|(n, &tender)| {
        view! {
            <label class="choice">
                <input type="radio" name="channel" value=tender.as_str() checked=n == 0 />
                <span class="face"><IconMark icon=icon(tender) />{common::tender(tender, lang)}</span>
            </label>
        }
    });
    let hint = sentences::range(offer.min, offer.max, lang);
    view! {
        <fieldset class="stack-tight">
            <legend>{t.amount}</legend>
            <div class="choices amounts">{amounts.collect_view()}</div>
        </fieldset>
        <Field name="own" label=t.own_amount inputmode="decimal" hint placeholder=" " optional=true />
        <fieldset class="stack-tight">
            <legend>{t.pay_by}</legend>
            <div class="choices single">{channels.collect_view()}</div>
        </fieldset>
    }
}
