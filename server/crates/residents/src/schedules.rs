//! When residents want their room switched off and on. A schedule is carried out for the resident who made it, as long as the
//! account is theirs.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, UserId, Uuid};
use model::person::Who;
use model::switch_schedule::{MinuteOfDay, SCHEDULES_MAX, SwitchOutcome, SwitchTimes, Weekdays};
use model::time::{DAY, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use store::audit;
use store::{Db, Result, StoreError, Tx, on, read, wallets};

use domain::rng::Rng;

/// What became of the last switching of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSwitching {
    pub at: Timestamp,
    pub on: bool,
    pub outcome: SwitchOutcome,
    pub command: Option<CommandId>,
}

/// A stored schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub id: Uuid,
    pub account: AccountId,
    /// The resident who made it.
    pub by: UserId,
    pub times: SwitchTimes,
    /// The next switching, and whether it switches on.
    pub next: (Timestamp, bool),
    pub last: Option<LastSwitching>,
}

#[derive(FromRow)]
struct ScheduleRow {
    id: Uuid,
    account_id: AccountId,
    created_by: UserId,
    weekdays: i64,
    off_minute: i64,
    on_minute: i64,
    next_at: Timestamp,
    next_on: bool,
    last_at: Option<Timestamp>,
    last_on: Option<bool>,
    last_outcome: Option<SwitchOutcome>,
    last_command_id: Option<CommandId>,
}

/// The columns of [`ScheduleRow`].
macro_rules! schedule_columns {
    () => {
        " id, account_id, created_by, weekdays, off_minute, on_minute, next_at, next_on, last_at, last_on, last_outcome,
          last_command_id "
    };
}

impl ScheduleRow {
    fn schedule(self) -> Result<Schedule> {
        let times = Weekdays::new(self.weekdays)
            .and_then(|days| SwitchTimes::new(days, MinuteOfDay::new(self.off_minute)?, MinuteOfDay::new(self.on_minute)?));
        let times = times.ok_or(StoreError::Inconsistent { table: "switch_schedules", column: "weekdays" })?;
        let last = self.last_at.zip(self.last_on).zip(self.last_outcome);
        let command = self.last_command_id;
        Ok(Schedule {
            id: self.id,
            account: self.account_id,
            by: self.created_by,
            times,
            next: (self.next_at, self.next_on),
            last: last.map(|((at, on), outcome)| LastSwitching { at, on, outcome, command }),
        })
    }
}

/// Of the account `$1`, made by somebody who still lives there: the others are removed when they are due.
macro_rules! in_force {
    () => {
        " switch_schedules WHERE account_id = $1 AND EXISTS (
              SELECT 1 FROM account_residents ar WHERE ar.account_id = switch_schedules.account_id
                     AND ar.user_id = switch_schedules.created_by AND ar.to_at IS NULL) "
    };
}

#[derive(FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    schedule: ScheduleRow,
    by_name: String,
}

/// The schedules of an account, with the names of the residents who made them.
pub async fn of_account(db: &Db, account: AccountId) -> Result<Vec<(Schedule, String)>> {
    let rows: Vec<NamedRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        schedule_columns!(),
        ", (SELECT u.name FROM users u WHERE u.id = switch_schedules.created_by) AS by_name FROM",
        in_force!(),
        "ORDER BY off_minute, on_minute, id LIMIT 50"
    ))
    .bind(account)
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|row| Ok((row.schedule.schedule()?, row.by_name))).collect()
}

/// Schedules that are due, the ones that have waited longest first.
pub async fn due(db: &Db, now: Timestamp, after: Option<(Timestamp, Uuid)>, limit: i64) -> Result<Vec<Schedule>> {
    let (at, id) = after.unwrap_or((Timestamp(0), Uuid::nil()));
    let rows: Vec<ScheduleRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
        "SELECT",
        schedule_columns!(),
        "FROM switch_schedules WHERE next_at <= $1 AND (next_at > $2 OR (next_at = $2 AND id > $3)) ORDER BY next_at, id LIMIT $4"
    ))
    .bind(now)
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(pool)
    .await
    })?;
    rows.into_iter().map(ScheduleRow::schedule).collect()
}

/// A schedule to store.
#[derive(Clone, Copy, Debug)]
pub struct NewSchedule {
    /// Made with the form, so that a form that is sent twice makes one schedule.
    pub id: Uuid,
    pub account: AccountId,
    pub meter: MeterId,
    pub times: SwitchTimes,
    pub next: (Timestamp, bool),
}

