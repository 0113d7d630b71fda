//! A resident's own room: found by who asks, never by what they ask for.

use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, CommandId, MeterId, UserId, Uuid};
use model::money::Fen;
use model::time::{SECOND, Timestamp};
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::commands::{self, NewCommand, priority};
use super::orders::Order;
use super::{Db, Result, Tx, on, read, wallets};
use domain::rng::Rng;

/// The room of a resident's current account.
#[derive(Clone, Debug, FromRow)]
pub struct Room {
    /// [`AccountId`].
    pub account_id: Uuid,
    /// The account's number.
    pub number: String,
    /// `opening`, `open` or `closing`.
    pub state: String,
    /// Since when it is theirs.
    pub from_at: i64,
    /// [`MeterId`].
    pub meter_id: Uuid,
    /// The room's name.
    pub room: String,
    above: Option<String>,
    above_kind: Option<String>,
    top: Option<String>,
    top_kind: Option<String>,
    /// Whether the meter is leaving the account: above 0.
    pub leaving: i64,
}

impl Room {
    #[must_use]
    pub const fn account(&self) -> AccountId {
        AccountId(self.account_id)
    }

    #[must_use]
    pub const fn meter(&self) -> MeterId {
        MeterId(self.meter_id)
    }

    /// Where the room is, from the building inwards.
    #[must_use]
    pub fn place(&self) -> String {
        let nodes = [(&self.top, &self.top_kind), (&self.above, &self.above_kind)];
        let names = nodes.into_iter().filter(|(_, kind)| kind.as_deref().is_some_and(|kind| kind != "site"));
        names.filter_map(|(name, _)| name.as_deref()).collect::<Vec<_>>().join(" ")
    }
}

/// The room of who asks; `None` where no account is theirs now. Of an account with more meters, the first.
pub async fn of_resident(db: &Db, user: UserId) -> Result<Option<Room>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT a.id AS account_id, a.number, a.state, ar.from_at, am.meter_id, r.name AS room,
                p.name AS above, p.kind AS above_kind, t.name AS top, t.kind AS top_kind,
                (SELECT COUNT(*) FROM closing_meters cm WHERE cm.meter_id = am.meter_id AND cm.final_at IS NULL) AS leaving
         FROM account_residents ar
         JOIN accounts a ON a.id = ar.account_id AND a.closed_at IS NULL
         JOIN account_meters am ON am.account_id = a.id AND am.to_at IS NULL
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id
         LEFT JOIN places t ON t.id = p.parent_id
         WHERE ar.user_id = $1 AND ar.to_at IS NULL
         ORDER BY am.from_at, am.meter_id LIMIT 1"
    )
    .bind(user.0)
    .fetch_optional(pool)
    .await)
}

/// What is left of the last account of somebody who has no room now.
#[derive(Clone, Debug, FromRow)]
pub struct PastAccountRow {
    /// The account's number.
    pub number: String,
    /// Where it was, from the building inwards.
    pub place: String,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// A word of [`super::closings::Kind`]; `None` where it only was taken out of it.
    pub kind: Option<String>,
    /// When its meters had been read.
    pub read_at: Option<i64>,
    /// When the money was where it belongs.
    pub ended_at: Option<i64>,
    /// What was left.
    pub left_fen: i64,
}

/// The last account of a resident, if they had it to its end.
pub async fn past(db: &Db, user: UserId) -> Result<Option<PastAccountRow>> {
    read!(db, |pool| {
        sqlx::query_as(
        "SELECT a.number, COALESCE(t.name || ' ', '') || COALESCE(p.name || ' ', '') || r.name AS place, a.closed_at, c.kind, c.read_at,
                c.ended_at,
                CAST(COALESCE((SELECT SUM(final_fen) FROM closing_meters WHERE closing_id = c.id), 0) AS BIGINT) AS left_fen
         FROM account_residents ar
         JOIN accounts a ON a.id = ar.account_id
         JOIN places r ON r.id = a.place_id
         LEFT JOIN places p ON p.id = r.parent_id AND p.kind <> 'site'
         LEFT JOIN places t ON t.id = p.parent_id AND t.kind <> 'site'
         LEFT JOIN closings c ON c.id =
              (SELECT id FROM closings WHERE account_id = a.id ORDER BY begun_at DESC, id DESC LIMIT 1)
         WHERE ar.user_id = $1 AND (ar.to_at IS NULL OR ar.to_at = a.closed_at)
         ORDER BY ar.from_at DESC LIMIT 1"
    )
    .bind(user.0)
    .fetch_optional(pool)
    .await
    })
}

