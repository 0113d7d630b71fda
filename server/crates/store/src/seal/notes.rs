//! Which rows a transaction changed: on SQLite temporary triggers of the writing connection note them in a temporary table; on
//! PostgreSQL triggers note them in a setting that only this server's connections have.

use std::borrow::Cow;

use futures::TryStreamExt;
use serde::Deserialize;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, Row, SqliteConnection};

use super::changes::Changes;
use super::{Head, SealKey, TABLES};
use crate::{Result, StoreError, Tx};

/// Begins on SQLite. What was noted outside a transaction of ours is not ours to seal.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE; DELETE FROM temp.noted_changes";

/// The setting of PostgreSQL in which the triggers of migration 10 collect the changes of a transaction, one JSON object a line.
/// What no longer fits is in `dormwatt.page_1` and so on, as many as `dormwatt.pages` says.
pub(crate) const SETTING: &str = "dormwatt.changes";

/// Pages of 8 kB that are read at once.
const PAGES_AT_ONCE: usize = 64;

/// A row as text before and after a change, as PostgreSQL notes it; `None` where there was none.
#[derive(Deserialize)]
struct PostgresNote<'a> {
    #[serde(borrow)]
    tbl: Cow<'a, str>,
    #[serde(borrow)]
    row_key: Cow<'a, str>,
    before: Option<String>,
    after: Option<String>,
}

/// What a transaction changed, with the head that it may now move.
pub(super) struct Noted {
    pub head: Head,
    pub changes: Changes,
}

/// Takes what the transaction has changed so far and locks the head; on PostgreSQL only if there is anything to seal, or `lines`
/// to append. `None` where there is no head, or nothing to do.
pub(super) async fn take(tx: &mut Tx, key: &SealKey, lines: bool) -> Result<Option<Noted>> {
    match tx {
        Tx::Sqlite(connection) => take_sqlite(connection, key).await,
        Tx::Postgres(connection) => take_postgres(connection, key, lines).await,
    }
}

async fn take_postgres(connection: &mut PgConnection, key: &SealKey, lines: bool) -> Result<Option<Noted>> {
    let noted: Option<PostgresNotes> = sqlx::query_as(
        "SELECT seq, hash, sealed_rows, seal_sum, mac,
                NULLIF(current_setting('dormwatt.pages', TRUE), '')::integer AS pages,
                current_setting('dormwatt.changes', TRUE) AS changes
         FROM audit_head WHERE one = 1 AND ($1 OR current_setting('dormwatt.changes', TRUE) <> '') FOR UPDATE",
    )
    .bind(lines)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(PostgresNotes { head, pages, changes: newest }) = noted else { return Ok(None) };
    let mut changes = Changes::default();
    // Some after the others: all pages of an import are as large as its rows several times over.
    let pages = pages.unwrap_or(0);
    for first in (1..=pages).step_by(PAGES_AT_ONCE) {
        let text: Option<(Option<String>,)> = sqlx::query_as(
            "SELECT string_agg(current_setting('dormwatt.page_' || n, TRUE), '' ORDER BY n)
             FROM generate_series($1::integer, $2::integer) AS pages (n)",
        )
        .bind(first)
        .bind(pages.min(first + PAGES_AT_ONCE as i32 - 1))
        .fetch_optional(&mut *connection)
        .await?;
        let text = text.and_then(|(text,)| text).ok_or_else(unreadable)?;
        note_lines(&mut changes, key, &text)?;
    }
    note_lines(&mut changes, key, newest.as_deref().unwrap_or_default())?;
    Ok(Some(Noted { head, changes }))
}

fn note_lines(changes: &mut Changes, key: &SealKey, text: &str) -> Result<()> {
    for line in text.lines() {
        let note: PostgresNote<'_> = serde_json::from_str(line).map_err(|_| unreadable())?;
        let row = (&*note.tbl, &*note.row_key);
        changes.note(key, row, note.before.as_deref(), note.after.as_deref()).ok_or_else(unreadable)?;
    }
    Ok(())
}

const fn unreadable() -> StoreError {
    StoreError::Inconsistent { table: "noted_changes", column: "after" }
}

