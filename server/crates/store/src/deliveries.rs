//! Delivering commands: which is next, claimed before the first byte, and counted before each frame.

mod again;
mod check;
mod foreign;
mod ledger_check;
mod observed;
mod settle;

use model::command::{CommandKind, CommandReason};
use model::ids::{AccountId, MeterId};
use model::time::Timestamp;

use super::commands::{self, Command, command_columns, may_move};
use super::{Db, Result, StoreError, Tx, on, read};
pub use again::{Decision, try_again};
pub use check::{begin, defer, done, is_read_since, missed_price_switch, unread};
pub use foreign::foreign_closed;
pub(crate) use ledger_check::adopt_mode;
pub use ledger_check::{ConfirmedDifference, confirm_difference, expected_states};
pub use observed::{Ending, observed};
pub use settle::{Verdict, hold, refuse, settle};

/// Meters with commands that may move now, most urgent first.
///
/// # Errors
/// [`StoreError::LockLost`] where nothing may be sent: then no meter is read for what it cannot be sent.
pub async fn due(db: &Db, now: Timestamp, limit: i64) -> Result<Vec<MeterId>> {
    db.check_fence().await?;
    let rows: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT c.meter_id FROM commands c WHERE",
        may_move!(),
        "GROUP BY c.meter_id ORDER BY MIN(c.priority), MIN(c.decided_at) LIMIT $2"
    ))
    .bind(now)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The next command of this meter. Money commands go in the order of their decisions, and none while another is being sent or a
/// delivery case is open. One that is being sent continues whatever is queued: on PostgreSQL a purchase that was decided earlier
/// may be committed later, when this one has its purchase count already.
pub async fn next(db: &Db, meter: MeterId, now: Timestamp) -> Result<Option<Command>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        "FROM commands c WHERE c.meter_id = $2 AND",
        may_move!(),
        "AND NOT (c.money AND c.state = 'queued'
                  AND EXISTS (SELECT 1 FROM commands e WHERE e.meter_id = c.meter_id AND e.money AND e.id <> c.id
                                AND (e.state = 'sending' OR (e.state = 'queued'
                                     AND (e.decided_at < c.decided_at OR (e.decided_at = c.decided_at AND e.id < c.id))))))
         ORDER BY c.priority, c.decided_at, c.id LIMIT 1"
    ))
    .bind(now)
    .bind(meter)
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

/// What became of an attempt to claim a money command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    Claimed(Claim),
    /// It is not queued any more, or another money command of the meter is being sent: somebody else was first.
    Elsewhere,
    /// The account has left the meter.
    NoAccount,
}

impl ClaimOutcome {
    #[must_use]
    pub const fn claimed(self) -> Option<Claim> {
        match self {
            Self::Claimed(claim) => Some(claim),
            Self::Elsewhere | Self::NoAccount => None,
        }
    }
}

/// The position of an account on a meter.
macro_rules! counts {
    ($lock:literal) => {
        concat!("SELECT epoch, count FROM account_meters WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL ", $lock)
    };
}

/// Claims a queued money command: epoch and count are fixed and durable before any byte leaves.
pub async fn claim(db: &Db, command: &Command) -> Result<ClaimOutcome> {
    let mut tx = db.begin_fenced().await?;
    // Locked: the books of a meter may be corrected at this moment, and a count from before that fits no meter.
    let counts = match &tx {
        Tx::Sqlite(_) => counts!(""),
        Tx::Postgres(_) => counts!("FOR UPDATE"),
    };
    let counts: Option<(i64, i64)> =
        on!(&mut tx, |c| sqlx::query_as(counts).bind(command.account_id).bind(command.meter_id).fetch_optional(c).await)?;
    let Some((epoch, count)) = counts else { return Ok(ClaimOutcome::NoAccount) };
    // An account begins at count 0 of an epoch that only the meter knows.
    let claim = if command.kind == CommandKind::Open { Claim { epoch: 0, count: 0 } } else { Claim { epoch, count: count + 1 } };
    let claimed = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', epoch = $1, count = $2 WHERE id = $3 AND state = 'queued'"
    )
    .bind(claim.epoch)
    .bind(claim.count)
    .bind(command.id)
    .execute(c)
    .await);
    match claimed {
        Ok(1) => {}
        Ok(_) => return Ok(ClaimOutcome::Elsewhere),
        // A meter has at most one money command in flight.
        Err(error) if error.is_duplicate() => return Ok(ClaimOutcome::Elsewhere),
        Err(error) => return Err(error),
    }
    tx.commit().await?;
    Ok(ClaimOutcome::Claimed(claim))
}

/// Counts an attempt and gives its frame number, durable before the frame leaves. `None` if the command has ended meanwhile.
pub async fn begin_send(db: &Db, at: Timestamp, command: &Command) -> Result<Option<u32>> {
    let mut tx = db.begin_fenced().await?;
    let counted = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', attempts = attempts + 1, sent_at = COALESCE(sent_at, $1)
         WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(command.id)
    .execute(c)
    .await)?;
    if counted != 1 {
        return Ok(None);
    }
    let number = commands::next_frame_number(&mut tx, command.meter_id).await?;
    tx.commit().await?;
    Ok(Some(number))
}

/// Defers every command of a meter that does not answer.
pub async fn defer_meter(db: &Db, meter: MeterId, until: Timestamp, reason: CommandReason) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET next_at = $1, reason = $2
         WHERE meter_id = $3 AND state IN ('queued', 'sending') AND next_at < $1 AND kind <> 'read'"
    )
    .bind(until)
    .bind(reason)
    .bind(meter)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// The meter answers again: its commands may move now, except checks that have an instant
/// of their own. Gives whether there are any.
pub async fn reset_backoff(db: &Db, meter: MeterId, now: Timestamp) -> Result<bool> {
    let waits: Option<(i64,)> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT CAST(1 AS BIGINT) FROM commands WHERE meter_id = $1 AND state IN ('queued', 'sending')
           AND kind <> 'in_force' LIMIT 1",
        )
        .bind(meter)
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
    .bind(now)
    .bind(meter)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(true)
}

/// A server that starts delivers at once: how long earlier commands were deferred belongs to the process that ended.
pub async fn reset_backoffs(db: &Db, now: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let reset = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET next_at = $1
         WHERE state IN ('queued', 'sending') AND next_at > $1 AND kind <> 'in_force'"
    )
    .bind(now)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(reset)
}

/// Ends a command that was sent without a known effect if a newer one of its kind is queued. Gives whether it did.
pub async fn give_way(db: &Db, at: Timestamp, command: &Command) -> Result<bool> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = 'superseded'
         WHERE id = $2 AND NOT money AND state IN ('queued', 'sending')
           AND EXISTS (SELECT 1 FROM commands n WHERE n.meter_id = commands.meter_id AND n.kind = commands.kind
                       AND n.state = 'queued' AND n.id <> commands.id AND n.decided_at >= commands.decided_at)"
    )
    .bind(at)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended == 1 && command.kind == CommandKind::Mode && command.attempts > 0 {
        ledger_check::expect_mode(&mut tx, command.meter_id, None).await?;
    }
    tx.commit().await?;
    Ok(ended == 1)
}

/// The account of a money command.
fn account_of(command: &Command) -> Result<AccountId> {
    command.account_id.ok_or(StoreError::Inconsistent { table: "commands", column: "account_id" })
}
