//! The lines of the audit chain, with the names of what they are about.

mod names;

use model::audit::{AuditLine, AuditPage, AuditQuery, Doer};
use model::console::Page;
use model::ids::{AccountId, MeterId, OrderId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{above, like};
use store::{Db, Result, read};

pub use names::{names, place};

/// Meters, accounts and orders each that a search text may stand for.
const MEANT: i64 = 50;

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
    /// Subjects that the text stands for, each between commas.
    meant: String,
    by: String,
    action: String,
    subject: String,
    from: Timestamp,
    /// The first instant that no longer belongs to it.
    until: Timestamp,
}

impl AuditFilter {
    pub async fn new(db: &Db, operator: UserId, query: &AuditQuery) -> Result<Self> {
        Ok(Self {
            operator,
            pattern: like(&query.text),
            meant: meant(db, &query.text).await?,
            by: match query.by {
                None => String::new(),
                Some(Doer::Channel) => "channel:%".to_owned(),
                Some(doer) => doer.to_string(),
            },
            action: query.action.clone(),
            subject: query.subject.clone(),
            from: query.from.map_or(Timestamp(0), |day| day.start()),
            until: query.until.map_or(Timestamp(i64::MAX), |day| day.plus(1).start()),
        })
    }
}

/// The condition of an [`AuditFilter`], which binds `$1` to `$9`. A line does not name its building, so an operator who is bound
/// to buildings sees only what they did themselves.
macro_rules! filtered {
    () => {
        " FROM audit
          WHERE (actor = $2 OR (SELECT all_buildings FROM users WHERE id = $1))
            AND ($3 = '' OR LOWER(action || ' ' || subject || ' ' || detail || ' ' || ip) LIKE LOWER($3) ESCAPE '!'
                 OR (subject <> '' AND $4 LIKE '%,' || subject || ',%'))
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
            .bind(&$filter.meant)
            .bind(&$filter.by)
            .bind(&$filter.action)
            .bind(&$filter.subject)
            .bind($filter.from)
            .bind($filter.until)
    };
}

/// A page of the chain, newest first.
pub async fn audit(db: &Db, operator: UserId, query: &AuditQuery) -> Result<AuditPage> {
    let filter = AuditFilter::new(db, operator, query).await?;
    let own = format!("user:{operator}");
    let total: Option<(i64,)> = read!(db, |pool| bound!(sqlx::query_as(concat!("SELECT COUNT(*)", filtered!())), filter, &own)
        .fetch_optional(pool)
        .await)?;
    let (size, skipped) = (Page::<AuditLine>::SIZE, query.page * Page::<AuditLine>::SIZE);
    let lines = lines(db, &filter, None, size, skipped).await?;
    let people: Vec<(UserId, String)> =
        read!(db, |pool| sqlx::query_as("SELECT id, name FROM users WHERE role <> 'resident' ORDER BY name, id LIMIT 1000")
            .fetch_all(pool)
            .await)?;
    let mut names = names(db, &lines).await?;
    let chosen = [query.subject.clone(), query.by.map_or_else(String::new, |by| by.to_string())];
    names::add(db, &mut names, chosen.iter().map(String::as_str)).await?;
    let may_verify: Option<(bool,)> = read!(db, |pool| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1")
        .bind(operator)
        .fetch_optional(pool)
        .await)?;
    let page = Page { lines, total: total.map_or(0, |(total,)| total) };
    Ok(AuditPage { page, names, people, may_verify: may_verify.is_some_and(|(may,)| may) })
}

/// Lines before a line, newest first.
pub async fn lines(db: &Db, filter: &AuditFilter, before: Option<i64>, limit: i64, offset: i64) -> Result<Vec<AuditLine>> {
    let own = format!("user:{}", filter.operator);
    let rows: Vec<AuditRow> = read!(db, |pool| bound!(
        sqlx::query_as(concat!(
            "SELECT seq, at, actor, ip, action, subject, detail",
            filtered!(),
            "AND seq < $10 ORDER BY seq DESC LIMIT $11 OFFSET $12"
        )),
        filter,
        &own
    )
    .bind(before.unwrap_or(i64::MAX))
    .bind(limit)
    .bind(offset)
    .fetch_all(pool)
    .await)?;
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

/// The subjects that a search text stands for: meters of rooms, accounts and orders by number, people by name.
async fn meant(db: &Db, text: &str) -> Result<String> {
    let pattern = like(text);
    if pattern.is_empty() {
        return Ok(String::new());
    }
    let meters: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE LOWER(COALESCE(t.name, '') || ' ' || COALESCE(b.name, '') || ' ' || r.name || ' ' || m.serial) LIKE LOWER($1)
               ESCAPE '!' LIMIT $2"
    ))
    .bind(&pattern)
    .bind(MEANT)
    .fetch_all(pool)
    .await)?;
    let accounts: Vec<(AccountId,)> = read!(db, |pool| sqlx::query_as("SELECT id FROM accounts WHERE number = $1 LIMIT $2")
        .bind(text.trim())
        .bind(MEANT)
        .fetch_all(pool)
        .await)?;
    let orders: Vec<(OrderId,)> = read!(db, |pool| sqlx::query_as("SELECT id FROM orders WHERE number = $1 LIMIT $2")
        .bind(text.trim().parse::<i64>().unwrap_or(-1))
        .bind(MEANT)
        .fetch_all(pool)
        .await)?;
    let people: Vec<(UserId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT id FROM users WHERE LOWER(name || ' ' || login) LIKE LOWER($1) ESCAPE '!' LIMIT $2"
    )
    .bind(&pattern)
    .bind(MEANT)
    .fetch_all(pool)
    .await)?;
    let mut meant = String::from(",");
    meters.iter().for_each(|(id,)| meant.push_str(&format!("meter:{id},")));
    accounts.iter().for_each(|(id,)| meant.push_str(&format!("account:{id},")));
    orders.iter().for_each(|(id,)| meant.push_str(&format!("order:{id},")));
    people.iter().for_each(|(id,)| meant.push_str(&format!("user:{id},")));
    Ok(meant)
}
