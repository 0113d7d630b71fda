//! Cancels a batch: its receipts wait again.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::InvoiceBatchId;
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;

use super::settings::lock;
use store::audit::record;
use store::{Db, Result, Tx, on};

/// Cancels a batch that was not imported, or whose invoices were all reversed there. The caller checks that the operator may see
/// it. A repetition changes nothing.
///
/// # Errors
/// Refused with [`AppError::NotFound`], or [`AppError::InvoiceReversed`] where a later batch reverses a row of it.
pub async fn cancel(db: &Db, at: Timestamp, who: &Who, id: InvoiceBatchId) -> Result<()> {
    let mut tx = db.begin().await?;
    lock(&mut tx).await?;
    let batch: Option<(i64, Option<Timestamp>)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT number, cancelled_at FROM invoice_batches WHERE id = $1")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    let (number, cancelled) = batch.ok_or(AppError::NotFound)?;
    if cancelled.is_some() {
        return Ok(());
    }
    if is_reversed(&mut tx, id).await? {
        return Err(AppError::InvoiceReversed.into());
    }
    on!(&mut tx, |c| sqlx::query("UPDATE invoice_batches SET cancelled_by = $2, cancelled_at = $3 WHERE id = $1")
        .bind(id)
        .bind(who.user)
        .bind(at)
        .execute(c)
        .await)?;
    on!(&mut tx, |c| sqlx::query("UPDATE invoice_rows SET cancelled_at = $2 WHERE batch_id = $1")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    record(&mut tx, at, who, (AuditAction::InvoiceCancel, &format!("invoices:{id}")), &json!({ "number": number })).await?;
    tx.commit().await
}

async fn is_reversed(tx: &mut Tx, id: InvoiceBatchId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM invoice_rows d JOIN invoice_rows i ON i.id = d.reverses_id
         WHERE i.batch_id = $1 AND d.batch_id <> $1 AND d.cancelled_at IS NULL LIMIT 1"
    )
    .bind(id)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}
