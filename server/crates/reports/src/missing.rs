//! Missing readings: how many of those due were not made, by day, gateway, floor and meter.

mod gaps;

use std::collections::{BTreeMap, HashMap};

use domain::missing_readings::{Due, Missing};
use model::gateway::SweepInterval;
use model::ids::{MeterId, UserId};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{Date, MINUTE, SECOND, Timestamp};

use crate::meters::{self, Meter};
use crate::{Extent, Subject, count};
use store::{Db, Result};

/// Meters that one report lists.
const MOST: usize = 1_000;
/// Days that fit beside each other.
const MOST_DAYS: i64 = 31;
/// Meters whose days fit into a picture.
const MOST_DRAWN: usize = 40;

/// A meter in service, and which of its readings are due.
pub struct DueMeter {
    meter: Meter,
    interval: i64,
    pub due: Due,
}

/// A meter, and what is missing of it.
struct Line {
    meter: Meter,
    interval: i64,
    due: Due,
    missing: Missing,
}

impl Line {
    fn count(&self) -> Count {
        Count { meters: 1, due: self.due.total(), missing: self.missing.total() }
    }
}

/// Readings of some meters or days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    meters: i64,
    due: i64,
    missing: i64,
}

impl Count {
    const fn add(&mut self, other: Self) {
        self.meters += other.meters;
        self.due += other.due;
        self.missing += other.missing;
    }

    fn cells(self) -> [Cell; 4] {
        let count = Cell::Count;
        [count(self.meters), count(self.due), count(self.missing), Cell::share(self.missing, self.due)]
    }

    fn columns(first: Column, meters: Heading) -> Vec<Column> {
        let count = |heading| Column::summed(heading, ColumnKind::Count);
        let meters = Column::plain(meters, ColumnKind::Count);
        vec![first, meters, count(Heading::ReadingsDue), count(Heading::ReadingsMissing), Column::share(Heading::MissingShare)]
    }
}

/// `usual` is the configuration's interval, for meters that nothing else has one for.
pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
    usual: SweepInterval,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let mut notes = vec![Note::IntervalsAsNow];
    let (from, to) = query.instants();
    let range = (from, to.min(at));
    let mut lines = lines(db, range, due_meters(db, operator, range, &subject.extent, usual).await?).await?;
    if lines.iter().any(|line| line.interval == 0) {
        notes.push(Note::ContinuousDue);
    }
    let days: Vec<Date> = (query.from.0..=query.until.min(at.date()).0).map(Date).collect();
    let mut sections = vec![
        by_day(&days, &lines),
        grouped((Heading::ByGateway, Heading::Gateway), &lines, |line| (line.meter.gateway_id, line.meter.gateway.clone())),
        grouped((Heading::ByPlace, Heading::Place), &lines, |line| (line.meter.floor_id, line.meter.floor())),
    ];
    // Where nothing was due there is no list, because an empty one says that nothing is missing.
    if lines.is_empty() {
        return Ok((sections, notes));
    }
    lines.retain(|line| line.missing.total() > 0);
    lines.sort_by_key(|line| std::cmp::Reverse(line.missing.total()));
    if lines.len() > MOST {
        notes.push(Note::RowsLeftOut { shown: count(MOST), total: count(lines.len()) });
        lines.truncate(MOST);
    }
    sections.push(by_meter(&lines));
    if query.days() <= MOST_DAYS && !lines.is_empty() {
        sections.push(days_of_meters(&days, &lines));
    }
    Ok((sections, notes))
}

/// The meters in service with what is due of them in a time. `usual` is the interval of those that nothing else has one for.
pub async fn due_meters(
    db: &Db,
    operator: UserId,
    (from, to): (Timestamp, Timestamp),
    extent: &Extent,
    usual: SweepInterval,
) -> Result<Vec<DueMeter>> {
    let defaults = store::defaults::tree(db).await?;
    let in_service = meters::of(db, operator, extent).await?.into_iter().filter(|meter| meter.retired_at.is_none());
    let due = in_service.filter_map(|meter| {
        let own = meter.sweep_interval_s.and_then(SweepInterval::new);
        let interval = own.or_else(|| defaults.values(meter.room_id).interval()).unwrap_or(usual);
        let interval = i64::from(interval.seconds()) * SECOND;
        let due = Due::new(from.max(meter.created_at), to, interval)?;
        Some(DueMeter { meter, interval, due })
    });
    Ok(due.collect())
}

