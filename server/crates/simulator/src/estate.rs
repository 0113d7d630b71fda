//! The plan of a simulated site: gateways, their meters, and initial values.

use std::borrow::Cow;

use model::meter::ControlMode;
use serde::{Deserialize, Serialize};

use super::instrument::{CircuitPlan, InstrumentPlan};
use super::load::{Shape, mix};
use domain::framing::Framing;
use domain::operation::{DayTable, Limits, PlanEntry, Tiers};
use domain::serial::{AccountNumber, Serial};

/// The unit of the first instrument behind a gateway.
const MAIN_UNIT: u8 = 240;

/// The whole site. The gateway at index `g` listens on base port + `g`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// In port order.
    pub gateways: Vec<GatewayPlan>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayPlan {
    pub framing: Framing,
    pub meters: Vec<MeterPlan>,
    pub instruments: Vec<InstrumentPlan>,
}

/// The initial state of a meter. Start from [`MeterPlan::new`] and change what differs, for example `plan.account =
/// Some(OpenAccount { .. })` for a meter in use, so that a database can be seeded to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeterPlan {
    /// Modbus unit id behind its gateway, 1-247. A DL/T 645 meter answers to its serial number alone.
    pub unit: u8,
    pub serial: Serial,
    /// Name of its profile.
    pub profile: Cow<'static, str>,
    /// It has no wallet: only control mode and switch determine its relay.
    pub plain: bool,
    /// Bit mask of the frame versions announced in 0x0120: 0b01 only version 1, 0b11 both.
    pub versions: u16,
    /// An account that is already open.
    pub account: Option<OpenAccount>,
    /// Alarm amounts, overdraft, hoarding (0.01 yuan) and overload power.
    pub limits: Limits,
    /// Prices of rates 1-4, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    pub tiers: Tiers,
    /// Day tables 1 and 2.
    pub day_tables: [DayTable; 2],
    /// Start days of the day tables; empty: always rate 3.
    pub date_plan: Vec<PlanEntry>,
    pub mode: ControlMode,
    /// Total energy counter, 0.01 kWh; all of it in rate 3.
    pub energy: u32,
    /// Load of its room.
    pub shape: Shape,
}

/// An account that is open from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenAccount {
    pub number: AccountNumber,
    /// Key epoch: 1 after the first opening.
    pub epoch: u16,
    /// Money commands applied in this epoch.
    pub count: u16,
    /// Order number of the last money command; 0 if there was none.
    pub order: u64,
    /// Credits minus debits in this epoch, 0.01 yuan.
    pub cumulative: i32,
    /// Remaining amount, 0.01 yuan.
    pub remaining: i32,
}

impl MeterPlan {
    /// A new meter: no account, 0.5 yuan/kWh, alarms at 20 and 5 yuan, no other limits, a room of individual size.
    #[must_use]
    pub fn new(seed: u64, gateway: usize, unit: u8) -> Self {
        let room = mix(seed ^ mix((gateway as u64) << 8 | u64::from(unit)));
        Self {
            unit,
            serial: serial(seed, gateway, unit),
            profile: Cow::Borrowed("rpp"),
            plain: false,
            versions: if unit.is_multiple_of(2) { 0b11 } else { 0b01 },
            account: None,
            limits: Limits { alarm1: 2_000, alarm2: 500, ..Limits::default() },
            prices: [5_000; 4],
            tiers: Tiers::default(),
            day_tables: [DayTable::default(), DayTable::default()],
            date_plan: Vec::new(),
            mode: ControlMode::Prepaid,
            energy: 0,
            shape: Shape {
                seed: room,
                offset_days: (mix(room) % 1_400) as u32,
                scale_permille: 500 + (mix(room ^ 1) % 1_001) as u32,
            },
        }
    }

    /// The same meter in use: an account numbered after the meter, with the first purchase applied and unspent.
    #[must_use]
    pub fn in_use(self, amount: i32) -> Self {
        let number = AccountNumber::of(self.serial);
        let account = OpenAccount { number, epoch: 1, count: 1, order: 0, cumulative: amount, remaining: amount };
        Self { account: Some(account), ..self }
    }
}

