//! Who sells, and how it is taxed.

use leptos::prelude::*;

use super::super::frame::{Frame, Section};
use crate::i18n::invoices::texts;
use crate::i18n::lang;
use crate::ports::{operator, ports};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::invoice::{InvoiceSeller, InvoiceSettings};

/// The page: `/invoices/settings`.
#[component]
pub fn InvoiceSettingsPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.invoices.settings(&who).await
    };
    load(read, |settings| view! { <Body settings /> }.into_any())
}

#[component]
fn Body(settings: Option<InvoiceSettings>) -> impl IntoView {
    let t = texts(lang());
    let text = |of: fn(&InvoiceSeller) -> &str| settings.as_ref().map(|one| of(&one.seller)).unwrap_or_default().to_owned();
    let [seller, number] = [text(|one| &one.name), text(|one| &one.tax_number)];
    let [bank, bank_account] = [text(|one| &one.bank), text(|one| &one.bank_account)];
    let [item, code] = [text(|one| &one.item), text(|one| &one.tax_code)];
    let rate = settings.as_ref().map(|one| one.rate.to_string()).unwrap_or_default();
    view! {
        <Frame title=t.settings section=Section::Invoices>
            <h1>{t.settings}</h1>
            <p class="hint">{t.settings_lead}</p>
            <Notice />
            <form class="card stack-tight narrow-form" method="post" action="/api/operator/invoice-settings">
                <Field name="seller" label=t.seller value=seller />
                <Field name="seller_tax_number" label=t.tax_number value=number hint=t.tax_number_hint />
                <Field name="bank" label=t.bank value=bank optional=true />
                <Field name="bank_account" label=t.bank_account value=bank_account optional=true />
                <Field name="item" label=t.item value=item hint=t.item_hint />
                <Field name="code" label=t.tax_code value=code inputmode="numeric" hint=t.tax_code_hint />
                <Field name="rate" label=t.rate value=rate inputmode="decimal" hint=t.rate_hint />
                <div class="buttons">
                    <button class="primary">{t.save}</button>
                    <a class="button" href="/invoices">{t.back}</a>
                </div>
            </form>
        </Frame>
    }
}
