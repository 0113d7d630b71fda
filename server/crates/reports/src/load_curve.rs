//! Load curve and peak demand: the average power of hours, of weekdays against weekends, and when it is highest.

mod parts;

use std::collections::BTreeMap;

use domain::load_curve::{Demand, HourLoad, demand, typical_day};
use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Grain, Heading, Note, ReportQuery, Section};
use model::subsidy::Month;
use model::time::{Date, HOUR, Timestamp};

use crate::coverage::{self, Coverage, Covered};
use crate::hours::{self, Hours};
use crate::{Subject, count, energy};
use store::{Db, Result};

/// Hours and days fit into a picture up to here.
const MOST_DAYS: i64 = 31;

pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let span = (query.from, query.until.min(at.date()));
    let (from, to) = (span.0.start(), span.1.plus(1).start().min(at));
    let coverage = Coverage::new(&coverage::metered_times(db, operator, &subject.extent).await?, from, to);
    let loads = loads(&hours::of(db, operator, &subject.extent, span).await?, &coverage, from, to);
    let whole = demand(&loads, |_| ()).remove(&());
    let mut notes = vec![Note::PowerByHour, Note::WeekendsByCalendar, Note::TransformerAsGroup];
    if energy::is_of_places(&subject.extent) {
        notes.push(Note::PlacesAsNow);
    }
    let is_partial = |load: &&HourLoad| {
        let covered = coverage.of(load.at);
        covered.measured < covered.all
    };
    match loads.iter().filter(is_partial).count() {
        0 => {}
        partial => notes.insert(0, Note::HoursPartlyKnown(count(partial))),
    }
    let mut sections = vec![usual_day(&loads), by_time(query.by, span, &loads, &coverage)];
    let Some(whole) = whole else { return Ok((sections, notes)) };
    if let Some(parts) = parts::read(db, operator, &subject.extent, span, &loads).await? {
        let section = parts::section(&parts, &whole);
        notes.insert(0, Note::PeakOfAll { power: whole.peak.0, at: whole.peak.1, of_parts: parts::sum_of_peaks(&parts) });
        sections.push(section);
    }
    if query.days() <= MOST_DAYS {
        let hours = loads.iter().map(|load| (load.at, load.energy)).collect();
        sections.push(energy::hours_of_days(span, &hours));
    }
    Ok((sections, notes))
}

/// The hours that are over and were measured by at least one meter, which all sections are about. An hour that was measured
/// and has no row used nothing.
fn loads(hours: &Hours, coverage: &Coverage, from: Timestamp, to: Timestamp) -> Vec<HourLoad> {
    let starts = (from.hour()..to.hour()).map(|hour| Timestamp(hour * HOUR));
    let measured = starts.filter(|start| coverage.of(*start).measured > 0);
    measured.map(|at| HourLoad { at, energy: hours.get(&at).copied().unwrap_or_default() }).collect()
}

fn power(watts: Option<i64>) -> Cell {
    watts.map_or(Cell::Empty, Cell::Power)
}

/// A row a time of the day.
fn usual_day(loads: &[HourLoad]) -> Section {
    let row = |(hour, typical): (u8, domain::load_curve::TypicalHour)| {
        vec![
            Cell::Word(Heading::HourOfDay(hour)),
            power(typical.weekdays),
            power(typical.weekends),
            power(typical.all),
            power(typical.highest.map(|(watts, _)| watts)),
            typical.highest.map_or(Cell::Empty, |(_, at)| Cell::Time(at)),
        ]
    };
    let plain = |heading| Column::plain(heading, ColumnKind::Power);
    let columns = vec![
        Column::text(Heading::Hour),
        plain(Heading::Weekdays),
        plain(Heading::Weekends),
        plain(Heading::AllDays),
        plain(Heading::Highest),
        Column::time(Heading::HighestAt),
    ];
    let rows = if loads.is_empty() { Vec::new() } else { (0..).zip(typical_day(loads)).map(row).collect() };
    Section { title: Heading::UsualDay, columns, rows, chart: Some(Chart::Lines { first: 1, count: 2 }) }
}

/// A row a day or month, also where nothing is known of it.
fn by_time(by: Grain, (from, until): (Date, Date), loads: &[HourLoad], coverage: &Coverage) -> Section {
    let first_of = |day: Date| if by == Grain::Month { Month::of(day.start()).first().unwrap_or(day) } else { day };
    let demands = demand(loads, first_of);
    let mut covered: BTreeMap<Date, Covered> = BTreeMap::new();
    for start in (from.start().hour()..until.plus(1).start().hour()).map(|hour| Timestamp(hour * HOUR)) {
        let (sum, of_hour) = (covered.entry(first_of(start.date())).or_default(), coverage.of(start));
        sum.measured += of_hour.measured;
        sum.all += of_hour.all;
    }
    let row = |(first, covered): (&Date, &Covered)| {
        let found: Option<&Demand> = demands.get(first);
        let of = |value: &dyn Fn(&Demand) -> Cell| found.map_or(Cell::Empty, value);
        vec![
            by.cell(*first),
            of(&|demand| Cell::Power(demand.peak.0)),
            of(&|demand| Cell::Time(demand.peak.1)),
            of(&|demand| Cell::Power(demand.average())),
            of(&|demand| Cell::share(demand.average(), demand.peak.0)),
            of(&|demand| Cell::Energy(demand.energy)),
            Cell::share(covered.measured, covered.all),
        ]
    };
    let rows = if loads.is_empty() { Vec::new() } else { covered.iter().map(row).collect() };
    let columns = vec![
        Column::time(Heading::of_grain(by)),
        Column::plain(Heading::Peak, ColumnKind::Power),
        Column::time(Heading::HighestAt),
        Column::plain(Heading::AveragePower, ColumnKind::Power),
        Column::share(Heading::LoadFactor),
        Column::summed(Heading::Energy, ColumnKind::Energy),
        Column::share(Heading::KnownShare),
    ];
    Section { title: Heading::PeakDemand, columns, rows, chart: Some(Chart::Series(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::fixtures::metered;
    use model::energy::Energy;

    #[test]
    fn the_running_hour_and_unmeasured_ones_are_no_loads() {
        let day = Date(20_423);
        let at = |hour: i64| day.start().plus(hour * HOUR);
        let now = at(3).plus(HOUR / 2);
        let times = [metered(1, (at(0), None), Some((at(1), now)))];
        let hours = Hours::from([(at(0), Energy(7)), (at(1), Energy(500)), (at(3), Energy(40))]);
        let loads = loads(&hours, &Coverage::new(&times, at(0), now), at(0), now);
        let expected = [(at(1), 500), (at(2), 0)].map(|(at, wh)| HourLoad { at, energy: Energy(wh) });
        assert_eq!(loads, expected);
    }

    #[test]
    fn hours_that_nobody_read_are_unknown_and_not_zero() {
        let day = Date(20_423);
        let coverage = Coverage::new(&[], day.start(), day.plus(1).start());
        let hours = Hours::from([(day.start(), Energy(500))]);
        assert_eq!(loads(&hours, &coverage, day.start(), day.plus(1).start()), []);
        let section = by_time(Grain::Day, (day, day.plus(1)), &[HourLoad { at: day.start(), energy: Energy(500) }], &coverage);
        assert_eq!(section.rows.len(), 2);
        assert_eq!(section.rows[0][1..5], [Cell::Power(500), Cell::Time(day.start()), Cell::Power(500), Cell::Permille(1_000)]);
        assert!(section.rows[1].iter().skip(1).all(|cell| *cell == Cell::Empty));
    }
}
