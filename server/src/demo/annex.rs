//! The annex: meters of several makes behind one transparent gateway, Modbus RTU and DL/T 645 on the same bus, with server
//! wallets, and instruments that only measure.

use model::meter::Wallet;

use super::site::{BUILDINGS, Room};
use domain::framing::Framing;
use simulator::MeterPlan;

pub const NAME: &str = "综合楼";
/// The index of the building and of its gateway, after the dormitories.
pub const INDEX: usize = BUILDINGS.len();
/// Its gateway passes the meters' frames on unchanged.
pub const FRAMING: Framing = Framing::Transparent;

/// By floor: floor, first unit, number of meters, profile, wallet.
const FLOORS: [(u8, u8, u8, &str, Wallet); 6] = [
    (1, 1, 4, "acrel-ddsy1352", Wallet::Server),
    (2, 5, 4, "hiking-dds238", Wallet::Server),
    (3, 9, 4, "dlt645", Wallet::Server),
    (4, 13, 1, "eastron-sdm320y", Wallet::None),
    (0, 14, 1, "chint-ddsu666", Wallet::None),
    (0, 15, 1, "generic-float", Wallet::None),
];
/// The names of the instruments on the ground floor.
const INSTRUMENTS: [&str; 2] = ["照明总表", "动力总表"];

/// The rooms and instruments, by floor.
pub fn rooms(seed: u64) -> impl Iterator<Item = Room> {
    FLOORS.into_iter().flat_map(move |(floor, first, count, profile, wallet)| {
        (0..count).map(move |n| {
            let unit = first + n;
            let mut plan = MeterPlan::new(seed, INDEX, unit).plain(profile);
            plan.energy = 90_000 + u32::try_from(plan.shape.seed >> 44).unwrap_or(0) % 100_000;
            let instrument = (floor == 0).then(|| usize::from(unit - 14));
            if instrument.is_some() {
                // A building's mains carry what its rooms draw together.
                plan.shape.scale_permille = 8_000;
                plan.energy += 800_000;
            }
            let door = instrument.and_then(|index| INSTRUMENTS.get(index).copied());
            Room::new(INDEX, (floor, n + 1), door, wallet, plan)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use meters::profile::{Profiles, Protocol};

    #[test]
    fn each_meter_is_of_a_shipped_profile_and_has_its_wallet() {
        let profiles = Profiles::load(None).unwrap();
        let rooms: Vec<Room> = rooms(1).collect();
        assert_eq!(rooms.len(), 15);
        for room in &rooms {
            let profile = profiles.get(&room.plan.profile).unwrap_or_else(|| panic!("{}", room.plan.profile));
            assert_eq!(profile.abilities.wallet, room.wallet, "{}", profile.name);
        }
        let speaks =
            |protocol| rooms.iter().filter(|room| profiles.get(&room.plan.profile).unwrap().protocol == protocol).count();
        assert_eq!((speaks(Protocol::Modbus), speaks(Protocol::Dlt645)), (11, 4), "both on one bus");
        let names: Vec<String> = rooms.iter().map(Room::name).collect();
        assert_eq!((&*names[0], &*names[11], &*names[14]), ("101", "304", "动力总表"));
    }
}