/// The login name of a person.
pub async fn login(db: &Db, user: UserId) -> Result<Option<String>> {
    let row: Option<(String,)> =
        read!(db, |pool| sqlx::query_as("SELECT login FROM users WHERE id = $1").bind(user.0).fetch_optional(pool).await)?;
    Ok(row.map(|(login,)| login))
}

/// The newest purchase that is paid and not in the meter yet.
pub async fn coming(db: &Db, account: AccountId) -> Result<Option<Order>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, number, account_id, meter_id, tender, amount_fen, state, created_by, created_at, paid_at, credited_at,
                count, remaining_fen
         FROM orders WHERE account_id = $1 AND state = 'paid' ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    .bind(account.0)
    .fetch_optional(pool)
    .await)
}

/// What is paid for a meter and not in it yet.
pub async fn coming_sum(db: &Db, meter: MeterId) -> Result<Fen> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM orders WHERE meter_id = $1 AND state = 'paid'"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await)?;
    Ok(Fen(row.map_or(0, |(fen,)| fen)))
}

/// Since when the relay of a meter has been seen open, without a gap back to when it was last seen closed.
pub async fn off_since(db: &Db, meter: MeterId) -> Result<Option<Timestamp>> {
    let row: Option<(Option<i64>,)> = read!(db, |pool| sqlx::query_as(
        "SELECT MIN(at) FROM readings WHERE meter_id = $1 AND source <> 3 AND at > COALESCE(
             (SELECT at FROM readings WHERE meter_id = $1 AND (status & 1) = 1 ORDER BY at DESC LIMIT 1), 0)"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await)?;
    Ok(row.and_then(|(at,)| at).map(Timestamp))
}

/// Energy and money that a meter was seen to use since `from`: from its counters and its balance, purchases between them added.
pub async fn spent_since(db: &Db, meter: MeterId, from: Timestamp) -> Result<Option<(Energy, Fen)>> {
    let ends: Vec<(i64, i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT at, total_wh, remaining_fen FROM readings WHERE meter_id = $1 AND at IN (
             (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at >= $2 AND quality = 0 AND source <> 3),
             (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at >= $2 AND quality = 0 AND source <> 3))
         ORDER BY at"
    )
    .bind(meter.0)
    .bind(from.0)
    .fetch_all(pool)
    .await)?;
    let [first, last] = ends.as_slice() else { return Ok(None) };
    // A purchase is read back moments before its order is said to be credited.
    const READ_BACK: i64 = 5 * SECOND;
    let credited: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM orders
         WHERE meter_id = $1 AND credited_at > $2 AND credited_at <= $3"
    )
    .bind(meter.0)
    .bind(first.0 + READ_BACK)
    .bind(last.0 + READ_BACK)
    .fetch_optional(pool)
    .await)?;
    let credited = credited.map_or(0, |(fen,)| fen);
    Ok(Some((Energy(last.1 - first.1), Fen(first.2 + credited - last.2))))
}

