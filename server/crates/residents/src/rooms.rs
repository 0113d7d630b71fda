//! A resident's own room: found by the resident's id, never by an id in the request.

use model::audit::AuditAction;
use model::console::{AccountState, ClosingKind};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, UserId, Uuid};
use model::issue::Issue;
use model::money::Fen;
use model::place::PlaceKind;
use model::time::{HOUR, SECOND, Timestamp};
use sqlx::FromRow;

use domain::command_args::CommandArgs;
use domain::rng::Rng;
use store::audit::{self, Entry};
use store::commands::{self, Command, NewCommand, command_columns};
use store::orders::{Order, order_columns};
use store::{Db, Result, Tx, on, read, wallets};

/// The room of a resident's current account.
#[derive(Clone, Debug, FromRow)]
pub struct Room {
    pub account_id: AccountId,
    /// The account's number.
    pub number: String,
    pub state: AccountState,
    /// Since when it is theirs.
    pub from_at: Timestamp,
    pub meter_id: MeterId,
    /// The room's name.
    pub room: String,
    above: Option<String>,
    above_kind: Option<PlaceKind>,
    top: Option<String>,
    top_kind: Option<PlaceKind>,
    /// How many closures of the account wait for the meter's final reading: 0 or 1.
    pub leaving: i64,
}

impl Room {
    /// The place of the room, from the building inwards.
    #[must_use]
    pub fn place(&self) -> String {
        let nodes = [(&self.top, self.top_kind), (&self.above, self.above_kind)];
        let names = nodes.into_iter().filter(|(_, kind)| kind.is_some_and(|kind| kind != PlaceKind::Site));
        names.filter_map(|(name, _)| name.as_deref()).collect::<Vec<_>>().join(" ")
    }
}

/// The room of a resident; `None` without a current account. Of an account with several meters, the first.
pub async fn of_resident(db: &Db, user: UserId) -> Result<Option<Room>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT a.id AS account_id, a.number, a.state, ar.from_at, am.meter_id, r.name AS room,
                p.name AS above, p.kind AS above_kind, t.name AS top, t.kind AS top_kind,
                (SELECT COUNT(*) FROM account_closure_meters cm
                 WHERE cm.meter_id = am.meter_id AND cm.final_at IS NULL) AS leaving
         FROM account_residents ar
         JOIN accounts a ON a.id = ar.account_id AND a.closed_at IS NULL
         JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id
         LEFT JOIN places t ON t.id = p.parent_id
         WHERE ar.user_id = $1 AND ar.to_at IS NULL
         ORDER BY am.from_at, am.meter_id LIMIT 1",
        )
        .bind(user)
        .fetch_optional(pool)
        .await
    })
}

/// The last account of a resident who has no room now.
#[derive(Clone, Debug, FromRow)]
pub struct PastAccountRow {
    /// The account's number.
    pub number: String,
    /// Its place, from the building inwards.
    pub place: String,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// `None` if the resident was only removed from it.
    pub kind: Option<ClosingKind>,
    /// When its final readings had arrived.
    pub read_at: Option<Timestamp>,
    /// When its balance was settled.
    pub ended_at: Option<Timestamp>,
    /// The remaining balance.
    pub left_fen: Fen,
}

/// The last account of a resident, if they had it until it was closed.
pub async fn past(db: &Db, user: UserId) -> Result<Option<PastAccountRow>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT a.number, COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name AS place, a.closed_at, c.kind,
                c.read_at, c.ended_at,
                CAST(COALESCE((SELECT SUM(final_fen) FROM account_closure_meters WHERE closure_id = c.id), 0) AS BIGINT)
                    AS left_fen
         FROM account_residents ar
         JOIN accounts a ON a.id = ar.account_id
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         LEFT JOIN account_closures c ON c.id =
              (SELECT id FROM account_closures WHERE account_id = a.id ORDER BY begun_at DESC, id DESC LIMIT 1)
         WHERE ar.user_id = $1 AND (ar.to_at IS NULL OR ar.to_at = a.closed_at)
         ORDER BY ar.from_at DESC LIMIT 1",
        )
        .bind(user)
        .fetch_optional(pool)
        .await
    })
}

/// The login name of a person.
pub async fn login(db: &Db, user: UserId) -> Result<Option<String>> {
    let row: Option<(String,)> =
        read!(db, |pool| sqlx::query_as("SELECT login FROM users WHERE id = $1").bind(user).fetch_optional(pool).await)?;
    Ok(row.map(|(login,)| login))
}

