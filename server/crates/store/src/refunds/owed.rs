//! Refunds that need no person: confirmed returns, and, if so configured, payments that credit nothing.

use model::case::{CaseDetail, RefundCase, RefundReason};
use model::error::AppError;
use model::ids::{OrderId, ReturnId, Uuid};
use model::money::Fen;
use model::time::Timestamp;

use super::{RefundSubject, unsaid};
use crate::cases;
use crate::{Db, Result, read};
use domain::rng::Rng;

/// An amount that is due and has no refund yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwedRefund {
    pub of: RefundSubject,
    pub amount: Fen,
    /// The order of the payment.
    pub order: OrderId,
}

/// What is due now; with `automatic` also payments that credit nothing.
pub async fn owed(db: &Db, automatic: bool, limit: i64) -> Result<Vec<OwedRefund>> {
    // A refund case means that a person decides. Console refunds must be assigned by a person first, or the money could be
    // refunded twice.
    let returns: Vec<(ReturnId, Fen, OrderId)> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT r.id, r.amount_fen, r.corrects_order FROM returns r JOIN orders o ON o.id = r.corrects_order
         WHERE r.state = 'taken' AND r.tender NOT IN ('cash', 'card', 'transfer') AND ",
            unsaid!(),
            " <= 0
           AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.return_id = r.id)
           AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.order_id = r.corrects_order AND k.kind = 'refund'
               AND k.closed_at IS NULL)
         ORDER BY r.taken_at LIMIT $1"
        ))
        .bind(limit)
        .fetch_all(pool)
        .await
    })?;
    let mut owed: Vec<OwedRefund> =
        returns.into_iter().map(|(id, amount, order)| OwedRefund { of: RefundSubject::Return(id), amount, order }).collect();
    if automatic {
        let payments: Vec<(Uuid, Fen, OrderId)> = read!(db, |pool| sqlx::query_as(
            "SELECT e.id, e.amount_fen, k.order_id
             FROM cases k JOIN payment_attempts p ON p.order_id = k.order_id
                  JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid'
                       AND e.outcome = CASE WHEN k.kind = 'paid-twice' THEN 'paid-twice' ELSE 'undeliverable' END
             WHERE k.kind IN ('paid-twice', 'undeliverable') AND k.closed_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM refunds f WHERE f.event_id = e.id)
               AND NOT EXISTS (SELECT 1 FROM cases o WHERE o.order_id = k.order_id AND o.kind = 'refund' AND o.closed_at IS NULL)
             ORDER BY e.received_at LIMIT $1"
        )
        .bind(limit)
        .fetch_all(pool)
        .await)?;
        owed.extend(payments.into_iter().map(|(id, amount, order)| OwedRefund { of: RefundSubject::Payment(id), amount, order }));
    }
    Ok(owed)
}

/// Opens a case if the refund cannot be made automatically.
pub async fn needs_person(db: &Db, rng: &Rng, at: Timestamp, owed: &OwedRefund, why: AppError) -> Result<()> {
    let case = RefundCase { reason: Some(RefundReason::Refused(why)), refund: None, channel: None, amount: owed.amount };
    let mut tx = db.begin().await?;
    cases::open(&mut tx, rng, at, None, Some(owed.order), &CaseDetail::Refund(case)).await?;
    tx.commit().await
}
