//! The operations that carry out a command, and where the effect of each shows in the meter.

use model::issue::Issue;
use model::meter::ControlMode;
use model::time::{MINUTE, Timestamp};

use super::profile::ReadBack;
use domain::bcd::BcdTime;
use domain::meter_state::StateBlock;
use domain::operation::{DayTable, Operation};

/// Tolerance of a clock that is read back.
const CLOCK_TOLERANCE: i64 = MINUTE;

/// The operations of an issue, in order; none for a reading. A clock is set to `now`. Planned prices whose switch-over has
/// passed are set at once: the meter was lost until now. `None` for values that no meter accepts.
#[must_use]
pub fn operations(issue: &Issue, now: Timestamp) -> Option<Vec<Operation>> {
    let prices = |standby, prices: &[u32; 4]| Operation::SetPrices { standby, prices: *prices };
    Some(match issue {
        Issue::Mode(mode) => vec![Operation::SetMode(*mode)],
        Issue::Switch(on) => vec![Operation::UserSwitch(*on)],
        Issue::Limits(limits) => vec![Operation::SetLimits(*limits)],
        Issue::Prices(rates) => vec![prices(false, rates)],
        Issue::Standby { prices: rates, at } if *at > now => {
            vec![prices(true, rates), Operation::SetSwitchOver(Some(BcdTime::from_timestamp(*at)?))]
        }
        Issue::Standby { prices: rates, .. } => vec![prices(false, rates)],
        Issue::Cancel => vec![Operation::SetSwitchOver(None)],
        Issue::Tiers(tiers) => vec![Operation::SetTiers(*tiers)],
        Issue::DayTable { table, slots } => {
            vec![Operation::SetDayTable { table: *table, slots: DayTable::try_from(slots.clone()).ok()? }]
        }
        Issue::DatePlan(entries) => vec![Operation::SetDatePlan(entries.clone())],
        Issue::Clock => vec![Operation::SetClock(BcdTime::from_timestamp(now)?)],
        Issue::Read => Vec::new(),
    })
}

/// Where the effect of an operation shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// In the state block: `true` if it shows the requested value.
    State(bool),
    /// In registers that must hold exactly these words.
    Registers { address: u16, words: Vec<u16> },
}

/// Where the effect of a setting shows. `answered`: the meter has just reported the operation as done.
#[must_use]
pub fn evidence(map: &ReadBack, operation: &Operation, seen: &StateBlock, answered: bool, now: Timestamp) -> Evidence {
    let body = operation.body();
    let at = |address: u16, bytes: Vec<u8>| Evidence::Registers { address, words: words(&bytes) };
    let skip = |n: usize| body.get(n..).unwrap_or_default().to_vec();
    match operation {
        Operation::SetMode(mode) => {
            // Setting a mode also releases a trip. Without the meter's answer, a standing trip may be one that was not released.
            let tripped = seen.status.tripped_overload() || seen.status.tripped_malignant();
            Evidence::State(seen.status.mode() == *mode && (answered || !tripped))
        }
        Operation::UserSwitch(on) => Evidence::State(seen.status.user_switch_off() != *on),
        Operation::SetClock(_) => Evidence::State(seen.clock.is_some_and(|clock| clock.since(now).abs() <= CLOCK_TOLERANCE)),
        Operation::SetLimits(_) => at(map.limits, body),
        Operation::SetPrices { standby: false, .. } => at(map.prices, skip(1)),
        Operation::SetPrices { standby: true, .. } => at(map.standby_prices, skip(1)),
        // The period is one byte in the frame and one register in the meter.
        Operation::SetTiers(_) => at(map.tiers, [vec![0], body].concat()),
        Operation::SetSwitchOver(_) => at(map.switch_over, body),
        Operation::SetDayTable { table, .. } => {
            let [first, second] = map.day_tables;
            at(if *table == 2 { second } else { first }, padded(skip(2), 42))
        }
        Operation::SetDatePlan(_) => at(map.date_plan, padded(skip(1), 12)),
        Operation::Open { .. } | Operation::Credit { .. } | Operation::Debit { .. } | Operation::Close { .. } => {
            Evidence::State(false)
        }
    }
}

/// Whether the observed relay state contradicts the operation.
#[must_use]
pub fn relay_fault(operation: &Operation, seen: &StateBlock) -> bool {
    match operation {
        Operation::SetMode(ControlMode::ForcedOff) | Operation::UserSwitch(false) if !seen.status.guaranteed() => {
            seen.status.relay_closed()
        }
        Operation::SetMode(ControlMode::Guaranteed) => !seen.status.relay_closed(),
        _ => seen.status.relay_fault(),
    }
}

fn padded(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.resize(length, 0);
    bytes
}

