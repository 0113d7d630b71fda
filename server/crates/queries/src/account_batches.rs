//! Batches of accounts for the console, limited to the operator's buildings.

use model::console::{AccountBatchKind, AccountBatchLine, AccountState, BatchRoom, BatchRoomState, Page};
use model::error::AppError;
use model::ids::{AccountBatchId, ClosingId, MeterId, ReturnId, UserId};
use model::money::Fen;
use model::order::{ReturnState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read};

#[derive(FromRow)]
struct BatchRow {
    id: AccountBatchId,
    kind: AccountBatchKind,
    reason: String,
    tender: Option<Tender>,
    by_name: String,
    decided_at: Timestamp,
    rooms: i64,
    waiting: i64,
    refused: i64,
    total: i64,
}

/// A page of batches, newest first, counted over the rooms that the operator may see; with `only` just that batch.
pub async fn account_batches(
    db: &Db,
    operator: UserId,
    only: Option<AccountBatchId>,
    page: i64,
) -> Result<Page<AccountBatchLine>> {
    let rows: Vec<BatchRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT h.id, h.kind, h.reason, h.tender, u.name AS by_name, h.decided_at, COUNT(*) AS rooms,
                COUNT(CASE WHEN x.state = 'waiting' THEN 1 END) AS waiting,
                COUNT(CASE WHEN x.state IN ('refused', 'cancelled') THEN 1 END) AS refused, COUNT(*) OVER () AS total
         FROM account_batches h JOIN users u ON u.id = h.decided_by JOIN account_batch_rooms x ON x.batch_id = h.id
         JOIN places r ON r.id = x.place_id",
        above!(),
        "WHERE ($2 OR h.id = $3) AND",
        within!(),
        "GROUP BY h.id, h.kind, h.reason, h.tender, u.name, h.decided_at
         ORDER BY h.decided_at DESC, h.id DESC LIMIT $4 OFFSET $5"
    ))
    .bind(operator)
    .bind(only.is_none())
    .bind(only)
    .bind(Page::<AccountBatchLine>::SIZE)
    .bind(page * Page::<AccountBatchLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let line = |row: BatchRow| AccountBatchLine {
        id: row.id,
        kind: row.kind,
        reason: row.reason,
        tender: row.tender,
        by: row.by_name,
        decided_at: row.decided_at,
        rooms: row.rooms,
        waiting: row.waiting,
        refused: row.refused,
    };
    Ok(Page { lines: rows.into_iter().map(line).collect(), total })
}

#[derive(FromRow)]
struct RoomRow {
    #[sqlx(flatten)]
    name: Name,
    state: BatchRoomState,
    refusal: Option<String>,
    number: Option<String>,
    account_state: Option<AccountState>,
    meter_id: Option<MeterId>,
    resident: Option<String>,
    login: Option<String>,
    residents: String,
    amount_fen: Fen,
    closure_id: Option<ClosingId>,
    left_fen: Option<Fen>,
    return_id: Option<ReturnId>,
    return_state: Option<ReturnState>,
    ended_at: Option<Timestamp>,
    total: i64,
}

impl From<RoomRow> for BatchRoom {
    fn from(row: RoomRow) -> Self {
        Self {
            room: row.name.into(),
            meter: row.meter_id,
            state: row.state,
            refusal: row.refusal.as_deref().and_then(AppError::from_code),
            account: row.number.zip(row.account_state),
            resident: row.resident.zip(row.login),
            residents: row.residents,
            amount: row.amount_fen,
            closing: row.closure_id,
            left: row.left_fen,
            returned: row.return_id.zip(row.return_state),
            ended_at: row.ended_at,
        }
    }
}

/// The rooms of a batch, by place. A negative page gives all.
pub async fn account_batch_rooms(db: &Db, operator: UserId, batch: AccountBatchId, page: i64) -> Result<Page<BatchRoom>> {
    let (limit, skip) = if page < 0 { (i64::MAX, 0) } else { (Page::<BatchRoom>::SIZE, page * Page::<BatchRoom>::SIZE) };
    let rows: Vec<RoomRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT x.state, x.refusal, a.number, a.state AS account_state, x.resident, x.login, x.amount_fen, x.closure_id,
                (SELECT meter_id FROM account_meters WHERE account_id = a.id AND to_at IS NULL ORDER BY from_at LIMIT 1)
                  AS meter_id,
                COALESCE((SELECT string_agg(u.name || ' ' || u.login, ', ' ORDER BY h.from_at, u.login)
                          FROM account_residents h JOIN users u ON u.id = h.user_id
                          WHERE h.account_id = a.id AND (h.to_at IS NULL OR h.to_at = a.closed_at)), '') AS residents,
                CASE WHEN k.read_at IS NOT NULL AND k.withdrawn_by IS NULL
                     THEN (SELECT CAST(SUM(f.final_fen) AS BIGINT) FROM account_closure_meters f WHERE f.closure_id = k.id) END
                  AS left_fen,
                k.return_id, v.state AS return_state, k.ended_at, COUNT(*) OVER () AS total,",
            names!(),
            "FROM account_batch_rooms x JOIN places r ON r.id = x.place_id",
            above!(),
            "LEFT JOIN accounts a ON a.id = x.account_id
         LEFT JOIN account_closures k ON k.id = x.closure_id LEFT JOIN returns v ON v.id = k.return_id
         WHERE x.batch_id = $2 AND",
            within!(),
            "ORDER BY t.sort, b.sort, r.sort, x.id LIMIT $3 OFFSET $4"
        ))
        .bind(operator)
        .bind(batch)
        .bind(limit)
        .bind(skip)
        .fetch_all(pool)
        .await
    })?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(BatchRoom::from).collect(), total })
}

/// Over all rooms of a batch that the operator may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct AccountBatchSums {
    /// Rooms whose account is open, or whose closure has ended.
    pub finished: i64,
    /// What meters held at the end.
    pub left_fen: Fen,
    /// What of it was paid out.
    pub paid_fen: Fen,
}

/// The sums of a batch.
pub async fn account_batch_sums(db: &Db, operator: UserId, batch: AccountBatchId) -> Result<AccountBatchSums> {
    let row: Option<AccountBatchSums> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT COUNT(CASE WHEN (x.closure_id IS NULL AND x.state = 'done' AND a.state <> 'opening')
                             OR (k.ended_at IS NOT NULL) THEN 1 END) AS finished,
                CAST(COALESCE(SUM(CASE WHEN k.read_at IS NOT NULL AND k.withdrawn_by IS NULL
                     THEN (SELECT SUM(f.final_fen) FROM account_closure_meters f WHERE f.closure_id = k.id) END), 0) AS BIGINT)
                  AS left_fen,
                CAST(COALESCE(SUM(CASE WHEN v.state = 'done' THEN v.amount_fen END), 0) AS BIGINT) AS paid_fen
         FROM account_batch_rooms x JOIN places r ON r.id = x.place_id",
        above!(),
        "LEFT JOIN accounts a ON a.id = x.account_id
         LEFT JOIN account_closures k ON k.id = x.closure_id LEFT JOIN returns v ON v.id = k.return_id
         WHERE x.batch_id = $2 AND",
        within!()
    ))
    .bind(operator)
    .bind(batch)
    .fetch_optional(pool)
    .await)?;
    Ok(row.unwrap_or_default())
}
