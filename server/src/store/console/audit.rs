//! The audit chain as people read it.

use std::collections::HashMap;

use app::api::operator::{AuditLine, Page, Query};
use app::model::ids::UserId;
use app::model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::like;
use crate::store::{Db, Result, read};

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    ip: String,
    action: String,
    subject: String,
    detail: String,
    total: i64,
}

/// A page of the chain, newest first. Lines do not say which building they are about, so an operator who is bound to buildings
/// sees what they did themselves.
///
/// # Errors
/// Where the database fails.
pub async fn audit(db: &Db, operator: UserId, query: &Query) -> Result<Page<AuditLine>> {
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(
        "SELECT seq, at, actor, ip, action, subject, detail, COUNT(*) OVER () AS total FROM audit
         WHERE (actor = $2 OR NOT EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1))
           AND ($3 = '' OR LOWER(action || ' ' || subject || ' ' || detail || ' ' || ip) LIKE LOWER($3) ESCAPE '!')
         ORDER BY seq DESC LIMIT $4 OFFSET $5"
    )
    .bind(operator.0)
    .bind(format!("user:{operator}"))
    .bind(like(&query.text))
    .bind(Page::<AuditLine>::SIZE)
    .bind(query.page * Page::<AuditLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let names = names(db, &rows).await?;
    let lines = rows.into_iter().map(|row| AuditLine {
        seq: row.seq,
        at: Timestamp(row.at),
        subject: names.get(&row.subject).cloned().unwrap_or(row.subject),
        actor: names.get(&row.actor).cloned().unwrap_or(row.actor),
        ip: row.ip,
        action: row.action,
        detail: row.detail,
    });
    Ok(Page { lines: lines.collect(), total })
}

/// What to call the people of a page.
async fn names(db: &Db, rows: &[Row]) -> Result<HashMap<String, String>> {
    let mut names = HashMap::new();
    for person in rows.iter().flat_map(|row| [&row.actor, &row.subject]) {
        let Some(Ok(user)) = person.strip_prefix("user:").map(Uuid::parse_str) else { continue };
        if names.contains_key(person) {
            continue;
        }
        let name: Option<(String,)> =
            read!(db, |pool| sqlx::query_as("SELECT name FROM users WHERE id = $1").bind(user).fetch_optional(pool).await)?;
        names.insert(person.clone(), name.map_or_else(|| person.clone(), |(name,)| name));
    }
    Ok(names)
}
