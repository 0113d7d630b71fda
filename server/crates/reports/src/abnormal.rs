//! Abnormal use: rooms whose use of a day is far from their own weeks before, or from the rooms around them. The rules are in
//! `domain::abnormal_use`.

mod read;

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::abnormal_use::{Abnormal, DayUse, Pattern, RoomDay, WEEKS};
use model::abnormal_use::AbnormalKind;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::Wallet;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::{Date, Timestamp};

use crate::coverage::{self, KnownTime};
use crate::meters::{self, Meter};
use crate::{Extent, Subject};
use read::{Uses, accounts, read_days, uses};
use store::{Db, Result};

/// Rows that one report lists.
const MOST: usize = 1_000;

/// A room, and its meters.
struct Room {
    cell: Cell,
    floor: Option<PlaceId>,
    building: Option<PlaceId>,
    meters: Vec<MeterId>,
    /// The time in which all of its meters are known.
    known: Option<(Timestamp, Timestamp)>,
}

impl Room {
    fn knows(&self, day: Date) -> bool {
        self.known.is_some_and(|(first, last)| first <= day.start() && last >= day.plus(1).start())
    }
}

/// Something unusual of a room and day.
struct Finding {
    room: PlaceId,
    day: Date,
    abnormal: Abnormal,
}

pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let span = (query.from, query.until.min(at.date().plus(-1)));
    let site = Site::read(db, operator, &subject.extent, span).await?;
    let (mut findings, unknown) = site.findings(span);
    let candidates = findings.len();
    site.keep_measured(db, span, &mut findings).await?;
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.abnormal.severity), finding.day));
    let mut notes = vec![Note::AbnormalRules];
    let left_out = unknown + count(candidates - findings.len());
    if left_out > 0 {
        notes.push(Note::DaysUnknown(left_out));
    }
    let by_kind = by_kind(&findings);
    if findings.len() > MOST {
        notes.push(Note::RowsLeftOut { shown: count(MOST), total: count(findings.len()) });
        findings.truncate(MOST);
    }
    Ok((by_kind.into_iter().chain([site.section(&findings)]).collect(), notes))
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What the rules need to know.
struct Site {
    rooms: BTreeMap<PlaceId, Room>,
    /// Those that the report is about; the others are only compared with.
    asked: HashSet<PlaceId>,
    uses: Uses,
    accounts: HashMap<PlaceId, Vec<(Timestamp, Option<Timestamp>)>>,
}

impl Site {
    async fn read(db: &Db, operator: UserId, extent: &Extent, (from, until): (Date, Date)) -> Result<Self> {
        let asked = meters::of(db, operator, extent).await?;
        let extent = &with_building(extent, &asked);
        let asked = asked.iter().map(|meter| meter.room_id).collect();
        let times = coverage::known_times(db, operator, extent).await?;
        let times: HashMap<MeterId, KnownTime> = times.into_iter().map(|time| (time.id, time)).collect();
        let mut rooms: BTreeMap<PlaceId, Room> = BTreeMap::new();
        for meter in meters::of(db, operator, extent).await? {
            if meter.wallet != Wallet::None && meter.retired_at.is_none() {
                let known = times.get(&meter.id).and_then(KnownTime::known);
                add(&mut rooms, &meter, known);
            }
        }
        let uses = uses(db, operator, extent, (from.plus(-7 * WEEKS), until)).await?;
        Ok(Self { rooms, asked, uses, accounts: accounts(db, operator, extent).await? })
    }

    /// What was used on a day that is known: nothing is stored of a day without energy.
    fn used(&self, id: PlaceId, room: &Room, day: Date) -> Option<DayUse> {
        room.knows(day).then(|| self.uses.get(&id).and_then(|days| days.get(&day)).copied().unwrap_or_default())
    }

    /// Everything unusual, and how many days of rooms are not known.
    fn findings(&self, (from, until): (Date, Date)) -> (Vec<Finding>, i64) {
        let (mut findings, mut unknown) = (Vec::new(), 0);
        for day in (from.0..=until.0).map(Date) {
            let around = Around::of(self, day);
            for (id, room) in self.rooms.iter().filter(|(id, _)| self.asked.contains(id)) {
                let Some(used) = self.used(*id, room, day) else {
                    unknown += 1;
                    continue;
                };
                let before: Vec<DayUse> = (1..=WEEKS).filter_map(|week| self.used(*id, room, day.plus(-7 * week))).collect();
                let is_occupied = self.accounts.get(id).is_some_and(|spans| spans.iter().any(|span| is_within(day, *span)));
                let day_of_room = RoomDay { used, before: &before, around: around.find(room), is_occupied };
                findings.extend(day_of_room.abnormal().into_iter().map(|abnormal| Finding { room: *id, day, abnormal }));
            }
        }
        (findings, unknown)
    }

