//! Keeps wallets and meters as calendar and clock say: server wallets stay on in friendly hours; meters with a wallet of their
//! own get the overdraft limit ahead of them, and lose it afterwards. What should hold now is computed anew each time and
//! compared with what was stored and read, so nothing depends on what ran before.

mod stragglers;

use std::collections::HashMap;

use model::defaults::DefaultsOf;
use model::ids::{AccountId, CommandId, MeterId, PlaceId};
use model::issue::Issue;
use model::meter::StatusWord;
use model::money::Fen;
use model::parameters::Limits;
use model::time::Timestamp;
use sqlx::FromRow;

use super::defaults::StoredLimits;
use super::friendly_hours;
use domain::command_args::{CommandArgs, StoredArgs};
use domain::defaults::FriendlyTree;
use domain::friendly_hours::{Calendar, PublicDays, Shanghai, begins_within, friendly_until};
use domain::friendly_limit::{LEAD, LaterLimits, MeterOverdraft, WantedOverdraft, may_send};
use domain::rng::Rng;
use store::commands::{self, NewCommand};
use store::{Db, JsonText, Result, Tx, notifications, on, read, wallets};

pub use stragglers::{never_read, stragglers};

/// Wallets that are stored in one transaction.
const AT_ONCE: usize = 100;

/// Friendly hours at an instant, worked out once for each setting.
struct Periods<'a> {
    tree: &'a FriendlyTree,
    days: &'a PublicDays,
    at: Timestamp,
    ends: HashMap<DefaultsOf, Option<Timestamp>>,
    coming: HashMap<DefaultsOf, bool>,
}

impl<'a> Periods<'a> {
    fn new(tree: &'a FriendlyTree, days: &'a PublicDays, at: Timestamp) -> Self {
        Self { tree, days, at, ends: HashMap::new(), coming: HashMap::new() }
    }

    /// Until when a place has friendly hours, and the overdraft limit of meters in them.
    fn end(&mut self, place: PlaceId) -> Option<(Timestamp, Fen)> {
        let (hours, of) = self.tree.nearest(place)?;
        let calendar = Calendar { hours, days: self.days };
        let end = self.ends.entry(of).or_insert_with(|| friendly_until(calendar, self.at, &Shanghai));
        Some(((*end)?, hours.overdraft))
    }

    /// The overdraft limit of meters in a place in the friendly hours that begin within [`LEAD`].
    fn coming_limit(&mut self, place: PlaceId) -> Option<Fen> {
        let (hours, of) = self.tree.nearest(place)?;
        let calendar = Calendar { hours, days: self.days };
        let comes = self.coming.entry(of).or_insert_with(|| begins_within(calendar, self.at, LEAD, &Shanghai));
        comes.then_some(hours.overdraft)
    }
}

#[derive(FromRow)]
struct WalletRow {
    meter_id: MeterId,
    place_id: PlaceId,
    friendly_until: Option<Timestamp>,
}

/// Stores for each server wallet until when it is not tripped; gives how many changed.
pub async fn keep_wallets(db: &Db, rng: &Rng, at: Timestamp) -> Result<usize> {
    let is_idle = "SELECT (SELECT COUNT(*) FROM friendly_hours)
                        + (SELECT COUNT(*) FROM wallets WHERE friendly_until IS NOT NULL) = 0";
    if is_true(db, is_idle).await? {
        return Ok(0);
    }
    let rows: Vec<WalletRow> = read!(db, |pool| sqlx::query_as(
        "SELECT w.meter_id, m.place_id, w.friendly_until FROM wallets w JOIN meters m ON m.id = w.meter_id
         WHERE m.wallet = 'server' AND m.retired_at IS NULL ORDER BY w.meter_id"
    )
    .fetch_all(pool)
    .await)?;
    let (tree, days) = (friendly_hours::tree(db).await?, friendly_hours::days_around(db, at).await?);
    let mut periods = Periods::new(&tree, &days, at);
    let wanted = rows.iter().map(|row| (row, periods.end(row.place_id).map(|(end, _)| end)));
    let changed: Vec<(MeterId, Option<Timestamp>)> =
        wanted.filter(|(row, end)| row.friendly_until != *end).map(|(row, end)| (row.meter_id, end)).collect();
    for some in changed.chunks(AT_ONCE) {
        wallets::set_friendly(db, rng, at, some).await?;
    }
    Ok(changed.len())
}

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    place_id: PlaceId,
    parameters: JsonText<StoredLimits>,
    read_at: Timestamp,
    before_fen: Option<i64>,
    base_fen: Option<i64>,
    limit_fen: Option<i64>,
    told_until: Option<Timestamp>,
    remaining_fen: Option<Fen>,
    status: Option<i64>,
    account_id: Option<AccountId>,
    emergency_fen: i64,
    /// Of the newest command about limits that a person decided and that is under way or done since the meter was read, or since
    /// the server raised its limit: what was issued, what the command brings, and when it was done.
    issue: Option<JsonText<Issue>>,
    issued: Option<JsonText<StoredArgs>>,
    issued_done_at: Option<Timestamp>,
    /// Of the newest command under way or done since the meter was read, whoever decided it.
    newest: Option<JsonText<StoredArgs>>,
    newest_done_at: Option<Timestamp>,
    /// Of the server's own last command that failed.
    failed: Option<JsonText<StoredArgs>>,
    failed_at: Option<Timestamp>,
    /// How many of the server's own failed since one was done.
    failures: i64,
}