impl MeterPlan {
    /// The same meter with another profile, without a wallet and with a closed relay. Its serial number keeps eight digits,
    /// because some models have no room for twelve.
    #[must_use]
    pub fn plain(self, profile: impl Into<Cow<'static, str>>) -> Self {
        let [_, _, c, d, e, f] = self.serial.bytes();
        let serial = Serial::from_bytes([0, 0, c, d, e, f]).unwrap_or(self.serial);
        Self { profile: profile.into(), plain: true, serial, account: None, ..self }
    }
}

impl Estate {
    /// `gateways` gateways with units 1 to `meters` each; even units announce frame version 2.
    #[must_use]
    pub fn uniform(seed: u64, gateways: usize, meters: u8) -> Self {
        let behind = |gateway| GatewayPlan {
            framing: Framing::ModbusTcp,
            meters: (1..=meters.min(247)).map(|unit| MeterPlan::new(seed, gateway, unit)).collect(),
            instruments: Vec::new(),
        };
        Self { gateways: (0..gateways).map(behind).collect() }
    }

    /// Adds a main of all meters to each gateway, and to the first a device whose circuits feed a twelfth of its meters each.
    pub fn add_instruments(&mut self) {
        for (index, gateway) in self.gateways.iter_mut().enumerate() {
            let units: Vec<u8> = gateway.meters.iter().map(|meter| meter.unit).collect();
            if units.iter().any(|unit| *unit >= MAIN_UNIT) {
                continue;
            }
            let feeding = |units: &[u8], loss_permille, ratio| CircuitPlan { units: units.to_vec(), loss_permille, ratio };
            let circuits = vec![feeding(&units, 34, 40)];
            gateway.instruments.push(InstrumentPlan { unit: MAIN_UNIT, profile: "energy-u32".into(), circuits });
            if index == 0 && !units.is_empty() {
                let circuits = units.chunks(units.len().div_ceil(12)).map(|units| feeding(units, 9, 10)).collect();
                gateway.instruments.push(InstrumentPlan { unit: MAIN_UNIT + 1, profile: "multi-12-u32".into(), circuits });
            }
        }
    }

    /// Every meter, with its gateway's index.
    pub fn meters_mut(&mut self) -> impl Iterator<Item = (usize, &mut MeterPlan)> {
        self.gateways
            .iter_mut()
            .enumerate()
            .flat_map(|(index, gateway)| gateway.meters.iter_mut().map(move |meter| (index, meter)))
    }

    /// Every meter, with its gateway's index.
    pub fn meters(&self) -> impl Iterator<Item = (usize, &MeterPlan)> {
        self.gateways.iter().enumerate().flat_map(|(index, gateway)| gateway.meters.iter().map(move |meter| (index, meter)))
    }
}

/// The serial number of a simulated meter: `26`, two digits of the seed, five of the gateway, three of the unit.
#[must_use]
pub fn serial(seed: u64, gateway: usize, unit: u8) -> Serial {
    let [a, b] = decimals(seed % 100);
    let [c, d, e, f, g] = decimals(gateway as u64);
    let [h, i, j] = decimals(unit.into());
    Serial::from_digits([2, 6, a, b, c, d, e, f, g, h, i, j])
}

fn decimals<const N: usize>(mut value: u64) -> [u8; N] {
    let mut digits = [0; N];
    for digit in digits.iter_mut().rev() {
        *digit = (value % 10) as u8;
        value /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn serials_are_readable_and_unique() {
        assert_eq!(serial(142, 3, 199).to_string(), "264200003199");
        let estate = Estate::uniform(1, 500, 200);
        let serials: HashSet<_> = estate.meters().map(|(_, meter)| meter.serial).collect();
        assert_eq!(serials.len(), 100_000);
    }

    #[test]
    fn half_of_the_meters_announce_version_2() {
        let estate = Estate::uniform(1, 4, 174);
        assert_eq!(estate.meters().filter(|(_, meter)| meter.versions == 0b11).count(), 348);
    }
}
