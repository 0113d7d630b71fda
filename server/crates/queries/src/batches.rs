//! Batches and their meters, for the console. A meter that was tried again counts by its newest command.

use model::command::CommandReason;
use model::console::{Batch, BatchCounts, BatchFilter, BatchItem, BatchQuery, MissedSwitch, Page};
use model::ids::{BatchId, MeterId, UserId};
use model::issue::{Issue, Kind};
use model::meter::Wallet;
use model::order::CommandState;
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, JsonText, Result, StoreError, read};

/// No later command of the same batch, meter and kind.
macro_rules! newest {
    ($alias:literal) => {
        concat!(
            " NOT EXISTS (SELECT 1 FROM commands n WHERE n.batch_id = ",
            $alias,
            ".batch_id AND n.meter_id = ",
            $alias,
            ".meter_id AND n.kind = ",
            $alias,
            ".kind AND n.decided_at > ",
            $alias,
            ".decided_at) "
        )
    };
}

#[derive(FromRow)]
struct BatchRow {
    id: BatchId,
    issue: JsonText<Issue>,
    decided_at: Timestamp,
    by_name: String,
    meters: i64,
    done: i64,
    waiting: i64,
    sending: i64,
    failed: i64,
    dropped: i64,
    missed: i64,
    total: i64,
}

impl BatchRow {
    fn batch(self) -> Batch {
        Batch {
            id: self.id,
            issue: self.issue.0,
            by: self.by_name,
            decided_at: self.decided_at,
            counts: BatchCounts {
                meters: self.meters,
                done: self.done,
                waiting: self.waiting,
                sending: self.sending,
                failed: self.failed,
                dropped: self.dropped,
                missed: self.missed,
            },
        }
    }
}

/// A page of batches, newest first, counted over the meters that the operator may see; with `only` just that batch.
pub async fn batches(db: &Db, operator: UserId, only: Option<BatchId>, query: &BatchQuery) -> Result<Page<Batch>> {
    let rows: Vec<BatchRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "WITH page AS (
             SELECT h.id, h.issue, h.decided_at, h.decided_by, COUNT(*) OVER () AS total FROM batches h
             WHERE ($2 = '' OR h.kind = $2)
               AND ($3 = '' OR EXISTS (SELECT 1 FROM commands s WHERE s.batch_id = h.id AND s.kind <> 'in_force'
                    AND (($3 = 'moving' AND s.state IN ('queued', 'sending'))
                         OR ($3 = 'failed' AND s.state IN ('failed', 'case')))))
               AND ($6 OR h.id = $7)
               AND EXISTS (SELECT 1 FROM commands s JOIN meters m ON m.id = s.meter_id JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE s.batch_id = h.id AND",
            within!(),
            ") ORDER BY h.decided_at DESC, h.id DESC LIMIT $4 OFFSET $5)
         SELECT p.id, p.issue, p.decided_at, u.name AS by_name, p.total, COUNT(c.id) AS meters,
                COUNT(CASE WHEN c.state = 'done' THEN 1 END) AS done,
                COUNT(CASE WHEN c.state = 'queued' THEN 1 END) AS waiting,
                COUNT(CASE WHEN c.state = 'sending' THEN 1 END) AS sending,
                COUNT(CASE WHEN c.state IN ('failed', 'case') THEN 1 END) AS failed,
                COUNT(CASE WHEN c.state = 'superseded' THEN 1 END) AS dropped,
                (SELECT COUNT(*) FROM commands f WHERE f.batch_id = p.id AND f.kind = 'in_force' AND f.state = 'failed' AND",
            newest!("f"),
            ") AS missed
         FROM page p JOIN users u ON u.id = p.decided_by JOIN commands c ON c.batch_id = p.id AND c.kind <> 'in_force'
         JOIN meters m ON m.id = c.meter_id JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE",
            within!(),
            "AND",
            newest!("c"),
            "GROUP BY p.id, p.issue, p.decided_at, u.name, p.total ORDER BY p.decided_at DESC, p.id DESC"
        ))
        .bind(operator)
        .bind(query.kind.map_or("", Kind::as_str))
        .bind(query.filter.map_or("", BatchFilter::as_str))
        .bind(Page::<Batch>::SIZE)
        .bind(query.page * Page::<Batch>::SIZE)
        .bind(only.is_none())
        .bind(only)
        .fetch_all(pool)
        .await
    })?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(BatchRow::batch).collect(), total })
}

