//! What one operator asks about a meter and another approves: to close a foreign account in it, and to correct the books to what
//! it holds.

use model::command::CommandKind;
use model::console::{MeterRequestKind, MeterRequestLine};
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, UserId, Uuid};
use model::money::Fen;
use model::person::Who;
use model::time::{HOUR, Timestamp};
use serde_json::Value;
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::commands::{self, NewCommand};
use super::console::{above, names, within};
use super::{Db, Result, Tx, cases, ledger, on, read};
use domain::command_args::CommandArgs;
use domain::ledger::adjustment;
use domain::ledger_position::LedgerPosition;
use domain::meter_state::StateBlock;
use domain::rng::Rng;
use model::case::CaseKind;

/// How long a request waits for the second person.
const WAITS: i64 = 72 * HOUR;

/// A request as it is made.
#[derive(Clone, Debug)]
pub struct NewMeterRequest {
    /// Made with the form: the same key gives the same request.
    pub key: Uuid,
    pub kind: MeterRequestKind,
    pub meter: MeterId,
    pub reason: String,
    pub who: Who,
}

/// What is compared and stored of a meter.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
struct RequestRow {
    id: Uuid,
    kind: MeterRequestKind,
    meter_id: MeterId,
    number: Option<String>,
    epoch: i64,
    count: i64,
    cumulative_fen: Fen,
    reason: String,
    asked_by: UserId,
}

/// The position of the open account on a meter.
#[derive(FromRow)]
struct OpenAccountRow {
    account_id: AccountId,
    number: String,
    epoch: i64,
    count: i64,
    cumulative_fen: Fen,
}

/// Stores a request about a meter that shows `seen`, with its audit line. The same key gives nothing new.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a meter that the operator may not see, and with [`AppError::Conflict`] where there is
/// nothing to do, the meter has another request that waits, or a money command is on its way.
pub async fn ask(db: &Db, rng: &Rng, at: Timestamp, new: &NewMeterRequest, seen: &StateBlock) -> Result<()> {
    let mut tx = db.begin().await?;
    let is_theirs: Option<(MeterId,)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.id = $2 AND m.retired_at IS NULL AND m.wallet = 'meter' AND",
        within!()
    ))
    .bind(new.who.user)
    .bind(new.meter)
    .fetch_optional(c)
    .await)?;
    is_theirs.ok_or(AppError::NotFound)?;
    let account = possible(&mut tx, new.kind, new.meter, seen).await?;
    let number = seen.status.account_open().then(|| seen.account.to_string());
    on!(&mut tx, |c| sqlx::query(
        "UPDATE meter_requests SET state = 'expired' WHERE meter_id = $1 AND state = 'waiting' AND expires_at <= $2"
    )
    .bind(new.meter)
    .bind(at)
    .execute(c)
    .await)?;
    let inserted = on!(&mut tx, |c| {
        sqlx::query(
        "INSERT INTO meter_requests (id, key, kind, meter_id, account_id, number, epoch, count, cumulative_fen, reason, state,
                                     asked_by, asked_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'waiting', $11, $12, $13) ON CONFLICT (key) DO NOTHING"
    )
    .bind(rng.id(at))
    .bind(new.key)
    .bind(new.kind)
    .bind(new.meter)
    .bind(account.as_ref().map(|account| account.account_id))
    .bind(&number)
    .bind(i64::from(seen.epoch))
    .bind(i64::from(seen.count))
    .bind(seen.cumulative)
    .bind(&new.reason)
    .bind(new.who.user)
    .bind(at)
    .bind(at.plus(WAITS))
    .execute(c)
    .await
    });
    match inserted {
        Ok(0) => return Ok(()),
        Ok(_) => {}
        // The meter has a request that waits.
        Err(error) if error.is_duplicate() => return Err(AppError::Conflict.into()),
        Err(error) => return Err(error),
    }
    let detail = serde_json::json!({
        "kind": new.kind, "number": number, "epoch": seen.epoch, "count": seen.count, "cumulative_fen": seen.cumulative,
        "reason": new.reason,
    });
    record(&mut tx, at, &new.who, "meter-request.ask", new.meter, &detail).await?;
    tx.commit().await
}

