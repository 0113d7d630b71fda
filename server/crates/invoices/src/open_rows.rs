//! Exported invoices of which something can be reversed.

use std::collections::HashMap;

use domain::invoice::OpenInvoice;
use model::ids::{AccountId, InvoiceRowId, OrderId, UserId};
use model::invoice::{InvoiceBuyer, InvoiceRange, TaxRate, Taxed};
use model::money::Fen;
use model::time::Timestamp;
use sqlx::FromRow;

use super::waiting::waiting_receipts;
use store::console::{above, within};
use store::{Result, Tx, on};

/// An invoice, and what of it was not reversed yet.
pub(super) struct OpenRow {
    pub invoice: OpenInvoice<InvoiceRowId>,
    pub order: Option<OrderId>,
    pub issued_at: Timestamp,
    /// Of its receipt: of two at one instant the later has the greater.
    pub number: i64,
    /// Its reversals are made out to the same.
    pub buyer: InvoiceBuyer,
}

#[derive(FromRow)]
struct StoredOpenRow {
    account_id: AccountId,
    id: InvoiceRowId,
    rate: TaxRate,
    net_fen: Fen,
    tax_fen: Fen,
    order_id: Option<OrderId>,
    issued_at: Timestamp,
    number: i64,
    buyer: String,
    buyer_tax_number: Option<String>,
}

/// Those of the accounts for which a return of these days waits.
pub(super) async fn of_waiting(tx: &mut Tx, operator: UserId, range: &InvoiceRange) -> Result<HashMap<AccountId, Vec<OpenRow>>> {
    let rows: Vec<StoredOpenRow> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT i.account_id, i.id, i.rate, i.buyer, i.buyer_tax_number, p.order_id, p.issued_at, i.number,
                i.net_fen - CAST(COALESCE(SUM(d.net_fen), 0) AS BIGINT) AS net_fen,
                i.tax_fen - CAST(COALESCE(SUM(d.tax_fen), 0) AS BIGINT) AS tax_fen
         FROM invoice_rows i JOIN receipts p ON p.series = i.series AND p.year = i.year AND p.number = i.number
              LEFT JOIN invoice_rows d ON d.reverses_id = i.id AND d.cancelled_at IS NULL
         WHERE i.kind = 'blue' AND i.cancelled_at IS NULL AND i.account_id IN (SELECT x.account_id ",
        waiting_receipts!(),
        "AND x.kind = 'red')
         GROUP BY i.id, i.account_id, i.rate, i.buyer, i.buyer_tax_number, p.order_id, p.issued_at, i.number, i.net_fen,
                  i.tax_fen"
    ))
    .bind(operator)
    .bind(range.from.start())
    .bind(range.until.plus(1).start())
    .bind(range.building)
    .fetch_all(c)
    .await)?;
    let mut open: HashMap<AccountId, Vec<OpenRow>> = HashMap::new();
    for row in rows {
        open.entry(row.account_id).or_default().push(row.into());
    }
    Ok(open)
}

impl From<StoredOpenRow> for OpenRow {
    fn from(row: StoredOpenRow) -> Self {
        let left = Taxed { net: row.net_fen, tax: row.tax_fen };
        Self {
            invoice: OpenInvoice { id: row.id, rate: row.rate, left },
            order: row.order_id,
            issued_at: row.issued_at,
            number: row.number,
            buyer: InvoiceBuyer { name: row.buyer, tax_number: row.buyer_tax_number },
        }
    }
}
