//! Messages that wait for their channel, and what became of them. The queues of channels have nothing in common, so one that is
//! down delays no other.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{NotificationId, UserId};
use model::language::Lang;
use model::money::Money;
use model::notification::{
    NotificationChannel, NotificationKind, NotificationReason, NotificationState, NotificationValues, QuietHours,
};
use model::person::Who;
use model::time::{DAY, MINUTE, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use store::audit;
use store::console::{above, of_notification};
use store::notifications::{About, NewNotification, ask};
use store::{Db, Result, Tx, on, read};

use crate::devices;
use domain::notification::{retry, rule};
use domain::rng::Rng;

/// How long whoever claimed a message has to send it; afterwards another one tries. Longer than any channel takes.
const LEASE: i64 = 5 * MINUTE;
/// How long is known what became of a message.
const KEPT: i64 = 180 * DAY;

/// A message that was claimed, to be handed to its channel.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Due {
    pub id: NotificationId,
    pub kind: NotificationKind,
    pub user_id: Option<UserId>,
    pub address: String,
    language: String,
    contents: String,
    /// This one included.
    pub tries: i64,
    pub asked_at: Timestamp,
}

impl Due {
    #[must_use]
    pub fn language(&self) -> Lang {
        Lang::choose(&self.language).unwrap_or_default()
    }

    #[must_use]
    pub fn values(&self) -> NotificationValues {
        NotificationValues::from_json(&self.contents)
    }
}

/// The network has reported that the message was delivered.
macro_rules! has_arrived {
    () => {
        " EXISTS (SELECT 1 FROM notification_receipts a
                  WHERE a.notification_id = notifications.id AND a.receipt = 'delivered') "
    };
}

/// Drops due messages that nobody needs any more: those that are too late, whose reason is over, or whose person does not want
/// them or has left the room. The code in one that is too late is erased. One that has arrived, though the answer to its try was
/// lost, is sent, and not dropped. Gives how many were dropped.
pub async fn drop_obsolete(db: &Db, at: Timestamp, channel: NotificationChannel) -> Result<u64> {
    if !is_any_due(db, at, channel).await? {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(concat!(
        "UPDATE notifications SET state = 'sent', reason = NULL, finished_at = $1,
             contents = CASE WHEN kind IN ('address-code', 'log-in-code') THEN '{}' ELSE contents END
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND",
        has_arrived!()
    ))
    .bind(at)
    .bind(channel)
    .execute(c)
    .await)?;
    let mut dropped = 0;
    for sql in [
        "UPDATE notifications SET state = 'dropped', reason = 'stale', finished_at = $1,
             contents = CASE WHEN kind IN ('address-code', 'log-in-code') THEN '{}' ELSE contents END
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND stale_at <= $1",
        // A message about one meter stands for all meters of the account: it is not over while another has the same alarm.
        "UPDATE notifications SET state = 'dropped', reason = 'over', finished_at = $1
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND kind <> 'restored'
           AND (EXISTS (SELECT 1 FROM events e WHERE e.id = notifications.event_id AND e.until_at IS NOT NULL
                        AND NOT EXISTS (
                            SELECT 1 FROM account_meters a
                            JOIN events o ON o.meter_id = a.meter_id AND o.kind = e.kind AND o.until_at IS NULL
                            WHERE a.account_id = notifications.account_id AND a.to_at IS NULL))
                OR EXISTS (SELECT 1 FROM cases c WHERE c.id = notifications.case_id AND c.closed_at IS NOT NULL))",
        // The power was cut again meanwhile.
        "UPDATE notifications SET state = 'dropped', reason = 'over', finished_at = $1
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND kind = 'restored'
           AND EXISTS (SELECT 1 FROM account_meters a
                       JOIN events o ON o.meter_id = a.meter_id AND o.kind = 'arrears' AND o.until_at IS NULL
                       WHERE a.account_id = notifications.account_id AND a.to_at IS NULL)",
        "UPDATE notifications SET state = 'dropped', reason = 'over', finished_at = $1
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND kind = 'top-up'
           AND EXISTS (SELECT 1 FROM top_up_reminders r
                       WHERE r.user_id = notifications.user_id AND r.chosen_at <= notifications.asked_at
                         AND r.told_account_id IS NULL)",
        "UPDATE notifications SET state = 'dropped', reason = 'withdrawn', finished_at = $1
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND kind = 'top-up'
           AND NOT EXISTS (SELECT 1 FROM top_up_reminders r
                           WHERE r.user_id = notifications.user_id AND r.chosen_at <= notifications.asked_at)",
        "UPDATE notifications SET state = 'dropped', reason = 'withdrawn', finished_at = $1
         WHERE channel = $2 AND state = 'waiting' AND next_at <= $1 AND user_id IS NOT NULL
           AND kind NOT IN ('address-code', 'log-in-code', 'test', 'reply-balance', 'reply-stop', 'reply-top-up')
           AND NOT EXISTS (
               SELECT 1 FROM alert_addresses d
               WHERE d.user_id = notifications.user_id AND d.channel = notifications.channel
                 AND d.address = notifications.address
                 AND (EXISTS (
                          SELECT 1 FROM account_residents r
                          JOIN alert_preferences p ON p.user_id = r.user_id AND NOT p.is_off
                          WHERE r.user_id = d.user_id AND r.to_at IS NULL AND r.account_id = notifications.account_id)
                      OR EXISTS (
                          SELECT 1 FROM operator_alerts p
                          JOIN users u ON u.id = p.user_id AND u.disabled_at IS NULL AND u.role <> 'resident'
                          WHERE p.user_id = d.user_id)))",
    ] {
        dropped += on!(&mut tx, |c| sqlx::query(sql).bind(at).bind(channel).execute(c).await)?;
    }
    tx.commit().await?;
    Ok(dropped)
}