    /// Drops what readings of another day only make look so: energy between two readings is spread evenly over the time between.
    async fn keep_measured(&self, db: &Db, span: (Date, Date), findings: &mut Vec<Finding>) -> Result<()> {
        let rooms: HashSet<PlaceId> = findings.iter().map(|finding| finding.room).collect();
        let mut measured = HashMap::new();
        for id in rooms {
            for meter in self.rooms.get(&id).into_iter().flat_map(|room| &room.meters) {
                measured.insert(*meter, read_days(db, *meter, span).await?);
            }
        }
        findings.retain(|finding| {
            let mut meters = self.rooms.get(&finding.room).into_iter().flat_map(|room| &room.meters);
            meters.all(|meter| {
                let day = measured.get(meter).and_then(|days| days.get(&finding.day));
                let is_night = finding.abnormal.kind == AbnormalKind::Night;
                day.is_some_and(|day| day.is_measured() && (!is_night || day.has_night()))
            })
        });
        Ok(())
    }

    /// The list, the most severe first.
    fn section(&self, findings: &[Finding]) -> Section {
        let row = |finding: &Finding| {
            let Abnormal { kind, value, expected, severity } = finding.abnormal;
            vec![
                self.rooms.get(&finding.room).map_or(Cell::Empty, |room| room.cell.clone()),
                Cell::Day(finding.day),
                Cell::Word(Heading::Abnormal(kind)),
                Cell::Energy(value),
                Cell::Energy(expected),
                Cell::share(value.0, expected.0),
                Cell::Count(severity / 10),
            ]
        };
        let columns = vec![
            Column::text(Heading::Room),
            Column::time(Heading::Day),
            Column::text(Heading::Kind),
            Column::plain(Heading::Energy, ColumnKind::Energy),
            Column::plain(Heading::Expected, ColumnKind::Energy),
            Column::share(Heading::OfExpected),
            Column::plain(Heading::Severity, ColumnKind::Count),
        ];
        Section { title: Heading::AbnormalUse, columns, rows: findings.iter().map(row).collect(), chart: Some(Chart::Bars(6)) }
    }
}

/// A floor with its building, whose rooms are compared with where the floor has too few.
fn with_building(extent: &Extent, meters: &[Meter]) -> Extent {
    let building = meters.first().and_then(|meter| meter.building_id);
    match (extent, building) {
        (Extent::Place(place), Some(building)) if meters.iter().all(|meter| meter.floor_id == Some(*place)) => {
            Extent::Place(building)
        }
        _ => extent.clone(),
    }
}

fn add(rooms: &mut BTreeMap<PlaceId, Room>, meter: &Meter, known: Option<(Timestamp, Timestamp)>) {
    match rooms.get_mut(&meter.room_id) {
        Some(room) => {
            room.meters.push(meter.id);
            room.known = room.known.zip(known).map(|(one, other)| (one.0.max(other.0), one.1.min(other.1)));
        }
        None => {
            let (floor, building) = (meter.floor_id, meter.building_id);
            let room = Room { cell: meter.room(), floor, building, meters: vec![meter.id], known };
            rooms.insert(meter.room_id, room);
        }
    }
}

/// Whether a time covers the whole day.
fn is_within(day: Date, (from, to): (Timestamp, Option<Timestamp>)) -> bool {
    from <= day.start() && to.is_none_or(|to| to >= day.plus(1).start())
}

/// The patterns of floors and buildings on a day.
struct Around {
    patterns: HashMap<PlaceId, Pattern>,
}

impl Around {
    fn of(site: &Site, day: Date) -> Self {
        let mut values: HashMap<PlaceId, Vec<model::energy::Energy>> = HashMap::new();
        for (id, room) in &site.rooms {
            let Some(used) = site.used(*id, room, day) else { continue };
            let places: HashSet<PlaceId> = room.floor.into_iter().chain(room.building).collect();
            places.into_iter().for_each(|place| values.entry(place).or_default().push(used.whole));
        }
        let pattern = |(place, values)| Some((place, Pattern::of_rooms(values)?));
        Self { patterns: values.into_iter().filter_map(pattern).collect() }
    }

