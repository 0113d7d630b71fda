//! The demo's site: the reference dormitory, four buildings with 696 rooms, and the annex; one gateway a building.

use model::meter::{ControlMode, Wallet};

use super::{annex, instruments};
use domain::framing::Framing;
use domain::operation::Limits;
use domain::serial::AccountNumber;
use simulator::{Estate, GatewayPlan, MeterPlan, OpenAccount};

/// Name and number of rooms.
pub const BUILDINGS: [(&str, u8); 4] = [("3号楼", 199), ("4号楼", 199), ("5号楼", 199), ("6号楼", 99)];
/// What energy costs in the meters of the rooms, 0.0001 yuan/kWh.
pub const PRICES: [u32; 4] = [5_400; 4];
/// The index of the building whose rooms get a subsidy each month.
pub const SUBSIDISED: usize = 3;
/// How many days ago the residents of some rooms left.
const LEFT: [i64; 3] = [61, 38, 12];
/// Rooms on a floor.
const FLOOR: u8 = 25;
/// The day of the take-over, with which account numbers begin.
const OPENED: u64 = 260_901;

/// One room and its meter.
#[derive(Clone, Debug)]
pub struct Room {
    /// Index in [`BUILDINGS`], or the annex; and of the gateway.
    pub building: usize,
    pub floor: u8,
    /// From 1 on its floor.
    pub number: u8,
    /// A name in place of a number.
    pub door: Option<&'static str>,
    pub wallet: Wallet,
    pub plan: MeterPlan,
    /// Its residents left so many days ago: the account that it had.
    pub vacated_days_ago: Option<i64>,
    former: Option<OpenAccount>,
}

impl Room {
    /// The account that it has, or had until its residents left.
    #[must_use]
    pub const fn account(&self) -> Option<&OpenAccount> {
        match &self.plan.account {
            Some(account) => Some(account),
            None => self.former.as_ref(),
        }
    }

    /// `108`.
    #[must_use]
    pub fn name(&self) -> String {
        self.door.map_or_else(|| format!("{}{:02}", self.floor, self.number), str::to_owned)
    }

    /// One without an account before.
    #[must_use]
    pub const fn new(
        building: usize,
        (floor, number): (u8, u8),
        door: Option<&'static str>,
        wallet: Wallet,
        plan: MeterPlan,
    ) -> Self {
        Self { building, floor, number, door, wallet, plan, vacated_days_ago: None, former: None }
    }

    /// Whether its residents get a subsidy each month.
    #[must_use]
    pub const fn is_subsidised(&self) -> bool {
        self.building == SUBSIDISED
    }

    /// The resident's login: `3-108`.
    #[must_use]
    pub fn login(&self) -> String {
        format!("{}-{}", self.building + 3, self.name())
    }
}

/// A building's name.
#[must_use]
pub fn building(index: usize) -> &'static str {
    BUILDINGS.get(index).map_or(annex::NAME, |(name, _)| name)
}

/// How the gateway of a building carries its meters' frames.
#[must_use]
pub const fn framing(index: usize) -> Framing {
    if index == annex::INDEX { annex::FRAMING } else { Framing::ModbusTcp }
}

/// All rooms, building by building, floor by floor. The same seed gives the same site.
#[must_use]
pub fn rooms(seed: u64) -> Vec<Room> {
    let of = |(building, &(_, count)): (usize, &(&str, u8))| (1..=count).map(move |unit| room(seed, building, unit));
    let mut rooms: Vec<Room> = BUILDINGS.iter().enumerate().flat_map(of).chain(annex::rooms(seed)).collect();
    // The last ones that are not open: tests and visitors open the first.
    let is_closed = |room: &&mut Room| room.wallet == Wallet::Meter && room.plan.account.is_none() && !room.is_subsidised();
    let closed = rooms.iter_mut().rev().filter(is_closed);
    for (room, days) in closed.zip(LEFT) {
        let number = account_number(room.building, room.plan.unit);
        room.vacated_days_ago = Some(days);
        room.former = Some(OpenAccount { number, epoch: 1, count: 30, order: 0, cumulative: 160_000, remaining: 3_745 });
    }
    rooms
}

