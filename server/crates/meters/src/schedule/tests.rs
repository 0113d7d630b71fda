use std::collections::HashSet;

use super::*;
use model::ids::Uuid;

const POLICY: SchedulePolicy = SchedulePolicy { probe_cap_ms: 45_000, probe_share: 45 };
/// Reads as often as the bus allows.
const CONTINUOUS: u64 = 0;

fn ids(n: u128) -> Vec<MeterId> {
    (1..=n).map(|i| MeterId(Uuid::from_u128(i))).collect()
}

/// A schedule of meters with one interval.
fn schedule(meters: &[MeterId], interval: u64) -> Schedule {
    let mut schedule = Schedule::new(POLICY);
    schedule.set_meters(&each(meters, interval), 0);
    schedule
}

fn each(meters: &[MeterId], interval: u64) -> HashMap<MeterId, u64> {
    meters.iter().map(|&id| (id, interval)).collect()
}

/// A simulated bus with some dead meters; records attempts and successful readings of each meter.
struct Bus {
    schedule: Schedule,
    now: u64,
    dead: HashSet<MeterId>,
    read_ms: u64,
    timeout_ms: u64,
    refuses: bool,
    good: HashMap<MeterId, Vec<u64>>,
    tries: HashMap<MeterId, Vec<u64>>,
}

impl Bus {
    fn new(meters: u128, dead: u128, interval: u64, read_ms: u64) -> Self {
        let all = ids(meters);
        let schedule = schedule(&all, interval);
        let step = meters.checked_div(dead).unwrap_or(1);
        let dead = all.iter().step_by(step as usize).take(dead as usize).copied().collect();
        let none = HashMap::new();
        Self { schedule, now: 0, dead, read_ms, timeout_ms: 1_000, refuses: false, good: none.clone(), tries: none }
    }

    fn run(&mut self, until: u64) -> Vec<StatusChange> {
        let mut changes = Vec::new();
        while self.now < until {
            match self.schedule.next(self.now) {
                ScheduledAction::Wait(at) => self.now = at.unwrap_or(until).min(until),
                ScheduledAction::Read { meter, reason } => {
                    self.tries.entry(meter).or_default().push(self.now);
                    let change = if self.dead.contains(&meter) {
                        let patience = if reason == ReadReason::Probe { self.timeout_ms / 2 } else { self.timeout_ms };
                        self.now += patience;
                        let failure = if self.refuses { ReadFailure::Refused } else { ReadFailure::Silent };
                        self.schedule.failed(meter, self.now, patience, failure)
                    } else {
                        self.now += self.read_ms;
                        self.good.entry(meter).or_default().push(self.now);
                        self.schedule.succeeded(meter, self.now, self.read_ms)
                    };
                    if change != StatusChange::Nothing {
                        changes.push(change);
                    }
                }
            }
        }
        changes
    }

    /// The 99th percentile of the time between two readings of an answering meter, after `from`.
    fn p99_gap(&self, from: u64) -> u64 {
        let mut gaps: Vec<u64> =
            self.good.values().flat_map(|at| at.windows(2).filter(|w| w[0] >= from).map(|w| w[1] - w[0])).collect();
        gaps.sort_unstable();
        gaps[gaps.len() * 99 / 100]
    }
}

#[test]
fn healthy_meters_are_read_in_turn() {
    let mut bus = Bus::new(25, 0, CONTINUOUS, 50);
    assert_eq!(bus.run(60_000), []);
    assert_eq!(bus.p99_gap(0), 25 * 50);
    let counts: HashSet<usize> = bus.good.values().map(Vec::len).collect();
    assert_eq!(counts, HashSet::from([48]));
}

#[test]
fn a_long_interval_leaves_the_bus_idle() {
    let mut bus = Bus::new(10, 0, 60_000, 50);
    bus.run(600_000);
    assert!(bus.good.values().all(|at| at.len() == 10), "{:?}", bus.good.values().map(Vec::len).collect::<Vec<_>>());
}

