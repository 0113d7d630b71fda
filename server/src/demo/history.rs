//! The energy of the last weeks by the rooms' load, so that charts and forecasts have data at once.

use model::energy::Energy;
use model::ids::MeterId;
use model::time::{HOUR, Timestamp};

use super::site::Room;
use domain::rollup::Parts;
use simulator::Load;
use store::energy::{Day, Hour};

/// Days of daily energy.
pub(super) const DAYS: i64 = 31;

/// The hours and days before `now`.
pub(super) fn before(now: Timestamp, load: &Load, rooms: &[Room], meters: &[MeterId]) -> (Vec<Hour>, Vec<Day>) {
    let today = now.date();
    let (mut hours, mut days) = (Vec::new(), Vec::new());
    for (room, &meter) in rooms.iter().zip(meters).filter(|(room, _)| room.plan.account.is_some()) {
        for day in (-DAYS..=0).map(|days| today.plus(days)) {
            let mut sum = Energy::ZERO;
            for hour in (0..24).map(|hour| day.start().plus(hour * HOUR)).filter(|hour| hour.plus(HOUR) <= now) {
                let energy = energy(load, room, hour);
                sum = sum + energy;
                hours.push(Hour { meter, hour: hour.hour(), energy });
            }
            days.push(Day { meter, day, energy: sum, parts: Parts::default() });
        }
    }
    (hours, days)
}

/// The energy of the hour that begins at `hour`: the mean of two instants half an hour apart.
fn energy(load: &Load, room: &Room, hour: Timestamp) -> Energy {
    let watts = [0, HOUR / 2].map(|ms| i64::from(load.at(&room.plan.shape, hour.plus(ms)).watts));
    Energy(watts.iter().sum::<i64>() / 2)
}