#[derive(FromRow)]
struct PostgresNotes {
    #[sqlx(flatten)]
    head: Head,
    pages: Option<i32>,
    changes: Option<String>,
}

/// Each row is the head and a change, where there is one. The head is taken once.
async fn take_sqlite(connection: &mut SqliteConnection, key: &SealKey) -> Result<Option<Noted>> {
    let mut rows = sqlx::query(
        "SELECT h.seq, h.hash, h.sealed_rows, h.seal_sum, h.mac, c.tbl, c.row_key, c.before, c.after
         FROM audit_head h LEFT JOIN temp.noted_changes c ON TRUE WHERE h.one = 1 ORDER BY c.n",
    )
    .fetch(connection);
    let (mut head, mut changes) = (None, Changes::default());
    while let Some(row) = rows.try_next().await? {
        if head.is_none() {
            head = Some(Head::from_row(&row)?);
        }
        let (table, row_key): (Option<&str>, Option<&str>) = (row.try_get("tbl")?, row.try_get("row_key")?);
        if let Some(of) = table.zip(row_key) {
            changes.note(key, of, row.try_get("before")?, row.try_get("after")?).ok_or_else(unreadable)?;
        }
    }
    Ok(head.map(|head| Noted { head, changes }))
}

/// Forgets on SQLite what was noted and is sealed.
pub(super) async fn forget(tx: &mut Tx) -> Result<()> {
    if let Tx::Sqlite(connection) = tx {
        sqlx::query("DELETE FROM temp.noted_changes").execute(&mut **connection).await?;
    }
    Ok(())
}

/// Lets a connection of SQLite note what it changes.
pub(crate) async fn watch(connection: &mut SqliteConnection) -> std::result::Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "PRAGMA temp_store = MEMORY;
         CREATE TEMP TABLE noted_changes (
             n INTEGER PRIMARY KEY, tbl TEXT NOT NULL, row_key TEXT NOT NULL, before TEXT, after TEXT
         )",
    )
    .execute(&mut *connection)
    .await?;
    for table in TABLES {
        let columns = columns(connection, table).await?;
        sqlx::raw_sql(AssertSqlSafe(triggers(table, &columns))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A column of a table of SQLite, and its place in the primary key (0: none).
#[derive(FromRow)]
pub(super) struct Column {
    pub name: String,
    pub pk: i64,
}

pub(super) async fn columns(connection: &mut SqliteConnection, table: &str) -> std::result::Result<Vec<Column>, sqlx::Error> {
    sqlx::query_as("SELECT name, pk FROM pragma_table_info($1, 'main') ORDER BY cid").bind(table).fetch_all(connection).await
}

fn triggers(table: &str, columns: &[Column]) -> String {
    let note = |name: &str, event: &str, key: &str, before: &str, after: &str| {
        format!(
            "CREATE TEMP TRIGGER {table}_noted_{name} AFTER {event} ON main.{table} BEGIN
                 INSERT INTO noted_changes (tbl, row_key, before, after) VALUES ('{table}', {key}, {before}, {after});
             END;"
        )
    };
    let (old_key, new_key) = (key(columns, "OLD"), key(columns, "NEW"));
    let (old, new) = (image(columns, "OLD"), image(columns, "NEW"));
    [
        note("insert", "INSERT", &new_key, "NULL", &new),
        note("update", "UPDATE", &new_key, &old, &new),
        note("delete", "DELETE", &old_key, &old, "NULL"),
    ]
    .concat()
}

/// The text of a row's primary key on SQLite.
pub(super) fn key(columns: &[Column], row: &str) -> String {
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.pk > 0).collect();
    key.sort_by_key(|column| column.pk);
    let parts = key.iter().map(|column| format!("quote({row}.\"{}\")", column.name));
    parts.collect::<Vec<_>>().join(" || '/' || ")
}

/// The text of a row on SQLite: what is not NULL by name, so that a column that is added later and is NULL changes nothing.
pub(super) fn image(columns: &[Column], row: &str) -> String {
    let part = |column: &Column| {
        let name = &column.name;
        format!("iif({row}.\"{name}\" IS NULL, '', '{name}=' || quote({row}.\"{name}\") || ';')")
    };
    columns.iter().map(part).collect::<Vec<_>>().join(" || ")
}
