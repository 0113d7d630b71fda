//! What became of messages after their channel took them.

use model::ids::NotificationId;
use model::notification::NotificationReceipt;
use model::time::{DAY, Timestamp};
use store::{Db, Result, Tx, on};

use crate::receipt::Receipt;

/// A network reports within this time.
const AWAITED: i64 = 3 * DAY;

/// A part of a message that a modem handed to the network.
#[derive(Clone, Copy, Debug)]
pub struct HandedOver<'a> {
    pub notification: NotificationId,
    pub part: u8,
    pub parts: u8,
    pub address: &'a str,
    pub reference: u8,
}

/// Remembers under which reference the network reports about a part.
pub async fn keep_part(db: &Db, at: Timestamp, part: &HandedOver<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO notification_parts (notification_id, part, parts, address, reference, sent_at)
         SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT 1 FROM notifications WHERE id = $1)
         ON CONFLICT (notification_id, part) DO UPDATE SET parts = excluded.parts, address = excluded.address,
             reference = excluded.reference, sent_at = excluded.sent_at, receipt = NULL"
    )
    .bind(part.notification)
    .bind(i64::from(part.part))
    .bind(i64::from(part.parts))
    .bind(part.address)
    .bind(i64::from(part.reference))
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Stores what a network reports about a part; the message was delivered when all its parts were. Gives whether it is about one.
pub async fn keep_report(db: &Db, at: Timestamp, (address, reference): (&str, u8), receipt: NotificationReceipt) -> Result<bool> {
    let mut tx = db.begin().await?;
    let part: Option<(NotificationId,)> = on!(&mut tx, |c| {
        sqlx::query_as(
            "UPDATE notification_parts SET receipt = $4
         WHERE (notification_id, part) IN (
             SELECT notification_id, part FROM notification_parts WHERE address = $1 AND reference = $2 AND sent_at > $3
             ORDER BY sent_at DESC, notification_id, part LIMIT 1)
         RETURNING notification_id",
        )
        .bind(address)
        .bind(i64::from(reference))
        .bind(at.plus(-AWAITED))
        .bind(receipt)
        .fetch_optional(c)
        .await
    })?;
    let Some((id,)) = part else { return Ok(false) };
    let missing: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT MAX(parts) - CAST(SUM(CASE WHEN receipt = 'delivered' THEN 1 ELSE 0 END) AS BIGINT)
         FROM notification_parts WHERE notification_id = $1"
    )
    .bind(id)
    .fetch_optional(c)
    .await)?;
    if receipt == NotificationReceipt::Undelivered || missing.is_some_and(|(missing,)| missing <= 0) {
        keep(&mut tx, at, &Receipt { id, receipt }).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// Stores what a provider reports. Gives how many are about messages that are known.
pub async fn keep_receipts(db: &Db, at: Timestamp, receipts: &[Receipt]) -> Result<u64> {
    // Two requests about the same messages take their rows in the same order.
    let mut receipts = receipts.to_vec();
    receipts.sort_by_key(|receipt| receipt.id);
    let mut tx = db.begin().await?;
    let mut kept = 0;
    for receipt in &receipts {
        kept += keep(&mut tx, at, receipt).await?;
    }
    tx.commit().await?;
    Ok(kept)
}

/// A message that arrived is not sent again, though the answer to its last try made no sense or did not come. A first try that is
/// under way is left to whoever makes it; where that process ends, `queue::drop_obsolete` finds the report.
async fn keep(tx: &mut Tx, at: Timestamp, receipt: &Receipt) -> Result<u64> {
    let kept = on!(tx, |c| sqlx::query(
        "INSERT INTO notification_receipts (notification_id, receipt, at)
         SELECT $1, $2, $3 WHERE EXISTS (SELECT 1 FROM notifications WHERE id = $1 AND channel = 'sms' AND tries > 0)
         ON CONFLICT (notification_id) DO UPDATE SET receipt = excluded.receipt, at = excluded.at"
    )
    .bind(receipt.id)
    .bind(receipt.receipt)
    .bind(at)
    .execute(c)
    .await)?;
    if kept > 0 && receipt.receipt == NotificationReceipt::Delivered {
        on!(tx, |c| sqlx::query(
            "UPDATE notifications SET state = 'sent', reason = NULL, finished_at = $2,
                 contents = CASE WHEN kind IN ('address-code', 'log-in-code') THEN '{}' ELSE contents END
             WHERE id = $1 AND state = 'waiting' AND reason IS NOT NULL"
        )
        .bind(receipt.id)
        .bind(at)
        .execute(c)
        .await)?;
    }
    Ok(kept)
}
