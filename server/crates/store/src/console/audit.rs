//! The lines of the audit chain, with names instead of ids.

use std::collections::HashMap;

use model::console::{AuditLine, Page, Query, RoomName};
use model::ids::{MeterId, UserId, Uuid};
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Name, above, like, names};
use crate::{Db, Result, read};

#[derive(FromRow)]
struct AuditRow {
    seq: i64,
    at: Timestamp,
    actor: String,
    ip: String,
    action: String,
    subject: String,
    detail: String,
    total: i64,
}

/// A page of the chain, newest first. A line does not name its building, so an operator who is bound to buildings sees only what
/// they did themselves.
pub async fn audit(db: &Db, operator: UserId, query: &Query) -> Result<Page<AuditLine>> {
    let rows: Vec<AuditRow> = read!(db, |pool| sqlx::query_as(
        "SELECT seq, at, actor, ip, action, subject, detail, COUNT(*) OVER () AS total FROM audit
         WHERE (actor = $2 OR (SELECT all_buildings FROM users WHERE id = $1))
           AND ($3 = '' OR LOWER(action || ' ' || subject || ' ' || detail || ' ' || ip) LIKE LOWER($3) ESCAPE '!')
         ORDER BY seq DESC LIMIT $4 OFFSET $5"
    )
    .bind(operator)
    .bind(format!("user:{operator}"))
    .bind(like(&query.text))
    .bind(Page::<AuditLine>::SIZE)
    .bind(query.page * Page::<AuditLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let (names, places) = (people(db, &rows).await?, places(db, &rows).await?);
    let lines = rows.into_iter().map(|row| AuditLine {
        place: places.get(&row.subject).cloned(),
        seq: row.seq,
        at: row.at,
        subject: names.get(&row.subject).cloned().unwrap_or(row.subject),
        actor: names.get(&row.actor).cloned().unwrap_or(row.actor),
        ip: row.ip,
        action: row.action,
        detail: row.detail,
    });
    Ok(Page { lines: lines.collect(), total })
}

/// The names of the people on a page, by actor or subject.
async fn people(db: &Db, rows: &[AuditRow]) -> Result<HashMap<String, String>> {
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

#[derive(FromRow)]
struct PlaceRow {
    meter_id: MeterId,
    #[sqlx(flatten)]
    name: Name,
}

/// The meters that the subjects on a page are about, with their rooms.
async fn places(db: &Db, rows: &[AuditRow]) -> Result<HashMap<String, (MeterId, RoomName)>> {
    let mut places = HashMap::new();
    for subject in rows.iter().map(|row| &row.subject) {
        let Some((kind @ ("meter" | "order" | "account" | "case" | "command"), id)) = subject.split_once(':') else { continue };
        let (Ok(id), false) = (Uuid::parse_str(id), places.contains_key(subject)) else { continue };
        let place: Option<PlaceRow> = read!(db, |pool| sqlx::query_as(concat!(
            "SELECT m.id AS meter_id,",
            names!(),
            "FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE m.id = CASE $1 WHEN 'meter' THEN $2
                               WHEN 'order' THEN (SELECT meter_id FROM orders WHERE id = $2)
                               WHEN 'command' THEN (SELECT meter_id FROM commands WHERE id = $2)
                               WHEN 'case' THEN (SELECT COALESCE(cases.meter_id, orders.meter_id) FROM cases
                                                 LEFT JOIN orders ON orders.id = cases.order_id WHERE cases.id = $2)
                               ELSE (SELECT meter_id FROM account_meters WHERE account_id = $2 ORDER BY from_at LIMIT 1) END"
        ))
        .bind(kind)
        .bind(id)
        .fetch_optional(pool)
        .await)?;
        if let Some(place) = place {
            places.insert(subject.clone(), (place.meter_id, place.name.into()));
        }
    }
    Ok(places)
}
