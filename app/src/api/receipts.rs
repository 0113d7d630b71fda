//! Receipts, orders, and the register of sales and returns.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{OrderView, Receipt, ReceiptNumber, RecordQuery, Records};
use model::error::AppError;
use model::ids::OrderId;

#[async_trait]
pub trait ReceiptsPort: Send + Sync {
    async fn receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Receipt, AppError>;
    /// The receipt of what was sold with the opening of an account that has this receipt.
    async fn first_purchase(&self, who: &Who, opening: ReceiptNumber) -> Result<Option<ReceiptNumber>, AppError>;
    /// An order with all that became of it.
    async fn order(&self, who: &Who, id: OrderId) -> Result<OrderView, AppError>;
    /// Counts a print of a receipt.
    async fn print_receipt(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError>;
    /// A page of the register, with the totals of the whole filter.
    async fn records(&self, who: &Who, query: &RecordQuery) -> Result<Records, AppError>;
}

/// Counts a print of a receipt, and shows the receipt for printing.
#[server(name = PrintReceipt, prefix = "/api", endpoint = "operator/print-receipt")]
pub async fn print_receipt(
    number: String,
    #[server(default)] paper: String,
    #[server(default)] copies: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let said = [("paper", &paper), ("copies", &copies)].into_iter().filter(|(_, value)| !value.is_empty());
    let back = said.fold(format!("/receipts/{number}"), |page, (name, value)| link::with(&page, name, value));
    let done = async { ports.receipts.print_receipt(&who, parse::<ReceiptNumber>(&number)?).await }.await;
    answer(done.map(|()| link::with(&back, "print", "1")), &back)
}
