//! The events as people look at them, and that somebody has seen one.

use model::console::{EventLine, EventQuery, Page};
use model::error::AppError;
use model::event::EventKind;
use model::ids::{EventId, MeterId, UserId};
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Name, above, names, within};
use crate::audit::{self, Entry};
use crate::{Db, Result, StoreError, on, read};

#[derive(FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    meter_id: Option<Uuid>,
    gateway: Option<String>,
    since: i64,
    until_at: Option<i64>,
    detail: String,
    acknowledged_at: Option<i64>,
    acknowledged_by: Option<String>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

/// Events of what the operator may see: a meter's by its room, a gateway's where one of its meters is the operator's.
macro_rules! seen {
    () => {
        concat!(
            " FROM events e LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN places r ON r.id = m.place_id",
            above!(),
            "LEFT JOIN gateways g ON g.id = e.gateway_id LEFT JOIN users u ON u.id = e.acknowledged_by
             WHERE ((e.meter_id IS NOT NULL AND",
            within!(),
            ") OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE m.gateway_id = e.gateway_id AND m.retired_at IS NULL AND",
            within!(),
            "))"
        )
    };
}

/// A page of events: open ones and those that are over, each newest first.
pub async fn events(db: &Db, operator: UserId, query: &EventQuery) -> Result<Page<EventLine>> {
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT e.id, e.kind, e.meter_id, g.name AS gateway, e.since, e.until_at, e.detail, e.acknowledged_at,
                u.name AS acknowledged_by, COUNT(*) OVER () AS total,",
        names!(),
        seen!(),
        " AND (e.until_at IS NOT NULL) = $2 AND ($3 = '' OR e.kind = $3) AND e.since >= $4
          AND ($5 = '' OR $5 IN (b.name, t.name) OR EXISTS (
              SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "     WHERE m.gateway_id = e.gateway_id AND $5 IN (b.name, t.name)))
         ORDER BY e.since DESC, e.id DESC LIMIT $6 OFFSET $7"
    ))
    .bind(operator.0)
    .bind(query.over)
    .bind(query.kind.map_or("", EventKind::as_str))
    .bind(query.since.map_or(0, |day| day.start().0))
    .bind(&query.building)
    .bind(Page::<EventLine>::SIZE)
    .bind(query.page * Page::<EventLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(line).collect::<Result<_>>()?, total })
}

fn line(row: Row) -> Result<EventLine> {
    let kind = EventKind::parse(&row.kind).ok_or(StoreError::Inconsistent { table: "events", column: "kind" })?;
    let name = row.name.into();
    Ok(EventLine {
        id: EventId(row.id),
        kind,
        meter: row.meter_id.map(|id| (MeterId(id), name)),
        gateway: row.gateway,
        since: Timestamp(row.since),
        until: row.until_at.map(Timestamp),
        detail: row.detail,
        seen: row.acknowledged_at.map(|at| (Timestamp(at), row.acknowledged_by.unwrap_or_default())),
    })
}

/// The newest events of a meter, open ones first.
pub async fn events_of(db: &Db, operator: UserId, meter: MeterId, limit: i64) -> Result<Vec<EventLine>> {
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT e.id, e.kind, e.meter_id, g.name AS gateway, e.since, e.until_at, e.detail, e.acknowledged_at,
                u.name AS acknowledged_by, COUNT(*) OVER () AS total,",
        names!(),
        seen!(),
        " AND e.meter_id = $2 ORDER BY (e.until_at IS NOT NULL), e.since DESC, e.id DESC LIMIT $3"
    ))
    .bind(operator.0)
    .bind(meter.0)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(line).collect()
}

/// The names of the buildings that the operator may see, in their order.
pub async fn buildings(db: &Db, operator: UserId) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT name FROM places p WHERE kind = 'building' AND (
             NOT EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1)
             OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (p.id, p.parent_id)))
         ORDER BY sort, name"
    )
    .bind(operator.0)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// Somebody has seen an event; with the audit line in one transaction. Seen once is enough: the first stays.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where it is not the operator's.
pub async fn acknowledge(db: &Db, at: Timestamp, who: &Who, event: EventId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(String,)> = on!(&mut tx, |c| sqlx::query_as(concat!("SELECT e.kind", seen!(), " AND e.id = $2"))
        .bind(who.user.0)
        .bind(event.0)
        .fetch_optional(c)
        .await)?;
    let (kind,) = found.ok_or(AppError::NotFound)?;
    let first = on!(&mut tx, |c| sqlx::query(
        "UPDATE events SET acknowledged_at = $1, acknowledged_by = $2 WHERE id = $3 AND acknowledged_at IS NULL"
    )
    .bind(at.0)
    .bind(who.user.0)
    .bind(event.0)
    .execute(c)
    .await)?;
    if first == 0 {
        return Ok(());
    }
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: "event.acknowledge",
        subject: &format!("event:{event}"),
        detail: &serde_json::json!({ "kind": kind }).to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