#[test]
fn dead_meters_cost_little_and_starve_none() {
    for refuses in [false, true] {
        let mut bus = Bus::new(25, 5, CONTINUOUS, 50);
        bus.refuses = refuses;
        bus.run(600_000);
        let healthy = 25 * 50;
        let gap = bus.p99_gap(30_000);
        assert!(gap * 10 <= healthy * 17, "p99 gap {gap} ms against {healthy} ms");
        assert_eq!(bus.good.len(), 20);
        assert!(bus.good.values().all(|at| at.len() > 400));
    }
}

#[test]
fn a_dead_meter_that_answers_again_is_noticed_in_a_minute() {
    for (meters, dead, read_ms) in [(25, 5, 50), (174, 9, 212), (174, 35, 212), (1, 1, 50)] {
        let mut bus = Bus::new(meters, dead, CONTINUOUS, read_ms);
        bus.run(900_000);
        let back = std::mem::take(&mut bus.dead);
        let from = bus.now;
        bus.run(from + 65_000);
        for meter in back {
            let noticed = bus.good.get(&meter).and_then(|at| at.first()).map(|at| at - from);
            assert!(noticed.is_some_and(|ms| ms <= 60_000), "{meters} meters: {noticed:?}");
        }
    }
}

#[test]
fn attempts_on_a_lost_meter_double_to_the_cap() {
    let mut bus = Bus::new(2, 1, 60_000, 50);
    bus.run(500_000);
    let tries = bus.tries[&MeterId(Uuid::from_u128(1))].clone();
    let gaps: Vec<u64> = tries.windows(2).map(|w| w[1] - w[0]).collect();
    // Two normal attempts, then short ones, then a normal one; the pauses are 2, 5, 10, 20, 40 s, then the cap.
    assert_eq!(gaps[..9], [3_000, 6_000, 10_500, 20_500, 40_500, 45_500, 45_500, 45_500, 46_000]);
}

#[test]
fn two_failures_in_a_row_mean_a_lost_meter() {
    let all = ids(3);
    let mut s = schedule(&all, CONTINUOUS);
    for &id in &all {
        s.succeeded(id, 10, 10);
    }
    assert_eq!(s.failed(all[0], 100, 10, ReadFailure::Silent), StatusChange::Nothing);
    assert_eq!(s.succeeded(all[0], 200, 10), StatusChange::Nothing);
    assert_eq!(s.failed(all[0], 300, 10, ReadFailure::Silent), StatusChange::Nothing);
    s.succeeded(all[1], 310, 10);
    assert_eq!(s.failed(all[0], 400, 10, ReadFailure::Refused), StatusChange::MeterLost);
    assert!(s.is_lost(all[0]) && !s.is_lost(all[1]) && !s.is_gateway_lost());
    assert_eq!(s.succeeded(all[0], 500, 10), StatusChange::Found);
}

#[test]
fn a_silent_gateway_is_told_from_silent_meters() {
    let mut bus = Bus::new(25, 0, CONTINUOUS, 50);
    bus.run(10_000);
    bus.dead = ids(25).into_iter().collect();
    let from = bus.now;
    let changes = bus.run(from + 10_000);
    assert_eq!(changes.last(), Some(&StatusChange::GatewayLost));
    assert_eq!(bus.run(from + 60_000), [], "reported once");
    assert!(bus.schedule.is_gateway_lost());
    bus.dead.clear();
    let from = bus.now;
    // A meter that was lost before its gateway stays lost until it answers itself.
    let lost = changes.iter().filter(|&&change| change == StatusChange::MeterLost).count();
    let mut expected = vec![StatusChange::GatewayFound];
    expected.resize(1 + lost, StatusChange::Found);
    assert_eq!(bus.run(from + 30_000), expected);
    let first_round = bus.good.values().map(|at| at.iter().find(|&&at| at > from).unwrap() - from).max().unwrap();
    assert!(first_round < 10_000, "{first_round}");
}

