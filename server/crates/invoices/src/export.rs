//! Makes a batch: its rows, and with them the mark that their receipts are exported, in one transaction. The files are made
//! of the rows, as often as somebody asks.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{InvoiceBatchId, UserId, Uuid};
use model::invoice::{InvoiceKind, InvoiceRange, InvoiceSettings};
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;

use super::flat_prices::FlatPrices;
use super::plan::{self, PlannedRow};
use super::settings::{lock, record};
use super::{open_rows, waiting};
use domain::rng::Rng;
use store::{Db, Result, Tx, on};

/// Receipts of one batch: what one import takes. What is left waits for the next.
pub const MOST: i64 = 1_000;

/// An export as it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct NewExport {
    /// Made with the form: sent twice, it is one batch.
    pub key: Uuid,
    pub range: InvoiceRange,
}

/// Exports what waits in the operator's buildings.
///
/// # Errors
/// Refused with [`AppError::InvoiceSettingsMissing`], [`AppError::NothingToInvoice`] where nothing waits, or
/// [`AppError::Conflict`] for a key of somebody else.
pub async fn export(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    new: &NewExport,
    prices: &FlatPrices,
) -> Result<InvoiceBatchId> {
    let mut tx = db.begin().await?;
    let settings = lock(&mut tx).await?.ok_or(AppError::InvoiceSettingsMissing)?;
    if let Some((batch, by)) = by_key(&mut tx, new.key).await? {
        return if by == who.user { Ok(batch) } else { Err(AppError::Conflict.into()) };
    }
    let found = waiting::waiting(&mut tx, who.user, &new.range).await?;
    let open = open_rows::of_accounts(&mut tx, &found).await?;
    let rows = plan::plan(rng, at, settings.rate, found, open, prices).rows;
    if rows.is_empty() {
        return Err(AppError::NothingToInvoice.into());
    }
    let id = InvoiceBatchId(rng.id(at));
    let number = insert(&mut tx, at, who, id, new, &settings).await?;
    for (line, row) in (1..).zip(&rows) {
        insert_row(&mut tx, id, line, row).await?;
    }
    let sum = |kind| rows.iter().filter(|row| row.kind == kind).map(|row| row.taxed.sum()).sum::<Fen>();
    let detail = json!({
        "number": number, "first_day": new.range.from.to_string(), "last_day": new.range.until.to_string(), "rows": rows.len(),
        "amount_fen": sum(InvoiceKind::Blue), "reversed_fen": sum(InvoiceKind::Red),
    });
    record(&mut tx, at, who, (AuditAction::InvoiceExport, &format!("invoices:{id}")), &detail).await?;
    tx.commit().await?;
    Ok(id)
}

async fn by_key(tx: &mut Tx, key: Uuid) -> Result<Option<(InvoiceBatchId, UserId)>> {
    on!(tx, |c| sqlx::query_as("SELECT id, made_by FROM invoice_batches WHERE key = $1").bind(key).fetch_optional(c).await)
}

async fn insert(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    id: InvoiceBatchId,
    new: &NewExport,
    settings: &InvoiceSettings,
) -> Result<i64> {
    let row: Option<(i64,)> = on!(tx, |c| {
        sqlx::query_as(
        "INSERT INTO invoice_batches (id, number, key, from_day, until_day, building_id, seller, tax_number, bank, bank_account,
             item, tax_code, made_by, made_at)
         SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM invoice_batches
         RETURNING number"
    )
    .bind(id)
    .bind(new.key)
    .bind(new.range.from)
    .bind(new.range.until)
    .bind(new.range.building)
    .bind(&settings.seller)
    .bind(&settings.tax_number)
    .bind(&settings.bank)
    .bind(&settings.bank_account)
    .bind(&settings.item)
    .bind(&settings.tax_code)
    .bind(who.user)
    .bind(at)
    .fetch_optional(c)
    .await
    })?;
    Ok(row.map_or(0, |(number,)| number))
}

async fn insert_row(tx: &mut Tx, batch: InvoiceBatchId, line: i64, row: &PlannedRow) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO invoice_rows (id, batch_id, line, kind, series, year, number, account_id, reverses_id, buyer,
             buyer_tax_number, wh, price_e4, rate, net_fen, tax_fen)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    )
    .bind(row.id)
    .bind(batch)
    .bind(line)
    .bind(row.kind)
    .bind(row.receipt.series)
    .bind(row.receipt.year)
    .bind(row.receipt.number)
    .bind(row.account)
    .bind(row.reverses)
    .bind(&row.buyer.name)
    .bind(&row.buyer.tax_number)
    .bind(row.energy.map(|(energy, _)| energy))
    .bind(row.energy.map(|(_, price)| price))
    .bind(row.rate)
    .bind(row.taxed.net)
    .bind(row.taxed.tax)
    .execute(c)
    .await)?;
    Ok(())
}
