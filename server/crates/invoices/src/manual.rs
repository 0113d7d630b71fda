//! Returns that have no invoice of here to reverse: a person reverses them in the tax platform, and they wait no longer.

use model::audit::AuditAction;
use model::console::ReceiptNumber;
use model::error::AppError;
use model::ids::PlaceId;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use store::audit::record;
use store::console::{above, within};
use store::{Db, Result, Tx, on};

use super::settings::lock;
use super::waiting::waiting_receipts;

/// Takes the receipt of a return that waits out of all later exports. A repetition changes nothing.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for what is no return that waits in the operator's buildings.
pub async fn reverse_manually(db: &Db, at: Timestamp, who: &Who, number: ReceiptNumber) -> Result<()> {
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    if !waits(&mut tx, who, number).await? {
        return if is_manual(&mut tx, number).await? { Ok(()) } else { Err(AppError::NotFound.into()) };
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO invoice_manual_reversals (series, year, number, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5)"
    )
    .bind(number.series)
    .bind(number.year)
    .bind(number.number)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    let (action, subject) = (AuditAction::InvoiceManualReversal, format!("receipt:{number}"));
    record(&mut tx, at, who, (action, &subject), &json!({})).await?;
    tx.commit().await
}

async fn waits(tx: &mut Tx, who: &Who, number: ReceiptNumber) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT CAST(1 AS BIGINT) ",
        waiting_receipts!(),
        "AND x.kind = 'red' AND x.series = $5 AND x.year = $6 AND x.number = $7"
    ))
    .bind(who.user)
    .bind(0_i64)
    .bind(i64::MAX)
    .bind(None::<PlaceId>)
    .bind(number.series)
    .bind(number.year)
    .bind(number.number)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

async fn is_manual(tx: &mut Tx, number: ReceiptNumber) -> Result<bool> {
    let sql = "SELECT CAST(1 AS BIGINT) FROM invoice_manual_reversals WHERE series = $1 AND year = $2 AND number = $3";
    let row: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as(sql).bind(number.series).bind(number.year).bind(number.number).fetch_optional(c).await)?;
    Ok(row.is_some())
}