/// Whether a request makes sense for what a meter shows; gives the account that is open on it by the books.
async fn possible(tx: &mut Tx, kind: MeterRequestKind, meter: MeterId, seen: &StateBlock) -> Result<Option<OpenAccountRow>> {
    // Locks the account's meter, so that no command is claimed meanwhile.
    let account: Option<OpenAccountRow> = on!(tx, |c| sqlx::query_as(
        "UPDATE account_meters SET count = count WHERE meter_id = $1 AND to_at IS NULL
         RETURNING account_id, (SELECT a.number FROM accounts a WHERE a.id = account_id) AS number, epoch, count, cumulative_fen"
    )
    .bind(meter)
    .fetch_optional(c)
    .await)?;
    let moving: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM commands WHERE meter_id = $1
           AND ((money AND state = 'sending') OR (kind = $2 AND state IN ('queued', 'sending'))) LIMIT 1"
    )
    .bind(meter)
    .bind(CommandKind::CloseForeign)
    .fetch_optional(c)
    .await)?;
    let shown = seen.status.account_open().then(|| seen.account.to_string());
    let ours = account.as_ref().map(|account| account.number.clone());
    let makes_sense = match kind {
        MeterRequestKind::CloseForeign => shown.is_some() && shown != ours,
        MeterRequestKind::Adjustment => {
            let position =
                account.as_ref().map(|row| (row.epoch, row.count, row.cumulative_fen.0)).and_then(LedgerPosition::from_row);
            ours.is_some() && shown == ours && position != Some(LedgerPosition::of(seen))
        }
    };
    if moving.is_none() && makes_sense { Ok(account) } else { Err(AppError::Conflict.into()) }
}

/// The meter of a request that waits, where the operator may see it.
pub async fn meter_of(db: &Db, who: &Who, id: Uuid) -> Result<Option<MeterId>> {
    let row: Option<(MeterId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id FROM meter_requests q JOIN meters m ON m.id = q.meter_id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE q.id = $2 AND q.state = 'waiting' AND",
        within!()
    ))
    .bind(who.user)
    .bind(id)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(meter,)| meter))
}

/// The second person agrees, and the meter still shows what was asked about: `seen`. In one transaction the books are corrected,
/// or the command is stored.
///
/// # Errors
/// Refused with [`AppError::SecondPerson`] for the one who asked and for those who may not approve, and with
/// [`AppError::Conflict`] where it does not wait any more, or the meter shows something else.
pub async fn approve(db: &Db, rng: &Rng, at: Timestamp, who: &Who, id: Uuid, seen: &StateBlock) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, "approved", None).await?;
    let now = seen.status.account_open().then(|| seen.account.to_string());
    let shows = (i64::from(seen.epoch), i64::from(seen.count), seen.cumulative);
    if now != row.number || shows != (row.epoch, row.count, row.cumulative_fen) {
        return Err(AppError::Conflict.into());
    }
    let account = possible(&mut tx, row.kind, row.meter_id, seen).await?;
    let detail = match (row.kind, account) {
        (MeterRequestKind::Adjustment, Some(account)) => correct(&mut tx, rng, at, &row, &account).await?,
        (MeterRequestKind::CloseForeign, _) => {
            let order = u64::try_from(rng.order_number(at)).map_err(|_| AppError::Internal)?;
            let args = CommandArgs::CloseForeign { account: seen.account, order };
            let command = NewCommand::setting(CommandId(rng.id(at)), row.meter_id, args, Some(row.asked_by));
            commands::enqueue(&mut tx, at, &command).await?;
            serde_json::json!({ "command": command.id, "number": row.number })
        }
        (MeterRequestKind::Adjustment, None) => return Err(AppError::Conflict.into()),
    };
    let detail =
        serde_json::json!({ "request": id, "kind": row.kind, "reason": row.reason, "asked_by": row.asked_by, "done": detail });
    record(&mut tx, at, who, "meter-request.approve", row.meter_id, &detail).await?;
    tx.commit().await
}

/// Makes the position in the books that of the meter, and posts what that adds to the account or takes from it.
async fn correct(tx: &mut Tx, rng: &Rng, at: Timestamp, row: &RequestRow, account: &OpenAccountRow) -> Result<serde_json::Value> {
    let used = async |tx: &mut Tx, epoch: i64| {
        super::consumption::posted(tx, account.account_id, row.meter_id, epoch).await.map(|(used, _)| used)
    };
    let (before, after) = (used(tx, account.epoch).await?, used(tx, row.epoch).await?);
    let change = (row.cumulative_fen - after) - (account.cumulative_fen - before);
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET epoch = $1, count = $2, cumulative_fen = $3
         WHERE account_id = $4 AND meter_id = $5 AND to_at IS NULL"
    )
    .bind(row.epoch)
    .bind(row.count)
    .bind(row.cumulative_fen)
    .bind(account.account_id)
    .bind(row.meter_id)
    .execute(c)
    .await)?;
    if let Some(transfer) = adjustment(row.id, account.account_id, change.money()) {
        ledger::post(tx, rng, at, &transfer).await?;
    }
    cases::resolve(tx, at, CaseKind::MeterDiffers, row.meter_id, "adjusted").await?;
    cases::resolve(tx, at, CaseKind::Journal, row.meter_id, "adjusted").await?;
    let position = |epoch: i64, count: i64, cumulative: Fen| serde_json::json!([epoch, count, cumulative]);
    Ok(serde_json::json!({
        "from": position(account.epoch, account.count, account.cumulative_fen),
        "to": position(row.epoch, row.count, row.cumulative_fen),
        "amount_fen": change,
    }))
}

