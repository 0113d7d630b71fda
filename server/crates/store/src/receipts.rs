//! Receipts: numbered without gaps by series and year, issued once, with every print counted.

use model::audit::AuditAction;
use model::console::{ReceiptNumber, ReceiptSeries};
use model::error::AppError;
use model::ids::{AccountId, OrderId, RefundId, ReturnId, UserId};
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on};

/// What a receipt is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReceiptSubject {
    Sale(OrderId),
    /// A payment through a channel, whether it can be delivered or not: the receipt certifies money received. Of its order there
    /// is no other, whatever else the channel reports.
    Online(OrderId),
    Opening(AccountId),
    /// A return, or the reversal of a sale.
    Return(ReturnId),
    /// A refund that was paid over the counter.
    Refund(RefundId),
    /// A refund of an order that its channel has confirmed.
    OnlineRefund(RefundId),
}

impl ReceiptSubject {
    const fn series(self) -> ReceiptSeries {
        match self {
            Self::Sale(_) | Self::Return(_) | Self::Refund(_) => ReceiptSeries::Counter,
            Self::Opening(_) => ReceiptSeries::Opening,
            Self::Online(_) | Self::OnlineRefund(_) => ReceiptSeries::Online,
        }
    }
}

/// Issues the next number of its series and year; `by` is `None` where a channel reported it. Called after the audit line is
/// written, as the last statement: every operation locks the number behind everything else.
pub(super) async fn issue(tx: &mut Tx, at: Timestamp, by: Option<UserId>, subject: ReceiptSubject) -> Result<()> {
    let (series, year) = (subject.series(), at.date().ymd().0);
    let number: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "INSERT INTO receipt_numbers (series, year, last) VALUES ($1, $2, 1)
         ON CONFLICT (series, year) DO UPDATE SET last = receipt_numbers.last + 1 RETURNING last"
    )
    .bind(series)
    .bind(year)
    .fetch_optional(c)
    .await)?;
    let (number,) = number.ok_or(StoreError::Inconsistent { table: "receipt_numbers", column: "last" })?;
    let (order, back, refund, account) = match subject {
        ReceiptSubject::Sale(id) | ReceiptSubject::Online(id) => (Some(id), None, None, None),
        ReceiptSubject::Return(id) => (None, Some(id), None, None),
        ReceiptSubject::Refund(id) | ReceiptSubject::OnlineRefund(id) => (None, None, Some(id), None),
        ReceiptSubject::Opening(id) => (None, None, None, Some(id)),
    };
    on!(tx, |c| sqlx::query(
        "INSERT INTO receipts (series, year, number, order_id, return_id, refund_id, account_id, issued_by, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    )
    .bind(series)
    .bind(year)
    .bind(number)
    .bind(order)
    .bind(back)
    .bind(refund)
    .bind(account)
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
pub async fn print(db: &Db, at: Timestamp, who: &Who, number: ReceiptNumber) -> Result<i64> {
    let mut tx = db.begin().await?;
    let prints = print_within(&mut tx, at, who, number, None).await?;
    tx.commit().await?;
    Ok(prints)
}

/// Locks a receipt until the transaction ends; the update changes nothing.
pub async fn lock(tx: &mut Tx, number: ReceiptNumber) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE receipts SET prints = prints WHERE series = $1 AND year = $2 AND number = $3")
        .bind(number.series)
        .bind(number.year)
        .bind(number.number)
        .execute(c)
        .await)?;
    Ok(())
}

/// [`print()`] in the caller's transaction; the audit line names the printer.
///
/// # Errors
/// As [`print()`].
pub async fn print_within(tx: &mut Tx, at: Timestamp, who: &Who, number: ReceiptNumber, printer: Option<&str>) -> Result<i64> {
    let prints: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "UPDATE receipts SET prints = prints + 1, printed_at = $4 WHERE series = $1 AND year = $2 AND number = $3
         RETURNING prints"
    )
    .bind(number.series)
    .bind(number.year)
    .bind(number.number)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (prints,) = prints.ok_or(AppError::NotFound)?;
    let (actor, subject) = (format!("user:{}", who.user), format!("receipt:{number}"));
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