async fn is_any_due(db: &Db, at: Timestamp, channel: NotificationChannel) -> Result<bool> {
    let due: Option<(NotificationId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT id FROM notifications WHERE channel = $1 AND state = 'waiting' AND next_at <= $2 LIMIT 1"
    )
    .bind(channel)
    .bind(at)
    .fetch_optional(pool)
    .await)?;
    Ok(due.is_some())
}

/// Claims the messages of a channel that have been due for longest. A claim moves the time at which they are due behind the
/// lease, so that no other process sends them meanwhile, and one that ends in between loses none.
pub async fn claim(db: &Db, at: Timestamp, channel: NotificationChannel, most: i64) -> Result<Vec<Due>> {
    if most <= 0 || !is_any_due(db, at, channel).await? {
        return Ok(Vec::new());
    }
    let mut tx = db.begin().await?;
    let due: Vec<Due> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "UPDATE notifications SET next_at = $3, tries = tries + 1, tried_at = $2
         WHERE state = 'waiting' AND next_at <= $2 AND id IN (
             SELECT id FROM notifications
             WHERE channel = $1 AND state = 'waiting' AND next_at <= $2 AND stale_at > $2 AND NOT",
        has_arrived!(),
        "ORDER BY next_at, id LIMIT $4)
         RETURNING id, kind, user_id, address, language, contents, tries, asked_at"
    ))
    .bind(channel)
    .bind(at)
    .bind(at.plus(LEASE))
    .bind(most)
    .fetch_all(c)
    .await)?;
    tx.commit().await?;
    Ok(due)
}

/// How many messages a channel has tried since that time.
pub async fn tried_since(db: &Db, since: Timestamp, channel: NotificationChannel) -> Result<i64> {
    let tried: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT COUNT(*) FROM notifications WHERE channel = $1 AND tried_at > $2")
            .bind(channel)
            .bind(since)
            .fetch_optional(pool)
            .await)?;
    Ok(tried.map_or(0, |(tried,)| tried))
}

/// The outcome of a try: what it cost, or why the message was not taken.
pub type Outcome = std::result::Result<Money, NotificationReason>;

/// Stores what became of some tries. Whoever lost the claim of a message meanwhile changes nothing of it.
pub async fn finish(db: &Db, at: Timestamp, results: &[(&Due, Outcome)]) -> Result<()> {
    let mut tx = db.begin().await?;
    for (due, outcome) in results {
        finish_within(&mut tx, at, due, *outcome).await?;
    }
    tx.commit().await
}

/// Adds the cost of a message of which only some parts were taken.
pub async fn add_cost(db: &Db, id: NotificationId, cost: Money) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE notifications SET cost_e4 = cost_e4 + $2 WHERE id = $1")
        .bind(id)
        .bind(cost)
        .execute(c)
        .await)?;
    tx.commit().await
}

/// A code is not kept when its message has ended, and an address that takes nothing any more is removed.
async fn finish_within(tx: &mut Tx, at: Timestamp, due: &Due, outcome: Outcome) -> Result<()> {
    let (state, reason, pause) = match outcome {
        Ok(_) => (NotificationState::Sent, None, 0),
        Err(reason) => match retry(reason, due.tries) {
            Some(pause) => (NotificationState::Waiting, Some(reason), pause),
            None => (NotificationState::Failed, Some(reason), 0),
        },
    };
    let stored = on!(tx, |c| sqlx::query(
        "UPDATE notifications SET state = $2, reason = $3, next_at = $4, finished_at = $5, cost_e4 = cost_e4 + $6,
             contents = CASE WHEN kind IN ('address-code', 'log-in-code') AND $2 <> 'waiting' THEN '{}' ELSE contents END
         WHERE id = $1 AND state = 'waiting' AND tries = $7"
    )
    .bind(due.id)
    .bind(state)
    .bind(reason)
    .bind(at.plus(pause))
    .bind((state != NotificationState::Waiting).then_some(at))
    .bind(outcome.unwrap_or(Money::ZERO))
    .bind(due.tries)
    .execute(c)
    .await)?;
    if let (0, Ok(cost)) = (stored, outcome) {
        // Its delivery was reported before this try ended, which cost what it cost.
        on!(tx, |c| sqlx::query(
            "UPDATE notifications SET cost_e4 = cost_e4 + $2 WHERE id = $1 AND state = 'sent' AND tries = $3"
        )
        .bind(due.id)
        .bind(cost)
        .bind(due.tries)
        .execute(c)
        .await)?;
    }
    if outcome == Err(NotificationReason::Gone) {
        on!(tx, |c| sqlx::query(
            "DELETE FROM alert_addresses WHERE EXISTS (
                 SELECT 1 FROM notifications n
                 WHERE n.id = $1 AND n.user_id = alert_addresses.user_id AND n.channel = alert_addresses.channel
                   AND n.address = alert_addresses.address)"
        )
        .bind(due.id)
        .execute(c)
        .await)?;
    }
    Ok(())
}

