//! The circuits with the readings around the ends of a range.

use model::energy::Energy;
use model::ids::{CircuitId, PlaceId, UserId};
use model::instrument::USUAL_INTERVAL_S;
use model::time::{HOUR, SECOND, Timestamp};
use sqlx::FromRow;

use store::console::{above, within};
use store::{Db, Result, Tx, on, read};

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
    /// Of some of the prepaid meters the energy of a part of the range is not known.
    MetersMissing,
    /// Something below it is not known.
    BelowUnknown,
}

/// The range of a report, which ends now where its last day is not over.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub from: Timestamp,
    pub to: Timestamp,
    pub ends_now: bool,
}

impl Range {
    /// Whether some of it is over: nothing is known of days to come.
    pub fn has_begun(self) -> bool {
        self.from < self.to
    }
}

/// A circuit and its energy in the range.
#[derive(Clone, Debug)]
pub struct Circuit {
    pub id: CircuitId,
    pub parent: Option<CircuitId>,
    pub feeds: Option<PlaceId>,
    /// Whether it is what the report is about, or below that.
    pub is_of_place: bool,
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
    pub fn complete_energy(&self) -> Option<Energy> {
        self.energy.filter(|_| self.completeness == Completeness::Complete)
    }
}

/// A circuit with the readings that count around the beginning and the end of the range.
#[derive(Clone, Debug, FromRow)]
struct CircuitRow {
    id: CircuitId,
    parent_id: Option<CircuitId>,
    feeds_place_id: Option<PlaceId>,
    is_of_place: bool,
    instrument: String,
    circuit: String,
    place: String,
    interval_s: i64,
    ratio: i64,
    /// The last one before the range, and the first one in it or after it.
    before_from: Option<Timestamp>,
    before_from_wh: Option<Energy>,
    after_from: Option<Timestamp>,
    after_from_wh: Option<Energy>,
    /// What passed between these two.
    across_from: Option<Energy>,
    /// The last one before the end, and the first one after it.
    before_to: Option<Timestamp>,
    before_to_wh: Option<Energy>,
    after_to: Option<Timestamp>,
    across_to: Option<Energy>,
    /// The sum of the readings in the range.
    within: Energy,
    /// Readings in the range at which a counter began again, and those at its end that are held.
    begun: i64,
    held: i64,
}

/// Readings that count: good, rolled over, begun again, settled.
macro_rules! counted {
    ($condition:literal) => {
        concat!(
            "(SELECT x.at FROM circuit_readings x WHERE x.circuit_id = v.id AND x.quality IN (0, 1, 6, 7) AND ",
            $condition,
            ")"
        )
    };
}

/// The circuits of the instruments at a place and below it that were in service in the range, and all circuits that they feed,
/// within the operator's buildings.
pub async fn read(tx: &mut Tx, operator: UserId, range: Range, place: Option<PlaceId>) -> Result<Vec<Circuit>> {
    let rows: Vec<CircuitRow> = on!(tx, |pool| {
        sqlx::query_as(concat!(
            "WITH RECURSIVE visible AS (
             SELECT c.id, c.parent_id, c.feeds_place_id, c.position, c.name AS circuit, i.name AS instrument, i.number,
                    i.interval_s,
                    CASE WHEN t.kind IN ('building', 'unit') THEN t.name || ' ' ELSE '' END
                    || CASE WHEN b.kind IN ('building', 'unit') THEN b.name || ' ' ELSE '' END || r.name AS place,
                    c.ct_ratio * i.pt_ratio AS ratio, ($4 IS NULL OR COALESCE($4 IN (r.id, b.id, t.id, t.parent_id), FALSE))
                        AS is_of_place
             FROM circuits c JOIN instruments i ON i.id = c.instrument_id JOIN places r ON r.id = i.place_id",
            above!(),
            "    WHERE (i.retired_at IS NULL OR i.retired_at > $2) AND",
            within!(),
            "), shown AS (
             SELECT v.id FROM visible v WHERE v.is_of_place
             UNION SELECT v.id FROM visible v JOIN shown ON shown.id = v.parent_id
         ), s AS (
             SELECT v.*, ",
            counted!("x.at <= $2 ORDER BY x.at DESC LIMIT 1"),
            " AS before_from, ",
            counted!("x.at > $2 ORDER BY x.at LIMIT 1"),
            " AS after_from, ",
            counted!("x.at <= $3 ORDER BY x.at DESC LIMIT 1"),
            " AS before_to, ",
            counted!("x.at > $3 ORDER BY x.at LIMIT 1"),
            " AS after_to
             FROM visible v JOIN shown ON shown.id = v.id)
         SELECT s.id, s.parent_id, s.feeds_place_id, s.is_of_place, s.instrument, s.circuit, s.place, s.interval_s,
             COALESCE(c.ratio, s.ratio) AS ratio, s.before_from, a.counter_wh AS before_from_wh, s.after_from,
             b.counter_wh AS after_from_wh, b.energy_wh AS across_from, s.before_to, c.counter_wh AS before_to_wh, s.after_to,
             d.energy_wh AS across_to,
             (SELECT COALESCE(CAST(SUM(x.energy_wh) AS BIGINT), 0) FROM circuit_readings x
              WHERE x.circuit_id = s.id AND x.at > $2 AND x.at <= $3) AS within,
             (SELECT COUNT(*) FROM circuit_readings x WHERE x.circuit_id = s.id AND x.quality = 6 AND x.at > $2
                 AND x.at <= CASE WHEN s.before_to < $3 AND s.after_to IS NOT NULL THEN s.after_to ELSE $3 END) AS begun,
             (SELECT COUNT(*) FROM circuit_readings x WHERE x.circuit_id = s.id AND x.quality IN (2, 3, 5)
                 AND x.at > COALESCE(s.before_to, $2) AND x.at <= $3) AS held
         FROM s
         LEFT JOIN circuit_readings a ON a.circuit_id = s.id AND a.at = s.before_from
         LEFT JOIN circuit_readings b ON b.circuit_id = s.id AND b.at = s.after_from
         LEFT JOIN circuit_readings c ON c.circuit_id = s.id AND c.at = s.before_to
         LEFT JOIN circuit_readings d ON d.circuit_id = s.id AND d.at = s.after_to
         ORDER BY s.instrument, s.number, s.position"
        ))
        .bind(operator)
        .bind(range.from)
        .bind(range.to)
        .bind(place)
        .fetch_all(pool)
        .await
    })?;
    Ok(rows.into_iter().map(|row| row.circuit(range)).collect())
}

