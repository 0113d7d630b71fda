//! The payment that a refund belongs to, and how much of it was refunded.

use model::error::AppError;
use model::ids::{AttemptId, OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::refund::RefundSource;
use model::time::Timestamp;
use sqlx::FromRow;

use super::RefundSubject;
use crate::payments::{self, RecordedOutcome};
use crate::{Db, Result, Tx, on, read};

/// A verified payment. Its attempt is locked, so no other refund of it can be reserved.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Payment {
    pub event_id: Uuid,
    pub attempt_id: AttemptId,
    pub order_id: OrderId,
    pub channel: Tender,
    #[sqlx(rename = "paid_fen")]
    pub paid: Fen,
    pub received_at: Timestamp,
    outcome: RecordedOutcome,
    suspended: bool,
    /// Whether a person credited it although it did not match.
    credited: bool,
    /// Whether the channel no longer refunds it.
    pub finished: bool,
}

impl Payment {
    /// What a refund of it returns if it pays no return; `None` if the payment is not in the ledger.
    pub fn source(&self) -> Option<RefundSource> {
        match self.outcome {
            _ if self.suspended => Some(RefundSource::Suspense),
            _ if self.credited => Some(RefundSource::Order),
            RecordedOutcome::Credited | RecordedOutcome::CreditedLate | RecordedOutcome::Undeliverable => {
                Some(RefundSource::Order)
            }
            _ => None,
        }
    }
}

/// Locks the attempts of the order of an event, and then reads its payment, so that what was decided meanwhile is seen.
pub(super) async fn lock(tx: &mut Tx, event: Uuid) -> Result<Payment> {
    let order = "SELECT p.order_id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id WHERE e.id = $1";
    let order: Option<(OrderId,)> = on!(tx, |c| sqlx::query_as(order).bind(event).fetch_optional(c).await)?;
    let (order,) = order.ok_or(AppError::NotFound)?;
    payments::lock_attempts(tx, order).await?;
    let payment: Option<Payment> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT e.id AS event_id, p.id AS attempt_id, p.order_id, e.channel, e.amount_fen AS paid_fen, e.received_at, e.outcome,
                EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense' AND t.reference = e.id)
                  AND NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense-back' AND t.reference = e.id)
                    AS suspended,
                EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.operation = 'suspense-back' AND t.reference = e.id) AS credited,
                p.finished_at IS NOT NULL AS finished
         FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id WHERE e.id = $1 AND e.kind = 'paid'"
    )
    .bind(event)
    .fetch_optional(c)
    .await
    })?;
    payment.ok_or_else(|| AppError::NotFound.into())
}

/// The refunded amounts of an attempt. The caller has locked the attempt.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct RefundedSums {
    paid: Fen,
    reserved: Fen,
    done: Fen,
    sending: Fen,
    console_refund: Fen,
}

impl RefundedSums {
    /// Whether the ledger counts the attempt as paid.
    pub const fn is_paid(self) -> bool {
        self.paid.0 > 0
    }

    /// The sum of all refunds that are done, under way or requested.
    pub const fn reserved(self) -> Fen {
        self.reserved
    }

    /// Refunded through the channel by this system.
    pub const fn done(self) -> Fen {
        self.done
    }

    /// Requested from the channel without a final result.
    pub const fn sending(self) -> Fen {
        self.sending
    }

    /// Refunded in the channel's console.
    pub const fn console_refund(self) -> Fen {
        self.console_refund
    }
}

pub async fn refunded_sums(tx: &mut Tx, attempt: AttemptId) -> Result<RefundedSums> {
    let row: Option<RefundedSums> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT CAST(COALESCE((SELECT SUM(e.amount_fen) FROM payment_events e WHERE e.attempt_id = $1 AND e.kind = 'paid'), 0)
                     AS BIGINT) AS paid,
                CAST(COALESCE(SUM(CASE WHEN f.state IN ('waiting', 'sending', 'payable', 'done') THEN f.amount_fen ELSE 0 END), 0)
                     AS BIGINT) AS reserved,
                CAST(COALESCE(SUM(CASE WHEN f.state = 'done' AND f.tender NOT IN ('cash', 'card', 'transfer') THEN f.amount_fen
                                       ELSE 0 END), 0) AS BIGINT) AS done,
                CAST(COALESCE(SUM(CASE WHEN f.state = 'sending' THEN f.amount_fen ELSE 0 END), 0) AS BIGINT) AS sending,
                CAST(COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference
                               WHERE t.operation = 'refund-elsewhere'
                                   AND e.attempt_id = $1), 0) / 100 AS BIGINT) AS console_refund
         FROM refunds f WHERE f.attempt_id = $1"
    )
    .bind(attempt.0)
    .fetch_optional(c)
    .await
    })?;
    row.ok_or(crate::StoreError::Inconsistent { table: "refunds", column: "attempt_id" })
}

/// Makes pending refunds due now, after the channel reported refunds without a number.
pub(crate) async fn reset_backoff(tx: &mut Tx, at: Timestamp, attempt: AttemptId) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE refunds SET next_at = $1 WHERE attempt_id = $2 AND state = 'sending' AND next_at > $1")
        .bind(at.0)
        .bind(attempt.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// Whether the event is about this order's money.
pub async fn is_of(db: &Db, order: OrderId, of: RefundSubject) -> Result<bool> {
    let id = match of {
        RefundSubject::Payment(event) => event,
        RefundSubject::Return(id) => id.0,
    };
    let row: Option<(i64,)> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM orders o WHERE o.id = $1
           AND (EXISTS (SELECT 1 FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
               WHERE p.order_id = o.id AND e.id = $2)
                OR EXISTS (SELECT 1 FROM returns v WHERE v.corrects_order = o.id
        AND v.id = $2))",
        )
        .bind(order.0)
        .bind(id)
        .fetch_optional(pool)
        .await
    })?;
    Ok(row.is_some())
}
