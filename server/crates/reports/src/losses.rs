//! Lost meters and lost gateways: since when, how often, how long, and what was last read.

use model::energy::Energy;
use model::event::EventKind;
use model::ids::UserId;
use model::money::Fen;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{MINUTE, Timestamp};
use sqlx::FromRow;

use crate::Subject;
use store::console::{Name, above, names, within};
use store::events::is_limited;
use store::{Db, Result, read};

/// How often and for how long something of a kind was lost in `[$2, $3)`, by what it happened to.
macro_rules! losses {
    ($column:literal, $kind:literal) => {
        concat!(
            "(SELECT e.",
            $column,
            " AS of_id, COUNT(*) AS times, CAST(SUM(
                 CASE WHEN e.until_at IS NULL OR e.until_at > $3 THEN $3 ELSE e.until_at END
                 - CASE WHEN e.since > $2 THEN e.since ELSE $2 END) AS BIGINT) AS lost_ms
              FROM events e WHERE e.kind = '",
            $kind,
            "' AND e.since < $3 AND (e.until_at IS NULL OR e.until_at > $2) GROUP BY e.",
            $column,
            ") AS x"
        )
    };
}

/// From the first day to the last, not beyond now.
fn range(query: &ReportQuery, at: Timestamp) -> (Timestamp, Timestamp) {
    let (from, to) = query.instants();
    (from, to.min(at).max(from))
}

/// The note for reports of losses that an alarm rule may keep from being stored.
async fn by_rules(db: &Db, kind: EventKind) -> Result<Option<Note>> {
    Ok(is_limited(db, kind).await?.then_some(Note::LossesByRules))
}

const fn minutes(ms: i64) -> Cell {
    Cell::Count(ms / MINUTE)
}

fn cell_or_unknown<T>(value: Option<T>, cell: impl Fn(T) -> Cell) -> Cell {
    value.map_or(Cell::Empty, cell)
}

#[derive(FromRow)]
struct MeterRow {
    #[sqlx(flatten)]
    name: Name,
    serial: String,
    gateway: String,
    lost_since: Option<Timestamp>,
    observed_at: Option<Timestamp>,
    total_wh: Option<Energy>,
    remaining_fen: Option<Fen>,
    times: i64,
    lost_ms: i64,
}

/// The meters in service that were never read, have been lost since the range or before it, or were lost in the range while
/// their gateway answered.
pub async fn meters(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let (from, to) = range(query, at);
    let rows: Vec<MeterRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT",
            names!(),
            ", m.serial, g.name AS gateway, l.lost_since, l.observed_at,
         CASE WHEN l.observed_at IS NOT NULL THEN l.total_wh END AS total_wh,
         CASE WHEN l.observed_at IS NOT NULL AND m.wallet <> 'none' THEN l.remaining_fen END AS remaining_fen,
         COALESCE(x.times, 0) AS times, COALESCE(x.lost_ms, 0) AS lost_ms
         FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
            above!(),
            "LEFT JOIN meter_latest l ON l.meter_id = m.id LEFT JOIN ",
            losses!("meter_id", "meter-lost"),
            " ON x.of_id = m.id
         WHERE m.retired_at IS NULL AND (x.times IS NOT NULL OR l.lost_since < $3 OR l.observed_at IS NULL)
           AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            "ORDER BY CASE WHEN l.observed_at IS NULL THEN 0 WHEN l.lost_since IS NOT NULL THEN 1 ELSE 2 END, l.lost_since,
                  lost_ms DESC, m.serial"
        ))
        .bind(operator)
        .bind(from)
        .bind(to)
        .bind(subject.place())
        .fetch_all(pool)
        .await
    })?;
    let row = |row: MeterRow| {
        let name: model::console::RoomName = row.name.into();
        vec![
            Cell::Text(name.to_string()),
            Cell::Text(row.serial),
            Cell::Text(row.gateway),
            cell_or_unknown(row.lost_since, Cell::Time),
            cell_or_unknown(row.observed_at, Cell::Time),
            cell_or_unknown(row.total_wh, Cell::Energy),
            cell_or_unknown(row.remaining_fen, |fen| Cell::Money(fen.money())),
            Cell::Count(row.times),
            minutes(row.lost_ms),
        ]
    };
    let columns = vec![
        Column::text(Heading::Room),
        Column::text(Heading::Serial),
        Column::text(Heading::Gateway),
        Column::time(Heading::LostSince),
        Column::time(Heading::LastReading),
        Column::plain(Heading::Counter, ColumnKind::Energy),
        Column::plain(Heading::Remaining, ColumnKind::Money),
        Column::summed(Heading::TimesLost, ColumnKind::Count),
        Column::summed(Heading::MinutesLost, ColumnKind::Count),
    ];
    let rows = rows.into_iter().map(row).collect();
    let section = Section { title: Heading::LostMeters, columns, rows, chart: Some(Chart::Bars(8)) };
    let notes = [Note::LossesBehindGateways].into_iter().chain(by_rules(db, EventKind::MeterLost).await?);
    Ok((vec![section], notes.collect()))
}

