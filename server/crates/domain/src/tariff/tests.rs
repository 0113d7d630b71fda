use super::*;
use model::tariff::{Tiers, parse_plan};
use model::time::{Civil, DAY, HOUR, MINUTE};
use proptest::prelude::*;

const NIGHT: Timestamp = Timestamp(1_795_622_400_000);

fn version(n: u128, from: Timestamp, prices: Prices) -> Version {
    Version { id: Uuid::from_u128(n), from, prices }
}

/// Valley by night, peak by day, spike in the evening; steps in a month.
fn rich(n: u32) -> Prices {
    Prices {
        rates: [9_871 + n, 6_543, 5_400, 2_999 + n],
        tiers: Tiers { period: TierPeriod::Month, thresholds: [3_000, 9_000], surcharges: [501, 3_003 + n] },
        tables: ["00:00=4 07:15=2 19:00=1 22:30=4".parse().unwrap(), Default::default()],
        plan: parse_plan("01-01=1").unwrap(),
    }
}

fn passed(from: Timestamp, to: Timestamp, wh: i64) -> Passed {
    Passed { from, to, energy: Energy(wh), rates: None }
}

fn total(lines: &[Line]) -> (i64, i64) {
    lines.iter().fold((0, 0), |(wh, cost), line| (wh + line.wh, cost + line.cost_e7))
}

#[test]
fn half_hours_at_a_flat_price_lose_nothing() {
    let versions = [version(1, Timestamp(0), Prices::flat(5_401))];
    let (mut position, mut paid) = (Position::default(), Money::ZERO);
    for n in 0..17_520 {
        let from = NIGHT.plus(n * 30 * MINUTE);
        paid = paid + charge(&mut position, &versions, &passed(from, from.plus(30 * MINUTE), 77)).unwrap().amount;
    }
    // 17 520 x 0.077 kWh x 0.5401 yuan = 728.60... yuan.
    let exact = 17_520 * 77 * 5_401;
    assert_eq!((paid, position.carry_e7), (Money(exact / 1_000), exact % 1_000));
}

#[test]
fn slots_midnight_and_a_new_version_split_by_time() {
    assert_eq!(NIGHT, NIGHT.date().start(), "midnight in Shanghai");
    let (old, new) = (rich(0), Prices::flat(7_000));
    let versions = [version(1, Timestamp(0), old), version(2, NIGHT.plus(HOUR), new)];
    let from = NIGHT.plus(-2 * HOUR);
    let charge = charge(&mut Position::default(), &versions, &passed(from, NIGHT.plus(2 * HOUR), 400)).unwrap();
    let lines: Vec<_> = charge.lines.iter().map(|l| (l.day.0 - NIGHT.date().0, l.version.as_u128(), l.rate, l.wh)).collect();
    assert_eq!(lines, [(-1, 1, 1, 50), (-1, 1, 4, 150), (0, 1, 4, 100), (0, 2, 3, 100)]);
}

#[test]
fn tiers_climb_within_a_month_and_begin_anew_with_the_next() {
    let tiers = Tiers { period: TierPeriod::Month, thresholds: [240_000, 400_000], surcharges: [500, 3_000] };
    let versions = [version(1, Timestamp(0), Prices { tiers, ..Prices::flat(4_883) })];
    let start = Civil { year: 2026, month: 11, day: 1, hour: 0, minute: 0, second: 0 }.timestamp().unwrap();
    let mut position = Position::default();
    let month = charge(&mut position, &versions, &passed(start, start.plus(29 * DAY), 500_000)).unwrap();
    let sum = |tier| month.lines.iter().filter(|l| l.tier == tier).map(|l| l.wh).sum::<i64>();
    assert_eq!((sum(1), sum(2), sum(3)), (240_000, 160_000, 100_000));
    assert_eq!(month.amount, Money((240_000 * 4_883 + 160_000 * 5_383 + 100_000 * 7_883) / 1_000));
    assert_eq!((position.period, position.used_wh), (202_611, 500_000));
    let over = charge(&mut position, &versions, &passed(start.plus(29 * DAY), start.plus(31 * DAY), 2_000)).unwrap();
    assert_eq!(over.lines.iter().map(|l| (l.tier, l.wh)).collect::<Vec<_>>(), [(3, 1_000), (1, 1_000)]);
    assert_eq!((position.period, position.used_wh), (202_612, 1_000));
}

