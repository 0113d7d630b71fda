//! Batches of exported invoices. An operator sees those whose rows are all of their buildings.

use model::console::{Page, ReceiptNumber, ReceiptSeries};
use model::energy::Energy;
use model::ids::{AccountId, InvoiceBatchId, UserId};
use model::invoice::{InvoiceBatch, InvoiceBuyer, InvoiceKind, InvoiceRow, InvoiceSeller, InvoiceSerial, TaxRate, Taxed};
use model::money::{Fen, Money};
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use store::console::{Name, above, names, within};
use store::{Db, Result, read};

#[derive(FromRow)]
struct BatchRow {
    id: InvoiceBatchId,
    number: i64,
    from_day: Date,
    until_day: Date,
    buildings: Option<String>,
    row_count: i64,
    blue_fen: Fen,
    red_fen: Fen,
    by_name: String,
    made_at: Timestamp,
    cancelled_by: Option<String>,
    cancelled_at: Option<Timestamp>,
    total: i64,
}

impl From<BatchRow> for InvoiceBatch {
    fn from(row: BatchRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            from: row.from_day,
            until: row.until_day,
            buildings: row.buildings,
            rows: row.row_count,
            blue: row.blue_fen,
            red: row.red_fen,
            by: row.by_name,
            made_at: row.made_at,
            cancelled: row.cancelled_by.zip(row.cancelled_at),
        }
    }
}

/// Whether all rows of the batch `h` are of the operator's buildings.
macro_rules! visible {
    () => {
        concat!(
            " ((SELECT all_buildings FROM users WHERE id = $1) OR NOT EXISTS
                  (SELECT 1 FROM invoice_rows i JOIN accounts a ON a.id = i.account_id JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE i.batch_id = h.id AND NOT",
            within!(),
            ")) "
        )
    };
}

/// The columns of [`BatchRow`], up to further conditions.
macro_rules! batches {
    () => {
        concat!(
            "SELECT h.id, h.number, h.from_day, h.until_day, h.buildings, h.row_count, h.blue_fen, h.red_fen,
                    u.name AS by_name, h.made_at, d.name AS cancelled_by, h.cancelled_at, COUNT(*) OVER () AS total
             FROM invoice_batches h JOIN users u ON u.id = h.made_by LEFT JOIN users d ON d.id = h.cancelled_by
             WHERE",
            visible!()
        )
    };
}

/// A page of batches, the newest first.
pub async fn batches(db: &Db, operator: UserId, page: i64) -> Result<Page<InvoiceBatch>> {
    let size = Page::<InvoiceBatch>::SIZE;
    let rows: Vec<BatchRow> =
        read!(db, |pool| sqlx::query_as(concat!(batches!(), " ORDER BY h.number DESC LIMIT $2 OFFSET $3"))
            .bind(operator)
            .bind(size)
            .bind(page * size)
            .fetch_all(pool)
            .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(InvoiceBatch::from).collect(), total })
}

/// A batch that the operator may see.
pub async fn batch(db: &Db, operator: UserId, id: InvoiceBatchId) -> Result<Option<InvoiceBatch>> {
    let row: Option<BatchRow> = read!(db, |pool| sqlx::query_as(concat!(batches!(), " AND h.id = $2"))
        .bind(operator)
        .bind(id)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map(InvoiceBatch::from))
}

/// Seller and item of a batch, as they were set when it was made. The caller has checked that the operator may see the batch.
pub async fn seller(db: &Db, id: InvoiceBatchId) -> Result<Option<InvoiceSeller>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT seller, tax_number, bank, bank_account, item, tax_code FROM invoice_batches WHERE id = $1"
    )
    .bind(id)
    .fetch_optional(pool)
    .await)
}

#[derive(FromRow)]
struct StoredInvoiceRow {
    batch: i64,
    line: i64,
    kind: InvoiceKind,
    series: ReceiptSeries,
    year: i64,
    receipt: i64,
    reversed_batch: Option<i64>,
    reversed_line: Option<i64>,
    buyer: String,
    buyer_tax_number: Option<String>,
    account_id: AccountId,
    account_number: String,
    wh: Option<Energy>,
    price_e4: Option<Money>,
    rate: TaxRate,
    net_fen: Fen,
    tax_fen: Fen,
    #[sqlx(flatten)]
    name: Name,
}

impl From<StoredInvoiceRow> for InvoiceRow {
    fn from(row: StoredInvoiceRow) -> Self {
        let serial = |batch, line| InvoiceSerial { batch, line };
        Self {
            serial: serial(row.batch, row.line),
            kind: row.kind,
            receipt: ReceiptNumber { series: row.series, year: row.year, number: row.receipt },
            reverses: row.reversed_batch.zip(row.reversed_line).map(|(batch, line)| serial(batch, line)),
            buyer: InvoiceBuyer { name: row.buyer, tax_number: row.buyer_tax_number },
            account: row.account_id,
            account_number: row.account_number,
            room: row.name.into(),
            energy: row.wh.zip(row.price_e4),
            rate: row.rate,
            taxed: Taxed { net: row.net_fen, tax: row.tax_fen },
        }
    }
}

/// Rows of a batch in their order. The caller has checked that the operator may see the batch.
pub async fn rows(db: &Db, id: InvoiceBatchId, limit: i64, offset: i64) -> Result<Vec<InvoiceRow>> {
    let rows: Vec<StoredInvoiceRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT h.number AS batch, i.line, i.kind, i.series, i.year, i.number AS receipt, k.number AS reversed_batch,
                e.line AS reversed_line, i.buyer, i.buyer_tax_number, i.account_id, a.number AS account_number, i.wh, i.price_e4,
                i.rate, i.net_fen, i.tax_fen,",
        names!(),
        "FROM invoice_rows i JOIN invoice_batches h ON h.id = i.batch_id JOIN accounts a ON a.id = i.account_id
         JOIN places r ON r.id = a.place_id",
        above!(),
        "LEFT JOIN invoice_rows e ON e.id = i.reverses_id LEFT JOIN invoice_batches k ON k.id = e.batch_id
         WHERE i.batch_id = $1 ORDER BY i.line LIMIT $2 OFFSET $3"
    ))
    .bind(id)
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(InvoiceRow::from).collect())
}

/// The rows that a receipt was exported in, of batches that hold and that the operator may see.
pub async fn of_receipt(db: &Db, operator: UserId, number: ReceiptNumber) -> Result<Vec<(InvoiceBatchId, InvoiceSerial)>> {
    let rows: Vec<(InvoiceBatchId, i64, i64)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT h.id, h.number, e.line FROM invoice_rows e JOIN invoice_batches h ON h.id = e.batch_id
         WHERE e.series = $2 AND e.year = $3 AND e.number = $4 AND e.cancelled_at IS NULL AND",
        visible!(),
        "ORDER BY h.number, e.line LIMIT $5"
    ))
    .bind(operator)
    .bind(number.series)
    .bind(number.year)
    .bind(number.number)
    .bind(Page::<InvoiceRow>::SIZE)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id, batch, line)| (id, InvoiceSerial { batch, line })).collect())
}