async fn lines(db: &Db, range: (Timestamp, Timestamp), meters: Vec<DueMeter>) -> Result<Vec<Line>> {
    let mut by_interval: HashMap<i64, (Due, Vec<MeterId>)> = HashMap::new();
    for DueMeter { meter, interval, due } in &meters {
        by_interval.entry(*interval).or_insert_with(|| (*due, Vec::new())).1.push(meter.id);
    }
    let mut gaps = HashMap::new();
    for (due, meters) in by_interval.values() {
        gaps.extend(gaps::read(db, range, due, meters).await?);
    }
    let line = |DueMeter { meter, interval, due }: DueMeter| {
        let missing = due.missing(gaps.get(&meter.id).map_or(&[], Vec::as_slice));
        Line { meter, interval, due, missing }
    };
    Ok(meters.into_iter().map(line).collect())
}

fn by_day(days: &[Date], lines: &[Line]) -> Section {
    let row = |day: &Date| {
        let mut sum = Count::default();
        for line in lines {
            let missing = line.missing.by_day.get(day).copied().unwrap_or(0);
            sum.add(Count { meters: i64::from(missing > 0), due: line.due.of_day(*day), missing });
        }
        std::iter::once(Cell::Day(*day)).chain(sum.cells()).collect()
    };
    let rows = if lines.is_empty() { Vec::new() } else { days.iter().map(row).collect() };
    let columns = Count::columns(Column::time(Heading::Day), Heading::MetersLacking);
    Section { title: Heading::ByTime, columns, rows, chart: Some(Chart::Series(3)) }
}

/// Meters by what they belong to, which `of` gives with its name; those with the most missing first.
fn grouped<K: Ord>((title, heading): (Heading, Heading), lines: &[Line], of: impl Fn(&Line) -> (K, String)) -> Section {
    let mut groups: BTreeMap<K, (String, Count)> = BTreeMap::new();
    for line in lines {
        let (key, name) = of(line);
        groups.entry(key).or_insert((name, Count::default())).1.add(line.count());
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|(name, count), (other, of_other)| of_other.missing.cmp(&count.missing).then_with(|| name.cmp(other)));
    let rows = groups.into_iter().map(|(name, count)| std::iter::once(Cell::Text(name)).chain(count.cells()).collect());
    let columns = Count::columns(Column::text(heading), Heading::Meters);
    Section { title, columns, rows: rows.collect(), chart: Some(Chart::Bars(3)) }
}

fn by_meter(lines: &[Line]) -> Section {
    let row = |line: &Line| {
        let Count { due, missing, .. } = line.count();
        let longest = line.missing.longest;
        vec![
            line.meter.room(),
            Cell::Text(line.meter.serial.clone()),
            Cell::Text(line.meter.gateway.clone()),
            if line.interval == 0 { Cell::Empty } else { Cell::Count(line.interval / SECOND) },
            Cell::Count(due),
            Cell::Count(missing),
            Cell::share(missing, due),
            Cell::Count(line.missing.empty_days),
            longest.map_or(Cell::Empty, |(_, length)| Cell::Count(length / MINUTE)),
            longest.map_or(Cell::Empty, |(since, _)| Cell::Time(since)),
        ]
    };
    let plain = |heading| Column::plain(heading, ColumnKind::Count);
    let summed = |heading| Column::summed(heading, ColumnKind::Count);
    let columns = vec![
        Column::text(Heading::Room),
        Column::text(Heading::Serial),
        Column::text(Heading::Gateway),
        plain(Heading::IntervalSeconds),
        summed(Heading::ReadingsDue),
        summed(Heading::ReadingsMissing),
        Column::share(Heading::MissingShare),
        summed(Heading::EmptyDays),
        plain(Heading::LongestGap),
        Column::time(Heading::GapSince),
    ];
    let rows = lines.iter().map(row).collect();
    Section { title: Heading::ByMeter, columns, rows, chart: Some(Chart::Bars(5)) }
}

/// A row a meter, a column a day.
fn days_of_meters(days: &[Date], lines: &[Line]) -> Section {
    let row = |line: &Line| {
        let cell = |day: &Date| match line.missing.by_day.get(day) {
            Some(missing) => Cell::Count(*missing),
            None if line.due.of_day(*day) > 0 => Cell::Count(0),
            None => Cell::Empty,
        };
        std::iter::once(line.meter.room()).chain(days.iter().map(cell)).collect()
    };
    let day = |day: &Date| Column::summed(Heading::DayOf(*day), ColumnKind::Count);
    let columns = std::iter::once(Column::text(Heading::Room)).chain(days.iter().map(day)).collect();
    let chart = (lines.len() <= MOST_DRAWN).then_some(Chart::Heat);
    Section { title: Heading::DaysOfMeters, columns, rows: lines.iter().map(row).collect(), chart }
}
