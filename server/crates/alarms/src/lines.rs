//! Alarms, for the console.

use model::alarm::{AlarmChannel, AlarmLevel};
use model::console::{EventLine, EventQuery, Page};
use model::event::EventKind;
use model::ids::{EventId, GatewayId, InstrumentId, MeterId, UserId};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read, silenced};

#[derive(FromRow)]
struct EventRow {
    id: EventId,
    kind: EventKind,
    meter_id: Option<MeterId>,
    gateway_id: Option<GatewayId>,
    gateway: Option<String>,
    instrument_id: Option<InstrumentId>,
    instrument: Option<String>,
    subject: Option<AlarmChannel>,
    level: Option<AlarmLevel>,
    since: Timestamp,
    until_at: Option<Timestamp>,
    detail: String,
    acknowledged_at: Option<Timestamp>,
    acknowledged_by: Option<String>,
    assigned_to: Option<UserId>,
    assignee: Option<String>,
    is_silenced: bool,
    is_suspended: bool,
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
            gateway: self.gateway_id.zip(self.gateway),
            instrument: self.instrument_id.zip(self.instrument),
            channel: self.subject,
            level: self.level,
            since: self.since,
            until: self.until_at,
            detail: self.detail,
            seen: self.acknowledged_at.map(|at| (at, self.acknowledged_by.unwrap_or_default())),
            assigned: self.assigned_to.zip(self.assignee),
            is_silenced: self.is_silenced,
            is_suspended: self.is_suspended,
        }
    }
}

/// The columns of [`EventRow`]; the parameter is the time.
macro_rules! event_columns {
    ($now:literal) => {
        concat!(
            " e.id, e.kind, e.meter_id, e.gateway_id, g.name AS gateway, e.instrument_id, i.name AS instrument, e.subject,
              e.level, e.since, e.until_at, e.detail, e.acknowledged_at, u.name AS acknowledged_by, e.assigned_to,
              w.name AS assignee,
              (e.until_at IS NULL AND EXISTS (
                  SELECT 1 FROM events l WHERE l.gateway_id = COALESCE(m.gateway_id, i.gateway_id)
                    AND l.kind = 'gateway-lost' AND l.until_at IS NULL)
              ) AS is_suspended, (e.until_at IS NULL AND",
            silenced!("e.gateway_id", $now),
            ") AS is_silenced, COUNT(*) OVER () AS total,",
            names!()
        )
    };
}

/// The events that the operator may see: a meter's by its room, an instrument's by its place, a gateway's by the rooms of its
/// meters, where they do not see all buildings, the server's always.
macro_rules! visible_events {
    () => {
        concat!(
            " FROM events e LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN instruments i ON i.id = e.instrument_id
             LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
            above!(),
            "LEFT JOIN gateways g ON g.id = e.gateway_id LEFT JOIN users u ON u.id = e.acknowledged_by
             LEFT JOIN users w ON w.id = e.assigned_to
             WHERE ((e.meter_id IS NULL AND e.gateway_id IS NULL AND e.instrument_id IS NULL)
                OR ((e.meter_id IS NOT NULL OR e.instrument_id IS NOT NULL) AND",
            within!(),
            ") OR (e.gateway_id IS NOT NULL AND (SELECT all_buildings FROM users WHERE id = $1))
             OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE m.gateway_id = e.gateway_id AND m.retired_at IS NULL AND",
            within!(),
            "))"
        )
    };
}

/// A page of events, open or ended, newest first.
pub async fn events(db: &Db, operator: UserId, query: &EventQuery, now: Timestamp) -> Result<Page<EventLine>> {
    let rows: Vec<EventRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        event_columns!("$8"),
        visible_events!(),
        " AND (e.until_at IS NOT NULL) = $2 AND ($3 = '' OR e.kind = $3) AND e.since >= $4
          AND ($9 = 0 OR e.level = $9) AND (NOT $10 OR e.assigned_to = $1)
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
    .bind(now)
    .bind(query.level.map_or(0, AlarmLevel::code))
    .bind(query.mine)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(EventRow::line).collect(), total })
}

/// One alarm that the operator may see.
pub async fn event(db: &Db, operator: UserId, event: EventId, now: Timestamp) -> Result<Option<EventLine>> {
    let row: Option<EventRow> =
        read!(db, |pool| sqlx::query_as(concat!("SELECT", event_columns!("$3"), visible_events!(), " AND e.id = $2"))
            .bind(operator)
            .bind(event)
            .bind(now)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(EventRow::line))
}

/// The newest events of a meter, open ones first.
pub async fn events_of(db: &Db, operator: UserId, meter: MeterId, limit: i64, now: Timestamp) -> Result<Vec<EventLine>> {
    let rows: Vec<EventRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT",
        event_columns!("$4"),
        visible_events!(),
        " AND e.meter_id = $2 ORDER BY (e.until_at IS NOT NULL), e.since DESC, e.id DESC LIMIT $3"
    ))
    .bind(operator)
    .bind(meter)
    .bind(limit)
    .bind(now)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(EventRow::line).collect())
}

pub(super) use visible_events;
