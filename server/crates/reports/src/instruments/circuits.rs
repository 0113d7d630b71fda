//! The circuits with the readings at the ends of a range, and the prepaid meters of the places that they feed.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::{CircuitId, PlaceId, UserId};
use model::report::ReportQuery;
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{above, within};
use store::{Result, Tx, on};

/// Whether energy is that of the whole range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    Complete,
    /// The readings cover a part of the range.
    Partial,
    /// The counter fell, jumped or began again, so that some energy is not counted.
    NotCounted,
    /// There are no two readings.
    NotRead,
    /// Some of the prepaid meters are lost or were never read.
    MetersMissing,
    /// Something below it is not known.
    BelowUnknown,
}

/// A circuit and its energy in the range.
#[derive(Clone, Debug)]
pub struct Circuit {
    pub id: CircuitId,
    pub parent: Option<CircuitId>,
    pub feeds: Option<PlaceId>,
    pub(super) instrument: String,
    pub(super) circuit: String,
    /// The place of its instrument.
    pub place: String,
    /// When the reading was taken, and the counter before the transformers.
    pub start: Option<(Timestamp, Energy)>,
    pub end: Option<(Timestamp, Energy)>,
    /// Of current and voltage transformers together.
    pub ratio: i64,
    pub energy: Option<Energy>,
    pub completeness: Completeness,
}

impl Circuit {
    /// Instrument and circuit.
    pub fn name(&self) -> String {
        if self.circuit == self.instrument { self.circuit.clone() } else { format!("{} · {}", self.instrument, self.circuit) }
    }

    /// The energy where it is that of the whole range.
    pub fn known(&self) -> Option<Energy> {
        self.energy.filter(|_| self.completeness == Completeness::Complete)
    }
}

#[derive(FromRow)]
struct CircuitRow {
    id: CircuitId,
    parent_id: Option<CircuitId>,
    feeds_place_id: Option<PlaceId>,
    instrument: String,
    circuit: String,
    place: String,
    ratio: i64,
    margin_ms: i64,
    start_at: Option<Timestamp>,
    start_wh: Option<Energy>,
    end_at: Option<Timestamp>,
    end_wh: Option<Energy>,
    energy_wh: Option<Energy>,
    uncounted: i64,
}

/// Readings that count: good, rolled over, begun again, settled.
macro_rules! counts {
    () => {
        " x.circuit_id = c.id AND x.quality IN (0, 1, 6, 7) "
    };
}