/// The newest purchase that is paid and not delivered.
pub async fn coming(db: &Db, account: AccountId) -> Result<Option<Order>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        order_columns!(),
        "FROM orders WHERE account_id = $1 AND state = 'paid' ORDER BY created_at DESC, id DESC LIMIT 1"
    ))
    .bind(account)
    .fetch_optional(pool)
    .await)
}

/// The sum that is paid for a meter and not delivered.
pub async fn coming_sum(db: &Db, meter: MeterId) -> Result<Fen> {
    let row: Option<(Fen,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM orders WHERE meter_id = $1 AND state = 'paid'"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map_or(Fen::ZERO, |(fen,)| fen))
}

/// The first reading with an open relay since the last one with a closed relay; none before `from`.
pub async fn off_since(db: &Db, meter: MeterId, from: Timestamp) -> Result<Option<Timestamp>> {
    let row: Option<(Option<Timestamp>,)> = read!(db, |pool| sqlx::query_as(
        "SELECT MIN(at) FROM readings WHERE meter_id = $1 AND source <> 3 AND at >= $2 AND at > COALESCE(
             (SELECT at FROM readings WHERE meter_id = $1 AND (status & 1) = 1 ORDER BY at DESC LIMIT 1), 0)"
    )
    .bind(meter)
    .bind(from)
    .fetch_optional(pool)
    .await)?;
    Ok(row.and_then(|(at,)| at))
}

/// Energy and money that a meter used since `from`, by its counters and its balance, with purchases between them added.
pub async fn spent_since(db: &Db, meter: MeterId, from: Timestamp) -> Result<Option<(Energy, Fen)>> {
    let ends: Vec<(Timestamp, Energy, Fen)> = read!(db, |pool| sqlx::query_as(
        "SELECT at, total_wh, remaining_fen FROM readings WHERE meter_id = $1 AND at IN (
             (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at >= $2 AND quality = 0 AND source <> 3),
             (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at >= $2 AND quality = 0 AND source <> 3))
         ORDER BY at"
    )
    .bind(meter)
    .bind(from)
    .fetch_all(pool)
    .await)?;
    let [first, last] = ends.as_slice() else { return Ok(None) };
    // A purchase is read back moments before its order becomes credited.
    const READ_BACK: i64 = 5 * SECOND;
    let credited: Option<(Fen,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM orders
         WHERE meter_id = $1 AND credited_at > $2 AND credited_at <= $3"
    )
    .bind(meter)
    .bind(first.0.plus(READ_BACK))
    .bind(last.0.plus(READ_BACK))
    .fetch_optional(pool)
    .await)?;
    let credited = credited.map_or(Fen::ZERO, |(fen,)| fen);
    Ok(Some((last.1 - first.1, first.2 + credited - last.2)))
}

/// As [`spent_since`], summed over those of 500 meters in service that had no purchase since; with their number.
pub async fn spent_by_site_since(db: &Db, from: Timestamp) -> Result<(Energy, Fen, i64)> {
    let sums: Option<(Energy, Fen, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(l.total_wh - f.total_wh), 0) AS BIGINT),
                CAST(COALESCE(SUM(f.remaining_fen - l.remaining_fen), 0) AS BIGINT), COUNT(*)
         FROM (SELECT id FROM meters WHERE retired_at IS NULL ORDER BY id LIMIT 500) AS m
         JOIN meter_latest l ON l.meter_id = m.id AND l.observed_at IS NOT NULL
         JOIN readings f ON f.meter_id = m.id AND f.quality = 0 AND f.source <> 3
              AND f.at = (SELECT MIN(at) FROM readings WHERE meter_id = m.id AND at >= $1 AND source <> 3)
         WHERE l.total_wh >= f.total_wh
           AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.meter_id = m.id AND orders.paid_at >= $1)"
    )
    .bind(from)
    .fetch_optional(pool)
    .await)?;
    Ok(sums.unwrap_or_default())
}

/// The switching of this meter that is under way: its command, and whether it switches on.
pub async fn switching(db: &Db, meter: MeterId) -> Result<Option<(CommandId, bool)>> {
    let command: Option<Command> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        "FROM commands c WHERE c.meter_id = $1 AND c.kind IN ('switch', 'relay') AND c.state IN ('queued', 'sending')
         ORDER BY c.decided_at DESC, c.id DESC LIMIT 1"
    ))
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(command.and_then(|command| Some((command.id, command.args()?.switches_on()?))))
}

