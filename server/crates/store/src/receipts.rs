//! Receipts: numbered without gaps by series and year, issued once, with every print counted.

use std::sync::LazyLock;

use model::audit::AuditAction;
use model::console::{ReceiptNumber, ReceiptSeries};
use model::error::AppError;
use model::ids::{AccountId, OrderId, RefundId, ReturnId, UserId};
use model::person::Who;
use model::time::Timestamp;

use super::audit::{self, Entry};
use super::bulk::Bulk;
use super::one_trip::OneTrip;
use super::{Db, Result, StoreError, Tx, on};

/// What a receipt of money is for; those of openings are issued by [`issue_openings`].
#[derive(Clone, Copy, Debug)]
pub(super) enum ReceiptSubject {
    Sale(OrderId),
    /// A payment through a channel, whether it can be delivered or not: the receipt certifies money received. Of its order there
    /// is no other, whatever else the channel reports.
    Online(OrderId),
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
            Self::Sale(_) | Self::Return(_) | Self::Refund(_) => ReceiptSeries::CashDesk,
            Self::Online(_) | Self::OnlineRefund(_) => ReceiptSeries::Online,
        }
    }
}

/// Issues the next number of its series and year; `by` is `None` where a channel reported it. Called after the audit line is
/// written, as the last statement: every operation locks the number behind everything else.
pub(super) async fn issue(tx: &mut Tx, at: Timestamp, by: Option<UserId>, subject: ReceiptSubject) -> Result<()> {
    let mut trip = OneTrip::of(tx);
    add_receipt(&mut trip, at, by, subject);
    trip.run(tx).await?;
    Ok(())
}

/// The receipt with the number `numbered` of [`add_receipt`].
macro_rules! insert_receipt {
    ($numbered:literal) => {
        concat!(
            "INSERT INTO receipts (series, year, number, order_id, return_id, refund_id, issued_by, issued_at)
             SELECT $1, $2, numbered.last, $3, $4, $5, $6, $7 FROM ",
            $numbered
        )
    };
}

/// [`issue`] as two statements of several.
pub(super) fn add_receipt(trip: &mut OneTrip, at: Timestamp, by: Option<UserId>, subject: ReceiptSubject) {
    let (series, year) = (subject.series(), at.date().ymd().0);
    trip.write_one(
        "INSERT INTO receipt_numbers (series, year, last) SELECT $1, $2, 1 WHERE TRUE
         ON CONFLICT (series, year) DO UPDATE SET last = receipt_numbers.last + 1",
        "receipt_numbers",
        "last",
    )
    .bind(series)
    .bind(year);
    let text = if trip.give_as("numbered", "last") {
        insert_receipt!("numbered WHERE TRUE")
    } else {
        insert_receipt!("receipt_numbers AS numbered WHERE numbered.series = $1 AND numbered.year = $2")
    };
    let (order, back, refund) = match subject {
        ReceiptSubject::Sale(id) | ReceiptSubject::Online(id) => (Some(id), None, None),
        ReceiptSubject::Return(id) => (None, Some(id), None),
        ReceiptSubject::Refund(id) | ReceiptSubject::OnlineRefund(id) => (None, None, Some(id)),
    };
    trip.write_one(text, "receipts", "number").bind(series).bind(year);
    trip.bind(order).bind(back).bind(refund).bind(by).bind(at);
}

static OPENINGS: LazyLock<Bulk> =
    LazyLock::new(|| Bulk::new("INSERT INTO receipts (series, year, number, account_id, issued_by, issued_at)", 6, ""));

/// Issues the receipts of many openings: their numbers are one step, because a row that a transaction updates often grows.
pub async fn issue_openings(tx: &mut Tx, at: Timestamp, by: UserId, accounts: &[AccountId]) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let (series, year, count) = (ReceiptSeries::Opening, at.date().ymd().0, accounts.len() as i64);
    let last: Option<(i64,)> = on!(tx, |c| sqlx::query_as(
        "INSERT INTO receipt_numbers (series, year, last) VALUES ($1, $2, $3)
         ON CONFLICT (series, year) DO UPDATE SET last = receipt_numbers.last + $3 RETURNING last"
    )
    .bind(series)
    .bind(year)
    .bind(count)
    .fetch_optional(c)
    .await)?;
    let (last,) = last.ok_or(StoreError::Inconsistent { table: "receipt_numbers", column: "last" })?;
    let numbered: Vec<(i64, AccountId)> = (last - count + 1..).zip(accounts.iter().copied()).collect();
    for (text, rows) in OPENINGS.pieces(tx, &numbered) {
        on!(tx, |c| {
            let query = sqlx::query(text);
            rows.iter()
                .fold(query, |q, (number, account)| q.bind(series).bind(year).bind(number).bind(account).bind(by).bind(at))
                .execute(c)
                .await
        })?;
    }
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
