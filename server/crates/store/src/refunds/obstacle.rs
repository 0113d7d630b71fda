//! Obstacles to refunds at their channel: shown at once with a case, and removed with the channel's next answer.

use model::case::{CaseDetail, RefundCase, RefundReason, RefundTrouble};
use model::ids::{OrderId, RefundId};
use model::refund::RefundObstacle;
use model::time::Timestamp;

use super::DueRefund;
use crate::{Db, Result, cases, on, read};
use domain::rng::Rng;

/// Marks a waiting refund and opens its case.
pub async fn held_up(db: &Db, rng: &Rng, at: Timestamp, due: &DueRefund, obstacle: RefundObstacle) -> Result<()> {
    let trouble = match obstacle {
        RefundObstacle::NoFunds => RefundTrouble::NoFunds,
        RefundObstacle::NoMerchant => RefundTrouble::NoMerchant,
    };
    let mut tx = db.begin().await?;
    let marked = on!(&mut tx, |c| sqlx::query(
        "UPDATE refunds SET obstacle = $1 WHERE id = $2 AND state = 'sending' AND (obstacle IS NULL OR obstacle <> $1)"
    )
    .bind(obstacle)
    .bind(due.id)
    .execute(c)
    .await)?;
    if marked == 0 {
        return Ok(());
    }
    let case = RefundCase {
        reason: Some(RefundReason::Trouble(trouble)),
        refund: Some(due.refund_no.clone()),
        channel: Some(due.channel),
        amount: due.amount,
    };
    cases::open(&mut tx, rng, at, None, Some(due.order_id), &CaseDetail::Refund(case)).await?;
    tx.commit().await
}

/// Removes the obstacle of a refund that the channel answered about; nothing without one.
pub async fn goes_on(db: &Db, due: &DueRefund) -> Result<()> {
    if due.obstacle.is_none() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE refunds SET obstacle = NULL WHERE id = $1").bind(due.id).execute(c).await)?;
    tx.commit().await
}

/// The refunds of an order that have an obstacle.
pub async fn held_up_of(db: &Db, order: OrderId) -> Result<Vec<RefundId>> {
    let rows: Vec<(RefundId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT id FROM refunds WHERE order_id = $1 AND state = 'sending' AND obstacle IS NOT NULL"
    )
    .bind(order)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
