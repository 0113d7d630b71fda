//! The accounts, with their rooms and residents.

use model::console::{AccountLine, AccountState, Page, Query};
use model::ids::{AccountId, ClosingId, MeterId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Name, above, like, matches, names, within};
use crate::{Db, Result, StoreError, read};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    number: String,
    state: String,
    opened_at: i64,
    meter_id: Option<Uuid>,
    residents: String,
    closing_id: Option<Uuid>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

/// A page of accounts, by place; what the meters hold is for the caller to add.
pub async fn accounts(db: &Db, operator: UserId, query: &Query) -> Result<Page<AccountLine>> {
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH listed AS (
             SELECT accounts.id, number, state, opened_at, place_id,
                    (SELECT meter_id FROM account_meters WHERE account_id = accounts.id AND to_at IS NULL
                     ORDER BY from_at LIMIT 1) AS meter_id,
                    COALESCE((SELECT string_agg(users.name || ' ' || users.login, ', ') FROM account_residents
                              JOIN users ON users.id = account_residents.user_id
                              WHERE account_id = accounts.id AND (to_at IS NULL OR to_at = accounts.closed_at)), '') AS residents,
                    (SELECT id FROM closings WHERE closings.account_id = accounts.id ORDER BY begun_at DESC, id DESC LIMIT 1)
                        AS closing_id
             FROM accounts)
         SELECT a.id, a.number, a.state, a.opened_at, a.meter_id, a.residents, a.closing_id, COUNT(*) OVER () AS total,",
        names!(),
        "FROM listed a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE",
        within!(),
        "AND",
        matches!("a.number || ' ' || a.residents"),
        "AND ($3 = '' OR a.state = $3)
         ORDER BY t.sort, b.sort, r.sort, a.opened_at DESC, a.id LIMIT $4 OFFSET $5"
    ))
    .bind(operator.0)
    .bind(like(&query.text))
    .bind(query.state.as_deref().unwrap_or_default())
    .bind(Page::<AccountLine>::SIZE)
    .bind(query.page * Page::<AccountLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let lines = rows.into_iter().map(line).collect::<Result<_>>()?;
    Ok(Page { lines, total })
}

fn line(row: Row) -> Result<AccountLine> {
    Ok(AccountLine {
        id: AccountId(row.id),
        number: row.number,
        state: AccountState::parse(&row.state).ok_or(StoreError::Inconsistent { table: "accounts", column: "state" })?,
        meter: row.meter_id.map(MeterId),
        room: row.name.into(),
        residents: row.residents,
        opened_at: Timestamp(row.opened_at),
        latest: None,
        closing: row.closing_id.map(ClosingId),
    })
}
