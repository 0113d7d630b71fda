//! The register map, register by register.

use model::time::{Date, HOUR, Timestamp};

use super::*;
use crate::estate::{MeterPlan, OpenAccount};
use crate::faults::Defect;
use domain::operation::{Slot, TierPeriod, Tiers};

fn start() -> Timestamp {
    Date::from_ymd(2026, 11, 23).unwrap().start()
}

fn meter() -> Meter {
    let account = Some(OpenAccount {
        number: "1234567890123456".parse().unwrap(),
        epoch: 3,
        count: 2,
        order: 0x0102_0304_0506_0708,
        cumulative: 70_000,
        remaining: -5,
    });
    let mut plan = MeterPlan { account, energy: 99_999_990, ..MeterPlan::new(1, 0, 2) };
    plan.limits.overdraft = 1_000;
    plan.tiers = Tiers { period: TierPeriod::Year, thresholds: [0x10001, 0x20002], surcharges: [3, 4] };
    let slots = [Slot { rate: 4, hour: 0, minute: 0 }, Slot { rate: 2, hour: 8, minute: 30 }];
    plan.day_tables = [slots.to_vec().try_into().unwrap(), DayTable::default()];
    plan.date_plan = vec![PlanEntry { month: 3, day: 1, table: 1 }];
    Meter::new(&plan, start())
}

const LOAD: Load = Load::Constant { watts: 1_000 };

fn block(meter: &Meter, address: u16, count: u16) -> Vec<u16> {
    read(meter, &LOAD, address, count).unwrap()
}

#[test]
fn block_a() {
    let mut meter = meter();
    meter.run(&LOAD, start().plus(HOUR));
    // The total wraps at 1 000 000.00 kWh; rate 4 was in force.
    assert_eq!(block(&meter, 0, 10), [0, 90, 0, 0, 0, 0, 0x05f5, 0xe0f6, 0, 100]);
    assert_eq!(block(&meter, 10, 7), [0, 2_200, 455, 1_000, 0, 1_000, 1_000]);
    Defect::ReverseEnergy.put(&mut meter, true);
    assert_eq!(block(&meter, 13, 4), [-1_000_i16 as u16, 0, 1_000, -1_000_i16 as u16]);
}

#[test]
fn block_b() {
    let mut meter = meter();
    meter.run(&Load::Constant { watts: 0 }, start().plus(HOUR));
    let mut expected = vec![0x2601, 0x0000, 0x0002, 0b1111, 0xffff, 0xfffb, 1, 4_464, 2, 3, 0, 0, 4, 0x2611, 0x2301, 0];
    let [a, b, c, d] = meter.mailbox.challenge();
    expected.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 0]);
    expected.extend([0x0102, 0x0304, 0x0506, 0x0708, 0, 0, 0, 0, 0x1234, 0x5678, 0x9012, 0x3456, 0, 0b11, 0, 0, 0, 0, 0]);
    assert_eq!(block(&meter, 0x0100, 38), expected);
}

#[test]
fn block_c() {
    let mut expected = vec![0, 2_000, 0, 500, 0, 1_000, 0, 0, 0];
    expected.extend([0, 5_000].repeat(4));
    expected.extend([2, 1, 1, 2, 2, 0, 3, 0, 4]);
    expected.extend([0; 8 + 3 + 3]);
    assert_eq!(block(&meter(), 0x0140, 40), expected);
}

#[test]
fn block_t() {
    let tables = block(&meter(), 0x2000, 48);
    assert_eq!(tables[..6], [0x0301, 0x0100, 0, 0, 0, 0]);
    assert_eq!(tables[6..10], [0x0400, 0x0002, 0x081e, 0]);
    assert!(tables[10..].iter().all(|&register| register == 0));
}

#[test]
fn blocks_j_and_f() {
    let mut meter = meter();
    let empty = (block(&meter, 0x0300, 125), block(&meter, 0x0400, 125));
    assert!(empty.0.iter().chain(&empty.1).all(|&register| register == 0));
    Defect::CoverOpen.put(&mut meter, true);
    meter.run(&Load::Constant { watts: 0 }, start().plus(25 * HOUR));
    Defect::RelayStuck.put(&mut meter, true);
    assert_eq!(block(&meter, 0x0300, 10), [2, 0x050c, 0x2611, 0x2401, 0, 0, 0, 2, 0xffff, 0xfffb]);
    assert_eq!(block(&meter, 0x030a, 10), [1, 0x080a, 0x2611, 0x2300, 0, 0, 0, 2, 0xffff, 0xfffb]);
    assert_eq!(block(&meter, 0x0400, 7), [0x0026, 0x1124, 0x05f5, 0xe0f6, 0xffff, 0xfffb, 0]);
}

#[test]
fn reads_must_lie_within_a_block() {
    let meter = meter();
    for (address, count) in [(0, 17), (16, 1), (0x0100, 38), (0x0140, 40), (0x2000, 48), (0x0300 + 159, 1), (0x0400 + 185, 1)] {
        assert_eq!(block(&meter, address, count).len(), usize::from(count));
    }
    for (address, count) in [
        (0, 18),
        (17, 1),
        (0x0100, 39),
        (0x0126, 1),
        (0x0168, 1),
        (0x0200, 1),
        (0x03a0, 1),
        (0x2030, 1),
        (0xffff, 1),
        (0xffff, 125),
    ] {
        assert_eq!(read(&meter, &LOAD, address, count), Err(Exception::IllegalAddress), "{address:#x}");
    }
}