/// How many circuits in service the operator may see at a place and below it.
pub async fn count(db: &Db, operator: UserId, place: Option<PlaceId>) -> Result<i64> {
    let row: Option<(i64,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT COUNT(*) FROM circuits c JOIN instruments i ON i.id = c.instrument_id JOIN places r ON r.id = i.place_id",
        above!(),
        "WHERE i.retired_at IS NULL AND ($2 IS NULL OR $2 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!()
    ))
    .bind(operator)
    .bind(place)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map_or(0, |(count,)| count))
}

impl CircuitRow {
    /// The most time between two readings over which energy is spread: two intervals, where they are not shorter than usual.
    fn margin(&self) -> i64 {
        self.interval_s.max(USUAL_INTERVAL_S.into()) * 2 * SECOND
    }

    /// What passed between two readings up to an instant between them; `None` where they are too far apart to tell.
    fn share(&self, from: Option<Timestamp>, at: Timestamp, to: Option<Timestamp>, energy: Option<Energy>) -> Option<Energy> {
        let from = from?;
        if from == at {
            return Some(Energy::ZERO);
        }
        let (all, energy) = (to?.since(from), energy?);
        let part = i128::from(energy.0) * i128::from(at.since(from)) / i128::from(all.max(1));
        i64::try_from(part).ok().filter(|_| all <= self.margin()).map(Energy)
    }

    fn circuit(self, range: Range) -> Circuit {
        let Range { from, to, ends_now } = range;
        let head = self.share(self.before_from, from, self.after_from, self.across_from);
        let tail = self.share(self.before_to, to, self.after_to, self.across_to);
        // Nothing is read after now: what was read just before is up to date.
        let is_recent = |at: Timestamp| ends_now && to.since(at) <= self.margin().min(HOUR) && self.held == 0;
        let tail = tail.or_else(|| self.before_to.is_some_and(is_recent).then_some(Energy::ZERO));
        let end = self.before_to.zip(self.before_to_wh).filter(|_| range.has_begun());
        let start = match head {
            Some(_) => self.before_from.zip(self.before_from_wh),
            None => self.after_from.zip(self.after_from_wh).filter(|(at, _)| *at <= to),
        };
        let has_two = start.zip(end).is_some_and(|((start, _), (end, _))| start < end);
        let is_spread = head.is_some() && tail.is_some() && self.after_from.is_some();
        let completeness = if !range.has_begun() || !has_two && !is_spread {
            Completeness::NotRead
        } else if self.begun > 0 || self.held > 0 && tail.is_none() {
            Completeness::NotCounted
        } else if head.is_none() || tail.is_none() {
            Completeness::Partial
        } else {
            Completeness::Complete
        };
        // Without a part of it, all that passed up to the first reading in the range is left out.
        let before = head.or(self.across_from).unwrap_or(Energy::ZERO);
        let energy = self.within - before + tail.unwrap_or(Energy::ZERO);
        Circuit {
            id: self.id,
            parent: self.parent_id,
            feeds: self.feeds_place_id,
            is_of_place: self.is_of_place,
            instrument: self.instrument,
            circuit: self.circuit,
            place: self.place,
            start,
            end,
            ratio: self.ratio,
            energy: (completeness != Completeness::NotRead).then_some(energy),
            completeness,
        }
    }
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
            is_of_place: true,
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

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;
    use model::time::MINUTE;

    const FROM: i64 = 1_000;
    const TO: i64 = 2_000;

    /// A minute and the energy since the reading before.
    type Read = (i64, i64);