/// Packs bytes into registers; an odd last byte is padded with zero.
#[must_use]
pub fn words(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks(2)
        .map(|pair| pair.iter().fold(0, |word, &byte| (word << 8) | u16::from(byte)) << (8 * (pair.len() % 2)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::profile::Profiles;
    use super::*;
    use domain::fixtures::state;
    use domain::operation::{Limits, Slot, TierPeriod, Tiers};
    use model::meter::StatusWord;

    #[test]
    fn issues_become_operations() {
        let now = Timestamp(1_795_600_000_000);
        let of = |issue: Issue| operations(&issue, now);
        assert_eq!(of(Issue::Mode(ControlMode::ForcedOff)), Some(vec![Operation::SetMode(ControlMode::ForcedOff)]));
        assert_eq!(of(Issue::Switch(false)), Some(vec![Operation::UserSwitch(false)]));
        assert_eq!(of(Issue::Cancel), Some(vec![Operation::SetSwitchOver(None)]));
        assert_eq!(of(Issue::Read), Some(Vec::new()));
        let slots = vec![Slot { rate: 4, hour: 0, minute: 1 }];
        assert_eq!(of(Issue::DayTable { table: 1, slots }), None, "a day table begins at midnight");
    }

    #[test]
    fn planned_prices_wait_until_their_switch_over() {
        let (prices, at) = ([1, 2, 3, 4], Timestamp(1_795_600_000_000));
        let issue = Issue::Standby { prices, at };
        let loaded = vec![Operation::SetPrices { standby: true, prices }, Operation::SetSwitchOver(BcdTime::from_timestamp(at))];
        assert_eq!(operations(&issue, at.plus(-1)), Some(loaded));
        let late = vec![Operation::SetPrices { standby: false, prices }];
        assert_eq!(operations(&issue, at), Some(late));
    }

    #[test]
    fn modes_and_switches_show_in_the_status_word() {
        let map = &Profiles::load(None).unwrap().get("rpp").unwrap().secured.clone().unwrap().read_back;
        let shows = |bits: u16| StateBlock { status: StatusWord(bits), ..state() };
        let off = Operation::SetMode(ControlMode::ForcedOff);
        let seen = |operation: &Operation, bits, answered| evidence(map, operation, &shows(bits), answered, Timestamp(0));
        assert_eq!(seen(&off, 1 << 7, false), Evidence::State(true));
        assert_eq!(seen(&off, 1 << 6, false), Evidence::State(false));
        assert_eq!(seen(&off, 1 << 7 | 1 << 5, false), Evidence::State(false), "the trip may be older than the command");
        assert_eq!(seen(&off, 1 << 7 | 1 << 5, true), Evidence::State(true));
        assert_eq!(seen(&Operation::UserSwitch(true), 0, false), Evidence::State(true));
        assert_eq!(seen(&Operation::UserSwitch(false), 0, false), Evidence::State(false));
        assert!(relay_fault(&off, &shows(1 << 7 | 1)));
        assert!(!relay_fault(&off, &shows(1 << 7)));
    }

    #[test]
    fn settings_show_in_their_registers() {
        let map = &Profiles::load(None).unwrap().get("rpp").unwrap().secured.clone().unwrap().read_back;
        let registers = |operation: &Operation| match evidence(map, operation, &state(), true, Timestamp(0)) {
            Evidence::Registers { address, words } => (address, words),
            Evidence::State(_) => panic!("in the state block"),
        };
        let limits = Limits { alarm1: 0x1_0002, alarm2: 3, overdraft: 4, hoarding: 5, overload_w: 6 };
        assert_eq!(registers(&Operation::SetLimits(limits)), (0x0140, vec![1, 2, 0, 3, 0, 4, 0, 5, 6]));
        let tiers = Tiers { period: TierPeriod::Year, thresholds: [1, 2], surcharges: [3, 4] };
        assert_eq!(registers(&Operation::SetTiers(tiers)), (0x0151, vec![2, 0, 1, 0, 2, 0, 3, 0, 4]));
        let prices = |standby| Operation::SetPrices { standby, prices: [1, 2, 3, 4] };
        assert_eq!(registers(&prices(false)), (0x0149, vec![0, 1, 0, 2, 0, 3, 0, 4]));
        assert_eq!(registers(&prices(true)).0, 0x015a);
        assert_eq!(registers(&Operation::SetSwitchOver(None)), (0x0162, vec![0; 3]));
        assert_eq!(registers(&Operation::SetDatePlan(Vec::new())), (0x2000, vec![0; 6]));
        let table = Operation::SetDayTable { table: 2, slots: DayTable::default() };
        assert_eq!(registers(&table), (0x201b, vec![0; 21]));
    }

    #[test]
    fn odd_bytes_are_padded() {
        assert_eq!(words(&[1, 2, 3]), [0x0102, 0x0300]);
    }
}
