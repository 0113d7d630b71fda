//! Energy by hour, day or month, rate and place, compared with the time before: from roll-ups, never from single readings.

mod comparison;
mod floors;
mod hours;
pub(crate) mod places;
mod sums;

use std::collections::BTreeMap;

use model::co2::Co2Factor;
use model::energy::Energy;
use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Grain, Heading, Note, ReportQuery, Section};
use model::subsidy::Month;
use model::time::{Date, HOUR, Timestamp};

use crate::hours::Hours;
use crate::place_energy;
use crate::{Extent, Subject, count};
use comparison::{Comparison, known_since};
use store::{Db, Result};
use sums::Span;
pub(crate) use sums::Sum;

/// What a report is made of: the database, and up to when places are rolled up.
struct Source<'a> {
    db: &'a Db,
    operator: UserId,
    extent: &'a Extent,
    /// Months before it are summed.
    current: Month,
    co2: Co2Factor,
}

pub(crate) use hours::section as hours_of_days;

/// Energy by the start of what a row covers: an hour, a day, or the first day of a month.
type Slots = BTreeMap<Timestamp, Sum>;

pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let rolled_at = place_energy::rolled_at(db).await?;
    let (current, co2) = (Month::of(rolled_at.unwrap_or_default()), estate::co2::factor(db).await?);
    let source = Source { db, operator, extent: &subject.extent, current, co2 };
    let comparison = Comparison::new(query, at, known_since(db, &subject.extent).await?);
    let Comparison { now, before, .. } = comparison;
    let mut notes = Vec::new();
    if is_of_places(&subject.extent) {
        notes.extend(rolled_at.map(Note::EnergyUntil));
        notes.push(Note::PlacesAsNow);
    }
    notes.push(Note::Co2(co2));
    notes.extend(comparison.notes());
    // Counting meters takes longer than a year of buildings, so it is not done in vain.
    let is_short = query.days() <= Grain::Hour.longest();
    let most_days = if is_short { hours::most_days(&source).await? } else { 0 };
    let has_hours = query.days() <= most_days && now.0 <= now.1;
    let hours = if has_hours { hours_of(&source, now).await? } else { Hours::new() };
    let slots = match query.by {
        Grain::Hour => slots_of(&hours),
        by => sums::read(&source, now, by).await?,
    };
    let earlier = match query.by {
        Grain::Hour if has_hours => slots_of(&hours_of(&source, before).await?),
        Grain::Hour => Slots::new(),
        by => sums::read(&source, before, by).await?,
    };
    if is_short && query.days() > most_days {
        notes.push(Note::HoursTooMany(most_days));
    }
    let revised: Vec<&Sum> = slots.values().filter(|sum| sum.revised_at.is_some()).collect();
    if let Some(at) = revised.iter().filter_map(|sum| sum.revised_at).max() {
        notes.push(Note::Revised { rows: count(revised.len()), at });
    }
    let mut sections = vec![by_time(query.by, co2, &comparison, (&slots, &earlier))];
    // Hours are not split by rate, days are.
    sections.extend(match query.by {
        Grain::Hour => by_rate(&sums::read(&source, now, Grain::Month).await?),
        _ => by_rate(&slots),
    });
    sections.extend(places::section(&source, &comparison).await?);
    if query.by == Grain::Month {
        sections.extend(floors::section(&source, now).await?);
    }
    if has_hours {
        sections.push(hours::section(now, &hours));
    }
    Ok((sections, notes))
}

async fn hours_of(source: &Source<'_>, span: Span) -> Result<Hours> {
    crate::hours::of(source.db, source.operator, source.extent, span).await
}

fn slots_of(hours: &Hours) -> Slots {
    hours.iter().map(|(start, energy)| (*start, Sum { energy: *energy, ..Sum::default() })).collect()
}

pub(crate) const fn is_of_places(extent: &Extent) -> bool {
    matches!(extent, Extent::All(_) | Extent::Place(_) | Extent::Group { .. })
}