    /// A circuit whose readings, which all count, are these.
    fn row(readings: &[Read]) -> CircuitRow {
        let last = |until: i64| readings.iter().rfind(|(at, _)| *at <= until);
        let first = |after: i64| readings.iter().find(|(at, _)| *at > after);
        let at = |found: Option<&Read>| found.map(|(at, _)| Timestamp(at * MINUTE));
        let wh = |found: Option<&Read>| found.map(|(_, wh)| Energy(*wh));
        CircuitRow {
            id: CircuitId(Uuid::nil()),
            parent_id: None,
            feeds_place_id: None,
            is_of_place: true,
            instrument: String::new(),
            circuit: String::new(),
            place: String::new(),
            interval_s: 900,
            ratio: 1,
            before_from: at(last(FROM)),
            before_from_wh: wh(last(FROM)),
            after_from: at(first(FROM)),
            after_from_wh: wh(first(FROM)),
            across_from: wh(first(FROM)),
            before_to: at(last(TO)),
            before_to_wh: wh(last(TO)),
            after_to: at(first(TO)),
            across_to: wh(first(TO)),
            within: Energy(readings.iter().filter(|(at, _)| *at > FROM && *at <= TO).map(|(_, wh)| wh).sum()),
            begun: 0,
            held: 0,
        }
    }

    fn shown(row: CircuitRow, ends_now: bool) -> (Option<i64>, Completeness) {
        let circuit = row.circuit(Range { from: Timestamp(FROM * MINUTE), to: Timestamp(TO * MINUTE), ends_now });
        (circuit.energy.map(|energy| energy.0), circuit.completeness)
    }

    #[test]
    fn energy_around_the_ends_is_spread() {
        let found = |readings: &[Read]| shown(row(readings), false);
        assert_eq!(found(&[(1_000, 7), (1_500, 400), (2_000, 600)]), (Some(1_000), Completeness::Complete), "read at both");
        let around = [(990, 7), (1_010, 20), (1_990, 900), (2_020, 60)];
        assert_eq!(found(&around), (Some(10 + 900 + 20), Completeness::Complete));
        // A reading hours away was taken for that of the instant.
        assert_eq!(found(&[(900, 7), (1_010, 20), (1_500, 100), (2_000, 5)]), (Some(105), Completeness::Partial));
        assert_eq!(found(&[(1_000, 7), (1_900, 100), (2_100, 50)]), (Some(100), Completeness::Partial));
        assert_eq!(found(&[(1_000, 7), (1_990, 100)]), (Some(100), Completeness::Partial), "nothing was read since");
        assert_eq!(found(&[(1_010, 0), (1_500, 100), (2_000, 5)]), (Some(105), Completeness::Partial), "its first reading");
        assert_eq!(found(&[(1_500, 0)]), (None, Completeness::NotRead));
        assert_eq!(found(&[(900, 0), (2_100, 70)]), (None, Completeness::NotRead));
        assert_eq!(found(&[]), (None, Completeness::NotRead));
    }

    #[test]
    fn a_range_within_two_readings_has_its_share() {
        let daily = CircuitRow { interval_s: 86_400, ..row(&[(900, 0), (2_100, 1_200)]) };
        assert_eq!(shown(daily, false), (Some(1_000), Completeness::Complete));
    }

    #[test]
    fn a_range_that_ends_now_ends_with_the_newest_reading() {
        let found = |readings: &[Read]| shown(row(readings), true);
        assert_eq!(found(&[(1_000, 7), (1_980, 100)]), (Some(100), Completeness::Complete));
        assert_eq!(found(&[(1_000, 7), (1_960, 100)]), (Some(100), Completeness::Partial));
        let slow = CircuitRow { interval_s: 86_400, ..row(&[(1_000, 7), (1_930, 100)]) };
        assert_eq!(shown(slow, true), (Some(100), Completeness::Partial));
        let held = CircuitRow { held: 1, ..row(&[(1_000, 7), (1_980, 100)]) };
        assert_eq!(shown(held, true), (Some(100), Completeness::NotCounted));
    }

    #[test]
    fn a_range_that_has_not_begun_is_not_read() {
        let from = Timestamp(FROM * MINUTE);
        let row = CircuitRow { before_to: Some(from), within: Energy::ZERO, ..row(&[(1_000, 7), (1_010, 20)]) };
        let circuit = row.circuit(Range { from, to: from, ends_now: true });
        assert_eq!((circuit.energy, circuit.end, circuit.completeness), (None, None, Completeness::NotRead));
    }

    #[test]
    fn what_a_counter_lost_is_not_counted() {
        let all = [(1_000, 7), (1_500, 400), (2_000, 600)];
        assert_eq!(shown(CircuitRow { begun: 1, ..row(&all) }, false), (Some(1_000), Completeness::NotCounted));
        let back = CircuitRow { held: 3, ..row(&[(990, 7), (1_010, 20), (1_990, 900), (2_020, 60)]) };
        assert_eq!(shown(back, false).1, Completeness::Complete, "it is back in line");
        let away = CircuitRow { held: 3, ..row(&[(1_000, 7), (1_500, 100), (2_100, 500)]) };
        assert_eq!(shown(away, false), (Some(100), Completeness::NotCounted));
    }
}