/// The simulator's configuration of these rooms.
#[must_use]
pub fn estate(rooms: &[Room]) -> Estate {
    let behind = |building| GatewayPlan {
        framing: framing(building),
        meters: rooms.iter().filter(|room| room.building == building).map(|room| room.plan.clone()).collect(),
        instruments: instruments::behind(rooms, building),
    };
    Estate { gateways: (0..=annex::INDEX).map(behind).collect() }
}

/// What meters have, and what the default parameters say.
pub const LIMITS: Limits = Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 500_000, overload_w: 2_500 };

fn room(seed: u64, building: usize, unit: u8) -> Room {
    let mut plan = MeterPlan::new(seed, building, unit);
    // A fixed draw for every room, in thousandths.
    let draw = plan.shape.seed % 1_000;
    plan.prices = PRICES;
    plan.limits = LIMITS;
    plan.energy = 120_000 + u32::try_from(plan.shape.seed >> 44).unwrap_or(0) % 300_000;
    plan.mode = match draw {
        984..=991 => ControlMode::Guaranteed,
        992..=999 => ControlMode::ForcedOff,
        _ => ControlMode::Prepaid,
    };
    let first = building == 0 && unit == 1;
    plan.account = (first || draw >= 40).then(|| {
        let count = 24 + (plan.shape.seed >> 20) % 18;
        let noise = plan.shape.seed >> 8;
        // Who gets a subsidy has something left.
        let draw = if building == SUBSIDISED { draw.max(210) } else { draw };
        let remaining = if first { 4_320 } else { remaining(draw, noise) };
        OpenAccount {
            number: account_number(building, unit),
            epoch: 1,
            count: u16::try_from(count).unwrap_or(24),
            order: OPENED * 1_000 + count,
            cumulative: remaining.max(0) + 5_000 * i32::try_from(count).unwrap_or(24),
            remaining,
        }
    });
    let (floor, number) = ((unit - 1) / FLOOR + 1, (unit - 1) % FLOOR + 1);
    Room::new(building, (floor, number), None, Wallet::Meter, plan)
}

/// A meter's balance in fen: most between 25 and 150 yuan, some at each warning level.
fn remaining(draw: u64, noise: u64) -> i32 {
    let between = |low: u64, high: u64| i32::try_from(low + noise % (high - low)).unwrap_or(0);
    match draw {
        0..=69 => -between(0, 3),
        70..=119 => between(60, 490),
        120..=209 => between(520, 1_950),
        _ => between(2_500, 15_000),
    }
}

fn account_number(building: usize, unit: u8) -> AccountNumber {
    let mut digits = [0; 8];
    let number = OPENED * 10_000_000_000 + (building as u64 + 3) * 1_000 + u64::from(unit);
    let text = format!("{number:016}");
    for (byte, pair) in digits.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        let [high, low] = pair.map(|digit| digit - b'0');
        *byte = high << 4 | low;
    }
    AccountNumber::from_bytes(digits).unwrap_or(AccountNumber::NONE)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn site_has_the_reference_size() {
        let mut rooms = rooms(1);
        rooms.retain(|room| room.building < BUILDINGS.len());
        assert_eq!(rooms.len(), 696);
        let logins: HashSet<String> = rooms.iter().map(Room::login).collect();
        assert_eq!(logins.len(), 696);
        assert!(logins.contains("3-101") && logins.contains("6-424") && !logins.contains("6-425"));
        let newer = rooms.iter().filter(|room| room.plan.versions == 0b11).count();
        assert!((340..=350).contains(&newer), "half announce version 2: {newer}");
    }

    #[test]
    fn every_state_occurs_and_the_first_room_is_ordinary() {
        let rooms = rooms(1);
        let account = |room: &Room| room.plan.account;
        assert_eq!(account(&rooms[0]).map(|a| (a.number.to_string(), a.remaining)), Some(("2609010000003001".into(), 4_320)));
        let remaining: Vec<i32> = rooms.iter().filter_map(|room| account(room).map(|a| a.remaining)).collect();
        assert!(rooms.len() - remaining.len() > 10, "some are not open");
        for (low, high) in [(-3, 0), (60, 500), (500, 2_000), (2_500, 15_000)] {
            assert!(remaining.iter().filter(|r| (low..=high).contains(*r)).count() > 10, "{low} to {high}");
        }
        assert!(rooms.iter().any(|room| room.plan.mode == ControlMode::Guaranteed));
        assert!(rooms.iter().any(|room| room.plan.mode == ControlMode::ForcedOff));
    }
}