/// Stores a schedule, with its audit line. The same form adds one only once.
///
/// # Errors
/// Refused with [`AppError::TooManyKept`] where the account has as many as it may have.
pub async fn add(db: &Db, at: Timestamp, who: &Who, new: &NewSchedule) -> Result<()> {
    let mut tx = db.begin().await?;
    // The lock of the account's meter, so that two at once are counted one after the other.
    on!(&mut tx, |c| sqlx::query(
        "UPDATE account_meters SET count = count WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(new.account)
    .bind(new.meter)
    .execute(c)
    .await)?;
    let kept: Vec<(Uuid,)> =
        on!(&mut tx, |c| sqlx::query_as(concat!("SELECT id FROM", in_force!())).bind(new.account).fetch_all(c).await)?;
    if kept.iter().any(|(id,)| *id == new.id) {
        return Ok(());
    }
    if i64::try_from(kept.len()).is_ok_and(|kept| kept >= SCHEDULES_MAX) {
        return Err(AppError::TooManyKept.into());
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO switch_schedules (id, account_id, weekdays, off_minute, on_minute, next_at, next_on, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    )
    .bind(new.id)
    .bind(new.account)
    .bind(new.times.weekdays.bits())
    .bind(new.times.off.minutes())
    .bind(new.times.on.minutes())
    .bind(new.next.0)
    .bind(new.next.1)
    .bind(who.user)
    .bind(at)
    .execute(c)
    .await)?;
    record(&mut tx, at, who, AuditAction::MeterSchedule, new.meter, &new.times).await?;
    tx.commit().await
}

/// Removes a schedule of the resident's account, whoever of them made it: the room is dark for all of them.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where they have no such schedule.
pub async fn remove(db: &Db, at: Timestamp, who: &Who, meter: MeterId, schedule: &Schedule) -> Result<()> {
    let mut tx = db.begin().await?;
    let removed = on!(&mut tx, |c| sqlx::query("DELETE FROM switch_schedules WHERE id = $1 AND account_id = $2")
        .bind(schedule.id)
        .bind(schedule.account)
        .execute(c)
        .await)?;
    if removed == 0 {
        return Err(AppError::NotFound.into());
    }
    record(&mut tx, at, who, AuditAction::MeterScheduleRemove, meter, &schedule.times).await?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, meter: MeterId, times: &SwitchTimes) -> Result<()> {
    let detail = json!({ "schedule": times.to_string() });
    audit::record(tx, at, who, (action, &format!("meter:{meter}")), &detail).await
}

/// Removes a schedule whose resident has no such account any more.
pub async fn forget(db: &Db, id: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("DELETE FROM switch_schedules WHERE id = $1").bind(id).execute(c).await)?;
    tx.commit().await
}

/// Writes down what became of the switching that was due, and when the next one is; nothing where somebody else did.
pub async fn done(db: &Db, schedule: &Schedule, last: &LastSwitching, next: (Timestamp, bool)) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE switch_schedules SET last_at = $3, last_on = $4, last_outcome = $5, last_command_id = $6, next_at = $7,
                                     next_on = $8
         WHERE id = $1 AND next_at = $2"
    )
    .bind(schedule.id)
    .bind(schedule.next.0)
    .bind(last.at)
    .bind(last.on)
    .bind(last.outcome)
    .bind(last.command)
    .bind(next.0)
    .bind(next.1)
    .execute(c)
    .await)?;
    tx.commit().await
}

#[derive(FromRow)]
struct UnsentRow {
    schedule: Uuid,
    command: CommandId,
    meter_id: MeterId,
    last_on: bool,
}

/// Withdraws commands of switchings that were due within the day before an instant and never reached their meter; gives how many.
/// A command that waits for a lost meter would otherwise switch the room hours later. The switch of a server wallet is set back
/// with it, or the relay controller would send another.
pub async fn withdraw_unsent(db: &Db, rng: &Rng, at: Timestamp, before: Timestamp) -> Result<usize> {
    let waiting: Vec<UnsentRow> = read!(db, |pool| sqlx::query_as(
        "SELECT s.id AS schedule, c.id AS command, c.meter_id, s.last_on
         FROM switch_schedules s JOIN commands c ON c.id = s.last_command_id
         WHERE s.last_outcome = 'sent' AND s.last_at < $1 AND s.last_at > $2 AND c.kind IN ('switch', 'relay')
           AND c.state = 'queued' AND c.attempts = 0"
    )
    .bind(before)
    .bind(before.plus(-DAY))
    .fetch_all(pool)
    .await)?;
    let mut withdrawn = 0;
    for UnsentRow { schedule, command, meter_id, last_on } in waiting {
        let mut tx = db.begin().await?;
        // First, because everything that decides about a wallet locks the wallet before its commands.
        wallets::decide_switch(&mut tx, rng, at, meter_id, !last_on).await?;
        let ended = on!(&mut tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $2, reason = 'late'
             WHERE id = $1 AND state = 'queued' AND attempts = 0"
        )
        .bind(command)
        .bind(at)
        .execute(c)
        .await)?;
        if ended == 0 {
            // It was sent meanwhile: the switch stays as it was decided.
            continue;
        }
        on!(&mut tx, |c| sqlx::query(
            "UPDATE switch_schedules SET last_outcome = 'missed' WHERE id = $1 AND last_command_id = $2"
        )
        .bind(schedule)
        .bind(command)
        .execute(c)
        .await)?;
        tx.commit().await?;
        withdrawn += 1;
    }
    Ok(withdrawn)
}
