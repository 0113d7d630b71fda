//! The alarm engine over 100,000 meters: each condition of each meter through the rule of its place, by one thread.

use std::time::Instant;

use domain::alarm::{AlarmState, Applied, Observation};
use domain::alarm_conditions::{of_meter, of_wallet};
use domain::alarm_rules::rule_at;
use domain::defaults::{GroupSettings, SettingsTree};
use model::alarm::{AlarmLevel, OwnAlarmRule};
use model::event::EventKind;
use model::ids::{PlaceGroupId, PlaceId, Uuid};
use model::meter::StatusWord;
use model::time::{MINUTE, Timestamp};

use crate::figure::Figure;
use crate::{Length, Outcome};

const METERS: u128 = 100_000;
/// Rooms of a floor, and floors of a building.
const ROOMS: u128 = 50;
const FLOORS: u128 = 10;
const EVALUATIONS: usize = 8;

const fn place(n: u128) -> PlaceId {
    PlaceId(Uuid::from_u128(n))
}

/// A site whose buildings, floors and one group of rooms have rules of their own.
fn tree() -> SettingsTree<OwnAlarmRule> {
    let (site, building, floor, room) = (1, 1 << 32, 2 << 32, 3 << 32);
    let own = |raise_s| OwnAlarmRule { raise_s: Some(raise_s), ..OwnAlarmRule::default() };
    let floors = METERS / ROOMS;
    let mut places = vec![(place(site), (None, own(30)))];
    places.extend((0..floors / FLOORS).map(|n| (place(building + n), (Some(place(site)), own(60)))));
    let rule_of_floor = |n: u128| if n.is_multiple_of(7) { own(90) } else { OwnAlarmRule::default() };
    places.extend((0..floors).map(|n| (place(floor + n), (Some(place(building + n / FLOORS)), rule_of_floor(n)))));
    let rooms = (0..METERS).map(|n| (place(room + n), (Some(place(floor + n / ROOMS)), OwnAlarmRule::default())));
    places.extend(rooms);
    let group = GroupSettings {
        id: PlaceGroupId(Uuid::from_u128(9)),
        own: OwnAlarmRule { level: Some(AlarmLevel::Warning), ..OwnAlarmRule::default() },
        places: (0..METERS).step_by(40).map(|n| place(room + n)).collect(),
    };
    SettingsTree { places: places.into_iter().collect(), groups: vec![group] }
}

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let (tree, rooms) = (tree(), 3 << 32);
    let kinds = of_meter(StatusWord::default()).len() + of_wallet(StatusWord::default()).len() + 1;
    let count = usize::try_from(METERS)?;
    let mut states = vec![AlarmState::Clear; count * kinds];
    let (mut seconds, mut changes) = (Vec::new(), 0_usize);
    for round in 0..length.count(EVALUATIONS).max(3) {
        let now = Timestamp(i64::try_from(round)? * MINUTE);
        let begun = Instant::now();
        for (n, states) in (0..METERS).zip(states.chunks_mut(kinds)) {
            // In each round something begins at a tenth of the meters, and ends at a tenth: rules wait for up to 90 s.
            let changed = (n + round as u128) % 10 < 5;
            let status = StatusWord(if changed { 0b10_0010 } else { 0b11 });
            let flags = of_meter(status).into_iter().chain(of_wallet(status));
            let flags = flags.map(|(kind, holds)| (kind, Observation::Holds(holds)));
            let stuck = (EventKind::DeliveryStuck, Observation::Value(if changed { 90 } else { 0 }));
            for ((kind, seen), state) in flags.chain([stuck]).zip(states) {
                let applied = Applied { kind, rule: rule_at(&tree, kind, place(rooms + n)), is_suspended: false };
                let (next, change) = applied.step(*state, seen, now);
                *state = next;
                changes += usize::from(change.is_some());
            }
        }
        seconds.push(begun.elapsed().as_secs_f64());
    }
    if changes == 0 {
        return Err("the engine raised nothing".into());
    }
    let against = format!("{kinds} kinds of alarms of each meter, with the rule of its place; one thread, {changes} changes");
    Ok(vec![Figure::at_most("alarm.engine_100k", 1.0, "s", against, seconds)])
}
