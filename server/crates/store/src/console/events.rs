//! Events, for the console, and their acknowledgement.

use model::audit::AuditAction;
use model::console::{EventLine, EventQuery, Page};
use model::error::AppError;
use model::event::EventKind;
use model::ids::{EventId, InstrumentId, MeterId, UserId};
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Name, above, names, within};
use crate::audit::{self, Entry};
use crate::{Db, Result, on, read};

#[derive(FromRow)]
struct EventRow {
    id: EventId,
    kind: EventKind,
    meter_id: Option<MeterId>,
    gateway: Option<String>,
    instrument_id: Option<InstrumentId>,
    instrument: Option<String>,
    since: Timestamp,
    until_at: Option<Timestamp>,
    detail: String,
    acknowledged_at: Option<Timestamp>,
    acknowledged_by: Option<String>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl EventRow {
    fn line(self) -> EventLine {
        let name = self.name.into();
        EventLine {
            id: self.id,
            kind: self.kind,
            meter: self.meter_id.map(|id| (id, name)),
            gateway: self.gateway,
            instrument: self.instrument_id.zip(self.instrument),
            since: self.since,
            until: self.until_at,
            detail: self.detail,
            seen: self.acknowledged_at.map(|at| (at, self.acknowledged_by.unwrap_or_default())),
        }
    }
}

/// The columns of [`EventRow`].
macro_rules! event_columns {
    () => {
        concat!(
            " e.id, e.kind, e.meter_id, g.name AS gateway, e.instrument_id, i.name AS instrument, e.since,
              e.until_at, e.detail, e.acknowledged_at,
              u.name AS acknowledged_by, COUNT(*) OVER () AS total,",
            names!()
        )
    };
}

/// The events that the operator may see: a meter's by its room, an instrument's by its place, a gateway's by the rooms of its
/// meters, the server's always.
macro_rules! visible_events {
    () => {
        concat!(
            " FROM events e LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN instruments i ON i.id = e.instrument_id
             LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
            above!(),
            "LEFT JOIN gateways g ON g.id = e.gateway_id LEFT JOIN users u ON u.id = e.acknowledged_by
             WHERE ((e.meter_id IS NULL AND e.gateway_id IS NULL AND e.instrument_id IS NULL)
                OR ((e.meter_id IS NOT NULL OR e.instrument_id IS NOT NULL) AND",
            within!(),
            ") OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE m.gateway_id = e.gateway_id AND m.retired_at IS NULL AND",
            within!(),
            "))"
        )
    };
}

/// A page of events, open or ended, newest first.
pub async fn events(db: &Db, operator: UserId, query: &EventQuery) -> Result<Page<EventLine>> {
    let rows: Vec<EventRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        event_columns!(),
        visible_events!(),
        " AND (e.until_at IS NOT NULL) = $2 AND ($3 = '' OR e.kind = $3) AND e.since >= $4
          AND ($5 = '' OR $5 IN (b.name, t.name) OR (r.kind = 'building' AND $5 = r.name) OR EXISTS (
              SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "     WHERE m.gateway_id = e.gateway_id AND $5 IN (b.name, t.name)))
         ORDER BY e.since DESC, e.id DESC LIMIT $6 OFFSET $7"
    ))
    .bind(operator)
    .bind(query.over)
    .bind(query.kind.map_or("", EventKind::as_str))
    .bind(query.since.map(|day| day.start()).unwrap_or_default())
    .bind(&query.building)
    .bind(Page::<EventLine>::SIZE)
    .bind(query.page * Page::<EventLine>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(EventRow::line).collect(), total })
}

/// The newest events of a meter, open ones first.
pub async fn events_of(db: &Db, operator: UserId, meter: MeterId, limit: i64) -> Result<Vec<EventLine>> {
    let rows: Vec<EventRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        event_columns!(),
        visible_events!(),
        " AND e.meter_id = $2 ORDER BY (e.until_at IS NOT NULL), e.since DESC, e.id DESC LIMIT $3"
    ))
    .bind(operator)
    .bind(meter)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(EventRow::line).collect())
}

/// Acknowledges an event, with the audit line in one transaction. Only the first acknowledgement is stored.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an event that the operator may not see.
pub async fn acknowledge(db: &Db, at: Timestamp, who: &Who, event: EventId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(EventKind,)> =
        on!(&mut tx, |c| sqlx::query_as(concat!("SELECT e.kind", visible_events!(), " AND e.id = $2"))
            .bind(who.user)
            .bind(event)
            .fetch_optional(c)
            .await)?;
    let (kind,) = found.ok_or(AppError::NotFound)?;
    let first = on!(&mut tx, |c| sqlx::query(
        "UPDATE events SET acknowledged_at = $1, acknowledged_by = $2 WHERE id = $3 AND acknowledged_at IS NULL"
    )
    .bind(at)
    .bind(who.user)
    .bind(event)
    .execute(c)
    .await)?;
    if first == 0 {
        return Ok(());
    }
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::EventAcknowledge,
        subject: &format!("event:{event}"),
        detail: &serde_json::json!({ "kind": kind }).to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
