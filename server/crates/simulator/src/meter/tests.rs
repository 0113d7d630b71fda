//! Time-dependent behaviour: charging, trips, midnights and price switches at their times.

use model::time::{DAY, HOUR, MINUTE};

use super::*;
use crate::estate::OpenAccount;
use crate::faults::{Defect, OneTimeFault};
use crate::journal::RecordKind;
use domain::operation::{Slot, TierPeriod, Tiers};

const KILOWATT: Load = Load::Constant { watts: 1_000 };

/// 2026-11-23 00:00 in Shanghai.
fn monday() -> Timestamp {
    Date::from_ymd(2026, 11, 23).unwrap().start()
}

fn meter(remaining: i32) -> Meter {
    let number = "1000000000000001".parse().unwrap();
    let account = Some(OpenAccount { number, epoch: 1, count: 1, order: 7, cumulative: remaining, remaining });
    Meter::new(&MeterPlan { account, ..MeterPlan::new(1, 0, 1) }, monday())
}

fn last(meter: &Meter) -> (RecordKind, u8) {
    meter.journal.records().next().map(|record| (record.kind, record.cause)).unwrap()
}

#[test]
fn one_kilowatt_for_an_hour_at_half_a_yuan() {
    let mut meter = meter(10_000);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.energy.total, meter.energy.rates, meter.wallet.remaining), (100, [0, 0, 100, 0], 9_950));
}

#[test]
fn frequent_and_rare_access_give_the_same_result() {
    let (mut often, mut seldom) = (meter(100_000), meter(100_000));
    for at in (0..3 * DAY).step_by(7_919) {
        often.run(&Load::Curve, monday().plus(at));
    }
    often.run(&Load::Curve, monday().plus(3 * DAY));
    seldom.run(&Load::Curve, monday().plus(3 * DAY));
    assert!(often.energy.total > 500);
    assert_eq!(often, seldom);
}

#[test]
fn relay_opens_at_the_step_that_uses_up_the_credit() {
    let mut meter = meter(5);
    meter.limits.overdraft = 10;
    meter.run(&KILOWATT, monday().plus(DAY));
    // 15 fen are 30 steps of half a fen.
    assert_eq!((meter.wallet.remaining, meter.energy.total), (-10, 30));
    assert_eq!(last(&meter), (RecordKind::RelayOpened, status::ARREARS));
    let opened = BcdTime::from_timestamp(monday().plus(30 * 36_000)).unwrap();
    assert_eq!(meter.journal.records().next().unwrap().when, opened.bytes());
    assert_eq!((status::word(&meter) & 1, status::word(&meter) >> 4 & 1), (0, 1));
    assert_eq!(meter.flow(&KILOWATT).watts, 0);
}

#[test]
fn guaranteed_supply_goes_into_debt_without_a_trip() {
    let mut meter = meter(0);
    meter.mode = ControlMode::Guaranteed;
    meter.limits.overload_w = 500;
    meter.apply_relay_rule(None);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.wallet.remaining, meter.overload), (-50, false));
    assert_eq!(status::word(&meter) & 0b1111_0011, 0b0100_0011);
}

#[test]
fn overload_trips_at_once_and_latches() {
    let mut meter = meter(10_000);
    meter.limits.overload_w = 999;
    meter.run(&KILOWATT, monday().plus(MINUTE));
    assert_eq!((meter.energy.total, last(&meter)), (0, (RecordKind::RelayOpened, status::OVERLOAD)));
    meter.run(&Load::Constant { watts: 1 }, monday().plus(HOUR));
    assert_eq!(status::word(&meter) >> 5 & 1, 1);
    assert!(!meter.relay.closed());
}

#[test]
fn alarms_are_raised_below_the_limit_not_at_it() {
    let bits = |remaining| status::word(&meter(remaining)) >> 2 & 3;
    assert_eq!([2_000, 1_999, 500, 499].map(bits), [0, 1, 1, 3]);
    let mut closed = meter(0);
    closed.wallet.account = None;
    assert_eq!(status::word(&closed) >> 2 & 7, 0);
}

#[test]
fn each_step_is_charged_at_the_rate_of_its_time() {
    let mut meter = meter(10_000);
    meter.tariff.prices = [0, 10_000, 5_000, 2_000];
    let slots = [(4, 0), (2, 1)].map(|(rate, hour)| Slot { rate, hour, minute: 0 });
    meter.tariff.day_tables[0] = slots.to_vec().try_into().unwrap();
    meter.tariff.date_plan = vec![domain::operation::PlanEntry { month: 1, day: 1, table: 1 }];
    meter.run(&KILOWATT, monday().plus(2 * HOUR));
    assert_eq!(meter.energy.rates, [0, 100, 0, 100]);
    assert_eq!(meter.wallet.remaining, 10_000 - 20 - 100);
}

