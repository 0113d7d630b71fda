//! The lines of the audit chain, with the names of what they are about.

mod names;

use model::audit::{AuditLine, AuditPage, AuditQuery, Doer};
use model::console::Page;
use model::ids::UserId;
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{above, like};
use store::{Db, Result, read};

pub use names::{names, place};

#[derive(FromRow)]
struct AuditRow {
    seq: i64,
    at: Timestamp,
    actor: String,
    ip: String,
    action: String,
    subject: String,
    detail: String,
}

/// An [`AuditQuery`] as the database compares it.
pub struct AuditFilter {
    operator: UserId,
    pattern: String,
    /// The text as it was typed, and as a number, or -1: an account's or order's.
    text: String,
    number: i64,
    by: String,
    action: String,
    subject: String,
    from: Timestamp,
    /// The first instant that no longer belongs to it.
    until: Timestamp,
}

impl AuditFilter {
    #[must_use]
    pub fn new(operator: UserId, query: &AuditQuery) -> Self {
        let text = query.text.trim();
        Self {
            operator,
            pattern: like(text),
            text: text.to_owned(),
            number: text.parse().unwrap_or(-1),
            by: match query.by {
                None => String::new(),
                Some(Doer::Channel) => "channel:%".to_owned(),
                Some(doer) => doer.to_string(),
            },
            action: query.action.clone(),
            subject: query.subject.clone(),
            from: query.from.map_or(Timestamp(0), |day| day.start()),
            until: query.until.map_or(Timestamp(i64::MAX), |day| day.plus(1).start()),
        }
    }
}

/// An id as the subjects of lines have it.
macro_rules! code {
    (sqlite, $id:literal) => {
        concat!("LOWER(HEX(", $id, "))")
    };
    (postgres, $id:literal) => {
        concat!("REPLACE(CAST(", $id, " AS TEXT), '-', '')")
    };
}

/// The subjects that a search text stands for: the meters of the rooms that it names, what belongs to these meters, accounts and
/// orders by number, people by name. A text that fits more than 200 meters names none of them: only the lines' own words count,
/// and [`AuditPage::is_too_wide`] says so. Binds `$3`, `$4` and `$10`.
macro_rules! meant {
    ($engine:ident) => {
        concat!(
            "WITH found AS (
                 SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE $3 <> '' AND LOWER(COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name || ' ' || m.serial)
                       LIKE LOWER($3) ESCAPE '!' LIMIT 201),
             few AS (SELECT id FROM found WHERE (SELECT COUNT(*) FROM found) <= 200),
             meant AS (
                 SELECT 'meter:' || ",
            code!($engine, "id"),
            " AS subject FROM few
                 UNION ALL SELECT 'account:' || ",
            code!($engine, "account_id"),
            " FROM account_meters WHERE meter_id IN (SELECT id FROM few)
                 UNION ALL SELECT 'account:' || ",
            code!($engine, "id"),
            " FROM accounts WHERE number = $4
                 UNION ALL SELECT 'order:' || ",
            code!($engine, "id"),
            " FROM orders WHERE meter_id IN (SELECT id FROM few) OR number = $10
                 UNION ALL SELECT 'command:' || ",
            code!($engine, "id"),
            " FROM commands WHERE meter_id IN (SELECT id FROM few)
                 UNION ALL SELECT 'return:' || ",
            code!($engine, "id"),
            " FROM returns WHERE meter_id IN (SELECT id FROM few)
                 UNION ALL SELECT 'refund:' || ",
            code!($engine, "f.id"),
            " FROM refunds f JOIN orders o ON o.id = f.order_id WHERE o.meter_id IN (SELECT id FROM few)
                 UNION ALL SELECT 'event:' || ",
            code!($engine, "id"),
            " FROM events WHERE meter_id IN (SELECT id FROM few)
                 UNION ALL SELECT 'case:' || ",
            code!($engine, "c.id"),
            " FROM cases c LEFT JOIN orders o ON o.id = c.order_id
                 WHERE COALESCE(c.meter_id, o.meter_id) IN (SELECT id FROM few)
                 UNION ALL SELECT 'user:' || ",
            code!($engine, "id"),
            " FROM users WHERE $3 <> '' AND LOWER(name || ' ' || login) LIKE LOWER($3) ESCAPE '!') "
        )
    };
}

/// The condition of an [`AuditFilter`], which binds `$1` to `$10`, behind [`meant`]. A line does not name its building, so an
/// operator who is bound to buildings sees only what they did themselves.
macro_rules! filtered {
    () => {
        " FROM audit
          WHERE (actor = $2 OR (SELECT all_buildings FROM users WHERE id = $1))
            AND ($3 = '' OR LOWER(action || ' ' || subject || ' ' || detail || ' ' || ip) LIKE LOWER($3) ESCAPE '!'
                 OR subject IN (SELECT subject FROM meant))
            AND ($5 = '' OR actor LIKE $5)
            AND ($6 = '' OR action = $6 OR action LIKE $6 || '.%')
            AND ($7 = '' OR subject = $7)
            AND at >= $8 AND at < $9 "
    };
}

