//! Receipts: numbered without gaps by year, issued once, with every print counted.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{OrderId, RefundId, ReturnId, UserId};
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on};

/// What a receipt is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReceiptSubject {
    Sale(OrderId),
    /// A return, or the reversal of a sale.
    Return(ReturnId),
    /// A refund that was paid over the counter.
    Refund(RefundId),
}

/// Issues the next number of the year. Called after the audit line is written: every operation locks both rows in this order.
pub(super) async fn issue(tx: &mut Tx, at: Timestamp, by: UserId, subject: ReceiptSubject) -> Result<()> {
    let year = at.date().ymd().0;
    let number: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "INSERT INTO receipt_numbers (year, last) VALUES ($1, 1)
         ON CONFLICT (year) DO UPDATE SET last = receipt_numbers.last + 1 RETURNING last"
    )
    .bind(year)
    .fetch_optional(c)
    .await)?;
    let (number,) = number.ok_or(StoreError::Inconsistent { table: "receipt_numbers", column: "last" })?;
    let (order, back, refund) = match subject {
        ReceiptSubject::Sale(id) => (Some(id), None, None),
        ReceiptSubject::Return(id) => (None, Some(id), None),
        ReceiptSubject::Refund(id) => (None, None, Some(id)),
    };
    on!(tx, |c| sqlx::query(
        "INSERT INTO receipts (year, number, order_id, return_id, refund_id, issued_by, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(year)
    .bind(number)
    .bind(order)
    .bind(back)
    .bind(refund)
    .bind(by)
    .bind(at)
    .execute(c)
    .await)?;
    Ok(())
}

/// Counts a print: the first is the original, later ones are copies. The caller checks that the operator may see the receipt.
///
/// # Errors
/// Refused with [`AppError::NotFound`].
pub async fn print(db: &Db, at: Timestamp, who: &Who, year: i64, number: i64) -> Result<i64> {
    let mut tx = db.begin().await?;
    let prints = print_within(&mut tx, at, who, (year, number), None).await?;
    tx.commit().await?;
    Ok(prints)
}

/// Locks a receipt until the transaction ends; the update changes nothing.
pub async fn lock(tx: &mut Tx, (year, number): (i64, i64)) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE receipts SET prints = prints WHERE year = $1 AND number = $2")
        .bind(year)
        .bind(number)
        .execute(c)
        .await)?;
    Ok(())
}

/// [`print()`] in the caller's transaction; the audit line names the printer.
///
/// # Errors
/// As [`print()`].
pub async fn print_within(
    tx: &mut Tx,
    at: Timestamp,
    who: &Who,
    (year, number): (i64, i64),
    printer: Option<&str>,
) -> Result<i64> {
    let prints: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE receipts SET prints = prints + 1, printed_at = $3 WHERE year = $1 AND number = $2 RETURNING prints"
    )
    .bind(year)
    .bind(number)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (prints,) = prints.ok_or(AppError::NotFound)?;
    let (actor, subject) = (format!("user:{}", who.user), format!("receipt:{year}-{number:06}"));
    let detail = match printer {
        Some(printer) => serde_json::json!({ "prints": prints, "printer": printer }),
        None => serde_json::json!({ "prints": prints }),
    };
    let detail = detail.to_string();
    audit::append(
        tx,
        at,
        &Entry { actor: &actor, ip: &who.ip, action: AuditAction::ReceiptPrint, subject: &subject, detail: &detail },
    )
    .await?;
    Ok(prints)
}
