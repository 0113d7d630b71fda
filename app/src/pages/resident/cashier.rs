//! The step to the payment channel: a form to post, a code to scan, WeChat's payment sheet, or how to leave WeChat.

use std::str::FromStr;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, CashierStep, CashierView};
use crate::i18n::resident::texts;
use crate::i18n::{common, kiosk, lang};
use crate::ui::callout::{Callout, Tone};
use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;

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
    let resume = Resume { action: "/api/resident/pay", fields: vec![("order", id.to_string())], after: format!("/orders/{id}") };
    let step = step_view(cashier.step, cashier.tender, resume);
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

/// How a payment is begun again, and where the payer goes after WeChat's sheet.
pub struct Resume {
    pub action: &'static str,
    /// The hidden fields of the form.
    pub fields: Vec<(&'static str, String)>,
    pub after: String,
}

/// What the payer does next.
pub fn step_view(step: CashierStep, tender: Tender, resume: Resume) -> AnyView {
    let lang = lang();
    let t = texts(lang);
    match step {
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
                <p>{if tender == Tender::Alipay { kiosk::texts(lang).scan_alipay } else { t.scan }}</p>
                <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=t.scan_label>
                    <path d=path />
                </svg>
                <p class="muted small">{t.scan_note}</p>
            </section>
        }
        .into_any(),
        CashierStep::SignIn => {
            let fields = resume.fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
            view! {
                <p class="muted">{t.to_channel_note}</p>
                <form method="post" action=resume.action>
                    {fields.collect_view()}
                    <button class="primary wide tall">{t.to_channel}</button>
                </form>
            }
            .into_any()
        }
        CashierStep::Invoke(request) => view! {
            <p class="muted">{t.sheet_note}</p>
            <button
                type="button"
                class="primary wide tall"
                id="wechat-pay"
                data-request=request
                data-after=resume.after
            >
                {t.to_channel}
            </button>
            <script nonce=use_nonce()>{include_str!("wechat.js")}</script>
        }
        .into_any(),
        CashierStep::OpenBrowser => view! { <Callout tone=Tone::Warn><p>{t.open_browser}</p></Callout> }.into_any(),
    }
}
