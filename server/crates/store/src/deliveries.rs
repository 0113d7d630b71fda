//! A command's way from the outbox to the meter: which is next, claimed before the first byte, counted before each frame.

mod again;
mod check;
mod ledger_check;
mod observed;
mod settle;

use model::ids::{AccountId, CommandId, MeterId, Uuid};
use model::time::Timestamp;

use super::commands::{self, Command};
use super::{Db, Result, StoreError, on, read};
pub use again::{Decision, try_again};
pub use check::{begin, defer, done, is_read_since, missed, unread};
pub use ledger_check::{confirm_difference, ledger_positions};
pub use observed::{Ending, observed};
pub use settle::{Verdict, hold, refuse, settle};

/// Why a command stands where it stands: the word in `commands.note`; pages have words for each.
pub mod note {
    /// The meter does not answer; it is tried again at `next_at`, and at once when it is heard.
    pub const LOST: &str = "lost";
    /// Frames were sent and no answer says what became of them; the meter is read again at `next_at`.
    pub const UNCONFIRMED: &str = "unconfirmed";
    /// The meter is not in service, or its profile is unknown.
    pub const UNKNOWN_METER: &str = "unknown-meter";
    /// The fields of the command are not those of its kind.
    pub const INVALID: &str = "invalid";
    /// A newer wish of its kind took its place.
    pub const SUPERSEDED: &str = "superseded";
    /// Done, and the relay does not follow.
    pub const RELAY: &str = "relay";
    /// It was meant for a moment that has passed.
    pub const LATE: &str = "late";
    /// A person took it back before it was sent.
    pub const CANCELLED: &str = "cancelled";
    /// Its money goes back.
    pub const REFUND: &str = "refund";
    /// Its meter was gone, and a person counted what was left in it.
    pub const COUNTED: &str = "counted";
    /// The meter does not know the password for switching and setting, or none is configured.
    pub const PASSWORD: &str = "password";
    /// It was sent as often as it may be, and the meter does not show it.
    pub const NOT_KEPT: &str = "not-kept";
    /// Planned prices are not in force after their switch-over.
    pub const MISSED: &str = "missed";
}

/// Meters with commands that may move now, most urgent first.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid,)> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id FROM commands
         WHERE state IN ('queued', 'sending') AND next_at <= $1
           AND NOT (money AND EXISTS (SELECT 1 FROM cases WHERE cases.meter_id = commands.meter_id
                                      AND cases.kind = 'delivery' AND cases.closed_at IS NULL))
         GROUP BY meter_id ORDER BY MIN(priority), MIN(decided_at) LIMIT $2",
    )
    .bind(now.0)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| MeterId(id)).collect())
}

/// The command of this meter that moves next. Money goes in the order of its decisions, none while another is under way or a
/// delivery case is open. One that is under way goes on whatever is queued: on PostgreSQL a purchase decided a moment earlier may
/// be committed a moment later, when this one has its purchase count already.
pub async fn next(db: &Db, meter: MeterId, now: Timestamp) -> Result<Option<Command>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, meter_id, account_id, order_id, kind, args, money, priority, state, epoch, count, attempts, next_at,
                decided_at, sent_at, finished_at, result, note
         FROM commands c
         WHERE meter_id = $1 AND state IN ('queued', 'sending') AND next_at <= $2
           AND NOT (money AND EXISTS (SELECT 1 FROM cases WHERE cases.meter_id = c.meter_id
                                      AND cases.kind = 'delivery' AND cases.closed_at IS NULL))
           AND NOT (money AND state = 'queued'
                    AND EXISTS (SELECT 1 FROM commands e WHERE e.meter_id = c.meter_id AND e.money AND e.id <> c.id
                                      AND (e.state = 'sending' OR (e.state = 'queued'
                                           AND (e.decided_at < c.decided_at OR (e.decided_at = c.decided_at AND e.id < c.id))))))
         ORDER BY priority, decided_at, id LIMIT 1",
    )
    .bind(meter.0)
    .bind(now.0)
    .fetch_optional(pool)
    .await)
}

