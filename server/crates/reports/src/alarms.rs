//! Alarms of a range of days: how often and how long by kind and building, and each of them.

use std::collections::BTreeMap;

use model::alarm::AlarmLevel;
use model::event::EventKind;
use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;

use crate::Subject;
use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// Alarms that one report lists.
const MOST: i64 = 5_000;

#[derive(FromRow)]
struct EventRow {
    kind: EventKind,
    gateway: Option<String>,
    instrument: Option<String>,
    /// Where an instrument is at a building itself.
    own_building: Option<String>,
    since: Timestamp,
    until_at: Option<Timestamp>,
    acknowledged_at: Option<Timestamp>,
    acknowledged_by: Option<String>,
    level: Option<AlarmLevel>,
    assignee: Option<String>,
    #[sqlx(flatten)]
    name: Name,
    total: i64,
}

impl EventRow {
    fn building(&self) -> &str {
        self.own_building.as_deref().unwrap_or(&self.name.building)
    }
}

/// Alarms that began in the range, or went on in it. A gateway's are of its meters' buildings, an instrument's of that of its
/// place, the server's of nobody's.
pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let (from, to) = query.instants();
    let rows: Vec<EventRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT e.kind, g.name AS gateway, i.name AS instrument,
                CASE WHEN r.kind = 'building' THEN r.name END AS own_building, e.since, e.until_at, e.acknowledged_at,
                u.name AS acknowledged_by, e.level, w.name AS assignee,",
            names!(),
            ", COUNT(*) OVER () AS total
         FROM events e LEFT JOIN meters m ON m.id = e.meter_id LEFT JOIN instruments i ON i.id = e.instrument_id
         LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
            above!(),
            "LEFT JOIN gateways g ON g.id = e.gateway_id LEFT JOIN users u ON u.id = e.acknowledged_by
         LEFT JOIN users w ON w.id = e.assigned_to
         WHERE e.since < $3 AND (e.until_at IS NULL OR e.until_at > $2 OR e.since >= $2)
           AND ((e.meter_id IS NULL AND e.gateway_id IS NULL AND e.instrument_id IS NULL AND $4 IS NULL)
                OR ((e.meter_id IS NOT NULL OR e.instrument_id IS NOT NULL)
                    AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            ")      OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "                  WHERE m.gateway_id = e.gateway_id AND m.retired_at IS NULL
                             AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            "))
         ORDER BY e.since DESC, e.id DESC LIMIT $5"
        ))
        .bind(operator)
        .bind(from)
        .bind(to)
        .bind(subject.place())
        .bind(MOST)
        .fetch_all(pool)
        .await
    })?;
    let total = rows.first().map_or(0, |row| row.total);
    let notes = if total > MOST { vec![Note::RowsTooMany { shown: MOST, total }] } else { Vec::new() };
    let end = to.min(at);
    let lasted = |row: &EventRow| (row.until_at.unwrap_or(end).min(end).since(row.since.max(from)) / MINUTE).max(0);
    let mut kinds: BTreeMap<EventKind, Group> = BTreeMap::new();
    let mut buildings: BTreeMap<&str, Group> = BTreeMap::new();
    for row in &rows {
        for group in [kinds.entry(row.kind).or_default(), buildings.entry(row.building()).or_default()] {
            group.times += 1;
            group.open += i64::from(row.until_at.is_none_or(|until| until > end));
            group.minutes += lasted(row);
        }
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, group)| std::cmp::Reverse(group.times));
    let by_kind = kinds.into_iter().map(|(kind, group)| group.row(Cell::Event(kind))).collect();
    let place = |name: &str| if name.is_empty() { Cell::Word(Heading::None) } else { Cell::Text(name.to_owned()) };
    let by_building = buildings.into_iter().map(|(name, group)| group.row(place(name))).collect();
    let each = rows.iter().map(|row| {
        let name = format!("{} {} {}", row.name.building, row.name.floor, row.name.room);
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let of = row.gateway.clone().or_else(|| row.instrument.clone()).unwrap_or(name);
        let time = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Time);
        let text = |text: &Option<String>| text.clone().map_or(Cell::Empty, Cell::Text);
        let (by, assignee) = (text(&row.acknowledged_by), text(&row.assignee));
        let level = row.level.map_or(Cell::Empty, Cell::Level);
        let (since, until, seen) = (Cell::Time(row.since), time(row.until_at), time(row.acknowledged_at));
        vec![since, Cell::Event(row.kind), place(&of), until, Cell::Count(lasted(row)), seen, by, level, assignee]
    });
    let each = each.collect();
    let columns = vec![
        Column::time(Heading::Since),
        Column::text(Heading::Kind),
        Column::text(Heading::Place),
        Column::time(Heading::Until),
        Column::summed(Heading::Minutes, ColumnKind::Count),
        Column::time(Heading::AcknowledgedAt),
        Column::text(Heading::AcknowledgedBy),
        Column::text(Heading::AlarmLevel),
        Column::text(Heading::AssignedTo),
    ];
    let chart = Some(Chart::Bars(1));
    let sections = vec![
        Section { title: Heading::ByKind, columns: Group::columns(Heading::Kind), rows: by_kind, chart },
        Section { title: Heading::ByBuilding, columns: Group::columns(Heading::Building), rows: by_building, chart },
        Section { title: Heading::Alarms, columns, rows: each, chart: None },
    ];
    Ok((sections, notes))
}

/// Alarms of one kind or building.
#[derive(Clone, Copy, Default)]
struct Group {
    times: i64,
    /// At the end of the range, or now.
    open: i64,
    minutes: i64,
}

impl Group {
    fn row(self, name: Cell) -> Vec<Cell> {
        vec![name, Cell::Count(self.times), Cell::Count(self.open), Cell::Count(self.minutes)]
    }

    fn columns(name: Heading) -> Vec<Column> {
        let count = |heading| Column::summed(heading, ColumnKind::Count);
        vec![Column::text(name), count(Heading::Times), count(Heading::StillOpen), count(Heading::Minutes)]
    }
}