#[derive(FromRow)]
struct GatewayRow {
    name: String,
    created_at: Timestamp,
    meters: i64,
    lost_since: Option<Timestamp>,
    newest: Option<Timestamp>,
    times: i64,
    lost_ms: i64,
}

/// Every gateway in service with meters that the operator may see: how much of the range it answered.
pub async fn gateways(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let (from, to) = range(query, at);
    let rows: Vec<GatewayRow> = read!(db, |pool| sqlx::query_as(concat!(
        "WITH counted AS (
             SELECT m.gateway_id, COUNT(*) AS meters, MAX(l.observed_at) AS newest
             FROM meters m LEFT JOIN meter_latest l ON l.meter_id = m.id JOIN places r ON r.id = m.place_id",
        above!(),
        "    WHERE m.retired_at IS NULL AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "    GROUP BY m.gateway_id)
         SELECT g.name, g.created_at, c.meters, c.newest, o.since AS lost_since, COALESCE(x.times, 0) AS times,
                COALESCE(x.lost_ms, 0) AS lost_ms
         FROM counted c JOIN gateways g ON g.id = c.gateway_id AND g.retired_at IS NULL
         LEFT JOIN events o ON o.gateway_id = g.id AND o.kind = 'gateway-lost' AND o.until_at IS NULL LEFT JOIN ",
        losses!("gateway_id", "gateway-lost"),
        " ON x.of_id = g.id ORDER BY lost_ms DESC, g.name"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(subject.place())
    .fetch_all(pool)
    .await)?;
    let row = |row: GatewayRow| {
        // Before it was there it answered nobody, and was not lost either.
        let whole = to.since(from.max(row.created_at)).max(0);
        vec![
            Cell::Text(row.name),
            Cell::Count(row.meters),
            cell_or_unknown(row.lost_since, Cell::Time),
            cell_or_unknown(row.newest, Cell::Time),
            Cell::Count(row.times),
            minutes(row.lost_ms),
            Cell::share((whole - row.lost_ms).max(0), whole),
        ]
    };
    let columns = vec![
        Column::text(Heading::Gateway),
        Column::summed(Heading::Meters, ColumnKind::Count),
        Column::time(Heading::LostSince),
        Column::time(Heading::LastReading),
        Column::summed(Heading::TimesLost, ColumnKind::Count),
        Column::summed(Heading::MinutesLost, ColumnKind::Count),
        Column::share(Heading::Availability),
    ];
    let rows = rows.into_iter().map(row).collect();
    let section = Section { title: Heading::LostGateways, columns, rows, chart: Some(Chart::Bars(6)) };
    Ok((vec![section], by_rules(db, EventKind::GatewayLost).await?.into_iter().collect()))
}