    /// That of the room's floor, else of its building.
    fn find(&self, room: &Room) -> Option<Pattern> {
        let of = |place: Option<PlaceId>| place.and_then(|place| self.patterns.get(&place)).copied();
        of(room.floor).or_else(|| of(room.building))
    }
}

/// How often each kind was found, and in how many rooms; `None` where nothing was.
fn by_kind(findings: &[Finding]) -> Option<Section> {
    let row = |kind: AbnormalKind| {
        let of_kind = findings.iter().filter(|finding| finding.abnormal.kind == kind);
        let rooms: HashSet<PlaceId> = of_kind.clone().map(|finding| finding.room).collect();
        vec![Cell::Word(Heading::Abnormal(kind)), Cell::Count(count(of_kind.count())), Cell::Count(count(rooms.len()))]
    };
    let columns = vec![
        Column::text(Heading::Kind),
        Column::summed(Heading::Times, ColumnKind::Count),
        Column::plain(Heading::Rooms, ColumnKind::Count),
    ];
    let rows = AbnormalKind::ALL.into_iter().map(row).collect();
    (!findings.is_empty()).then_some(Section { title: Heading::ByKind, columns, rows, chart: Some(Chart::Bars(1)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::energy::Energy;
    use model::ids::Uuid;
    use model::time::HOUR;

    const DAY: Date = Date(20_423);

    /// Rooms of one floor that use 4 kWh each day, as far as `uses` does not say otherwise.
    fn site(rooms: u128, uses: &[(u128, Date, i64)]) -> Site {
        let id = |n: u128| PlaceId(Uuid::from_u128(n));
        let known = Some((DAY.plus(-70).start(), DAY.plus(1).start()));
        let room = |n: u128| Room {
            cell: Cell::Text(n.to_string()),
            floor: Some(id(1_000)),
            building: None,
            meters: vec![MeterId(Uuid::from_u128(n))],
            known,
        };
        let usual = DayUse { whole: Energy(4_000), night: Energy(300) };
        let days = || (DAY.0 - 70..=DAY.0).map(|day| (Date(day), usual)).collect::<BTreeMap<_, _>>();
        let mut all: Uses = (0..rooms).map(|n| (id(n), days())).collect();
        for (n, day, wh) in uses {
            all.get_mut(&id(*n)).unwrap().insert(*day, DayUse { whole: Energy(*wh), night: Energy(0) });
        }
        let accounts = (0..rooms).map(|n| (id(n), vec![(DAY.plus(-5).start().plus(HOUR), None)])).collect();
        let asked = (0..rooms).map(id).collect();
        Site { rooms: (0..rooms).map(|n| (id(n), room(n))).collect(), asked, uses: all, accounts }
    }

    fn kinds(site: &Site, from: Date) -> Vec<(u128, AbnormalKind)> {
        let (findings, _) = site.findings((from, DAY));
        findings.iter().map(|finding| (finding.room.0.as_u128(), finding.abnormal.kind)).collect()
    }

    #[test]
    fn each_room_is_compared_with_its_weeks_and_its_floor() {
        let odd = [(1, DAY, 20_000), (2, DAY, 0), (3, DAY.plus(-7), 0), (4, DAY.plus(-3), 8_500)];
        let found = kinds(&site(6, &odd), DAY.plus(-3));
        assert_eq!(
            found,
            [(4, AbnormalKind::Jump), (1, AbnormalKind::Jump), (1, AbnormalKind::AboveFloor), (2, AbnormalKind::Zero)],
            "a week before the range is not in it"
        );
        assert_eq!(kinds(&site(6, &[(2, DAY.plus(-5), 0)]), DAY.plus(-5)), [], "the account was opened on that day");
    }

    #[test]
    fn days_that_are_not_known_are_left_out() {
        let mut site = site(6, &[(1, DAY, 20_000)]);
        for room in site.rooms.values_mut() {
            room.known = Some((DAY.plus(-70).start(), DAY.plus(1).start().plus(-1)));
        }
        let (findings, unknown) = site.findings((DAY, DAY));
        assert!(findings.is_empty());
        assert_eq!(unknown, 6);
    }
}