/// Removes messages of long ago, codes that have ended, and devices of people who have left.
pub async fn purge(db: &Db, at: Timestamp) -> Result<()> {
    devices::purge(db).await?;
    let old: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM notifications WHERE asked_at < $1 AND state <> 'waiting')
              + (SELECT COUNT(*) FROM address_codes WHERE expires_at < $2)
              + (SELECT COUNT(*) FROM phone_log_ins WHERE expires_at < $2)"
    )
    .bind(at.plus(-KEPT))
    .bind(at)
    .fetch_optional(pool)
    .await)?;
    if old.is_none_or(|(rows,)| rows == 0) {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    for sql in [
        "DELETE FROM notification_parts WHERE notification_id IN (
             SELECT id FROM notifications WHERE asked_at < $1 AND state <> 'waiting')",
        "DELETE FROM notification_receipts WHERE notification_id IN (
             SELECT id FROM notifications WHERE asked_at < $1 AND state <> 'waiting')",
        "DELETE FROM notifications WHERE asked_at < $1 AND state <> 'waiting'",
    ] {
        on!(&mut tx, |c| sqlx::query(sql).bind(at.plus(-KEPT)).execute(c).await)?;
    }
    for sql in ["DELETE FROM address_codes WHERE expires_at < $1", "DELETE FROM phone_log_ins WHERE expires_at < $1"] {
        on!(&mut tx, |c| sqlx::query(sql).bind(at).execute(c).await)?;
    }
    tx.commit().await
}

/// Sends a message again that an operator may see: one that failed, or one that another system may have lost.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for one of other buildings, [`AppError::Conflict`] where it has gone on meanwhile.
pub async fn send_again(db: &Db, at: Timestamp, who: &Who, id: NotificationId) -> Result<NotificationChannel> {
    let mut tx = db.begin().await?;
    let found: Option<(NotificationKind, NotificationChannel)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "SELECT n.kind, n.channel FROM notifications n LEFT JOIN accounts a ON a.id = n.account_id
         LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE n.id = $2 AND",
        of_notification!()
    ))
    .bind(who.user)
    .bind(id)
    .fetch_optional(c)
    .await)?;
    let (kind, channel) = found.ok_or(AppError::NotFound)?;
    let waits = on!(&mut tx, |c| {
        sqlx::query(
        "UPDATE notifications SET state = 'waiting', reason = NULL, tries = 0, next_at = $2, stale_at = $3, finished_at = NULL
         WHERE id = $1 AND kind NOT IN ('address-code', 'log-in-code')
           AND (state = 'failed' OR (state = 'sent' AND (channel = 'webhook' OR EXISTS (
               SELECT 1 FROM notification_receipts r WHERE r.notification_id = notifications.id AND r.receipt = 'undelivered'))))"
    )
    .bind(id)
    .bind(at)
    .bind(at.plus(rule(kind).stale_after))
    .execute(c)
    .await
    })?;
    if waits == 0 {
        return Err(AppError::Conflict.into());
    }
    on!(&mut tx, |c| sqlx::query("DELETE FROM notification_receipts WHERE notification_id = $1").bind(id).execute(c).await)?;
    let subject = format!("notification:{id}");
    audit::record(&mut tx, at, who, (AuditAction::NotificationAgain, &subject), &json!({ "note": kind })).await?;
    tx.commit().await?;
    Ok(channel)
}

/// An operator tries a channel.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    pub channel: NotificationChannel,
    /// In the form of the channel; empty for a group or another system.
    pub address: &'a str,
    pub language: Lang,
}

/// Asks for a test message.
pub async fn test(db: &Db, rng: &Rng, at: Timestamp, who: &Who, trial: &Trial<'_>) -> Result<()> {
    let id = NotificationId(rng.id(at));
    let (subject, values) = (id.to_string(), NotificationValues::default());
    let message = NewNotification {
        kind: NotificationKind::Test,
        channel: trial.channel,
        user: None,
        address: trial.address,
        language: trial.language,
        quiet: QuietHours::default(),
        about: About::default(),
        subject: &subject,
        values: &values,
    };
    let mut tx = db.begin().await?;
    ask(&mut tx, rng, at, &message).await?;
    let detail = json!({ "note": NotificationKind::Test });
    audit::record(&mut tx, at, who, (AuditAction::NotificationTest, &format!("notification:{id}")), &detail).await?;
    tx.commit().await
}
