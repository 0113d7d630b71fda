//! Receipts of counter business: numbered without a gap by year, each given once, every print counted.

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
    /// A return, or a sale taken back.
    Return(ReturnId),
    /// A refund that was paid over the counter.
    Refund(RefundId),
}

/// Gives the next number of the year to something that was just settled. Called after the audit line: both are rows that every
/// operation takes, so they are taken in one order.
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
        ReceiptSubject::Sale(id) => (Some(id.0), None, None),
        ReceiptSubject::Return(id) => (None, Some(id.0), None),
        ReceiptSubject::Refund(id) => (None, None, Some(id.0)),
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
    .bind(by.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// Counts a print; the first is the original, every later one a copy. The caller has seen to it that the receipt is the
/// operator's.
///
/// # Errors
/// Refused with [`AppError::NotFound`].
pub async fn print(db: &Db, at: Timestamp, who: &Who, year: i64, number: i64) -> Result<i64> {
    let mut tx = db.begin().await?;
    let prints: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE receipts SET prints = prints + 1 WHERE year = $1 AND number = $2 RETURNING prints"
    )
    .bind(year)
    .bind(number)
    .fetch_optional(c)
    .await)?;
    let (prints,) = prints.ok_or(AppError::NotFound)?;
    let (actor, subject) = (format!("user:{}", who.user), format!("receipt:{year}-{number:06}"));
    let detail = serde_json::json!({ "prints": prints }).to_string();
    audit::append(
        &mut tx,
        at,
        &Entry { actor: &actor, ip: &who.ip, action: "receipt.print", subject: &subject, detail: &detail },
    )
    .await?;
    tx.commit().await?;
    Ok(prints)
}