#[test]
fn the_meters_own_registers_decide_where_they_can_be_believed() {
    let versions = [version(1, Timestamp(0), Prices { tiers: Tiers::default(), ..rich(0) })];
    let by = |rates: [i64; 4]| {
        let passed = Passed { rates: Some(rates.map(Energy)), ..passed(NIGHT, NIGHT.plus(DAY), 1_000) };
        let charge = charge(&mut Position::default(), &versions, &passed).unwrap();
        let mut by_rate = [0; 4];
        charge.lines.iter().for_each(|line| by_rate[usize::from(line.rate) - 1] += line.wh);
        by_rate
    };
    assert_eq!(by([100, 200, 0, 700]), [100, 200, 0, 700]);
    assert_eq!(by([100, 200, 0, 690]).iter().sum::<i64>(), 1_000, "a register that lags");
    assert_eq!(by([100, 200, 0, 710]), [100, 200, 0, 700], "a register that is ahead");
    let by_time = by([0; 4]);
    let [first, second, third, fourth] = by([100, 200, 300, 400]);
    assert!(first >= 100 && second >= 200 && third == 0 && fourth >= 400, "what is in a rate that the plan does not have");
    assert_eq!(first + second + fourth, 1_000);
    assert_eq!(by([100, 200, 0, 7_000]), by_time, "registers that cannot be");
    assert_eq!(by([-100, 200, 200, 700]), by_time, "registers that were zeroed");
}

#[test]
fn no_price_charges_nothing_and_an_instant_is_an_interval() {
    let mut position = Position::default();
    assert_eq!(charge(&mut position, &[], &passed(NIGHT, NIGHT.plus(HOUR), 10)), None);
    let versions = [version(1, NIGHT.plus(DAY), Prices::flat(1_000))];
    let same = charge(&mut position, &versions, &passed(NIGHT, NIGHT, 10)).unwrap();
    assert_eq!(same.amount, Money(10));
}

proptest! {
    /// Any way of cutting a time of even use charges the same to the last unit: versions, slots, midnights, tiers and all.
    #[test]
    fn any_cut_charges_the_same(
        step_ms in 1..400_000_i64,
        step_wh in 0..40_i64,
        begin in 0..40 * DAY,
        change in 0..40 * DAY,
        mut cuts in prop::collection::vec(1..500_i64, 0..12),
    ) {
        let from = NIGHT.plus(begin);
        let versions = [version(1, Timestamp(0), rich(0)), version(2, NIGHT.plus(change), rich(77))];
        let at = |n: i64| from.plus(n * step_ms);
        let mut whole = Position { carry_e7: 17, ..Position::default() };
        let mut pieces = whole;
        let all = charge(&mut whole, &versions, &passed(from, at(500), 500 * step_wh)).unwrap();
        cuts.extend([0, 500]);
        cuts.sort_unstable();
        cuts.dedup();
        let (mut paid, mut lines) = (Money::ZERO, (0, 0));
        for cut in cuts.windows(2) {
            let part = passed(at(cut[0]), at(cut[1]), (cut[1] - cut[0]) * step_wh);
            let part = charge(&mut pieces, &versions, &part).unwrap();
            paid = paid + part.amount;
            let (wh, cost) = total(&part.lines);
            lines = (lines.0 + wh, lines.1 + cost);
        }
        prop_assert_eq!(paid, all.amount);
        prop_assert_eq!(pieces, whole);
        prop_assert_eq!(lines, total(&all.lines));
    }

    /// However registers and prices stand, the lines are all of the energy, and the amount is all of the lines.
    #[test]
    fn all_energy_is_on_the_bill(
        wh in 0..2_000_000_i64,
        span in 0..90 * DAY,
        rates in prop::option::of([-20..900_000_i64, 0..900_000_i64, 0..900_000_i64, 0..900_000_i64]),
        carry in 0..1_000_i64,
    ) {
        let versions = [version(1, Timestamp(0), rich(0)), version(2, NIGHT.plus(DAY), Prices::flat(1))];
        let mut position = Position { carry_e7: carry, ..Position::default() };
        let passed = Passed { rates: rates.map(|rates| rates.map(Energy)), ..passed(NIGHT, NIGHT.plus(span), wh) };
        let charge = charge(&mut position, &versions, &passed).unwrap();
        let (lines_wh, cost) = total(&charge.lines);
        prop_assert_eq!(lines_wh, wh);
        prop_assert_eq!(charge.amount.0 * 1_000 + position.carry_e7, cost + carry);
        prop_assert!(charge.lines.iter().all(|line| line.wh > 0));
    }
}