macro_rules! bound {
    ($query:expr, $filter:expr, $own:expr) => {
        $query
            .bind($filter.operator)
            .bind($own)
            .bind(&$filter.pattern)
            .bind(&$filter.text)
            .bind(&$filter.by)
            .bind(&$filter.action)
            .bind(&$filter.subject)
            .bind($filter.from)
            .bind($filter.until)
            .bind($filter.number)
    };
}

/// A query over the lines of an [`AuditFilter`], for either engine.
macro_rules! lines_of {
    ($db:expr, $filter:expr, $what:literal, $rest:literal, |$query:ident, $c:ident| $run:expr) => {{
        let own = format!("user:{}", $filter.operator);
        match $db {
            Db::Sqlite { read: $c, .. } => {
                let $query = bound!(sqlx::query_as(concat!(meant!(sqlite), $what, filtered!(), $rest)), $filter, &own);
                store::db_result($run)
            }
            Db::Postgres { pool: $c, .. } => {
                let $query = bound!(sqlx::query_as(concat!(meant!(postgres), $what, filtered!(), $rest)), $filter, &own);
                store::db_result($run)
            }
        }
    }};
}

/// A page of the chain, newest first. Who is bound to buildings is told nobody's name but those in their own lines.
pub async fn audit(db: &Db, operator: UserId, query: &AuditQuery) -> Result<AuditPage> {
    let filter = AuditFilter::new(operator, query);
    let total: Option<(i64,)> = lines_of!(db, filter, "SELECT COUNT(*)", "", |query, pool| query.fetch_optional(pool).await)?;
    let (size, skipped) = (Page::<AuditLine>::SIZE, query.page * Page::<AuditLine>::SIZE);
    let lines = lines(db, &filter, None, size, skipped).await?;
    let all: Option<(bool,)> = read!(db, |pool| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1")
        .bind(operator)
        .fetch_optional(pool)
        .await)?;
    let sees_all = all.is_some_and(|(all,)| all);
    let mut names = names(db, &lines).await?;
    let mut people = Vec::new();
    if sees_all {
        people =
            read!(db, |pool| sqlx::query_as("SELECT id, name FROM users WHERE role <> 'resident' ORDER BY name, id LIMIT 1000")
                .fetch_all(pool)
                .await)?;
        let chosen = [query.subject.clone(), query.by.map_or_else(String::new, |by| by.to_string())];
        names::add(db, &mut names, chosen.iter().map(String::as_str)).await?;
    }
    let page = Page { lines, total: total.map_or(0, |(total,)| total) };
    let is_too_wide = fits_too_many(db, &filter).await?;
    Ok(AuditPage { page, names, people, may_verify: sees_all, is_too_wide })
}

/// Whether the text fits more meters than a search names.
async fn fits_too_many(db: &Db, filter: &AuditFilter) -> Result<bool> {
    let sql = concat!(
        "SELECT COUNT(*) FROM (SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE $1 <> '' AND LOWER(COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name || ' ' || m.serial)
                   LIKE LOWER($1) ESCAPE '!' LIMIT 201) found"
    );
    let found: Option<(i64,)> = read!(db, |pool| sqlx::query_as(sql).bind(&filter.pattern).fetch_optional(pool).await)?;
    Ok(found.is_some_and(|(count,)| count > 200))
}

/// Lines before a line, newest first.
pub async fn lines(db: &Db, filter: &AuditFilter, before: Option<i64>, limit: i64, offset: i64) -> Result<Vec<AuditLine>> {
    let rows: Vec<AuditRow> = lines_of!(
        db,
        filter,
        "SELECT seq, at, actor, ip, action, subject, detail",
        "AND seq < $11 ORDER BY seq DESC LIMIT $12 OFFSET $13",
        |query, pool| query.bind(before.unwrap_or(i64::MAX)).bind(limit).bind(offset).fetch_all(pool).await
    )?;
    let mut places = std::collections::HashMap::new();
    for row in &rows {
        if !places.contains_key(&row.subject) {
            places.insert(row.subject.clone(), place(db, &row.subject).await?);
        }
    }
    let line = |row: AuditRow| AuditLine {
        place: places.get(&row.subject).cloned().flatten(),
        seq: row.seq,
        at: row.at,
        actor: row.actor,
        ip: row.ip,
        action: row.action,
        subject: row.subject,
        detail: row.detail,
    };
    Ok(rows.into_iter().map(line).collect())
}

/// One line by its number, for whoever may see the whole chain.
pub async fn audit_line(db: &Db, seq: i64) -> Result<Option<(Timestamp, String, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT at, action, detail FROM audit WHERE seq = $1").bind(seq).fetch_optional(pool).await)
}
