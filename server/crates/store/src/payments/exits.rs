//! How an order ends that is not delivered: its money went back, or it was never ours, or nobody went to a cashier.

use model::audit::AuditAction;
use model::ids::OrderId;
use model::time::{HOUR, Timestamp};

use super::attempts::begin_locked;
use crate::audit::{self, Entry};
use crate::{Db, Result, Tx, on, read};

/// An order that nobody brought to a cashier, or whose attempts have all ended, is closed after so long.
const ABANDONED_AFTER: i64 = HOUR;
/// Orders that one activation closes.
const BATCH: i64 = 200;

/// What of a payment `e` with its suspense posting `t` has not gone back, by us or at the channel's console.
macro_rules! lying {
    () => {
        " NOT EXISTS (SELECT 1 FROM ledger_transfers z WHERE z.operation = 'suspense-back' AND z.reference = e.id)
          AND t.amount_e4 > 100 * COALESCE((SELECT SUM(f.amount_fen) FROM refunds f
                                               WHERE f.event_id = e.id AND f.state = 'done'), 0)
                      + COALESCE((SELECT SUM(w.amount_e4) FROM ledger_transfers w JOIN payment_events b ON b.id = w.reference
                                  WHERE w.operation = 'refund-elsewhere' AND b.attempt_id = e.attempt_id), 0) "
    };
}
pub(crate) use lying;

/// Whether money of an order that credits nothing has not gone back.
pub(crate) async fn lies(tx: &mut Tx, order: OrderId) -> Result<bool> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT CAST(1 AS BIGINT)
         FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id
              JOIN ledger_transfers t ON t.operation = 'suspense' AND t.reference = e.id
         WHERE p.order_id = $1 AND",
        lying!(),
        "LIMIT 1"
    ))
    .bind(order)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// Ends what is held by the channel's own word, once nothing of its money lies here any more; and the order, unless another
/// attempt may still pay it. Nobody asks the channel about it, so that it would wait for ever. The caller has locked all attempts
/// of the order, and the order.
pub(crate) async fn end_held(tx: &mut Tx, order: OrderId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE payment_attempts SET state = 'paid' WHERE order_id = $1 AND state = 'held'
           AND EXISTS (SELECT 1 FROM payment_events e WHERE e.attempt_id = payment_attempts.id AND e.kind = 'paid')"
    )
    .bind(order)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query(
        "UPDATE orders SET state = 'closed' WHERE id = $1 AND state = 'pending' AND NOT EXISTS
           (SELECT 1 FROM payment_attempts WHERE order_id = $1 AND state IN ('pending', 'closing', 'held'))"
    )
    .bind(order)
    .execute(c)
    .await)?;
    Ok(())
}

/// Closes orders through a channel that nobody can pay any more: no attempt is open, and none was begun for an hour. One that is
/// paid late nevertheless is credited.
pub async fn close_abandoned(db: &Db, at: Timestamp) -> Result<usize> {
    let due: Vec<(OrderId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT o.id FROM orders o WHERE o.state = 'pending' AND o.created_at < $1 AND NOT EXISTS
           (SELECT 1 FROM payment_attempts p WHERE p.order_id = o.id
              AND (p.state IN ('pending', 'closing', 'held') OR p.created_at >= $1))
         ORDER BY o.created_at LIMIT $2"
    )
    .bind(at.plus(-ABANDONED_AFTER))
    .bind(BATCH)
    .fetch_all(pool)
    .await)?;
    let mut ended = 0;
    for (order,) in due {
        // Somebody may be opening an attempt at this moment.
        let mut tx = begin_locked(db, order).await?;
        if close_unpayable(&mut tx, at, order, "abandoned").await? {
            tx.commit().await?;
            ended += 1;
        }
    }
    Ok(ended)
}

/// Closes an order that waits for payment and has no attempt that may still be paid, with its audit line; gives whether it did.
/// The caller has locked the order.
pub(crate) async fn close_unpayable(tx: &mut Tx, at: Timestamp, order: OrderId, reason: &str) -> Result<bool> {
    let closed = on!(tx, |c| sqlx::query(
        "UPDATE orders SET state = 'closed' WHERE id = $1 AND state = 'pending' AND NOT EXISTS
           (SELECT 1 FROM payment_attempts WHERE order_id = $1 AND state IN ('pending', 'closing', 'held'))"
    )
    .bind(order)
    .execute(c)
    .await)?;
    if closed == 1 {
        let (subject, detail) = (format!("order:{order}"), serde_json::json!({ "reason": reason }).to_string());
        let entry = Entry { actor: "system", ip: "", action: AuditAction::OrderClose, subject: &subject, detail: &detail };
        audit::append(tx, at, &entry).await?;
    }
    Ok(closed == 1)
}
