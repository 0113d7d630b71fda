//! The receipt of a payment through a channel, to show or to print.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use crate::api::resident::{self as api, OrderView};
use crate::i18n::resident::texts;
use crate::i18n::{common, lang};
use model::error::AppError;
use model::ids::OrderId;

/// The page of `/orders/:id/receipt`.
#[component]
pub fn ReceiptPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| OrderId::from_str(id).ok()));
    let read = async move {
        let (order, me) = (api::order(id.ok_or(AppError::NotFound)?).await?, api::me().await?);
        // What was not paid has no receipt.
        if order.paid_at.is_none() {
            Err(AppError::NotFound)
        } else {
            Ok((order, me.room.map(|room| format!("{} {}", room.place, room.name))))
        }
    };
    load(Tab::Records, read, |(order, room)| view! { <Receipt order room /> }.into_any())
}

#[component]
fn Receipt(order: OrderView, room: Option<String>) -> impl IntoView {
    let lang = lang();
    let t = texts(lang);
    let done = order.refunds.iter().filter(|refund| refund.done_at.is_some()).cloned().collect::<Vec<_>>();
    let refunds = done.into_iter().map(move |refund| {
        view! {
            <dt>{t.step_refunded}</dt>
            <dd class="num">
                {format!("-{} {}", refund.amount, common::yuan(lang))}
                {refund.done_at.map(|at| view! { <br /><span class="muted">{at.to_string()}</span> })}
            </dd>
        }
    });
    view! {
        <Frame title=t.receipt tab=Tab::Records own_heading=true>
            <header>
                <h1>{t.receipt}</h1>
                <p class="big num">{order.amount.to_string()}<span class="unit">{common::yuan(lang)}</span></p>
            </header>
            <section class="card">
                <dl class="facts">
                    <dt>{t.receipt_for}</dt>
                    <dd>{room}</dd>
                    <dt>{t.order_number}</dt>
                    <dd class="num">{order.number}</dd>
                    <dt>{t.paid_with}</dt>
                    <dd>{common::tender(order.tender, lang)}</dd>
                    <dt>{t.paid_at}</dt>
                    <dd class="num">{order.paid_at.map(|at| at.to_string())}</dd>
                    {order.trade_no.clone().map(|number| view! { <dt>{t.trade_no}</dt><dd class="num">{number}</dd> })}
                    {order.count.map(|count| view! { <dt>{t.purchase_count}</dt><dd class="num">{count}</dd> })}
                    {refunds.collect_view()}
                </dl>
            </section>
            <p class="muted small">{t.receipt_note}</p>
            <a class="button wide" href=format!("/orders/{}", order.id)>{t.see_order}</a>
        </Frame>
    }
}
