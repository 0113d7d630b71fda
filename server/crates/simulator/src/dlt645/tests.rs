//! Requests and their replies.

use model::time::{DAY, Date, HOUR, MINUTE};

use super::*;
use crate::estate::MeterPlan;

const KILOWATT: Load = Load::Constant { watts: 1_000 };

fn meter() -> Meter {
    let mut plan = MeterPlan::new(1, 0, 1).plain("dlt645");
    plan.energy = 12_345_678;
    Meter::new(&plan, Date::from_ymd(2026, 11, 23).unwrap().start())
}

fn ask(meter: &mut Meter, control: u8, data: &[u8]) -> (u8, Vec<u8>) {
    let frame = Frame { address: Address::Meter(meter.serial), control, data: data.to_vec() };
    let answer = receive(meter, &KILOWATT, &frame).0.unwrap();
    assert_eq!(answer.address, frame.address);
    (answer.control, answer.data)
}

fn value(meter: &mut Meter, identifier: u32) -> Vec<u8> {
    let requested = identifier.to_le_bytes();
    let (control, data) = ask(meter, 0x11, &requested);
    assert_eq!((control, &data[..4]), (0x91, &requested[..]), "{identifier:08x}");
    data[4..].to_vec()
}

fn switch(meter: &mut Meter, command: u8) -> (u8, Vec<u8>) {
    let until = [0x00, 0x30, 0x12, 0x23, 0x11, 0x26];
    ask(meter, 0x1c, &[&PASSWORD[..], &OPERATOR, &[command, 0], &until].concat())
}

#[test]
fn values_are_bcd_with_the_low_byte_first() {
    let mut meter = meter();
    meter.run(&KILOWATT, meter.until.plus(HOUR));
    assert_eq!(value(&mut meter, 0x0000_0000), [0x78, 0x57, 0x34, 0x12], "123457.78 kWh");
    assert_eq!(value(&mut meter, 0x0001_0300), [0x78, 0x57, 0x34, 0x12]);
    assert_eq!(value(&mut meter, 0x0201_0100), [0x00, 0x22], "220.0 V");
    assert_eq!(value(&mut meter, 0x0202_0100), [0x50, 0x45, 0x00], "4.550 A");
    assert_eq!(value(&mut meter, 0x0203_0000), [0x00, 0x00, 0x01], "1.0000 kW");
    assert_eq!(value(&mut meter, 0x0206_0000), [0x00, 0x10], "1.000");
    assert_eq!(value(&mut meter, 0x0400_0101), [0x01, 0x23, 0x11, 0x26], "a Monday");
    assert_eq!(value(&mut meter, 0x0400_0102), [0x00, 0x00, 0x01]);
    meter.tamper.reversed = true;
    assert_eq!(value(&mut meter, 0x0203_0000), [0x00, 0x00, 0x81]);
}

#[test]
fn unknown_requests_are_refused() {
    let mut meter = meter();
    assert_eq!(ask(&mut meter, 0x11, &[0, 0, 0, 0x77]), (0xd1, vec![2]));
    assert_eq!(ask(&mut meter, 0x11, &[0, 0]), (0xd1, vec![1]));
    assert_eq!(ask(&mut meter, 0x1a, &[]), (0xda, vec![1]));
    assert_eq!(ask(&mut meter, 0x03, &[0xff, 1, 1, 7]), (0xc3, vec![8, 0]));
}

#[test]
fn relay_commands_need_the_password_and_expire() {
    let mut meter = meter();
    let relay = |meter: &mut Meter| value(meter, 0x0400_0503);
    assert_eq!(relay(&mut meter), [0, 0]);
    assert_eq!(switch(&mut meter, 0x1a), (0x9c, vec![]));
    assert_eq!(relay(&mut meter), [0x50, 0]);
    assert_eq!(switch(&mut meter, 0x1c), (0x9c, vec![]));
    assert_eq!(relay(&mut meter), [0, 0]);
    // A guaranteed supply is not tripped.
    assert_eq!((switch(&mut meter, 0x3a).0, switch(&mut meter, 0x1a).0), (0x9c, 0x9c));
    assert_eq!(relay(&mut meter), [0, 0]);
    switch(&mut meter, 0x3b);
    assert_eq!(relay(&mut meter), [0x50, 0]);

    let wrong = [&[2, 0, 0, 0][..], &OPERATOR, &[0x1c, 0], &[0, 0x30, 0x12, 0x23, 0x11, 0x26]].concat();
    assert_eq!(ask(&mut meter, 0x1c, &wrong), (0xdc, vec![4]));
    meter.run(&KILOWATT, meter.until.plus(13 * HOUR));
    assert_eq!(switch(&mut meter, 0x1c), (0xdc, vec![1]), "valid until 12:30");
    meter.relay.welded = true;
    assert_eq!(relay(&mut meter), [0x40, 0], "commanded open, but closed");
}

#[test]
fn freezes_are_read_one_by_one_or_in_following_frames() {
    let mut meter = meter();
    meter.run(&KILOWATT, meter.until.plus(12 * DAY + HOUR));
    let newest = value(&mut meter, 0x0506_0101);
    assert_eq!(newest[..4], [0x78, 0x44, 0x37, 0x12], "12 days of 24 kWh later");
    assert_eq!(value(&mut meter, 0x0506_0001), [0x00, 0x00, 0x05, 0x12, 0x26]);
    assert_eq!(ask(&mut meter, 0x11, &[13, 1, 6, 5]), (0xd1, vec![2]), "only twelve");

    let identifier = 0x0506_01ff_u32.to_le_bytes();
    let (control, first) = ask(&mut meter, 0x11, &identifier);
    assert_eq!((control, first.len()), (0xb1, 200));
    let (control, second) = ask(&mut meter, 0x12, &[&identifier[..], &[1]].concat());
    assert_eq!((control, second.last()), (0x92, Some(&1)));
    let all = [&first[4..], &second[4..second.len() - 1]].concat();
    assert_eq!((all.len(), &all[..20]), (240, &newest[..]));
    assert_eq!(ask(&mut meter, 0x12, &[&identifier[..], &[2]].concat()).0, 0xd2);
}

#[test]
fn broadcast_sets_the_clock_once_a_day_away_from_midnight() {
    let mut meter = meter();
    let broadcast = |meter: &mut Meter, time: [u8; 6]| {
        let frame = Frame { address: Address::All, control: 0x08, data: time.to_vec() };
        assert_eq!(receive(meter, &KILOWATT, &frame).0, None, "no meter answers");
        meter.clock.offset
    };
    assert_eq!(broadcast(&mut meter, [0x30, 0x00, 0x00, 0x23, 0x11, 0x26]), 0, "too near to midnight");
    meter.run(&KILOWATT, meter.until.plus(HOUR));
    assert_eq!(broadcast(&mut meter, [0x00, 0x10, 0x01, 0x23, 0x11, 0x26]), 0, "too far away");
    assert_eq!(broadcast(&mut meter, [0x00, 0x02, 0x01, 0x23, 0x11, 0x26]), 2 * MINUTE);
    assert_eq!(broadcast(&mut meter, [0x00, 0x03, 0x01, 0x23, 0x11, 0x26]), 2 * MINUTE, "once a day");

    let set = [&[2, 1, 0, 4][..], &PASSWORD, &OPERATOR, &[0x00, 0x00, 0x06]].concat();
    assert_eq!(ask(&mut meter, 0x14, &set), (0x94, vec![]));
    assert_eq!(value(&mut meter, 0x0400_0102), [0x00, 0x00, 0x06]);
}
