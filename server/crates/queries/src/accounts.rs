//! The accounts, with their rooms and residents.

use model::console::{AccountLine, AccountQuery, AccountState, Page};
use model::ids::{AccountId, ClosingId, MeterId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, like, names, text_matches, within};
use store::{Db, Result, read};

#[derive(FromRow)]
struct AccountListRow {
    id: AccountId,
    number: String,
    state: AccountState,
    opened_at: Timestamp,
    meter_id: Option<MeterId>,
    residents: String,
    closure_id: Option<ClosingId>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl From<AccountListRow> for AccountLine {
    fn from(row: AccountListRow) -> Self {
        Self {
            id: row.id,
            number: row.number,
            state: row.state,
            meter: row.meter_id,
            room: row.name.into(),
            residents: row.residents,
            opened_at: row.opened_at,
            latest: None,
            closing: row.closure_id,
        }
    }
}

/// A page of accounts, by place. The caller adds the newest states of their meters.
pub async fn accounts(db: &Db, operator: UserId, query: &AccountQuery) -> Result<Page<AccountLine>> {
    let rows: Vec<AccountListRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "WITH listed AS (
             SELECT accounts.id, number, state, opened_at, place_id,
                    (SELECT meter_id FROM account_meters WHERE account_id = accounts.id AND to_at IS NULL
                     ORDER BY from_at LIMIT 1) AS meter_id,
                    COALESCE((SELECT string_agg(users.name || ' ' || users.login, ', ' ORDER BY from_at, users.login)
                              FROM account_residents JOIN users ON users.id = account_residents.user_id
                              WHERE account_id = accounts.id AND (to_at IS NULL OR to_at = accounts.closed_at)), '') AS residents,
                    (SELECT c.id FROM account_closures c WHERE c.account_id = accounts.id
                     ORDER BY c.begun_at DESC, c.id DESC LIMIT 1) AS closure_id
             FROM accounts)
         SELECT a.id, a.number, a.state, a.opened_at, a.meter_id, a.residents, a.closure_id, COUNT(*) OVER () AS total,",
            names!(),
            "FROM listed a JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE",
            within!(),
            "AND",
            text_matches!("a.number || ' ' || a.residents"),
            "AND ($3 = '' OR a.state = $3)
         ORDER BY t.sort, b.sort, r.sort, a.opened_at DESC, a.id LIMIT $4 OFFSET $5"
        ))
        .bind(operator)
        .bind(like(&query.text))
        .bind(query.state.map_or("", AccountState::as_str))
        .bind(Page::<AccountLine>::SIZE)
        .bind(query.page * Page::<AccountLine>::SIZE)
        .fetch_all(pool)
        .await
    })?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(AccountLine::from).collect(), total })
}
