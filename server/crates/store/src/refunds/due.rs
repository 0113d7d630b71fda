//! Refunds whose channel is to be asked now.

use model::case::{CaseDetail, RefundCase, RefundReason, RefundTrouble};
use model::ids::{OrderId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::cases;
use crate::{Db, Result, on, read};
use domain::refund::ChannelRefund;
use domain::rng::Rng;

/// A refund that is sent, with all that its channel asks for.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Due {
    /// [`model::ids::RefundId`].
    pub id: Uuid,
    /// Our number of it.
    pub refund_no: String,
    /// [`OrderId`].
    pub order_id: Uuid,
    /// A word of `Tender`.
    pub channel: String,
    /// Our application at the channel when it was paid.
    pub app_id: String,
    out_trade_no: String,
    trade_no: String,
    amount_fen: i64,
    paid_fen: i64,
    /// When it was decided.
    pub begun_at: i64,
    /// How often the channel was asked before.
    pub tries: i64,
    next_at: i64,
}

impl Due {
    /// As the channel wants it.
    #[must_use]
    pub fn channel_refund(&self) -> ChannelRefund {
        ChannelRefund {
            number: self.refund_no.clone(),
            out_trade_no: self.out_trade_no.clone(),
            trade_no: self.trade_no.clone(),
            amount: Fen(self.amount_fen),
            paid: Fen(self.paid_fen),
            requested_at: self.begun_at(),
        }
    }

    /// When it was decided.
    #[must_use]
    pub const fn begun_at(&self) -> Timestamp {
        Timestamp(self.begun_at)
    }
}

/// Takes the refunds that are due, each with the time of its next try, so that no other process asks as well.
pub async fn claim_due(db: &Db, now: Timestamp, limit: i64, next: impl Fn(&Due) -> Timestamp) -> Result<Vec<Due>> {
    let due: Vec<Due> = read!(db, |pool| sqlx::query_as(
        "SELECT f.id, f.refund_no, f.order_id, e.channel, p.app_id, p.out_trade_no, e.trade_no, f.amount_fen,
                e.amount_fen AS paid_fen, COALESCE(f.decided_at, f.asked_at) AS begun_at, f.tries, f.next_at
         FROM refunds f JOIN payment_events e ON e.id = f.event_id JOIN payment_attempts p ON p.id = f.attempt_id
         WHERE f.state = 'sending' AND f.next_at <= $1 ORDER BY f.next_at, f.id LIMIT $2"
    )
    .bind(now.0)
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
        .bind(next(&due).0)
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

/// Shows a person a refund that its channel does not end. It is asked for on and on meanwhile.
pub async fn slow(db: &Db, rng: &Rng, at: Timestamp, due: &Due) -> Result<()> {
    let case = RefundCase {
        reason: Some(RefundReason::Trouble(RefundTrouble::Slow)),
        refund: Some(due.refund_no.clone()),
        channel: Tender::parse(&due.channel),
        amount: Fen(due.amount_fen),
    };
    let mut tx = db.begin().await?;
    cases::open(&mut tx, rng, at, None, Some(OrderId(due.order_id)), &CaseDetail::Refund(case)).await?;
    tx.commit().await
}