/// What a money command was claimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The key epoch in which it counts.
    pub epoch: i64,
    /// The purchase count that it will make.
    pub count: i64,
}

/// Claims a queued money command: epoch and count are fixed and durable before any byte leaves. `None` where it is not the
/// meter's turn or there is no such account on the meter any more.
pub async fn claim(db: &Db, command: &Command) -> Result<Option<Claim>> {
    let mut tx = db.begin().await?;
    let known: Option<(i64, i64)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT epoch, count FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(command.account_id)
    .bind(command.meter_id)
    .fetch_optional(c)
    .await)?;
    let Some((epoch, count)) = known else { return Ok(None) };
    // An account begins at count 0 of an epoch that only the meter knows.
    let claim = if command.kind == "open" { Claim { epoch: 0, count: 0 } } else { Claim { epoch, count: count + 1 } };
    let claimed = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', epoch = $1, count = $2 WHERE id = $3 AND state = 'queued'"
    )
    .bind(claim.epoch)
    .bind(claim.count)
    .bind(command.id)
    .execute(c)
    .await)?;
    if claimed != 1 {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(claim))
}

/// Counts a try and gives the frame number for it, durable before the frame leaves. `None` where the command has ended meanwhile.
pub async fn begin_send(db: &Db, at: Timestamp, command: &Command) -> Result<Option<u32>> {
    let mut tx = db.begin().await?;
    let counted = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', attempts = attempts + 1, sent_at = COALESCE(sent_at, $1)
         WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(command.id)
    .execute(c)
    .await)?;
    if counted != 1 {
        return Ok(None);
    }
    let number = commands::next_frame_number(&mut tx, MeterId(command.meter_id)).await?;
    tx.commit().await?;
    Ok(Some(number))
}

/// Puts off everything that waits for this meter: nothing can move while it does not answer.
pub async fn defer_meter(db: &Db, meter: MeterId, until: Timestamp, note: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET next_at = $1, note = $2
         WHERE meter_id = $3 AND state IN ('queued', 'sending') AND next_at < $1 AND kind <> 'read'"
    )
    .bind(until.0)
    .bind(note)
    .bind(meter.0)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// The meter was heard again: what waits for it may move now, except what is not to be looked at before its instant. Gives whether
/// anything does.
pub async fn reset_backoff(db: &Db, meter: MeterId, now: Timestamp) -> Result<bool> {
    let waits: Option<(i64,)> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT CAST(1 AS BIGINT) FROM commands WHERE meter_id = $1 AND state IN ('queued', 'sending') AND kind <> 'in_force' LIMIT 1"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await
    })?;
    if waits.is_none() {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET next_at = $1
         WHERE meter_id = $2 AND state IN ('queued', 'sending') AND next_at > $1 AND kind <> 'in_force'"
    )
    .bind(now.0)
    .bind(meter.0)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(true)
}

/// Ends a wish that was sent without a known effect when a newer one of its kind waits. Gives whether it did.
pub async fn give_way(db: &Db, at: Timestamp, command: &Command) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, note = 'superseded'
         WHERE id = $2 AND NOT money AND state IN ('queued', 'sending')
           AND EXISTS (SELECT 1 FROM commands n WHERE n.meter_id = commands.meter_id AND n.kind = commands.kind
                       AND n.state = 'queued' AND n.id <> commands.id AND n.decided_at >= commands.decided_at)"
    )
    .bind(at.0)
    .bind(command.id)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(ended == 1)
}

/// The account of a money command.
fn account_of(command: &Command) -> Result<AccountId> {
    command.account_id.map(AccountId).ok_or(StoreError::Inconsistent { table: "commands", column: "account_id" })
}

/// The id of a command.
#[must_use]
pub const fn id_of(command: &Command) -> CommandId {
    CommandId(command.id)
}
