//! Energy by day and month: of places from their roll-up, of rooms and accounts from that of their meters.

use std::ops::Add;

use domain::rollup::Parts;
use model::energy::Energy;
use model::ids::{AccountId, PlaceId};
use model::report::Grain;
use model::subsidy::Month;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use super::{Slots, Source, hours_of};
use crate::Extent;
use crate::of_places::read_of_places;
use store::{Db, Result, read};

/// Days from the first to the last.
pub type Span = (Date, Date);

/// Energy of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub energy: Energy,
    pub parts: Parts,
    /// When late readings last changed it.
    pub revised_at: Option<Timestamp>,
}

impl Add for Sum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            energy: self.energy + other.energy,
            parts: self.parts.zip(other.parts, |one, other| one + other),
            revised_at: self.revised_at.max(other.revised_at),
        }
    }
}

#[derive(FromRow)]
struct SumRow {
    /// A day, or a month.
    slot: i64,
    wh: Energy,
    reverse_wh: Energy,
    spike_wh: Energy,
    peak_wh: Energy,
    flat_wh: Energy,
    valley_wh: Energy,
    revised_at: Option<Timestamp>,
}

impl SumRow {
    const fn sum(&self) -> Sum {
        let rates = [self.spike_wh, self.peak_wh, self.flat_wh, self.valley_wh];
        Sum { energy: self.wh, parts: Parts { reverse: self.reverse_wh, rates }, revised_at: self.revised_at }
    }
}

/// The energy of a range of days, by day or month.
pub async fn read(source: &Source<'_>, span: Span, by: Grain) -> Result<Slots> {
    let mut slots = Slots::new();
    let (places, rooms): (&[PlaceId], &[PlaceId]) = match source.extent {
        Extent::All(places) => (places, &[]),
        Extent::Place(place) => (std::slice::from_ref(place), &[]),
        Extent::Group { places, rooms } => (places, rooms),
        Extent::Room(room) => (&[], std::slice::from_ref(room)),
        Extent::Account(account) => {
            for (hour, energy) in hours_of(source, span).await? {
                add(&mut slots, by, hour.date(), Sum { energy, ..Sum::default() });
            }
            let days = days_of_account(source.db, *account, span).await?;
            days.iter().for_each(|row| add(&mut slots, by, Date(row.slot), Sum { energy: Energy::ZERO, ..row.sum() }));
            return Ok(slots);
        }
    };
    let (months, days) = if by == Grain::Day { (None, vec![span]) } else { parts(span, source.current) };
    if let Some((first, last)) = months {
        for row in of_places(source.db, MONTHS, places, (first.0, last.0)).await? {
            if let Some(first) = Month(row.slot).first() {
                add(&mut slots, by, first, row.sum());
            }
        }
    }
    for (from, until) in &days {
        let rows = of_places(source.db, DAYS, places, (from.0, until.0)).await?;
        rows.iter().for_each(|row| add(&mut slots, by, Date(row.slot), row.sum()));
    }
    let rows = of_places(source.db, DAYS_OF_ROOMS, rooms, (span.0.0, span.1.0)).await?;
    rows.iter().for_each(|row| add(&mut slots, by, Date(row.slot), row.sum()));
    Ok(slots)
}

fn add(slots: &mut Slots, by: Grain, day: Date, sum: Sum) {
    let first = if by == Grain::Day { Some(day) } else { Month::of(day.start()).first() };
    if let Some(first) = first {
        let slot = slots.entry(first.start()).or_default();
        *slot = *slot + sum;
    }
}

/// A range in whole months before `current`, first and last, and the days that are left over before and after.
pub fn parts((from, until): Span, current: Month) -> (Option<(Month, Month)>, Vec<Span>) {
    let month = |day: Date| Month::of(day.start());
    let first = if from.ymd().2 == 1 { month(from) } else { Month(month(from).0 + 1) };
    let last = Month((month(until.plus(1)).0 - 1).min(current.0 - 1));
    let (Some(begin), Some(end)) = (first.first(), Month(last.0 + 1).first()) else { return (None, vec![(from, until)]) };
    if last < first {
        return (None, vec![(from, until)]);
    }
    let days = [(from, begin.plus(-1)), (end, until)];
    (Some((first, last)), days.into_iter().filter(|(from, until)| from <= until).collect())
}

