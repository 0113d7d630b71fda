//! To whom the invoices of an account are made out.

use std::str::FromStr;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use crate::api::invoices::BuyerView;
use crate::i18n::invoices::{BuyerOf, texts};
use crate::i18n::lang;
use crate::ports::{operator, ports};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::error::AppError;
use model::ids::MeterId;

/// The page: `/invoices/buyer/:meter`.
#[component]
pub fn InvoiceBuyerPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("meter")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let meter = MeterId::from_str(&meter).map_err(|_| AppError::NotFound)?;
        Ok((meter, ports.invoices.buyer(&who, meter).await?))
    };
    load(read, |(meter, shown)| view! { <Body meter shown /> }.into_any())
}

#[component]
fn Body(meter: MeterId, shown: BuyerView) -> impl IntoView {
    let t = texts(lang());
    let BuyerView { room, account, residents, buyer } = shown;
    let lead = BuyerOf { room: room.to_string(), account, residents }.text(lang());
    let number = buyer.as_ref().and_then(|buyer| buyer.tax_number.clone()).unwrap_or_default();
    let name = buyer.map(|buyer| buyer.name).unwrap_or_default();
    view! {
        <Frame title=t.buyer_title section=Section::Invoices>
            <h1>{t.buyer_title}</h1>
            <p class="hint">{lead}</p>
            <Notice />
            <form class="card stack-tight narrow-form" method="post" action="/api/operator/invoice-buyer">
                <input type="hidden" name="meter" value=meter.to_string() />
                <Field name="buyer" label=t.buyer value=name optional=true hint=t.buyer_hint />
                <Field name="buyer_tax_number" label=t.tax_number value=number optional=true hint=t.buyer_number_hint />
                <div class="buttons">
                    <button class="primary">{t.save}</button>
                    <a class="button" href=format!("/rooms/{meter}")>{t.back}</a>
                </div>
            </form>
        </Frame>
    }
}