/// After so many changes within an hour residents may not switch their room off: a relay wears out. On they may always, so that
/// no room stays dark.
pub const SWITCHES_PER_HOUR: usize = 12;
/// The same for requests, most of which change nothing.
const REQUESTS_PER_HOUR: usize = 120;

/// A resident's request to switch the power on or off.
#[derive(Clone, Debug)]
pub struct Switch {
    /// Made with the form; becomes the command's id, so that a form that is sent twice makes one command.
    pub key: Uuid,
    pub account: AccountId,
    pub meter: MeterId,
    pub on: bool,
    pub by: UserId,
    /// For the audit chain.
    pub ip: String,
    /// The schedule that it follows, where nobody pressed the switch.
    pub schedule: Option<String>,
}

/// Stores the request as a command, with its audit line. The same key gives the same command.
///
/// # Errors
/// Refused with [`AppError::Conflict`] if the key belongs to another command, or with [`AppError::SwitchedTooOften`].
pub async fn switch(db: &Db, rng: &Rng, at: Timestamp, request: &Switch) -> Result<CommandId> {
    let id = CommandId(request.key);
    let mut tx = db.begin().await?;
    if is_repeated(&mut tx, request).await? {
        return Ok(id);
    }
    let before = switched_within_hour(&mut tx, at, request).await?;
    if !request.on && is_too_often(&before) {
        return Err(AppError::SwitchedTooOften.into());
    }
    let relay = wallets::decide_switch(&mut tx, rng, at, request.meter, request.on).await?;
    let args = relay.map_or(CommandArgs::Issue(Issue::Switch(request.on)), |closed| CommandArgs::Relay { closed });
    let account = Some(request.account);
    let command = NewCommand { account, ..NewCommand::setting(id, request.meter, args, Some(request.by)) };
    match commands::enqueue(&mut tx, at, &command).await {
        // The same form was sent twice at once, and the other came first.
        Err(error) if error.is_duplicate() => return Ok(id),
        enqueued => enqueued?,
    }
    let mut detail = serde_json::json!({ "on": request.on, "command": id });
    if let (Some(schedule), Some(detail)) = (&request.schedule, detail.as_object_mut()) {
        detail.insert("schedule".into(), schedule.as_str().into());
    }
    let entry = Entry {
        actor: &format!("user:{}", request.by),
        ip: &request.ip,
        action: AuditAction::MeterSwitch,
        subject: &format!("meter:{}", request.meter),
        detail: &detail.to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(id)
}

/// Whether the room may not be switched off any more, by what was requested within the hour, oldest first.
fn is_too_often(requests: &[bool]) -> bool {
    // Off again switches nothing.
    let is_change = requests.last() != Some(&false);
    let changes = requests.chunk_by(|one, next| one == next).count();
    requests.len() >= REQUESTS_PER_HOUR || is_change && changes >= SWITCHES_PER_HOUR
}

/// What residents of the account requested of the meter's switch within the last hour, oldest first: whether on.
async fn switched_within_hour(tx: &mut Tx, at: Timestamp, request: &Switch) -> Result<Vec<bool>> {
    // The lock of the account's meter, so that many requests at once are counted one after the other.
    on!(tx, |c| sqlx::query(
        "UPDATE account_meters SET count = count WHERE account_id = $1 AND meter_id = $2 AND to_at IS NULL"
    )
    .bind(request.account.0)
    .bind(request.meter.0)
    .execute(c)
    .await)?;
    let newest: Vec<Command> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        command_columns!(),
        "FROM commands c JOIN users u ON u.id = c.decided_by
         WHERE c.meter_id = $1 AND c.account_id = $2 AND c.decided_at > $3 AND u.role = 'resident'
         ORDER BY c.decided_at DESC, c.id DESC LIMIT 200"
    ))
    .bind(request.meter.0)
    .bind(request.account.0)
    .bind(at.plus(-HOUR).0)
    .fetch_all(c)
    .await)?;
    Ok(newest.iter().rev().filter_map(|command| command.args()?.switches_on()).collect())
}

async fn is_repeated(tx: &mut Tx, request: &Switch) -> Result<bool> {
    match commands::find_in(tx, CommandId(request.key)).await? {
        None => Ok(false),
        Some(command)
            if command.meter_id == request.meter && command.args().and_then(CommandArgs::switches_on) == Some(request.on) =>
        {
            Ok(true)
        }
        Some(_) => Err(AppError::Conflict.into()),
    }
}