/// The second person declines, and says why.
///
/// # Errors
/// As [`approve`].
pub async fn reject(db: &Db, at: Timestamp, who: &Who, id: Uuid, note: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let row = decide(&mut tx, at, who, id, "rejected", Some(note)).await?;
    let detail = serde_json::json!({ "request": id, "kind": row.kind, "note": note });
    record(&mut tx, at, who, "meter-request.reject", row.meter_id, &detail).await?;
    tx.commit().await
}

/// Ends the request as decided by somebody who may approve and did not ask.
async fn decide(tx: &mut Tx, at: Timestamp, who: &Who, id: Uuid, state: &str, note: Option<&str>) -> Result<RequestRow> {
    let row: Option<RequestRow> = on!(tx, |c| sqlx::query_as(
        "UPDATE meter_requests SET state = $2, decided_by = $3, decided_at = $4, note = $5
         WHERE id = $1 AND state = 'waiting' AND expires_at > $4
         RETURNING id, kind, meter_id, number, epoch, count, cumulative_fen, reason, asked_by"
    )
    .bind(id)
    .bind(state)
    .bind(who.user)
    .bind(at)
    .bind(note)
    .fetch_optional(c)
    .await)?;
    let row = row.ok_or(AppError::Conflict)?;
    let may: Option<(UserId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM users WHERE id = $1 AND disabled_at IS NULL AND (role = 'admin' OR may_approve)"
    )
    .bind(who.user)
    .fetch_optional(c)
    .await)?;
    if may.is_none() || row.asked_by == who.user { Err(AppError::SecondPerson.into()) } else { Ok(row) }
}

#[derive(FromRow)]
struct LineRow {
    id: Uuid,
    kind: MeterRequestKind,
    meter_id: MeterId,
    number: Option<String>,
    count: i64,
    cumulative_fen: Fen,
    was_count: Option<i64>,
    was_cumulative_fen: Option<Fen>,
    reason: String,
    asked_by_name: String,
    asked_by: UserId,
    asked_at: Timestamp,
    expires_at: Timestamp,
    building: String,
    floor: String,
    room: String,
}

/// Requests that wait, for meters that the operator may see, oldest first; at most 100.
pub async fn waiting(db: &Db, operator: UserId, at: Timestamp) -> Result<Vec<MeterRequestLine>> {
    let rows: Vec<LineRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT q.id, q.kind, q.meter_id, q.number, q.count, q.cumulative_fen, am.count AS was_count,
                am.cumulative_fen AS was_cumulative_fen, q.reason, u.name AS asked_by_name, q.asked_by, q.asked_at,
                q.expires_at,",
            names!(),
            "FROM meter_requests q JOIN meters m ON m.id = q.meter_id JOIN users u ON u.id = q.asked_by
         LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE q.state = 'waiting' AND q.expires_at > $2 AND",
            within!(),
            "ORDER BY q.asked_at, q.id LIMIT 100"
        ))
        .bind(operator)
        .bind(at)
        .fetch_all(pool)
        .await
    })?;
    let line = |row: LineRow| MeterRequestLine {
        id: row.id,
        kind: row.kind,
        meter: row.meter_id,
        room: model::console::RoomName { building: row.building, floor: row.floor, room: row.room },
        number: row.number,
        books: row.was_count.zip(row.was_cumulative_fen),
        shown: (row.count, row.cumulative_fen),
        reason: row.reason,
        asked_by: row.asked_by_name,
        mine: row.asked_by == operator,
        asked_at: row.asked_at,
        expires_at: row.expires_at,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Ends requests that nobody decided in time. Gives how many.
pub async fn expire(db: &Db, at: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE meter_requests SET state = 'expired' WHERE state = 'waiting' AND expires_at <= $1"
    )
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(ended)
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: &str, meter: MeterId, detail: &Value) -> Result<()> {
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action,
        subject: &format!("meter:{meter}"),
        detail: &detail.to_string(),
    };
    audit::append(tx, at, &entry).await
}