const MONTHS: &str =
    "SELECT month AS slot, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at FROM place_energy_monthly
    WHERE month BETWEEN $1 AND $2 AND place_id IN ($PLACES)";
const DAYS: &str = "SELECT day AS slot, wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh, revised_at FROM place_energy_daily
    WHERE day BETWEEN $1 AND $2 AND place_id IN ($PLACES)";
const DAYS_OF_ROOMS: &str =
    "SELECT d.day AS slot, CAST(SUM(d.wh) AS BIGINT) AS wh, CAST(SUM(d.reverse_wh) AS BIGINT) AS reverse_wh,
            CAST(SUM(d.spike_wh) AS BIGINT) AS spike_wh, CAST(SUM(d.peak_wh) AS BIGINT) AS peak_wh,
            CAST(SUM(d.flat_wh) AS BIGINT) AS flat_wh, CAST(SUM(d.valley_wh) AS BIGINT) AS valley_wh,
            MAX(d.revised_at) AS revised_at
     FROM meters m JOIN energy_daily d ON d.meter_id = m.id AND d.day BETWEEN $1 AND $2
     WHERE m.wallet <> 'none' AND m.place_id IN ($PLACES) GROUP BY d.day";

/// What was added up of places by [`MONTHS`] or [`DAYS`], or of rooms by [`DAYS_OF_ROOMS`], first and last.
async fn of_places(db: &Db, sql: &str, places: &[PlaceId], (first, last): (i64, i64)) -> Result<Vec<SumRow>> {
    Ok(read_of_places!(db, places, sql, first, last))
}

/// The days on which meters were an account's from midnight to midnight, for their rates: its first and last day are known by
/// the hour only, which is not split.
async fn days_of_account(db: &Db, account: AccountId, (from, until): Span) -> Result<Vec<SumRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.day AS slot, CAST(SUM(d.wh) AS BIGINT) AS wh, CAST(SUM(d.reverse_wh) AS BIGINT) AS reverse_wh,
                CAST(SUM(d.spike_wh) AS BIGINT) AS spike_wh, CAST(SUM(d.peak_wh) AS BIGINT) AS peak_wh,
                CAST(SUM(d.flat_wh) AS BIGINT) AS flat_wh, CAST(SUM(d.valley_wh) AS BIGINT) AS valley_wh,
                MAX(d.revised_at) AS revised_at
         FROM account_meters a JOIN energy_daily d ON d.meter_id = a.meter_id AND d.day BETWEEN $2 AND $3
              AND d.day * 86400000 - 28800000 >= a.from_at
              AND (a.to_at IS NULL OR d.day * 86400000 + 57600000 <= a.to_at)
         WHERE a.account_id = $1 GROUP BY d.day"
    )
    .bind(account)
    .bind(from)
    .bind(until)
    .fetch_all(pool)
    .await)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn split(from: &str, until: &str) -> (Option<(String, String)>, Vec<(String, String)>) {
        let current = "2026-11".parse().unwrap();
        let (months, days) = parts((day(from), day(until)), current);
        let months = months.map(|(first, last)| (first.to_string(), last.to_string()));
        (months, days.into_iter().map(|(from, until)| (from.to_string(), until.to_string())).collect())
    }

    #[test]
    fn whole_months_that_are_over_are_read_as_such() {
        let text = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(split("2026-01-01", "2026-06-30"), (Some(text("2026-01", "2026-06")), vec![]));
        let days = vec![text("2025-12-15", "2025-12-31"), text("2026-11-01", "2026-11-29")];
        assert_eq!(split("2025-12-15", "2026-11-29"), (Some(text("2026-01", "2026-10")), days));
        assert_eq!(split("2026-03-02", "2026-03-31"), (None, vec![text("2026-03-02", "2026-03-31")]));
        assert_eq!(split("2026-11-01", "2026-11-30"), (None, vec![text("2026-11-01", "2026-11-30")]));
        let days = vec![text("2026-02-28", "2026-02-28"), text("2026-04-01", "2026-04-01")];
        assert_eq!(split("2026-02-28", "2026-04-01"), (Some(text("2026-03", "2026-03")), days));
    }
}
