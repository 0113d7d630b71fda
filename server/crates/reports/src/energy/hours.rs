//! How many hours one report reads, and the table of hours and days.

use model::report::{Cell, Chart, Column, ColumnKind, Heading, Section};
use model::time::{Date, HOUR};

use super::Source;
use super::sums::Span;
use crate::hours::Hours;
use crate::meters;
use store::Result;

/// The most hours of single meters that one report reads.
const MOST: i64 = 2_000_000;

/// The most days whose hours can be read.
pub async fn most_days(source: &Source<'_>) -> Result<i64> {
    let meters = meters::count(source.db, source.operator, source.extent).await?;
    Ok(MOST / (24 * meters.max(1)))
}

/// A row a day, a column an hour of the day.
pub fn section((from, until): Span, hours: &Hours) -> Section {
    let hour = |hour: u8| Column::summed(Heading::HourOfDay(hour), ColumnKind::Energy);
    let columns = std::iter::once(Column::time(Heading::Day)).chain((0..24).map(hour)).collect();
    let row = |day: Date| {
        let energy = |hour: i64| hours.get(&day.start().plus(hour * HOUR)).map_or(Cell::Empty, |energy| Cell::Energy(*energy));
        std::iter::once(Cell::Day(day)).chain((0..24).map(energy)).collect()
    };
    let rows = if hours.is_empty() { Vec::new() } else { (from.0..=until.0).map(Date).map(row).collect() };
    Section { title: Heading::HoursOfDays, columns, rows, chart: Some(Chart::Heat) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::energy::Energy;

    #[test]
    fn each_hour_stands_in_its_day_and_column() {
        let day = Date(20_000);
        let section = section((day, day.plus(1)), &Hours::from([(day.plus(1).start().plus(23 * HOUR), Energy(7))]));
        assert_eq!((section.rows.len(), section.columns.len()), (2, 25));
        assert_eq!(section.rows[1][24], Cell::Energy(Energy(7)));
        assert!(section.rows[0].iter().skip(1).all(|cell| *cell == Cell::Empty));
    }
}