macro_rules! meters {
    ($which:literal) => {
        concat!(
            "SELECT m.id, m.place_id, p.parameters, p.read_at, o.before_fen, o.base_fen, o.limit_fen, o.told_until,
                    l.remaining_fen, l.status, am.account_id, COALESCE(e.amount_fen, 0) AS emergency_fen,
                    b.issue, i.args AS issued, i.finished_at AS issued_done_at,
                    n.args AS newest, n.finished_at AS newest_done_at, f.args AS failed, f.finished_at AS failed_at,
                    (SELECT COUNT(*) FROM commands c WHERE c.meter_id = m.id AND c.kind = 'limits' AND c.decided_by IS NULL
                       AND c.state = 'failed' AND c.finished_at > COALESCE(
                           (SELECT MAX(d.finished_at) FROM commands d WHERE d.meter_id = m.id AND d.kind = 'limits'
                              AND d.state = 'done'), 0)) AS failures
             FROM meters m JOIN meter_parameters p ON p.meter_id = m.id
             LEFT JOIN meter_overdrafts o ON o.meter_id = m.id
             LEFT JOIN meter_latest l ON l.meter_id = m.id
             LEFT JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
             LEFT JOIN emergency_credits e ON e.meter_id = m.id AND e.account_id = am.account_id AND e.repaid_at IS NULL
             LEFT JOIN commands i ON i.id = (
                 SELECT c.id FROM commands c WHERE c.meter_id = m.id AND c.kind = 'limits' AND c.decided_by IS NOT NULL
                   AND (c.state IN ('queued', 'sending')
                        OR (c.state = 'done' AND c.finished_at >= COALESCE(o.before_at, p.read_at)))
                 ORDER BY c.decided_at DESC, c.id DESC LIMIT 1)
             LEFT JOIN batches b ON b.id = i.batch_id
             LEFT JOIN commands n ON n.id = (
                 SELECT c.id FROM commands c WHERE c.meter_id = m.id AND c.kind = 'limits'
                   AND (c.state IN ('queued', 'sending') OR (c.state = 'done' AND c.finished_at >= p.read_at))
                 ORDER BY c.decided_at DESC, c.id DESC LIMIT 1)
             LEFT JOIN commands f ON f.id = (
                 SELECT c.id FROM commands c WHERE c.meter_id = m.id AND c.kind = 'limits' AND c.decided_by IS NULL
                   AND c.state = 'failed' ORDER BY c.finished_at DESC, c.id DESC LIMIT 1)
             WHERE m.wallet = 'meter' AND m.retired_at IS NULL",
            $which
        )
    };
}

impl MeterRow {
    const fn shown(&self) -> Limits {
        self.parameters.0.limits
    }

    /// What a person issued: not what its command brought while the limit was raised.
    fn issued(&self) -> Option<Limits> {
        match &self.issue {
            Some(JsonText(Issue::Limits(limits))) => Some(*limits),
            _ => limits_of(self.issued.as_ref()?),
        }
    }

    fn later(&self) -> LaterLimits {
        let is_later = self.issued_done_at.is_none_or(|done| done >= self.read_at);
        LaterLimits {
            shown: self.shown(),
            issued: self.issued().filter(|_| is_later),
            newest: self.newest.as_ref().and_then(limits_of),
        }
    }

