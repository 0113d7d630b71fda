//! Invoice exports: the seller's data, buyers, batches.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{confirmation, day, fits, parse};
use super::{ApiError, answer};
use crate::i18n::invoices::texts;
use crate::i18n::lang;
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{Page, ReceiptNumber, RoomName};
use model::error::AppError;
use model::ids::{InvoiceBatchId, MeterId, PlaceId, Uuid};
use model::invoice::{
    InvoiceBatch, InvoiceBatchView, InvoiceBuyer, InvoiceRange, InvoiceRangeProblem, InvoiceSeller, InvoiceSerial,
    InvoiceSettings, InvoicesWaiting, invoice_name, tax_code, tax_number,
};

/// To whom the invoices of a room's account are made out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyerView {
    pub room: RoomName,
    pub account: String,
    pub residents: String,
    /// `None`: the resident.
    pub buyer: Option<InvoiceBuyer>,
}

#[async_trait]
pub trait InvoicesPort: Send + Sync {
    /// Whether it is set who sells: nothing is exported before that.
    async fn is_set(&self) -> Result<bool, AppError>;
    /// For an operator of all buildings; `None` until they were set.
    async fn settings(&self, who: &Who) -> Result<Option<InvoiceSettings>, AppError>;
    async fn set_settings(&self, who: &Who, new: &InvoiceSettings) -> Result<(), AppError>;
    async fn buyer(&self, who: &Who, meter: MeterId) -> Result<BuyerView, AppError>;
    async fn set_buyer(&self, who: &Who, meter: MeterId, new: Option<&InvoiceBuyer>) -> Result<(), AppError>;
    /// The operator's buildings.
    async fn buildings(&self, who: &Who) -> Result<Vec<(PlaceId, String)>, AppError>;
    async fn waiting(&self, who: &Who, range: &InvoiceRange) -> Result<InvoicesWaiting, AppError>;
    /// Exports what waits; the same key gives the same batch. A building that the operator may not see is
    /// [`AppError::NotFound`].
    async fn export(&self, who: &Who, key: Uuid, range: &InvoiceRange) -> Result<InvoiceBatchId, AppError>;
    /// Takes the receipt of a return that waits out of all later exports.
    async fn reverse_manually(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError>;
    /// The rows that a receipt was exported in, of batches that the operator may see.
    async fn of_receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Vec<(InvoiceBatchId, InvoiceSerial)>, AppError>;
    async fn cancel(&self, who: &Who, batch: InvoiceBatchId) -> Result<(), AppError>;
    /// A page of batches, the newest first.
    async fn batches(&self, who: &Who, page: i64) -> Result<Page<InvoiceBatch>, AppError>;
    async fn batch(&self, who: &Who, batch: InvoiceBatchId, page: i64) -> Result<InvoiceBatchView, AppError>;
}

/// Days and building of an export, as forms and addresses name them.
///
/// # Errors
/// [`InvoiceRangeProblem`] to be shown.
pub fn range(from: &str, until: &str, building: &str) -> Result<InvoiceRange, InvoiceRangeProblem> {
    let from = day(from).ok_or(InvoiceRangeProblem::NotADay)?;
    let until = day(until).ok_or(InvoiceRangeProblem::NotADay)?;
    let building = match building {
        "" => None,
        id => Some(parse::<PlaceId>(id).map_err(|_| InvoiceRangeProblem::UnknownBuilding)?),
    };
    InvoiceRange { from, until, building }.check()
}

/// Sets who sells, and how it is taxed.
#[server(name = SetInvoiceSettings, prefix = "/api", endpoint = "operator/invoice-settings")]
pub async fn set_invoice_settings(
    seller: String,
    seller_tax_number: String,
    bank: String,
    bank_account: String,
    item: String,
    code: String,
    rate: String,
) -> Result<(), ApiError> {
    let (ports, who, t) = (ports()?, operator()?, texts(lang()));
    let done = async {
        let seller = InvoiceSeller {
            name: fits("seller", (t.seller, t.name_form), invoice_name(&seller, 1))?,
            tax_number: fits("seller_tax_number", (t.tax_number, t.tax_number_hint), tax_number(&seller_tax_number))?,
            bank: fits("bank", (t.bank, t.optional_name_form), invoice_name(&bank, 0))?,
            bank_account: fits("bank_account", (t.bank_account, t.optional_name_form), invoice_name(&bank_account, 0))?,
            item: fits("item", (t.item, t.name_form), invoice_name(&item, 1))?,
            tax_code: fits("code", (t.tax_code, t.tax_code_hint), tax_code(&code))?,
        };
        let new = InvoiceSettings { seller, rate: fits("rate", (t.rate, t.rate_form), parse(&rate))? };
        ports.invoices.set_settings(&who, &new).await
    };
    answer(done.await.map(|()| "/invoices".to_owned()), "/invoices/settings")
}

/// Sets to whom the invoices of an account are made out; an empty name: to its resident.
#[server(name = SetInvoiceBuyer, prefix = "/api", endpoint = "operator/invoice-buyer")]
pub async fn set_invoice_buyer(meter: String, buyer: String, buyer_tax_number: String) -> Result<(), ApiError> {
    let (ports, who, t) = (ports()?, operator()?, texts(lang()));
    let done = async {
        let number = buyer_tax_number.trim();
        let number = if number.is_empty() {
            None
        } else {
            Some(fits("buyer_tax_number", (t.tax_number, t.tax_number_hint), tax_number(number))?)
        };
        let named = !buyer.trim().is_empty() || number.is_some();
        // The import wants more than one character.
        let name = if named { Some(fits("buyer", (t.buyer, t.buyer_hint), invoice_name(&buyer, 2))?) } else { None };
        let new = name.map(|name| InvoiceBuyer { name, tax_number: number });
        ports.invoices.set_buyer(&who, parse(&meter)?, new.as_ref()).await
    };
    answer(done.await.map(|()| format!("/rooms/{meter}")), &format!("/invoices/buyer/{meter}"))
}

/// Exports what waits of these days.
#[server(name = ExportInvoices, prefix = "/api", endpoint = "operator/invoice-export")]
pub async fn export_invoices(
    key: String,
    from: String,
    until: String,
    #[server(default)] building: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    // The page that it was posted from, which says what is wrong with a range.
    let asked = [("from", &from), ("until", &until), ("building", &building)].into_iter().filter(|(_, value)| !value.is_empty());
    let back = asked.fold("/invoices".to_owned(), |page, (name, value)| link::with(&page, name, value));
    let done = async {
        let range = range(&from, &until, &building).map_err(|_| AppError::Invalid)?;
        ports.invoices.export(&who, parse(&key)?, &range).await
    };
    answer(done.await.map(|batch| format!("/invoices/{batch}")), &back)
}

/// Notes that a person reverses a return in the tax platform: it waits no longer.
#[server(name = ReverseManually, prefix = "/api", endpoint = "operator/invoice-manual-reversal")]
pub async fn reverse_manually(receipt: String, back: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = confirmation(&back, "/invoices");
    let done = async { ports.invoices.reverse_manually(&who, parse::<ReceiptNumber>(&receipt)?).await }.await;
    answer(done.map(|()| page.clone()), &page)
}

/// Cancels a batch: its receipts wait again.
#[server(name = CancelInvoices, prefix = "/api", endpoint = "operator/invoice-cancel")]
pub async fn cancel_invoices(batch: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = format!("/invoices/{batch}");
    let done = async { ports.invoices.cancel(&who, parse::<InvoiceBatchId>(&batch)?).await };
    answer(done.await.map(|()| page.clone()), &page)
}
