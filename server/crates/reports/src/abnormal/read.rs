//! What rooms used by day and night, which days were read, and when they had accounts.

use std::collections::{BTreeMap, HashMap};

use domain::abnormal_use::{DayUse, NIGHT_HOURS};
use model::energy::Energy;
use model::ids::{MeterId, PlaceId, UserId};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use crate::Extent;
use store::console::{above, within};
use store::{Db, Result, read};

/// The use of rooms by day; days without energy are left out.
pub type Uses = HashMap<PlaceId, BTreeMap<Date, DayUse>>;

/// The meters `m` of the rooms at `$2` or below.
macro_rules! of_rooms {
    ($select:literal, $join:literal, $end:literal) => {
        concat!(
            $select,
            " FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            $join,
            " WHERE m.wallet <> 'none' AND $2 IN (r.id, b.id, t.id, t.parent_id) AND",
            within!(),
            $end
        )
    };
}

/// The days of a range, with what of each was used at night.
pub async fn uses(db: &Db, operator: UserId, extent: &Extent, (from, until): (Date, Date)) -> Result<Uses> {
    let mut uses = Uses::new();
    for place in extent.tops() {
        let days: Vec<(PlaceId, Date, Energy)> = read!(db, |pool| sqlx::query_as(of_rooms!(
            "SELECT r.id, e.day, CAST(SUM(e.wh) AS BIGINT)",
            "JOIN energy_daily e ON e.meter_id = m.id AND e.day BETWEEN $3 AND $4",
            "GROUP BY r.id, e.day"
        ))
        .bind(operator)
        .bind(place)
        .bind(from)
        .bind(until)
        .fetch_all(pool)
        .await)?;
        // Hours since the epoch are eight behind those of Shanghai.
        let nights: Vec<(PlaceId, i64, Energy)> = read!(db, |pool| sqlx::query_as(of_rooms!(
            "SELECT r.id, (e.hour + 8) / 24 AS day, CAST(SUM(e.wh) AS BIGINT)",
            "JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $3 AND e.hour < $4 AND (e.hour + 8) % 24 < $5",
            "GROUP BY r.id, (e.hour + 8) / 24"
        ))
        .bind(operator)
        .bind(place)
        .bind(from.start().hour())
        .bind(until.plus(1).start().hour())
        .bind(NIGHT_HOURS)
        .fetch_all(pool)
        .await)?;
        for (room, day, energy) in days {
            uses.entry(room).or_default().entry(day).or_default().whole = energy;
        }
        for (room, day, energy) in nights {
            uses.entry(room).or_default().entry(Date(day)).or_default().night = energy;
        }
    }
    Ok(uses)
}

/// When meters belonged to an account: from when, and until when.
pub async fn accounts(
    db: &Db,
    operator: UserId,
    extent: &Extent,
) -> Result<HashMap<PlaceId, Vec<(Timestamp, Option<Timestamp>)>>> {
    let mut accounts: HashMap<PlaceId, Vec<_>> = HashMap::new();
    for place in extent.tops() {
        let rows: Vec<(PlaceId, Timestamp, Option<Timestamp>)> = read!(db, |pool| sqlx::query_as(of_rooms!(
            "SELECT r.id, a.from_at, a.to_at",
            "JOIN account_meters a ON a.meter_id = m.id",
            ""
        ))
        .bind(operator)
        .bind(place)
        .fetch_all(pool)
        .await)?;
        for (room, from, to) in rows {
            accounts.entry(room).or_default().push((from, to));
        }
    }
    Ok(accounts)
}

/// When a meter was read on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct ReadDay {
    day: Date,
    times: i64,
    /// In its first two hours.
    early: i64,
    /// From three to seven, when the night ends.
    late: i64,
}

impl ReadDay {
    /// Whether the energy of the day is its own, not the share of a longer time.
    pub const fn is_measured(&self) -> bool {
        self.times >= 2
    }

    /// Whether that of its night is.
    pub const fn has_night(&self) -> bool {
        self.early > 0 && self.late > 0
    }
}

/// The days of a range on which a meter was read.
pub async fn read_days(db: &Db, meter: MeterId, (from, until): (Date, Date)) -> Result<HashMap<Date, ReadDay>> {
    // A day of Shanghai begins eight hours before the one of the epoch.
    let rows: Vec<ReadDay> = read!(db, |pool| sqlx::query_as(
        "SELECT (at + 28800000) / 86400000 AS day, CAST(COUNT(*) AS BIGINT) AS times,
                CAST(SUM(CASE WHEN (at + 28800000) % 86400000 < 7200000 THEN 1 ELSE 0 END) AS BIGINT) AS early,
                CAST(SUM(CASE WHEN (at + 28800000) % 86400000 BETWEEN 10800000 AND 25200000 THEN 1 ELSE 0 END) AS BIGINT) AS late
         FROM readings WHERE meter_id = $1 AND at >= $2 AND at < $3 AND quality IN (0, 1, 6, 7)
         GROUP BY (at + 28800000) / 86400000"
    )
    .bind(meter)
    .bind(from.start())
    .bind(until.plus(1).start())
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|row| (row.day, row)).collect())
}
