//! Energy by hour, from the hours of the meters, and the table of hours and days.

use model::energy::Energy;
use model::ids::{AccountId, PlaceId};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Section};
use model::time::{Date, HOUR, Timestamp};

use super::sums::{Span, Sum};
use super::{Slots, Source};
use crate::Extent;
use store::console::{above, within};
use store::{Db, Result, read};

/// The most hours of single meters that one report reads.
const MOST: i64 = 2_000_000;

/// The meters `m` of `[$3, $4)` at a place `$2` or below it that the operator may see.
macro_rules! meters_below {
    ($select:literal, $join:literal, $end:literal) => {
        concat!(
            $select,
            " FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            $join,
            "WHERE m.wallet <> 'none' AND $2 IN (r.id, b.id, t.id, t.parent_id) AND",
            within!(),
            $end
        )
    };
}

fn places<'a>(source: &'a Source<'_>) -> Vec<&'a PlaceId> {
    match source.extent {
        Extent::All(places) => places.iter().collect(),
        Extent::Place(place) | Extent::Room(place) => vec![place],
        Extent::Group { places, rooms } => places.iter().chain(rooms).collect(),
        Extent::Account(_) => Vec::new(),
    }
}

/// The most days whose hours can be read.
pub async fn most_days(source: &Source<'_>) -> Result<i64> {
    let mut meters = 0;
    for place in places(source) {
        let count: Option<(i64,)> =
            read!(source.db, |pool| sqlx::query_as(meters_below!("SELECT CAST(COUNT(*) AS BIGINT)", "", ""))
                .bind(source.operator)
                .bind(place)
                .fetch_optional(pool)
                .await)?;
        meters += count.map_or(0, |(count,)| count);
    }
    Ok(MOST / (24 * meters.max(1)))
}

/// The hours of a range of days; hours without energy are left out.
pub async fn read(source: &Source<'_>, (from, until): Span) -> Result<Slots> {
    let (from, to) = (from.start().hour(), until.plus(1).start().hour());
    let mut slots = Slots::new();
    let mut rows = Vec::new();
    if let Extent::Account(account) = source.extent {
        rows = of_account(source.db, *account, from, to).await?;
    }
    for place in places(source) {
        let of_place: Vec<(i64, Energy)> = read!(source.db, |pool| sqlx::query_as(meters_below!(
            "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT)",
            "JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $3 AND e.hour < $4 ",
            "GROUP BY e.hour"
        ))
        .bind(source.operator)
        .bind(place)
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await)?;
        rows.extend(of_place);
    }
    for (hour, energy) in rows {
        let slot = slots.entry(Timestamp(hour * HOUR)).or_default();
        *slot = *slot + Sum { energy, ..Sum::default() };
    }
    Ok(slots)
}

/// Of the meters of an account while they were its own: the hour in which a meter changes hands is the next account's.
async fn of_account(db: &Db, account: AccountId, from: i64, to: i64) -> Result<Vec<(i64, Energy)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT)
         FROM account_meters a JOIN energy_hourly e ON e.meter_id = a.meter_id AND e.hour >= $2 AND e.hour < $3
              AND e.hour >= a.from_at / 3600000 AND (a.to_at IS NULL OR e.hour < a.to_at / 3600000)
         WHERE a.account_id = $1 GROUP BY e.hour"
    )
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)
}

/// A row a day, a column an hour of the day.
pub fn section((from, until): Span, hours: &Slots) -> Section {
    let hour = |hour: u8| Column::summed(Heading::HourOfDay(hour), ColumnKind::Energy);
    let columns = std::iter::once(Column::time(Heading::Day)).chain((0..24).map(hour)).collect();
    let row = |day: Date| {
        let energy = |hour: i64| hours.get(&day.start().plus(hour * HOUR)).map_or(Cell::Empty, |sum| Cell::Energy(sum.energy));
        std::iter::once(Cell::Day(day)).chain((0..24).map(energy)).collect()
    };
    let rows = if hours.is_empty() { Vec::new() } else { (from.0..=until.0).map(Date).map(row).collect() };
    Section { title: Heading::HoursOfDays, columns, rows, chart: Some(Chart::Heat) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hour_stands_in_its_day_and_column() {
        let day = Date(20_000);
        let sum = Sum { energy: Energy(7), ..Sum::default() };
        let section = section((day, day.plus(1)), &Slots::from([(day.plus(1).start().plus(23 * HOUR), sum)]));
        assert_eq!((section.rows.len(), section.columns.len()), (2, 25));
        assert_eq!(section.rows[1][24], Cell::Energy(Energy(7)));
        assert!(section.rows[0].iter().skip(1).all(|cell| *cell == Cell::Empty));
    }
}