#[derive(FromRow)]
struct ItemRow {
    meter_id: MeterId,
    state: CommandState,
    reason: Option<CommandReason>,
    decided_at: Timestamp,
    sent_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    next_at: Timestamp,
    attempts: i64,
    in_force: Option<CommandState>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl ItemRow {
    fn item(self) -> BatchItem {
        BatchItem {
            meter: self.meter_id,
            state: self.state,
            reason: self.reason,
            decided_at: self.decided_at,
            sent_at: self.sent_at,
            finished_at: self.finished_at,
            next_at: self.next_at,
            attempts: self.attempts,
            in_force: self.in_force,
            room: self.name.into(),
        }
    }
}

/// The meters of a batch, by place. A negative page gives all.
pub async fn batch_items(
    db: &Db,
    operator: UserId,
    batch: BatchId,
    filter: Option<BatchFilter>,
    page: i64,
) -> Result<Page<BatchItem>> {
    let size = Page::<BatchItem>::SIZE;
    let (limit, offset) = if page < 0 { (i64::MAX, 0) } else { (size, page * size) };
    let rows: Vec<ItemRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT c.meter_id, c.state, c.reason, c.decided_at, c.sent_at, c.finished_at, c.next_at, c.attempts,
                f.state AS in_force, COUNT(*) OVER () AS total,",
        names!(),
        "FROM batches h JOIN commands c ON c.batch_id = h.id AND c.kind <> 'in_force'
         LEFT JOIN commands f ON f.batch_id = h.id AND f.meter_id = c.meter_id AND f.kind = 'in_force' AND",
        newest!("f"),
        "JOIN meters m ON m.id = c.meter_id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE h.id = $2 AND",
        within!(),
        "AND",
        newest!("c"),
        "AND ($3 = '' OR ($3 = 'moving' AND c.state IN ('queued', 'sending')) OR ($3 = 'done' AND c.state = 'done')
              OR ($3 = 'failed' AND (c.state IN ('failed', 'case') OR c.reason = 'cancelled' OR f.state = 'failed')))
         ORDER BY t.sort, b.sort, r.sort, m.unit, m.id LIMIT $4 OFFSET $5"
    ))
    .bind(operator)
    .bind(batch)
    .bind(filter.map_or("", BatchFilter::as_str))
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(ItemRow::item).collect(), total })
}

#[derive(FromRow)]
struct MissedSwitchRow {
    meter_id: MeterId,
    batch_id: BatchId,
    issue: JsonText<Issue>,
    loaded: CommandState,
    reason: Option<CommandReason>,
    lost_since: Option<Timestamp>,
    unreadable: bool,
    looked_at: Option<Timestamp>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

/// The meters whose switch-over has passed and whose planned prices are not known to be in force.
pub async fn missed(db: &Db, operator: UserId, now: Timestamp, page: i64) -> Result<Page<MissedSwitch>> {
    let rows: Vec<MissedSwitchRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT f.meter_id, h.id AS batch_id, h.issue, c.state AS loaded, f.reason, l.lost_since,
                COALESCE(l.unreadable, FALSE) AS unreadable, f.finished_at AS looked_at, COUNT(*) OVER () AS total,",
        names!(),
        "FROM batches h JOIN commands f ON f.batch_id = h.id AND f.kind = 'in_force'
         JOIN commands c ON c.batch_id = h.id AND c.meter_id = f.meter_id AND c.kind = h.kind AND",
        newest!("c"),
        "LEFT JOIN meter_latest l ON l.meter_id = f.meter_id
         JOIN meters m ON m.id = f.meter_id AND m.retired_at IS NULL JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE h.effective_at <= $2 AND f.state IN ('queued', 'sending', 'failed') AND",
        within!(),
        "AND",
        newest!("f"),
        "ORDER BY h.effective_at DESC, t.sort, b.sort, r.sort, m.unit, m.id LIMIT $3 OFFSET $4"
    ))
    .bind(operator)
    .bind(now)
    .bind(Page::<MissedSwitch>::SIZE)
    .bind(page * Page::<MissedSwitch>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let line = |row: MissedSwitchRow| {
        let Issue::Standby { prices, at } = row.issue.0 else {
            return Err(StoreError::Inconsistent { table: "batches", column: "issue" });
        };
        Ok(MissedSwitch {
            meter: row.meter_id,
            batch: row.batch_id,
            room: row.name.into(),
            prices,
            at,
            loaded: row.loaded == CommandState::Done,
            failed: row.reason == Some(CommandReason::Missed),
            lost_since: row.lost_since,
            unreadable: row.unreadable,
            looked_at: row.looked_at,
        })
    };
    Ok(Page { lines: rows.into_iter().map(line).collect::<Result<_>>()?, total })
}

/// Where the credit of each meter in service lives.
pub async fn wallets(db: &Db) -> Result<Vec<(MeterId, Wallet)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, wallet FROM meters WHERE retired_at IS NULL").fetch_all(pool).await)
}