#[test]
fn a_gateway_that_refuses_for_all_meters_is_not_lost() {
    let mut bus = Bus::new(8, 8, CONTINUOUS, 50);
    bus.refuses = true;
    let changes = bus.run(60_000);
    assert!(changes.iter().all(|&c| c == StatusChange::MeterLost) && changes.len() == 8, "{changes:?}");
}

#[test]
fn a_gateway_silent_from_the_start_is_lost() {
    let mut bus = Bus::new(8, 8, CONTINUOUS, 50);
    assert_eq!(bus.run(60_000), [StatusChange::GatewayLost]);
}

#[test]
fn a_lost_meter_stays_lost_while_its_gateway_is_lost_and_found() {
    let all = ids(4);
    let mut s = schedule(&all, 10_000);
    for (at, &id) in (10..).step_by(10).zip(&all) {
        s.succeeded(id, at, 10);
    }
    for at in [1_000, 4_000, 10_000] {
        s.failed(all[2], at, 10, ReadFailure::Silent);
    }
    assert_eq!(s.unreachable(10_015), StatusChange::GatewayLost);
    s.reachable(10_020);
    let ScheduledAction::Read { meter, .. } = s.next(10_020) else { panic!("nothing to read") };
    assert_eq!(meter, all[0], "the round continues where it stopped");
    assert_eq!(s.succeeded(meter, 10_030, 10), StatusChange::GatewayFound);
    assert!(s.is_lost(all[2]), "it was lost before");
    for &id in [all[1], all[3]].iter() {
        assert_eq!(s.next(10_040), ScheduledAction::Read { meter: id, reason: ReadReason::Sweep });
        s.succeeded(id, 10_040, 10);
    }
    assert_eq!(s.next(10_050), ScheduledAction::Wait(Some(20_000)), "and is not tried before its pause is over");
}

/// Whatever an attempt costs, such as two seconds in which a gateway with one slot refuses the next connection.
#[test]
fn expensive_attempts_do_not_lengthen_rounds_beyond_the_limit() {
    for (timeout_ms, dead) in [(1_500, 1), (1_500, 5), (5_000, 1), (5_000, 5), (1_000, 20)] {
        let mut bus = Bus::new(99, dead, CONTINUOUS, 100);
        bus.timeout_ms = timeout_ms;
        bus.run(900_000);
        let (gap, healthy) = (bus.p99_gap(120_000), 99 * 100);
        assert!(gap * 10 <= healthy * 17, "{dead} dead at {timeout_ms} ms: {gap} ms against {healthy} ms");
        assert_eq!(bus.good.len(), 99 - dead as usize);
    }
}

#[test]
fn an_unreachable_gateway_recovers_with_all_meters() {
    let all = ids(4);
    let mut s = schedule(&all, CONTINUOUS);
    assert_eq!(s.unreachable(0), StatusChange::GatewayLost);
    assert_eq!(s.unreachable(10), StatusChange::Nothing);
    assert_eq!(s.reachable(50), StatusChange::Nothing, "until a meter answers");
    let ScheduledAction::Read { meter, .. } = s.next(50) else { panic!("nothing to read") };
    assert_eq!(s.succeeded(meter, 60, 10), StatusChange::GatewayFound);
    assert!(all.iter().all(|&id| !s.is_lost(id)));
}

#[test]
fn a_gateway_without_meters_is_back_when_it_can_be_reached() {
    let mut s = schedule(&[], CONTINUOUS);
    for now in [0, 100] {
        assert_eq!(s.unreachable(now), StatusChange::GatewayLost);
        assert_eq!(s.reachable(now + 50), StatusChange::GatewayFound);
        assert!(!s.is_gateway_lost());
    }
}

