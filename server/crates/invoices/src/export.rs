//! Makes a batch: its rows, and with them the mark that their receipts are exported, in one transaction. The files are made
//! of the rows, as often as somebody asks.

use std::sync::LazyLock;

use domain::rng::Rng;
use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{InvoiceBatchId, PlaceId, UserId, Uuid};
use model::invoice::{InvoiceKind, InvoiceRange, InvoiceSeller};
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;

use super::flat_prices::FlatPrices;
use super::plan::{self, PlannedRow};
use super::settings::lock;
use super::{open_rows, waiting};
use store::audit::record;
use store::bulk::Bulk;
use store::{Db, Result, Tx, on};

/// Receipts of one batch: what one import takes. What is left waits for the next.
pub const MOST: i64 = 1_000;

static ROWS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO invoice_rows (id, batch_id, line, kind, series, year, number, account_id, reverses_id, buyer,
             buyer_tax_number, wh, price_e4, rate, net_fen, tax_fen)",
        16,
        "",
    )
});

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
    let open = open_rows::of_waiting(&mut tx, who.user, &new.range).await?;
    let rows = plan::plan(rng, at, settings.rate, found, open, prices).rows;
    if rows.is_empty() {
        return Err(AppError::NothingToInvoice.into());
    }
    let id = InvoiceBatchId(rng.id(at));
    let sums = Sums::of(&rows);
    let buildings = buildings(&mut tx, who.user, new.range.building).await?;
    let batch = NewBatch { id, export: new, seller: &settings.seller, sums: &sums, buildings: buildings.as_deref() };
    let number = insert(&mut tx, at, who, &batch).await?;
    insert_rows(&mut tx, id, &rows).await?;
    let detail = json!({
        "number": number, "first_day": new.range.from.to_string(), "last_day": new.range.until.to_string(), "rows": sums.rows,
        "amount_fen": sums.blue, "reversed_fen": sums.red,
    });
    record(&mut tx, at, who, (AuditAction::InvoiceExport, &format!("invoices:{id}")), &detail).await?;
    tx.commit().await?;
    Ok(id)
}

async fn by_key(tx: &mut Tx, key: Uuid) -> Result<Option<(InvoiceBatchId, UserId)>> {
    on!(tx, |c| sqlx::query_as("SELECT id, made_by FROM invoice_batches WHERE key = $1").bind(key).fetch_optional(c).await)
}

/// The names of the buildings that an export is about; `None` for all of the site.
async fn buildings(tx: &mut Tx, operator: UserId, building: Option<PlaceId>) -> Result<Option<String>> {
    let names: Vec<(String,)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.name FROM places p
         WHERE p.kind = 'building' AND (p.id = $2 OR ($2 IS NULL
             AND NOT EXISTS (SELECT 1 FROM users WHERE id = $1 AND all_buildings)
             AND EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (p.id, p.parent_id))))
         ORDER BY p.sort, p.name"
    )
    .bind(operator)
    .bind(building)
    .fetch_all(c)
    .await)?;
    let names: Vec<String> = names.into_iter().map(|(name,)| name).collect();
    Ok((!names.is_empty()).then(|| names.join(", ")))
}

/// What a batch has, as lists show it.
struct Sums {
    rows: i64,
    blue: Fen,
    red: Fen,
}

impl Sums {
    fn of(rows: &[PlannedRow]) -> Self {
        let sum = |kind| rows.iter().filter(|row| row.kind == kind).map(|row| row.taxed.sum()).sum::<Fen>();
        Self { rows: rows.len() as i64, blue: sum(InvoiceKind::Blue), red: sum(InvoiceKind::Red) }
    }
}

/// A batch as it is stored.
struct NewBatch<'a> {
    id: InvoiceBatchId,
    export: &'a NewExport,
    seller: &'a InvoiceSeller,
    sums: &'a Sums,
    buildings: Option<&'a str>,
}

async fn insert(tx: &mut Tx, at: Timestamp, who: &Who, new: &NewBatch<'_>) -> Result<i64> {
    let NewBatch { id, export, seller, sums, buildings } = new;
    let row: Option<(i64,)> = on!(tx, |c| {
        sqlx::query_as(
            "INSERT INTO invoice_batches (id, number, key, from_day, until_day, buildings, seller, tax_number, bank,
                 bank_account, item, tax_code, row_count, blue_fen, red_fen, made_by, made_at)
             SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
             FROM invoice_batches RETURNING number",
        )
        .bind(id)
        .bind(export.key)
        .bind(export.range.from)
        .bind(export.range.until)
        .bind(*buildings)
        .bind(&seller.name)
        .bind(&seller.tax_number)
        .bind(&seller.bank)
        .bind(&seller.bank_account)
        .bind(&seller.item)
        .bind(&seller.tax_code)
        .bind(sums.rows)
        .bind(sums.blue)
        .bind(sums.red)
        .bind(who.user)
        .bind(at)
        .fetch_optional(c)
        .await
    })?;
    Ok(row.map_or(0, |(number,)| number))
}

async fn insert_rows(tx: &mut Tx, batch: InvoiceBatchId, rows: &[PlannedRow]) -> Result<()> {
    let lines: Vec<(i64, &PlannedRow)> = (1..).zip(rows).collect();
    for (text, lines) in ROWS.pieces(tx, &lines) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for (line, row) in lines {
                let receipt = row.receipt;
                query = query.bind(row.id).bind(batch).bind(line).bind(row.kind);
                query = query.bind(receipt.series).bind(receipt.year).bind(receipt.number).bind(row.account);
                query = query.bind(row.reverses).bind(&row.buyer.name).bind(&row.buyer.tax_number);
                query = query.bind(row.energy.map(|(energy, _)| energy)).bind(row.energy.map(|(_, price)| price));
                query = query.bind(row.rate).bind(row.taxed.net).bind(row.taxed.tax);
            }
            query.execute(c).await
        })?;
    }
    Ok(())
}
