//! The step to the payment channel: a form to post, a code to scan, WeChat's payment sheet, or how to leave WeChat.

use std::str::FromStr;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, CashierStep, CashierView};
use crate::i18n::resident::texts;
use crate::i18n::{common, lang};
use crate::ui::callout::{Callout, Tone};
use model::error::AppError;
use model::ids::OrderId;

/// The page of `/orders/:id/pay`.
#[component]
pub fn CashierPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| OrderId::from_str(id).ok()));
    let read = async move {
        let id = id.ok_or(AppError::NotFound)?;
        Ok((id, api::cashier(id).await?))
    };
    load(Tab::Records, read, |(id, cashier)| view! { <Ask id cashier /> }.into_any())
}

#[component]
fn Ask(id: OrderId, cashier: CashierView) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let step = match cashier.step {
        CashierStep::Follow(address) => view! {
            <p class="muted">{t.to_channel_note}</p>
            <a class="button primary wide tall" href=address>{t.to_channel}</a>
        }
        .into_any(),
        CashierStep::Post(action, fields) => {
            let fields = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
            view! {
                <p class="muted">{t.to_channel_note}</p>
                <form method="post" action=action id="to-cashier">
                    {fields.collect_view()}
                    <button class="primary wide tall">{t.to_channel}</button>
                </form>
                <script nonce=use_nonce()>{include_str!("post.js")}</script>
            }
            .into_any()
        }
        CashierStep::Scan(size, path) => view! {
            <section class="card scan">
                <p>{t.scan}</p>
                <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=t.scan_label>
                    <path d=path />
                </svg>
                <p class="muted small">{t.scan_note}</p>
            </section>
        }
        .into_any(),
        CashierStep::SignIn => view! {
            <p class="muted">{t.to_channel_note}</p>
            <form method="post" action="/api/resident/pay">
                <input type="hidden" name="order" value=id.to_string() />
                <button class="primary wide tall">{t.to_channel}</button>
            </form>
        }
        .into_any(),
        CashierStep::Invoke(request) => view! {
            <p class="muted">{t.sheet_note}</p>
            <button
                type="button"
                class="primary wide tall"
                id="wechat-pay"
                data-request=request
                data-after=format!("/orders/{id}")
            >
                {t.to_channel}
            </button>
            <script nonce=use_nonce()>{include_str!("wechat.js")}</script>
        }
        .into_any(),
        CashierStep::OpenBrowser => view! { <Callout tone=Tone::Warn><p>{t.open_browser}</p></Callout> }.into_any(),
    };
    view! {
        <Frame title=t.pay_title tab=Tab::Records own_heading=true>
            <header>
                <h1 class="big num">{cashier.amount.to_string()}<span class="unit">{common::yuan(lang)}</span></h1>
                <p class="state accent">{common::tender(cashier.tender, lang)}</p>
            </header>
            {step}
            <a class="button wide" href=format!("/orders/{id}")>{t.see_order}</a>
        </Frame>
    }
}