#[test]
fn requested_readings_go_first_even_of_a_lost_meter() {
    let all = ids(3);
    let mut s = schedule(&all, 60_000);
    for &id in &all {
        s.succeeded(id, 10, 10);
    }
    s.failed(all[2], 20, 10, ReadFailure::Refused);
    s.failed(all[2], 30, 10, ReadFailure::Refused);
    s.request_read(all[2]);
    assert_eq!(s.next(40), ScheduledAction::Read { meter: all[2], reason: ReadReason::Requested });
    s.failed(all[2], 50, 10, ReadFailure::Refused);
    assert!(matches!(s.next(60), ScheduledAction::Wait(Some(_))), "a requested attempt is made once");
}

#[test]
fn requested_readings_leave_every_fourth_turn_to_the_sweep() {
    let all = ids(4);
    let mut s = schedule(&all, CONTINUOUS);
    let mut round = HashSet::new();
    for turn in 1..=16 {
        all[2..].iter().for_each(|&id| s.request_read(id));
        let ScheduledAction::Read { meter, reason } = s.next(turn * 1_000) else { panic!("nothing to read") };
        assert_eq!(reason == ReadReason::Sweep, turn % 4 == 0, "turn {turn}");
        if reason == ReadReason::Sweep {
            round.insert(meter);
        }
        s.succeeded(meter, turn * 1_000 + 50, 50);
    }
    assert!(round.is_superset(&all[..2].iter().copied().collect()), "no meter starves");
}

#[test]
fn requests_are_served_in_order() {
    let all = ids(4);
    let mut s = schedule(&all, 60_000);
    for &id in &all {
        s.succeeded(id, 10, 10);
    }
    for n in [3, 0, 2, 3] {
        s.request_read(all[n]);
    }
    let mut served = Vec::new();
    while let ScheduledAction::Read { meter, .. } = s.next(100) {
        served.push(meter);
        s.succeeded(meter, 110, 10);
    }
    assert_eq!(served, [all[3], all[0], all[2]]);
}

#[test]
fn intervals_are_individual_and_limited_while_watched() {
    let all = ids(3);
    let mut s = Schedule::new(POLICY);
    s.set_meters(&HashMap::from([(all[0], 1_800_000), (all[1], 60_000), (all[2], 1_800_000)]), 0);
    for &id in &all {
        s.succeeded(id, 10, 10);
    }
    assert_eq!(s.next(10), ScheduledAction::Wait(Some(60_000)));
    s.set_meters(&HashMap::from([(all[0], 30_000), (all[1], 60_000), (all[2], 1_800_000)]), 20_000);
    assert_eq!(s.next(20_000), ScheduledAction::Wait(Some(30_000)), "a new interval counts from the last reading");
    s.set_pace(Some(25_000));
    assert_eq!(s.next(20_000), ScheduledAction::Wait(Some(25_000)));
    for &id in &all {
        s.succeeded(id, 25_010, 10);
    }
    assert_eq!(s.next(25_010), ScheduledAction::Wait(Some(50_000)));
    s.set_pace(None);
    assert_eq!(s.next(25_010), ScheduledAction::Wait(Some(55_000)), "and each has its own again");
}

#[test]
fn a_retry_does_not_wait_for_the_pause() {
    let mut bus = Bus::new(10, 3, 60_000, 50);
    bus.run(300_000);
    bus.dead.clear();
    bus.schedule.retry(bus.now);
    let from = bus.now;
    assert_eq!(bus.run(from + 200), [StatusChange::Found; 3]);
}

#[test]
fn meters_are_added_and_removed() {
    let all = ids(4);
    let mut s = schedule(&all[..2], CONTINUOUS);
    s.set_meters(&each(&all[1..], CONTINUOUS), 5);
    s.succeeded(all[0], 10, 5);
    assert_eq!(s.next(5), ScheduledAction::Read { meter: all[1], reason: ReadReason::Sweep });
    s.set_meters(&HashMap::new(), 9);
    assert_eq!(s.next(9), ScheduledAction::Wait(None));
}