    fn is_closed(&self) -> bool {
        self.status.and_then(|word| u16::try_from(word).ok()).is_some_and(|word| StatusWord(word).relay_closed())
    }

    const fn is_under_way(&self) -> bool {
        self.newest.is_some() && self.newest_done_at.is_none()
    }

    /// Whether this limit may be sent: a meter that refused it gets it again after a pause.
    fn may_send(&self, limit: u32, at: Timestamp) -> bool {
        let is_same = self.failed.as_ref().and_then(limits_of).is_some_and(|failed| failed.overdraft == limit);
        !is_same || may_send(self.failures, self.failed_at, at)
    }
}

fn limits_of(args: &JsonText<StoredArgs>) -> Option<Limits> {
    match args.0.readable()? {
        CommandArgs::Issue(Issue::Limits(limits)) => Some(*limits),
        _ => None,
    }
}

fn amount(fen: i64) -> u32 {
    u32::try_from(fen).unwrap_or_default()
}

/// Brings the overdraft limit of each meter, or of one, to what it should be; gives how many commands that took.
pub async fn keep_meters(db: &Db, rng: &Rng, at: Timestamp, only: Option<MeterId>) -> Result<usize> {
    if only.is_none() && is_idle(db).await? {
        return Ok(0);
    }
    let rows: Vec<MeterRow> = match only {
        Some(meter) => read!(db, |pool| sqlx::query_as(meters!(" AND m.id = $1")).bind(meter).fetch_all(pool).await)?,
        None => read!(db, |pool| sqlx::query_as(meters!("")).fetch_all(pool).await)?,
    };
    let tree = match rows.first() {
        None => return Ok(0),
        Some(row) if only.is_some() => friendly_hours::tree_of(db, row.place_id).await?,
        Some(_) => friendly_hours::tree(db).await?,
    };
    let days = friendly_hours::days_around(db, at).await?;
    let mut periods = Periods::new(&tree, &days, at);
    let (mut sent, mut failed) = (0, None);
    for row in &rows {
        let current = periods.end(row.place_id).filter(|_| row.account_id.is_some());
        let coming = periods.coming_limit(row.place_id).filter(|_| row.account_id.is_some());
        let overdraft = MeterOverdraft {
            shown: row.shown().overdraft,
            issued: row.issued().map(|limits| limits.overdraft),
            before: row.before_fen.map(amount),
            friendly: current.map(|(_, fen)| fen).or(coming).map_or(0, |fen| amount(fen.0)),
            emergency: amount(row.emergency_fen),
        };
        let Some(wanted) = overdraft.wanted() else { continue };
        match follow(db, rng, at, row, wanted, current.map(|(until, _)| until)).await {
            Ok(is_sent) => sent += usize::from(is_sent),
            // The others get theirs nevertheless.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(sent), Err)
}

/// Brings a meter to the limit, and tells its residents until when the power stays on; gives whether a command was sent.
async fn follow(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    row: &MeterRow,
    wanted: WantedOverdraft,
    until: Option<Timestamp>,
) -> Result<bool> {
    let is_sent = keep(db, rng, at, row, wanted).await?;
    if let Some(until) = until {
        tell(db, rng, at, row, wanted, until).await?;
    }
    Ok(is_sent)
}

/// Whether no meter can have anything to do with friendly hours or emergency credit.
async fn is_idle(db: &Db) -> Result<bool> {
    is_true(
        db,
        "SELECT (SELECT COUNT(*) FROM friendly_hours WHERE overdraft_fen > 0) + (SELECT COUNT(*) FROM meter_overdrafts)
              + (SELECT COUNT(*) FROM emergency_credits e
                 JOIN account_meters am ON am.account_id = e.account_id AND am.meter_id = e.meter_id AND am.to_at IS NULL
                 JOIN meters m ON m.id = e.meter_id WHERE e.repaid_at IS NULL AND m.wallet = 'meter') = 0",
    )
    .await
}

async fn is_true(db: &Db, sql: &'static str) -> Result<bool> {
    let row: Option<(bool,)> = read!(db, |pool| sqlx::query_as(sql).fetch_optional(pool).await)?;
    Ok(row.is_some_and(|(so,)| so))
}

/// Brings a meter to the limit; gives whether a command was sent for that.
async fn keep(db: &Db, rng: &Rng, at: Timestamp, row: &MeterRow, wanted: WantedOverdraft) -> Result<bool> {
    let WantedOverdraft { base, limit } = wanted;
    let stored = (row.base_fen, row.limit_fen) == (Some(i64::from(base)), Some(i64::from(limit)));
    let missing = row.later().to_send(limit);
    let is_over = limit == base && row.shown().overdraft == limit && missing.is_none() && !row.is_under_way();
    let to_send = missing.filter(|_| row.may_send(limit, at));
    if stored && !is_over && to_send.is_none() {
        return Ok(false);
    }
    let mut tx = db.begin().await?;
    if is_over {
        on!(&mut tx, |c| sqlx::query("DELETE FROM meter_overdrafts WHERE meter_id = $1").bind(row.id).execute(c).await)?;
    } else {
        remember(&mut tx, at, row, wanted).await?;
    }
    if let Some(limits) = to_send {
        withdraw(&mut tx, at, row.id).await?;
        let args = Issue::Limits(limits).into();
        commands::enqueue(&mut tx, at, &NewCommand::setting(CommandId(rng.id(at)), row.id, args, None)).await?;
    }
    tx.commit().await?;
    Ok(to_send.is_some())
}

async fn remember(tx: &mut Tx, at: Timestamp, row: &MeterRow, wanted: WantedOverdraft) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO meter_overdrafts (meter_id, before_fen, before_at, base_fen, limit_fen, since)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (meter_id) DO UPDATE SET base_fen = excluded.base_fen, limit_fen = excluded.limit_fen,
             since = CASE WHEN meter_overdrafts.limit_fen = excluded.limit_fen THEN meter_overdrafts.since
                          ELSE excluded.since END"
    )
    .bind(row.id)
    .bind(i64::from(row.shown().overdraft))
    .bind(row.read_at)
    .bind(i64::from(wanted.base))
    .bind(i64::from(wanted.limit))
    .bind(at)
    .execute(c)
    .await)
    .map(drop)
}