/// The starts of all rows of a range, also of those without energy.
fn starts((from, until): Span, by: Grain) -> Vec<Timestamp> {
    let days = || (from.0..=until.0).map(|day| Date(day).start());
    match by {
        Grain::Hour => days().flat_map(|start| (0..24).map(move |hour| start.plus(hour * HOUR))).collect(),
        Grain::Day => days().collect(),
        Grain::Month | Grain::Year => {
            let months = Month::of(from.start()).0..=Month::of(until.start()).0;
            months.filter_map(|month| Some(Month(month).first()?.start())).collect()
        }
    }
}

/// Each hour, day or month beside the one of the same number in the time before, of which the last row has what is beside none.
fn by_time(by: Grain, co2: Co2Factor, comparison: &Comparison, (slots, earlier): (&Slots, &Slots)) -> Section {
    let is_revised = slots.values().any(|sum| sum.revised_at.is_some());
    let mut columns = vec![
        Column::time(Heading::of_grain(by)),
        Column::summed(Heading::Energy, ColumnKind::Energy),
        Column::summed(Heading::EnergyBefore, ColumnKind::Energy),
        Column::share(Heading::Change),
        Column::summed(Heading::Co2, ColumnKind::Mass),
    ];
    columns.extend(is_revised.then_some(Column::time(Heading::Corrected)));
    let mut others = starts(comparison.before, by).into_iter();
    let rows = starts(comparison.now, by).into_iter().map(|start| {
        let name = if by == Grain::Hour { Cell::Time(start) } else { by.cell(start.date()) };
        let (sum, beside) = (slots.get(&start), others.next());
        let is_fair = beside.is_some_and(|beside| comparison.is_fair_row(by, start, beside));
        let other = beside.and_then(|beside| earlier.get(&beside));
        let mut row = vec![name];
        row.extend(compared(sum.map(|sum| sum.energy), other.map(|sum| sum.energy), is_fair));
        row.push(mass(co2, sum.map(|sum| sum.energy)));
        if is_revised {
            row.push(sum.and_then(|sum| sum.revised_at).map_or(Cell::Empty, Cell::Time));
        }
        row
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    // The month before may be longer, and its total is that of all of it.
    let rest = others.filter_map(|start| earlier.get(&start)).map(|sum| sum.energy).reduce(|all, one| all + one);
    if let Some(rest) = rest {
        let mut row = vec![Cell::Word(Heading::RestOfBefore), Cell::Empty, Cell::Energy(rest)];
        row.resize(columns.len(), Cell::Empty);
        rows.push(row);
    }
    if slots.is_empty() && earlier.is_empty() {
        rows.clear();
    }
    Section { title: Heading::ByTime, columns, rows, chart: Some(Chart::Series(1)) }
}

/// Energy, that of the time before, and the change where it is fair; empty where nothing was read.
fn compared(now: Option<Energy>, before: Option<Energy>, is_fair: bool) -> [Cell; 3] {
    let cell = |energy: Option<Energy>| energy.map_or(Cell::Empty, Cell::Energy);
    let change = now.zip(before).filter(|_| is_fair).map_or(Cell::Empty, |(now, before)| Cell::change(now.0, before.0));
    [cell(now), cell(before), change]
}

/// The carbon dioxide of an energy; empty where nothing was read.
fn mass(co2: Co2Factor, energy: Option<Energy>) -> Cell {
    energy.map_or(Cell::Empty, |energy| Cell::Mass(co2.of(energy)))
}

/// Energy by rate, where meters split it.
fn by_rate(slots: &Slots) -> Option<Section> {
    let whole = slots.values().fold(Sum::default(), |whole, sum| whole + *sum);
    let rates = whole.parts.rates;
    let split: i64 = rates.iter().map(|rate| rate.0).sum();
    if split == 0 {
        return None;
    }
    let rest = whole.energy.0 - split;
    let named = (1_u8..).zip(rates).map(|(rate, energy)| (Heading::RateOf(rate), energy.0));
    let named = named.chain((rest != 0).then_some((Heading::WithoutRate, rest)));
    let rows = named.map(|(heading, wh)| vec![Cell::Word(heading), Cell::Energy(Energy(wh)), Cell::share(wh, whole.energy.0)]);
    let columns =
        vec![Column::text(Heading::Rate), Column::summed(Heading::Energy, ColumnKind::Energy), Column::share(Heading::Share)];
    Some(Section { title: Heading::ByRate, columns, rows: rows.collect(), chart: Some(Chart::Bars(1)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::co2::Mass;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn rows_cover_the_whole_range() {
        assert_eq!(starts((day("2026-11-01"), day("2026-11-02")), Grain::Hour).len(), 48);
        let months = starts((day("2025-12-15"), day("2026-02-01")), Grain::Month);
        let names: Vec<String> = months.iter().map(|start| start.date().to_string()).collect();
        assert_eq!(names, ["2025-12-01", "2026-01-01", "2026-02-01"]);
    }

    fn comparison(from: &str, until: &str) -> Comparison {
        let (from, until) = (day(from), day(until));
        let query = ReportQuery { from, until, by: Grain::Day, place: String::new(), room: String::new(), age: 0 };
        Comparison::new(&query, until.plus(1).start(), Some(Date(0)))
    }

    #[test]
    fn a_day_stands_beside_the_one_of_the_same_number_before() {
        let sum = |wh| Sum { energy: Energy(wh), ..Sum::default() };
        let slots = Slots::from([(day("2026-11-03").start(), sum(150)), (day("2026-11-04").start(), sum(10))]);
        let earlier = Slots::from([(day("2026-11-01").start(), sum(100))]);
        let comparison = comparison("2026-11-03", "2026-11-04");
        let section = by_time(Grain::Day, Co2Factor::NATIONAL_2023, &comparison, (&slots, &earlier));
        let [first, second] = &section.rows[..] else { panic!("{section:?}") };
        assert_eq!(first[1..4], [Cell::Energy(Energy(150)), Cell::Energy(Energy(100)), Cell::Permille(500)]);
        assert_eq!(second[1..4], [Cell::Energy(Energy(10)), Cell::Empty, Cell::Empty]);
        assert_eq!((&first[4], &second[4]), (&Cell::Mass(Mass(80)), &Cell::Mass(Mass(5))));
    }

    #[test]
    fn a_longer_month_before_counts_as_a_whole() {
        let sum = |wh| Sum { energy: Energy(wh), ..Sum::default() };
        let earlier = Slots::from([(day("2026-10-30").start(), sum(30)), (day("2026-10-31").start(), sum(31))]);
        let comparison = comparison("2026-11-01", "2026-11-30");
        let section = by_time(Grain::Day, Co2Factor::NATIONAL_2023, &comparison, (&Slots::new(), &earlier));
        assert_eq!(section.rows.len(), 31);
        assert_eq!(section.rows[30][..3], [Cell::Word(Heading::RestOfBefore), Cell::Empty, Cell::Energy(Energy(31))]);
        assert!(section.rows.iter().all(|row| row.len() == section.columns.len()));
        assert_eq!(section.totals().unwrap()[2], Cell::Energy(Energy(61)));
    }

    #[test]
    fn what_no_rate_has_is_a_row_of_its_own() {
        let parts = domain::rollup::Parts { reverse: Energy(0), rates: [0, 40, 50, 0].map(Energy) };
        let slots = Slots::from([(Timestamp(0), Sum { energy: Energy(100), parts, revised_at: None })]);
        let section = by_rate(&slots).unwrap();
        assert_eq!(section.rows[4][..2], [Cell::Word(Heading::WithoutRate), Cell::Energy(Energy(10))]);
        assert_eq!(section.totals().unwrap()[1], Cell::Energy(Energy(100)));
        assert_eq!(by_rate(&Slots::new()), None);
    }
}
