//! The rooms that are judged, and those that they are compared with.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::abnormal_use::{Abnormal, DayUse, RoomDay, WEEKS};
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::Wallet;
use model::report::Cell;
use model::time::{Date, Timestamp};

use super::patterns::FloorPatterns;
use super::read::{Consumption, accounts, consumption};
use crate::coverage::{self, MeteredTime};
use crate::{Extent, meters};
use store::{Db, Result, read};

/// A room, and its meters, also those that were replaced.
pub struct Room {
    pub floor: Option<PlaceId>,
    pub building: Option<PlaceId>,
    cell: Cell,
    meters: Vec<MeteredTime>,
}

impl Room {
    /// Its meter, while one is in service.
    pub fn meter(&self) -> Option<MeterId> {
        let is_in_service = self.meters.iter().any(|meter| meter.ends_at.is_none());
        match &self.cell {
            Cell::Room { meter, .. } if is_in_service => Some(*meter),
            _ => None,
        }
    }

    /// Whether all energy of a day is measured; `None` where no meter was in service.
    fn is_measured(&self, day: Date) -> Option<bool> {
        let covers = |meter: &MeteredTime| meter.covers(day.start(), day.plus(1).start());
        self.meters.iter().filter_map(covers).reduce(|one, other| one && other)
    }
}

/// Something unusual of a room and day.
pub struct Finding {
    pub room: PlaceId,
    pub day: Date,
    pub abnormal: Abnormal,
}

/// Days of rooms with a meter in service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomDays {
    pub judged: i64,
    /// What was used on them is not known.
    pub left_out: i64,
}

/// What the rules need to know.
pub struct ComparedRooms {
    rooms: BTreeMap<PlaceId, Room>,
    /// Those that the report is about; the others are only compared with.
    judged: HashSet<PlaceId>,
    consumption: Consumption,
    accounts: HashMap<PlaceId, Vec<(Timestamp, Option<Timestamp>)>>,
}

/// What is read for a report: a floor with its building, whose rooms are compared with where the floor has too few.
pub async fn compared_extent(db: &Db, extent: &Extent) -> Result<Extent> {
    let Extent::Place(place) = extent else { return Ok(extent.clone()) };
    let building: Option<(Option<PlaceId>,)> =
        read!(db, |pool| sqlx::query_as("SELECT parent_id FROM places WHERE id = $1 AND kind = 'unit'")
            .bind(place)
            .fetch_optional(pool)
            .await)?;
    Ok(Extent::Place(building.and_then(|(building,)| building).unwrap_or(*place)))
}

impl ComparedRooms {
    /// The rooms of the extent that the operator may see; all for `None`.
    pub async fn read(db: &Db, operator: Option<UserId>, extent: &Extent, (from, until): (Date, Date)) -> Result<Self> {
        let judged = meters::of(db, operator, extent).await?.iter().map(|meter| meter.room_id).collect();
        let extent = &compared_extent(db, extent).await?;
        let times = coverage::metered_times(db, operator, extent).await?;
        let mut times: HashMap<MeterId, MeteredTime> = times.into_iter().map(|time| (time.id, time)).collect();
        let mut rooms: BTreeMap<PlaceId, Room> = BTreeMap::new();
        for meter in meters::of(db, operator, extent).await?.iter().filter(|meter| meter.wallet != Wallet::None) {
            let (floor, building) = (meter.floor_id, meter.building_id);
            let new = || Room { floor, building, cell: meter.room(), meters: Vec::new() };
            let room = rooms.entry(meter.room_id).or_insert_with(new);
            // The page of a room is that of its meter in service.
            if meter.retired_at.is_none() {
                room.cell = meter.room();
            }
            room.meters.extend(times.remove(&meter.id));
        }
        let consumption = consumption(db, operator, extent, (from.plus(-7 * WEEKS), until)).await?;
        Ok(Self { rooms, judged, consumption, accounts: accounts(db, operator, extent).await? })
    }

    pub fn all(&self) -> impl Iterator<Item = (PlaceId, &Room)> {
        self.rooms.iter().map(|(id, room)| (*id, room))
    }