#[test]
fn tiers_rise_within_the_month_and_restart() {
    let mut meter = meter(100_000);
    meter.tariff.tiers = Tiers { period: TierPeriod::Month, thresholds: [100, 200], surcharges: [1_000, 5_000] };
    meter.run(&KILOWATT, monday().plus(3 * HOUR));
    assert_eq!((meter.wallet.remaining, meter.wallet.tier_use), (100_000 - 50 - 60 - 100, 300));
    let december = Date::from_ymd(2026, 12, 1).unwrap().start();
    meter.run(&Load::Constant { watts: 0 }, december.plus(-1));
    assert_eq!(meter.wallet.tier_use, 300);
    meter.run(&Load::Constant { watts: 0 }, december);
    assert_eq!(meter.wallet.tier_use, 0);
}

#[test]
fn midnights_are_frozen_by_the_meters_own_clock() {
    let mut meter = meter(100_000);
    OneTimeFault::ClockOff { seconds: 3_600 }.apply(&mut meter);
    meter.run(&KILOWATT, monday().plus(2 * DAY));
    let frozen: Vec<_> = meter.freezes.days().map(|f| (f.day.to_string(), f.total, f.remaining)).collect();
    assert_eq!(frozen, [("2026-11-25".into(), 4_700, 100_000 - 2_350), ("2026-11-24".into(), 2_300, 100_000 - 1_150)]);
}

#[test]
fn standby_prices_take_effect_at_their_time() {
    let mut meter = meter(10_000);
    meter.tariff.standby = Some([10_000; 4]);
    meter.tariff.switch_over = BcdTime::from_timestamp(monday().plus(HOUR / 2));
    assert_eq!(status::word(&meter) >> 14 & 1, 1);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.wallet.remaining, status::word(&meter) >> 14 & 1), (10_000 - 25 - 50, 0));
}

#[test]
fn a_welded_relay_keeps_supplying_and_reports_a_fault() {
    let mut meter = meter(1);
    Defect::RelayWelded.put(&mut meter, true);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.energy.total, meter.wallet.remaining), (100, -49));
    assert_eq!(status::word(&meter) & 0b1_0000_0001_0001, 0b1_0000_0001_0001);
    Defect::RelayWelded.put(&mut meter, false);
    assert_eq!((status::word(&meter) & 1, last(&meter)), (0, (RecordKind::RelayOpened, status::RELAY_FAULT)));
}

#[test]
fn a_stuck_relay_supplies_nothing_and_reports_a_fault() {
    let mut meter = meter(1_000);
    Defect::RelayStuck.put(&mut meter, true);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.energy.total, status::word(&meter) & 0x1001), (0, 0x1000));
}

#[test]
fn reverse_energy_is_charged_and_reported_for_a_day() {
    let mut meter = meter(10_000);
    Defect::ReverseEnergy.put(&mut meter, true);
    meter.run(&KILOWATT, monday().plus(HOUR));
    assert_eq!((meter.energy.total, meter.energy.reverse, meter.wallet.remaining), (100, 100, 9_950));
    Defect::ReverseEnergy.put(&mut meter, false);
    meter.run(&KILOWATT, monday().plus(HOUR + DAY - 1));
    assert_eq!((meter.energy.reverse, status::word(&meter) >> 9 & 1), (100, 1));
    meter.run(&KILOWATT, monday().plus(HOUR + DAY));
    assert_eq!(status::word(&meter) >> 9 & 1, 0);
}

#[test]
fn each_cover_opening_is_counted_once() {
    let mut meter = meter(0);
    Defect::CoverOpen.put(&mut meter, true);
    Defect::CoverOpen.put(&mut meter, true);
    assert_eq!((meter.tamper.events, last(&meter)), (1, (RecordKind::Tamper, status::COVER_OPEN)));
    assert_eq!(status::word(&meter) >> 10 & 1, 1);
    Defect::CoverOpen.put(&mut meter, false);
    assert_eq!((meter.tamper.events, status::word(&meter) >> 10 & 1), (1, 0));
}

#[test]
fn a_lost_clock_restarts_in_2000() {
    let mut meter = meter(0);
    OneTimeFault::ClockLost.apply(&mut meter);
    meter.run(&KILOWATT, monday().plus(MINUTE));
    assert_eq!((meter.bcd_clock(), status::word(&meter) >> 13 & 1), ([0, 1, 1, 0, 1, 0], 1));
    meter.set_clock(meter.until);
    assert_eq!(status::word(&meter) >> 13 & 1, 0);
}

#[test]
fn zeroed_counters_do_not_affect_money() {
    let mut meter = meter(10_000);
    meter.run(&KILOWATT, monday().plus(HOUR));
    OneTimeFault::CounterZeroed.apply(&mut meter);
    assert_eq!((meter.energy.total, meter.energy.rates, meter.wallet.remaining), (0, [0; 4], 9_950));
}
