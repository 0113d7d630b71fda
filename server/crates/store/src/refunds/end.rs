//! The end of a refund: the channel's final result, or payment at the cash desk.

use model::audit::AuditAction;
use model::case::{CaseKind, RefundTrouble};
use model::error::AppError;
use model::ids::{RefundId, ReturnId, UserId};
use model::person::Who;
use model::refund::{RefundSource, RefundState};
use model::time::Timestamp;

use super::decide::release;
use super::{Refund, lock, record};
use crate::receipts::{self, ReceiptSubject};
use crate::shifts::{self, Entered};
use crate::{Db, Result, StoreError, Tx, ledger, on};
use crate::{cases, payments};
use domain::ledger::refund;
use domain::rng::Rng;

/// Posts a completed refund and settles what it was for. The caller has locked attempt, order and refund. Returns the return that
/// it settles, whose receipt must be issued after the audit line.
pub(crate) async fn done(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &Refund, by: Option<UserId>) -> Result<Option<Settled>> {
    let moved = on!(tx, |c| sqlx::query(
        "UPDATE refunds SET state = 'done', settled_at = $2, settled_by = $3, next_at = NULL
         WHERE id = $1 AND state IN ('sending', 'payable')"
    )
    .bind(row.id)
    .bind(at.0)
    .bind(by.map(|by| by.0))
    .execute(c)
    .await)?;
    if moved != 1 {
        return Err(StoreError::Inconsistent { table: "refunds", column: "state" });
    }
    ledger::post(tx, rng, at, &refund(row.id.0, row.tender, row.amount.money())).await?;
    match row.source {
        RefundSource::Suspense => {
            if !payments::lies(tx, row.order_id).await? {
                let kinds = [CaseKind::PaidTwice, CaseKind::Payment, CaseKind::Refund];
                cases::resolve_order(tx, at, &kinds, row.order_id, "refunded").await?;
                payments::end_held(tx, row.order_id).await?;
            }
            Ok(None)
        }
        RefundSource::Order => {
            let moved =
                on!(tx, |c| sqlx::query("UPDATE orders SET state = 'refunded' WHERE id = $1 AND state IN ('refunding')")
                    .bind(row.order_id)
                    .execute(c)
                    .await)?;
            if moved != 1 {
                return Err(StoreError::Inconsistent { table: "orders", column: "state" });
            }
            cases::resolve_order(tx, at, &[CaseKind::Refund, CaseKind::Undeliverable], row.order_id, "refunded").await?;
            Ok(None)
        }
        RefundSource::Return => {
            cases::resolve_order(tx, at, &[CaseKind::Refund], row.order_id, "refunded").await?;
            settle_return(tx, at, row.return_id, by).await
        }
    }
}

/// A settled return, and who issues its receipt.
pub(crate) struct Settled {
    id: ReturnId,
    by: UserId,
}

impl Settled {
    /// Issues its receipt; call it after the audit line.
    pub async fn receipt(&self, tx: &mut Tx, at: Timestamp) -> Result<()> {
        receipts::issue(tx, at, Some(self.by), ReceiptSubject::Return(self.id)).await
    }
}

/// Completes the return once all of it was refunded, by this system or in the channel's console.
pub(super) async fn settle_return(
    tx: &mut Tx,
    at: Timestamp,
    of: Option<ReturnId>,
    by: Option<UserId>,
) -> Result<Option<Settled>> {
    let done: Option<(ReturnId, UserId)> = on!(tx, |c| {
        sqlx::query_as(
            "UPDATE returns SET state = 'done', settled_at = $2, settled_by = COALESCE($3, asked_by)
         WHERE id = $1 AND state IN ('taken')
           AND amount_fen = COALESCE((SELECT SUM(f.amount_fen) FROM refunds f WHERE f.return_id = returns.id
               AND f.state = 'done'), 0)
             + COALESCE((SELECT SUM(t.amount_e4) FROM ledger_transfers t
                         WHERE t.operation = 'refund-cleared' AND t.reference = returns.id), 0) / 100
         RETURNING id, settled_by",
        )
        .bind(of)
        .bind(at.0)
        .bind(by.map(|by| by.0))
        .fetch_optional(c)
        .await
    })?;
    Ok(done.map(|(id, by)| Settled { id, by }))
}

/// Records that the channel refused: releases the reserved amount and opens a case.
pub(crate) async fn failed(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &Refund) -> Result<()> {
    let moved = on!(tx, |c| sqlx::query(
        "UPDATE refunds SET state = 'failed', settled_at = $2, next_at = NULL WHERE id = $1 AND state IN ('sending')"
    )
    .bind(row.id)
    .bind(at.0)
    .execute(c)
    .await)?;
    if moved != 1 {
        return Err(StoreError::Inconsistent { table: "refunds", column: "state" });
    }
    release(tx, rng, at, row, RefundTrouble::Failed).await
}

/// Records the payment at the cash desk in the operator's shift, with a receipt. A repetition changes nothing.
///
/// # Errors
/// [`AppError::NotFound`], or [`AppError::Conflict`] if it cannot be paid out.
pub async fn pay_out(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: RefundId) -> Result<Refund> {
    let mut tx = db.begin().await?;
    let row = lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    match (row.state, row.tender.is_counter()) {
        (RefundState::Done, true) => return Ok(row),
        (RefundState::Payable, true) => {}
        _ => return Err(AppError::Conflict.into()),
    }
    shifts::note(&mut tx, rng, at, who.user, Entered::Refund(row.id)).await?;
    let settled = done(&mut tx, rng, at, &row, Some(who.user)).await?;
    record(&mut tx, at, Some(who.user), &who.ip, AuditAction::RefundPay, &row).await?;
    receipts::issue(&mut tx, at, Some(who.user), ReceiptSubject::Refund(id)).await?;
    if let Some(settled) = settled {
        settled.receipt(&mut tx, at).await?;
    }
    let row = lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(row)
}
