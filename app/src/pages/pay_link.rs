//! The pages behind the link of a reminder: pay for the room, without a log-in. They show the room and amounts, nothing else.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::auth::{AuthFrame, link_ended};
use super::error::ErrorPage;
use super::resident::cashier::{Resume, step_view};
use super::resident::order_body::headline;
use super::resident::topup::pay_form;
use crate::api::pay_links::{self as api, LinkOrder, PayLinkOffer};
use crate::i18n::pay::texts;
use crate::i18n::{common, lang, resident};
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use model::error::AppError;
use model::ids::OrderId;
use model::order::OrderState;

fn link() -> String {
    use_params_map().with_untracked(|params| params.get("link")).unwrap_or_default()
}

/// The page: `/p/:link`.
#[component]
pub fn PayLinkPage() -> impl IntoView {
    let link = link();
    Suspend::new(async move {
        match api::pay_link_offer(&link).await {
            Ok(offer) => view! { <Choose link offer /> }.into_any(),
            Err(error) => refused(error),
        }
    })
}

/// The page: `/p/:link/:order`.
#[component]
pub fn LinkOrderPage() -> impl IntoView {
    let link = link();
    let id = use_params_map().with_untracked(|params| params.get_str("order").and_then(|id| OrderId::from_str(id).ok()));
    Suspend::new(async move {
        let found = match id {
            Some(id) => api::link_order(&link, id).await.map(|order| (id, order)),
            None => Err(AppError::NotFound),
        };
        match found {
            Ok((id, order)) => view! { <Order link id order /> }.into_any(),
            Err(error) => refused(error),
        }
    })
}

/// A link that cannot be used says how to go on.
fn refused(error: AppError) -> AnyView {
    if error != AppError::LinkEnded {
        return view! { <ErrorPage error /> }.into_any();
    }
    let t = texts(lang());
    link_ended(t.link_ended, t.link_ended_hint, ("/topup", t.log_in))
}

#[component]
fn Choose(link: String, offer: PayLinkOffer) -> impl IntoView {
    let (t, r) = (texts(lang()), resident::texts(lang()));
    let form = if offer.in_wechat {
        view! {
            <Callout tone=Tone::Warn><p>{r.open_browser}</p></Callout>
            <p><a class="button" href="/topup">{t.log_in}</a></p>
        }
        .into_any()
    } else {
        pay_form("/api/pay/by-link", Some(("link", link)), &offer.pay)
    };
    view! {
        <AuthFrame title=r.top_up>
            <Notice />
            <p class="muted">{offer.place.clone()}</p>
            {form}
        </AuthFrame>
    }
}

#[component]
fn Order(link: String, id: OrderId, order: LinkOrder) -> impl IntoView {
    let (lang, t) = (lang(), resident::texts(lang()));
    let (class, head) = headline(order.state, lang);
    let (again, page) = (format!("/p/{link}"), format!("/p/{link}/{id}"));
    let fields = vec![("link", link), ("order", id.to_string())];
    let resume = Resume { action: "/api/pay/resume", fields, after: page.clone() };
    let step = order.step.map(|step| step_view(step, order.tender, resume));
    let next = match order.state {
        OrderState::Credited => ().into_any(),
        OrderState::Closed | OrderState::Refunded => view! { <a class="button wide" href=again>{t.again}</a> }.into_any(),
        OrderState::Pending | OrderState::Paid | OrderState::Refunding | OrderState::Case => {
            view! { <a class="button wide" href=page>{texts(lang).look_again}</a> }.into_any()
        }
    };
    view! {
        <AuthFrame title=t.pay_title>
            <Notice />
            <p class="muted">{order.place}</p>
            <p class="big num">{order.amount.to_string()}<span class="unit">{common::yuan(lang)}</span></p>
            <p class=format!("state {class}")>{head}</p>
            {step}
            {next}
        </AuthFrame>
    }
}