    pub fn name(&self, finding: &Finding) -> Cell {
        self.rooms.get(&finding.room).map_or(Cell::Empty, |room| room.cell.clone())
    }

    /// The meters that were in service in the room on the day of a finding.
    pub fn meters(&self, finding: &Finding) -> impl Iterator<Item = MeterId> {
        let (start, end) = (finding.day.start(), finding.day.plus(1).start());
        let meters = self.rooms.get(&finding.room).into_iter().flat_map(|room| &room.meters);
        meters.filter(move |meter| meter.covers(start, end).is_some()).map(|meter| meter.id)
    }

    /// Whether a room had an account all day.
    pub fn is_occupied(&self, room: PlaceId, day: Date) -> bool {
        let is_all_day =
            |(from, to): &(Timestamp, Option<Timestamp>)| *from <= day.start() && to.is_none_or(|to| to >= day.plus(1).start());
        self.accounts.get(&room).is_some_and(|spans| spans.iter().any(is_all_day))
    }

    /// What was used on a day that is measured: nothing is stored of a day without energy.
    pub fn used(&self, id: PlaceId, room: &Room, day: Date) -> Option<DayUse> {
        let used = || self.consumption.get(&id).and_then(|days| days.get(&day)).copied().unwrap_or_default();
        (room.is_measured(day) == Some(true)).then(used)
    }

