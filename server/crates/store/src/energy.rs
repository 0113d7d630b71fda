//! Energy by hour and by day: readings add to it, and charts read it.

use std::sync::LazyLock;

use model::energy::Energy;
use model::event::DayMark;
use model::ids::MeterId;
use model::time::{Date, HOUR, Timestamp};
use sqlx::FromRow;

use super::bulk::Bulk;
use super::{Db, Result, Tx, on, place_energy, read};
use crate::counts;
use domain::rollup::Parts;

/// A change to a day counts as a revision only this long after its end: until then its midnight is still being read.
const REVISED_AFTER: i64 = 12 * HOUR;

/// Energy to add to an hour of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    pub meter: MeterId,
    /// Hours since the epoch.
    pub hour: i64,
    pub energy: Energy,
}

/// Energy to add to a Shanghai day of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    pub meter: MeterId,
    pub day: Date,
    pub energy: Energy,
    pub parts: Parts,
}

static HOURS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO energy_hourly (meter_id, hour, wh)",
        3,
        "ON CONFLICT (meter_id, hour) DO UPDATE SET wh = energy_hourly.wh + excluded.wh",
    )
});
static DAYS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO energy_daily (meter_id, day, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at)",
        9,
        "ON CONFLICT (meter_id, day) DO UPDATE SET wh = energy_daily.wh + excluded.wh,
             reverse_wh = energy_daily.reverse_wh + excluded.reverse_wh, spike_wh = energy_daily.spike_wh + excluded.spike_wh,
             peak_wh = energy_daily.peak_wh + excluded.peak_wh, flat_wh = energy_daily.flat_wh + excluded.flat_wh,
             valley_wh = energy_daily.valley_wh + excluded.valley_wh,
             revised_at = COALESCE(excluded.revised_at, energy_daily.revised_at)",
    )
});

/// Adds to hours and days in the caller's transaction. No two of each have the same
/// key; `revised` if the days may have been shown before.
pub async fn add(tx: &mut Tx, hours: &[Hour], days: &[Day], revised: Option<Timestamp>) -> Result<()> {
    for (text, rows) in HOURS.pieces(tx, hours) {
        on!(tx, |c| {
            let query = sqlx::query(text);
            rows.iter().fold(query, |q, r| q.bind(r.meter).bind(r.hour).bind(r.energy)).execute(c).await
        })?;
    }
    for (text, rows) in DAYS.pieces(tx, days) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for r in rows {
                query = query.bind(r.meter).bind(r.day).bind(r.energy).bind(r.parts.reverse);
                for rate in r.parts.rates {
                    query = query.bind(rate);
                }
                let late = revised.filter(|at| r.energy != Energy::ZERO && at.since(r.day.plus(1).start()) >= REVISED_AFTER);
                query = query.bind(late);
            }
            query.execute(c).await
        })?;
    }
    place_energy::note_late(tx, days, revised).await
}

/// Energy of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayEnergy {
    pub day: Date,
    pub energy: Energy,
    pub parts: Parts,
    pub mark: DayMark,
}

#[derive(FromRow)]
struct DayRow {
    day: Date,
    wh: Energy,
    reverse_wh: Energy,
    spike_wh: Energy,
    peak_wh: Energy,
    flat_wh: Energy,
    valley_wh: Energy,
    revised: bool,
    /// Whether the midnights at its start and end were read.
    begins: bool,
    ends: bool,
    /// Whether an operator entered energy for it that was put at the flat rate.
    estimated: bool,
}

/// What was used on the days from `from` on, before `today`; days without energy are left out.
pub async fn totals(db: &Db, meter: MeterId, from: Date, today: Date) -> Result<Vec<(Date, Energy)>> {
    Ok(read!(db, |pool| {
        sqlx::query_as("SELECT day, wh FROM energy_daily WHERE meter_id = $1 AND day >= $2 AND day < $3 ORDER BY day")
            .bind(meter)
            .bind(from)
            .bind(today)
            .fetch_all(pool)
            .await
    })?)
}

/// The days from `from` to `today`, both included; days without energy are left out.
pub async fn days(db: &Db, meter: MeterId, from: Date, today: Date) -> Result<Vec<DayEnergy>> {
    // A midnight is known if a reading that counts is of that very instant: the meter's own midnight value.
    let rows: Vec<DayRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT d.day, d.wh, d.reverse_wh, d.spike_wh, d.peak_wh, d.flat_wh, d.valley_wh, d.revised_at IS NOT NULL AS revised,
                EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = d.meter_id AND",
        counts!("r."),
        "AND r.at = d.day * 86400000 - 28800000) AS begins,
                EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = d.meter_id AND",
        counts!("r."),
        "AND r.at = d.day * 86400000 + 57600000) AS ends,
                EXISTS (SELECT 1 FROM counter_decisions g WHERE g.meter_id = d.meter_id AND g.split = 'flat'
                        AND g.from_at < d.day * 86400000 + 57600000 AND g.at > d.day * 86400000 - 28800000) AS estimated
         FROM energy_daily d WHERE d.meter_id = $1 AND d.day BETWEEN $2 AND $3 ORDER BY d.day"
    ))
    .bind(meter)
    .bind(from)
    .bind(today)
    .fetch_all(pool)
    .await)?;
    let day = |row: DayRow| DayEnergy {
        day: row.day,
        energy: row.wh,
        parts: Parts { reverse: row.reverse_wh, rates: [row.spike_wh, row.peak_wh, row.flat_wh, row.valley_wh] },
        mark: DayMark { estimated: row.estimated || !row.begins || (row.day < today && !row.ends), revised: row.revised },
    };
    Ok(rows.into_iter().map(day).collect())
}

/// Energy of each day from `from` to `to`, both included; days without energy are left out.
pub async fn daily(db: &Db, meter: MeterId, from: Date, to: Date) -> Result<Vec<(Date, Energy)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT day, wh FROM energy_daily WHERE meter_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day"
    )
    .bind(meter)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)
}

/// Energy of the hours of `[from, to)`, each with its start; hours without energy are left out.
pub async fn hours(db: &Db, meter: MeterId, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, Energy)>> {
    let rows: Vec<(i64, Energy)> = read!(db, |pool| sqlx::query_as(
        "SELECT hour, wh FROM energy_hourly WHERE meter_id = $1 AND hour >= $2 AND hour < $3 ORDER BY hour"
    )
    .bind(meter)
    .bind(from.0 / HOUR)
    .bind(to.0 / HOUR)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(hour, wh)| (Timestamp(hour * HOUR), wh)).collect())
}

/// Energy of the hours of a Shanghai day, by the hour 0-23; hours without energy are left out.
pub async fn hourly(db: &Db, meter: MeterId, day: Date) -> Result<Vec<(u8, Energy)>> {
    let first = day.start().0 / HOUR;
    let rows: Vec<(i64, Energy)> = read!(db, |pool| sqlx::query_as(
        "SELECT hour, wh FROM energy_hourly WHERE meter_id = $1 AND hour BETWEEN $2 AND $3 ORDER BY hour"
    )
    .bind(meter)
    .bind(first)
    .bind(first + 23)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(hour, wh)| (u8::try_from(hour - first).unwrap_or(0), wh)).collect())
}
