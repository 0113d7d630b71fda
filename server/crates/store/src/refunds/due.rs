//! Refunds that are due to be sent to their channel or queried there.

use model::case::{CaseDetail, RefundCase, RefundReason, RefundTrouble};
use model::ids::{OrderId, RefundId};
use model::money::Fen;
use model::order::Tender;
use model::refund::RefundObstacle;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::cases;
use crate::{Db, Result, on, read};
use domain::refund::ChannelRefund;
use domain::rng::Rng;

/// A refund with what its channel needs to know.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueRefund {
    pub id: RefundId,
    /// Our refund number.
    pub refund_no: String,
    pub order_id: OrderId,
    pub channel: Tender,
    /// Our application id at the channel at the time of the payment.
    pub app_id: String,
    /// Our merchant number at the channel at the time of the payment.
    pub seller_id: String,
    out_trade_no: String,
    trade_no: String,
    #[sqlx(rename = "amount_fen")]
    pub(super) amount: Fen,
    #[sqlx(rename = "paid_fen")]
    paid: Fen,
    pub begun_at: Timestamp,
    /// Number of requests to the channel so far.
    pub tries: i64,
    next_at: Timestamp,
    /// The obstacle that the last try met.
    pub obstacle: Option<RefundObstacle>,
}

impl DueRefund {
    /// The refund in the channel's terms.
    #[must_use]
    pub fn channel_refund(&self) -> ChannelRefund {
        ChannelRefund {
            number: self.refund_no.clone(),
            out_trade_no: self.out_trade_no.clone(),
            trade_no: self.trade_no.clone(),
            amount: self.amount,
            paid: self.paid,
            requested_at: self.begun_at,
        }
    }
}

/// Claims the due refunds by setting the time of their next try, so that no other process sends them as well.
pub async fn claim_due(db: &Db, now: Timestamp, limit: i64, next: impl Fn(&DueRefund) -> Timestamp) -> Result<Vec<DueRefund>> {
    let due: Vec<DueRefund> = read!(db, |pool| sqlx::query_as(
        "SELECT f.id, f.refund_no, f.order_id, e.channel, p.app_id, p.seller_id, p.out_trade_no, e.trade_no, f.amount_fen,
                e.amount_fen AS paid_fen, COALESCE(f.decided_at, f.asked_at) AS begun_at, f.tries, f.next_at, f.obstacle
         FROM refunds f JOIN payment_events e ON e.id = f.event_id JOIN payment_attempts p ON p.id = f.attempt_id
         WHERE f.state = 'sending' AND f.next_at <= $1 ORDER BY f.next_at, f.id LIMIT $2"
    )
    .bind(now)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    if due.is_empty() {
        return Ok(due);
    }
    let mut claimed = Vec::with_capacity(due.len());
    let mut tx = db.begin().await?;
    for due in due {
        let taken = on!(&mut tx, |c| sqlx::query(
            "UPDATE refunds SET next_at = $1, tries = tries + 1 WHERE id = $2 AND next_at = $3 AND state = 'sending'"
        )
        .bind(next(&due))
        .bind(due.id)
        .bind(due.next_at)
        .execute(c)
        .await)?;
        if taken == 1 {
            claimed.push(due);
        }
    }
    tx.commit().await?;
    Ok(claimed)
}

/// Opens a case for a refund without a final result from its channel. The channel is still queried.
pub async fn slow(db: &Db, rng: &Rng, at: Timestamp, due: &DueRefund) -> Result<()> {
    let case = RefundCase {
        reason: Some(RefundReason::Trouble(RefundTrouble::Slow)),
        refund: Some(due.refund_no.clone()),
        channel: Some(due.channel),
        amount: due.amount,
    };
    let mut tx = db.begin().await?;
    cases::open(&mut tx, rng, at, None, Some(due.order_id), &CaseDetail::Refund(case)).await?;
    tx.commit().await
}
