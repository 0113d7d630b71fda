//! What rooms consumed by day and night, when they had accounts, and when meters were read.

use std::collections::{BTreeMap, HashMap};

use domain::abnormal_use::{DayUse, NIGHT_HOURS};
use model::energy::Energy;
use model::ids::{MeterId, PlaceId, UserId};
use model::time::{Date, HOUR, Timestamp};
use sqlx::{AssertSqlSafe, FromRow};

use crate::Extent;
use crate::meters::read_below;
use store::{Db, Result, counts, read};

/// Meters of one query.
const CHUNK: usize = 500;
/// A reading so close to an instant, ms, says what was used up to it.
const NEAR: i64 = 2 * HOUR;

/// The consumption of rooms by day; days without energy are left out.
pub type Consumption = HashMap<PlaceId, BTreeMap<Date, DayUse>>;

/// The days of a range, with what of each was used at night.
pub async fn consumption(db: &Db, operator: Option<UserId>, extent: &Extent, (from, until): (Date, Date)) -> Result<Consumption> {
    let days: Vec<(PlaceId, Date, Energy)> = read_below!(
        db,
        operator,
        extent.tops(),
        "SELECT m.place_id, e.day, CAST(SUM(e.wh) AS BIGINT)
         FROM below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'
              JOIN energy_daily e ON e.meter_id = m.id AND e.day BETWEEN $2 AND $3 GROUP BY m.place_id, e.day",
        from,
        until
    );
    // Hours since the epoch are eight behind those of Shanghai.
    let nights: Vec<(PlaceId, i64, Energy)> = read_below!(
        db,
        operator,
        extent.tops(),
        "SELECT m.place_id, (e.hour + 8) / 24 AS day, CAST(SUM(e.wh) AS BIGINT)
         FROM below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'
              JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $2 AND e.hour < $3 AND (e.hour + 8) % 24 < $4
         GROUP BY m.place_id, (e.hour + 8) / 24",
        from.start().hour(),
        until.plus(1).start().hour(),
        NIGHT_HOURS
    );
    let mut rooms = Consumption::new();
    for (room, day, energy) in days {
        rooms.entry(room).or_default().entry(day).or_default().whole = energy;
    }
    for (room, day, energy) in nights {
        rooms.entry(room).or_default().entry(Date(day)).or_default().night = energy;
    }
    Ok(rooms)
}

/// When meters belonged to an account: from when, and until when.
pub async fn accounts(
    db: &Db,
    operator: Option<UserId>,
    extent: &Extent,
) -> Result<HashMap<PlaceId, Vec<(Timestamp, Option<Timestamp>)>>> {
    let rows: Vec<(PlaceId, Timestamp, Option<Timestamp>)> = read_below!(
        db,
        operator,
        extent.tops(),
        "SELECT m.place_id, a.from_at, a.to_at FROM below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'
              JOIN account_meters a ON a.meter_id = m.id"
    );
    let mut accounts: HashMap<PlaceId, Vec<_>> = HashMap::new();
    rows.into_iter().for_each(|(room, from, to)| accounts.entry(room).or_default().push((from, to)));
    Ok(accounts)
}

/// When a meter was read on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
struct ReadDay {
    meter_id: MeterId,
    day: Date,
    first_at: Timestamp,
    last_at: Timestamp,
    /// Readings from three to seven, when the night ends.
    night_ends: i64,
}

/// When meters were read.
#[derive(Debug, Default)]
pub struct ReadTimes(HashMap<(MeterId, Date), ReadDay>);

impl ReadTimes {
    /// Whether the energy of a day is its own, not the share of a longer time: the meter was read near both of its ends.
    pub fn is_measured(&self, meter: MeterId, day: Date) -> bool {
        self.is_near(meter, day) && self.is_near(meter, day.plus(1))
    }

    /// Whether that of its night is.
    pub fn has_night(&self, meter: MeterId, day: Date) -> bool {
        self.is_near(meter, day) && self.0.get(&(meter, day)).is_some_and(|read| read.night_ends > 0)
    }

    /// Whether a meter was read near the start of a day, before or after it.
    fn is_near(&self, meter: MeterId, day: Date) -> bool {
        let start = day.start();
        let is_after = |read: &ReadDay| read.first_at.since(start) <= NEAR;
        let is_before = |read: &ReadDay| start.since(read.last_at) <= NEAR;
        self.0.get(&(meter, day)).is_some_and(is_after) || self.0.get(&(meter, day.plus(-1))).is_some_and(is_before)
    }
}

/// The readings that count of some meters, on the days of a range and on those beside it.
pub async fn read_times(db: &Db, meters: &[MeterId], (from, until): (Date, Date)) -> Result<ReadTimes> {
    let mut times = ReadTimes::default();
    for meters in meters.chunks(CHUNK) {
        let marks: Vec<String> = (3..).take(meters.len()).map(|n| format!("${n}")).collect();
        // A day of Shanghai begins eight hours before the one of the epoch.
        let sql = format!(
            concat!(
                "SELECT meter_id, (at + 28800000) / 86400000 AS day, MIN(at) AS first_at, MAX(at) AS last_at, CAST(SUM(
                    CASE WHEN (at + 28800000) % 86400000 BETWEEN 10800000 AND 25200000 THEN 1 ELSE 0 END) AS BIGINT) AS night_ends
                 FROM readings WHERE meter_id IN ({}) AND at >= $1 AND at < $2 AND",
                counts!(""),
                "GROUP BY meter_id, (at + 28800000) / 86400000"
            ),
            marks.join(",")
        );
        let rows: Vec<ReadDay> = read!(db, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(sql)).bind(from.plus(-1).start()).bind(until.plus(2).start());
            meters.iter().fold(query, |query, meter| query.bind(*meter)).fetch_all(pool).await
        })?;
        times.0.extend(rows.into_iter().map(|row| ((row.meter_id, row.day), row)));
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    const DAY: Date = Date(20_423);

    /// The readings of a meter, hours after the start of the day.
    fn read(hours: &[i64]) -> ReadTimes {
        let mut times = ReadTimes::default();
        for hours in hours {
            let at = DAY.start().plus(hours * HOUR);
            let new = ReadDay { meter_id: meter(), day: at.date(), first_at: at, last_at: at, night_ends: 0 };
            let row = times.0.entry((meter(), at.date())).or_insert(new);
            (row.first_at, row.last_at) = (row.first_at.min(at), row.last_at.max(at));
            row.night_ends += i64::from((3..=7).contains(&at.civil().hour));
        }
        times
    }

    fn meter() -> MeterId {
        MeterId(Uuid::from_u128(1))
    }

    #[test]
    fn a_day_is_measured_by_readings_at_both_ends() {
        for (hours, is_measured) in [
            (&[0, 24][..], true),
            (&[-2, 26], true),
            (&[1, 12, 23], true),
            (&[1, 2, 3, 12], false),
            (&[10, 12, 14], false),
            (&[-3, 24], false),
            (&[0, 12, 27], false),
            (&[], false),
        ] {
            assert_eq!(read(hours).is_measured(meter(), DAY), is_measured, "{hours:?}");
        }
    }

    #[test]
    fn a_night_is_measured_from_its_start_to_its_end() {
        let has_night = |hours: &[i64]| read(hours).has_night(meter(), DAY);
        assert_eq!([has_night(&[0, 5]), has_night(&[-1, 7]), has_night(&[3, 5]), has_night(&[0, 8])], [true, true, false, false]);
    }
}
