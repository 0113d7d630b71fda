//! The receipt of a payment, to show or to save.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Tab, load};
use crate::i18n::cash_desk::receipt;
use crate::i18n::resident::texts;
use crate::i18n::{lang, printing};
use crate::link;
use crate::ports::{ports, resident, visit};
use crate::ui::receipt_sheet::ReceiptSheets;
use model::console::Receipt;
use model::error::AppError;
use model::ids::OrderId;
use model::receipt_sheet::{Block, ReceiptPaper};

/// The page of `/orders/:id/receipt`.
#[component]
pub fn ReceiptPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get_str("id").and_then(|id| OrderId::from_str(id).ok()));
    let read = async move {
        let (ports, who, id) = (ports()?, resident()?, id.ok_or(AppError::NotFound)?);
        let (receipt, sheet) = ports.printing.own_sheet(&who, id, lang()).await?;
        Ok((id, receipt, sheet, ports.printing.logo_address().await?))
    };
    load(Tab::Records, read, |(order, receipt, sheet, logo)| view! { <Body order receipt sheet logo /> }.into_any())
}

#[component]
fn Body(order: OrderId, receipt: Receipt, sheet: Vec<Block>, logo: Option<String>) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let pdf = link::with("/own-receipt.pdf", "order", &order.to_string());
    view! {
        <Frame title=self::receipt(receipt.of, lang) tab=Tab::Records>
            <ReceiptSheets sheets=vec![sheet] paper=ReceiptPaper::A5 logo />
            <p class="muted small">{t.receipt_note}</p>
            <div class="stack-tight no-print">
                {(!visit().at_kiosk)
                    .then(|| view! { <a class="button primary wide" href=pdf>{printing::texts(lang).pdf}</a> })}
                <a class="button wide" href=format!("/orders/{order}")>{t.see_order}</a>
            </div>
        </Frame>
    }
}