    /// Everything unusual in some days, and how many days of rooms that is about.
    pub fn findings(&self, (from, until): (Date, Date)) -> (Vec<Finding>, RoomDays) {
        let (mut findings, mut room_days) = (Vec::new(), RoomDays::default());
        for day in (from.0..=until.0).map(Date) {
            let patterns = FloorPatterns::of(self, day);
            for (id, room) in self.all().filter(|(id, _)| self.judged.contains(id)) {
                let Some(used) = self.used(id, room, day) else {
                    room_days.left_out += i64::from(room.is_measured(day).is_some());
                    continue;
                };
                room_days.judged += 1;
                let before: Vec<DayUse> = (1..=WEEKS).filter_map(|week| self.used(id, room, day.plus(-7 * week))).collect();
                let is_occupied = self.is_occupied(id, day);
                let day_of_room = RoomDay { used, before: &before, around: patterns.find(room), is_occupied };
                findings.extend(day_of_room.abnormal().into_iter().map(|abnormal| Finding { room: id, day, abnormal }));
            }
        }
        (findings, room_days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::fixtures::{metered, with_gap};
    use model::abnormal_use::AbnormalKind;
    use model::energy::Energy;
    use model::ids::Uuid;
    use model::time::HOUR;

    const DAY: Date = Date(20_423);

    fn id(n: u128) -> PlaceId {
        PlaceId(Uuid::from_u128(n))
    }

    /// A meter that was set up and read long ago, and read up to an instant.
    fn meter(n: u128, last: Timestamp) -> MeteredTime {
        let long_ago = DAY.plus(-70).start();
        metered(n, (long_ago, None), Some((long_ago, last)))
    }

    /// Rooms of one floor that use 4 kWh each day, as far as `uses` does not say otherwise.
    fn floor(rooms: u128, uses: &[(u128, Date, i64)]) -> ComparedRooms {
        let room = |n: u128| Room {
            floor: Some(id(1_000)),
            building: None,
            cell: Cell::Text(n.to_string()),
            meters: vec![meter(n, DAY.plus(1).start())],
        };
        let usual = DayUse { whole: Energy(4_000), night: Energy(300) };
        let days = || (DAY.0 - 70..=DAY.0).map(|day| (Date(day), usual)).collect::<BTreeMap<_, _>>();
        let mut consumption: Consumption = (0..rooms).map(|n| (id(n), days())).collect();
        for (n, day, wh) in uses {
            consumption.get_mut(&id(*n)).unwrap().insert(*day, DayUse { whole: Energy(*wh), night: Energy(0) });
        }
        let accounts = (0..rooms).map(|n| (id(n), vec![(DAY.plus(-5).start().plus(HOUR), None)])).collect();
        let judged = (0..rooms).map(id).collect();
        ComparedRooms { rooms: (0..rooms).map(|n| (id(n), room(n))).collect(), judged, consumption, accounts }
    }

    fn kinds(rooms: &ComparedRooms, from: Date) -> Vec<(u128, AbnormalKind)> {
        let (findings, _) = rooms.findings((from, DAY));
        findings.iter().map(|finding| (finding.room.0.as_u128(), finding.abnormal.kind)).collect()
    }

    #[test]
    fn each_room_is_compared_with_its_weeks_and_its_floor() {
        let odd = [(1, DAY, 20_000), (2, DAY, 0), (3, DAY.plus(-7), 0), (4, DAY.plus(-3), 8_500)];
        let found = kinds(&floor(6, &odd), DAY.plus(-3));
        assert_eq!(
            found,
            [(4, AbnormalKind::Jump), (1, AbnormalKind::Jump), (1, AbnormalKind::AboveFloor), (2, AbnormalKind::Zero)],
            "a week before the range is not in it"
        );
        assert_eq!(kinds(&floor(6, &[(2, DAY.plus(-5), 0)]), DAY.plus(-5)), [], "the account was opened on that day");
    }

    #[test]
    fn vacant_rooms_are_no_pattern_of_the_floor() {
        // Most rooms are empty and use nothing; the five with residents are usual.
        let empty: Vec<(u128, Date, i64)> = (5..20).map(|n| (n, DAY, 0)).collect();
        let mut rooms = floor(20, &empty);
        rooms.accounts.retain(|room, _| room.0.as_u128() < 5);
        assert_eq!(kinds(&rooms, DAY), []);
        rooms.consumption.get_mut(&id(3)).unwrap().insert(DAY, DayUse::default());
        assert_eq!(kinds(&rooms, DAY), [(3, AbnormalKind::Zero)], "it is no holiday");
    }

    #[test]
    fn days_that_are_not_measured_are_left_out() {
        let mut rooms = floor(6, &[(1, DAY, 20_000)]);
        for (n, room) in (0..).zip(rooms.rooms.values_mut()) {
            room.meters = vec![meter(n, DAY.plus(1).start().plus(-1))];
        }
        let (findings, room_days) = rooms.findings((DAY, DAY));
        assert!(findings.is_empty());
        assert_eq!(room_days, RoomDays { judged: 0, left_out: 6 });
    }

    #[test]
    fn energy_that_was_not_counted_is_not_zero() {
        let mut rooms = floor(6, &[(2, DAY, 0)]);
        assert_eq!(kinds(&rooms, DAY), [(2, AbnormalKind::Zero)]);
        let gap = (DAY.start().plus(-HOUR), DAY.start().plus(9 * HOUR));
        rooms.rooms.get_mut(&id(2)).unwrap().meters = vec![with_gap(meter(2, DAY.plus(1).start()), gap)];
        let (findings, room_days) = rooms.findings((DAY, DAY));
        assert!(findings.is_empty());
        assert_eq!(room_days, RoomDays { judged: 5, left_out: 1 });
    }

    #[test]
    fn a_replaced_meter_leaves_its_weeks() {
        let mut rooms = floor(4, &[(1, DAY, 20_000)]);
        let (start, replaced) = (DAY.plus(-70).start(), DAY.plus(-3).start().plus(12 * HOUR));
        rooms.rooms.get_mut(&id(1)).unwrap().meters = vec![
            metered(1, (start, Some(replaced)), Some((start, replaced.plus(-HOUR)))),
            metered(10, (replaced, None), Some((replaced.plus(HOUR), DAY.plus(1).start()))),
        ];
        assert_eq!(kinds(&rooms, DAY), [(1, AbnormalKind::Jump)]);
        let (_, room_days) = rooms.findings((DAY.plus(-3), DAY.plus(-3)));
        assert_eq!(room_days, RoomDays { judged: 3, left_out: 1 }, "the day of the replacement");
    }
}