/// The same summed over meters of the site that bought nothing in that time, at most 500 of them, and over how many.
pub async fn spent_by_site_since(db: &Db, from: Timestamp) -> Result<(Energy, Fen, i64)> {
    let sums: Option<(i64, i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(l.total_wh - f.total_wh), 0) AS BIGINT),
                CAST(COALESCE(SUM(f.remaining_fen - l.remaining_fen), 0) AS BIGINT), COUNT(*)
         FROM (SELECT id FROM meters WHERE retired_at IS NULL ORDER BY id LIMIT 500) AS m
         JOIN meter_latest l ON l.meter_id = m.id AND l.observed_at IS NOT NULL
         JOIN readings f ON f.meter_id = m.id AND f.quality = 0 AND f.source <> 3
              AND f.at = (SELECT MIN(at) FROM readings WHERE meter_id = m.id AND at >= $1 AND source <> 3)
         WHERE l.total_wh >= f.total_wh
           AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.meter_id = m.id AND orders.paid_at >= $1)"
    )
    .bind(from.0)
    .fetch_optional(pool)
    .await)?;
    Ok(sums.map_or((Energy::ZERO, Fen::ZERO, 0), |(wh, fen, meters)| (Energy(wh), Fen(fen), meters)))
}

/// A switching of this meter that is not finished: its command, and whether on or off.
pub async fn switching(db: &Db, meter: MeterId) -> Result<Option<(CommandId, bool)>> {
    let row: Option<(Uuid, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT id, args FROM commands WHERE meter_id = $1 AND kind IN ('switch', 'relay') AND state IN ('queued', 'sending')
         ORDER BY decided_at DESC, id DESC LIMIT 1"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await)?;
    Ok(row.and_then(|(id, args)| Some((CommandId(id), wished(&args)?))))
}

/// What a `switch` or `relay` command wishes.
#[must_use]
pub fn wished(args: &str) -> Option<bool> {
    let args: serde_json::Value = serde_json::from_str(args).ok()?;
    args.get("on").or_else(|| args.get("closed"))?.as_bool()
}

/// Whether a command moves the relay at a resident's wish.
#[must_use]
pub fn is_switch(kind: &str) -> bool {
    matches!(kind, "switch" | "relay")
}

/// A resident's wish to switch.
#[derive(Clone, Debug)]
pub struct Switch {
    /// Made with the form; becomes the command's id, so that sending it twice makes one.
    pub key: Uuid,
    /// Of which account.
    pub account: AccountId,
    pub meter: MeterId,
    /// On or off.
    pub on: bool,
    pub by: UserId,
    /// From where; for the audit chain.
    pub ip: String,
}

/// Stores the wish as a command, with its audit line. The same key gives the same command.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where the key was used for something else.
pub async fn switch(db: &Db, rng: &Rng, at: Timestamp, wish: &Switch) -> Result<CommandId> {
    let mut tx = db.begin().await?;
    if repeated(&mut tx, wish).await? {
        return Ok(CommandId(wish.key));
    }
    let (kind, args) = match wallets::decide_switch(&mut tx, rng, at, wish.meter, wish.on).await? {
        Some(closed) => ("relay", wallets::relay_args(closed)),
        None => ("switch", serde_json::json!({ "on": wish.on }).to_string()),
    };
    let command = NewCommand {
        id: CommandId(wish.key),
        meter: wish.meter,
        account: Some(wish.account),
        order: None,
        kind,
        args,
        money: false,
        priority: priority::RELAY,
        by: Some(wish.by),
    };
    match commands::enqueue(&mut tx, at, &command).await {
        Ok(()) => {}
        // The same form, sent twice at once: the other was first.
        Err(error) if error.is_duplicate() => return Ok(command.id),
        Err(error) => return Err(error),
    }
    let entry = Entry {
        actor: &format!("user:{}", wish.by),
        ip: &wish.ip,
        action: "meter.switch",
        subject: &format!("meter:{}", wish.meter),
        detail: &serde_json::json!({ "on": wish.on, "command": command.id }).to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(command.id)
}

async fn repeated(tx: &mut Tx, wish: &Switch) -> Result<bool> {
    let before: Option<(Uuid, String, String)> =
        on!(tx, |c| sqlx::query_as("SELECT meter_id, kind, args FROM commands WHERE id = $1")
            .bind(wish.key)
            .fetch_optional(c)
            .await)?;
    match before {
        None => Ok(false),
        Some((meter, kind, args)) if meter == wish.meter.0 && is_switch(&kind) && wished(&args) == Some(wish.on) => Ok(true),
        Some(_) => Err(AppError::Conflict.into()),
    }
}