/// The circuits of the instruments at a place and below it that were in service in the range, within the operator's buildings.
pub async fn read(
    tx: &mut Tx,
    operator: UserId,
    (from, to): (Timestamp, Timestamp),
    place: Option<PlaceId>,
) -> Result<Vec<Circuit>> {
    let rows: Vec<CircuitRow> = on!(tx, |pool| sqlx::query_as(concat!(
        "WITH c AS (
             SELECT c.id, c.parent_id, c.feeds_place_id, c.position, c.name AS circuit, i.name AS instrument, i.number,
                    CASE WHEN t.kind IN ('building', 'unit') THEN t.name || ' ' ELSE '' END
                    || CASE WHEN b.kind IN ('building', 'unit') THEN b.name || ' ' ELSE '' END || r.name AS place,
                    c.ct_ratio * i.pt_ratio AS ratio,
                    CASE WHEN i.interval_s > 3600 THEN i.interval_s * 2000 ELSE 7200000 END AS margin_ms
             FROM circuits c JOIN instruments i ON i.id = c.instrument_id JOIN places r ON r.id = i.place_id",
        above!(),
        "    WHERE (i.retired_at IS NULL OR i.retired_at > $2) AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "), s AS (
             SELECT c.*, COALESCE(
                 (SELECT x.at FROM circuit_readings x WHERE",
        counts!(),
        "         AND x.at <= $2 AND x.at >= $2 - c.margin_ms ORDER BY x.at DESC LIMIT 1),
                 (SELECT x.at FROM circuit_readings x WHERE",
        counts!(),
        "         AND x.at > $2 AND x.at <= $3 ORDER BY x.at LIMIT 1)) AS start_at,
                 (SELECT x.at FROM circuit_readings x WHERE",
        counts!(),
        "         AND x.at > $2 AND x.at <= $3 ORDER BY x.at DESC LIMIT 1) AS end_at
             FROM c)
         SELECT c.id, c.parent_id, c.feeds_place_id, c.instrument, c.circuit, c.place, c.margin_ms, c.start_at, c.end_at,
             COALESCE(e.ratio, c.ratio) AS ratio, o.counter_wh AS start_wh, e.counter_wh AS end_wh,
             (SELECT CAST(SUM(x.energy_wh) AS BIGINT) FROM circuit_readings x
              WHERE x.circuit_id = c.id AND x.at > c.start_at AND x.at <= c.end_at) AS energy_wh,
             (SELECT COUNT(*) FROM circuit_readings x WHERE x.circuit_id = c.id AND x.at > c.start_at
              AND ((x.quality = 6 AND x.at <= c.end_at) OR (x.quality IN (2, 3, 5) AND x.at > c.end_at AND x.at <= $3)))
                 AS uncounted
         FROM s AS c
         LEFT JOIN circuit_readings o ON o.circuit_id = c.id AND o.at = c.start_at
         LEFT JOIN circuit_readings e ON e.circuit_id = c.id AND e.at = c.end_at
         ORDER BY c.instrument, c.number, c.position"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|row| circuit(row, (from, to))).collect())
}

fn circuit(row: CircuitRow, (from, to): (Timestamp, Timestamp)) -> Circuit {
    let (start, end) = (row.start_at.zip(row.start_wh), row.end_at.zip(row.end_wh));
    let margin = row.margin_ms;
    let completeness = match (start, end) {
        (Some((start, _)), Some((end, _))) if start < end => {
            if row.uncounted > 0 {
                Completeness::NotCounted
            } else if start.since(from) > margin || to.since(end) > margin {
                Completeness::Partial
            } else {
                Completeness::Complete
            }
        }
        _ => Completeness::NotRead,
    };
    Circuit {
        id: row.id,
        parent: row.parent_id,
        feeds: row.feeds_place_id,
        instrument: row.instrument,
        circuit: row.circuit,
        place: row.place,
        start,
        end,
        ratio: row.ratio,
        energy: row.energy_wh.filter(|_| completeness != Completeness::NotRead),
        completeness,
    }
}

/// The prepaid meters of a place that a circuit feeds.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct PlaceMeters {
    pub name: String,
    pub meters: i64,
    /// Those that are lost since before the end of the range, or were never read.
    pub missing: i64,
    pub wh: Energy,
}

impl PlaceMeters {
    pub const fn completeness(&self) -> Completeness {
        if self.meters == 0 {
            Completeness::NotRead
        } else if self.missing > 0 {
            Completeness::MetersMissing
        } else {
            Completeness::Complete
        }
    }
}

/// By place, the prepaid meters of all places that these circuits feed, as far as the operator may see them.
pub async fn below_places(
    tx: &mut Tx,
    operator: UserId,
    query: &ReportQuery,
    to: Timestamp,
    circuits: &[Circuit],
) -> Result<BTreeMap<PlaceId, PlaceMeters>> {
    let mut found = BTreeMap::new();
    for place in circuits.iter().filter_map(|circuit| circuit.feeds) {
        if found.contains_key(&place) {
            continue;
        }
        let of_place: Option<PlaceMeters> = on!(tx, |pool| sqlx::query_as(concat!(
            "WITH below AS (
                 SELECT m.id, CASE WHEN m.retired_at IS NULL
                                    AND (l.observed_at IS NULL OR (l.lost_since < $5 AND l.observed_at < $5))
                               THEN 1 ELSE 0 END AS missing
                 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "    LEFT JOIN meter_latest l ON l.meter_id = m.id
                 WHERE m.wallet <> 'none' AND m.created_at < $5 AND $2 IN (r.id, b.id, t.id, t.parent_id)
                   AND (m.retired_at IS NULL OR m.retired_at > $6) AND",
            within!(),
            ")
             SELECT p.name, (SELECT COUNT(*) FROM below) AS meters,
                 (SELECT COALESCE(CAST(SUM(missing) AS BIGINT), 0) FROM below) AS missing,
                 (SELECT COALESCE(CAST(SUM(d.wh) AS BIGINT), 0) FROM energy_daily d JOIN below ON below.id = d.meter_id
                  WHERE d.day BETWEEN $3 AND $4) AS wh
             FROM places p WHERE p.id = $2"
        ))
        .bind(operator)
        .bind(place)
        .bind(query.from)
        .bind(query.until)
        .bind(to)
        .bind(query.from.start())
        .fetch_optional(pool)
        .await)?;
        found.extend(of_place.map(|meters| (place, meters)));
    }
    Ok(found)
}

#[cfg(test)]
impl Circuit {
    /// A complete one at the top.
    pub fn example(id: CircuitId, name: &str, energy: Energy) -> Self {
        let (instrument, circuit, place) = (name.to_owned(), name.to_owned(), String::new());
        let (start, end) = (Some((Timestamp(0), Energy::ZERO)), Some((Timestamp(1), energy)));
        Self {
            id,
            parent: None,
            feeds: None,
            instrument,
            circuit,
            place,
            start,
            end,
            ratio: 1,
            energy: Some(energy),
            completeness: Completeness::Complete,
        }
    }
}