/// Withdraws what the server itself wanted to send before. A person's command is never withdrawn: the next one follows it.
async fn withdraw(tx: &mut Tx, at: Timestamp, meter: MeterId) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $2, reason = 'superseded'
         WHERE meter_id = $1 AND kind = 'limits' AND state = 'queued' AND attempts = 0 AND decided_by IS NULL
           AND decided_at < $2"
    )
    .bind(meter)
    .bind(at)
    .execute(c)
    .await)
    .map(drop)
}

/// The raised limit of a meter that with this amount would have tripped by its own limit.
pub async fn keeping_on(db: &Db, meter: MeterId, remaining: Fen) -> Result<Option<Fen>> {
    let row: Option<(i64, i64, JsonText<StoredLimits>)> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT o.base_fen, o.limit_fen, p.parameters FROM meter_overdrafts o JOIN meter_parameters p ON p.meter_id = o.meter_id
         WHERE o.meter_id = $1"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await
    })?;
    Ok(row.and_then(|(base, limit, JsonText(stored))| {
        let wanted = WantedOverdraft { base: amount(base), limit: amount(limit) };
        wanted.keeps_on(0, stored.limits.overdraft, remaining).then_some(Fen(limit))
    }))
}

/// Tells the residents of a meter that is on only because of friendly hours until when it stays on, once.
async fn tell(db: &Db, rng: &Rng, at: Timestamp, row: &MeterRow, wanted: WantedOverdraft, until: Timestamp) -> Result<()> {
    let (emergency, shown) = (amount(row.emergency_fen), row.shown().overdraft);
    let is_kept_on = |remaining: &Fen| row.is_closed() && wanted.keeps_on(emergency, shown, *remaining);
    let Some(remaining) = row.remaining_fen.filter(is_kept_on).filter(|_| row.told_until != Some(until)) else {
        return Ok(());
    };
    let mut tx = db.begin().await?;
    let told = on!(&mut tx, |c| sqlx::query(
        "UPDATE meter_overdrafts SET told_until = $2 WHERE meter_id = $1 AND COALESCE(told_until, 0) <> $2"
    )
    .bind(row.id)
    .bind(until)
    .execute(c)
    .await)?;
    if told == 1 {
        let owed = Fen(wanted.limit.into());
        notifications::stays_on(&mut tx, rng, at, row.id, (remaining, until, Some(owed))).await?;
        tx.commit().await?;
    }
    Ok(())
}
