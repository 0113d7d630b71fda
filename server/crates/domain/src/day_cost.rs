//! From the cost of a day to what the ledger took. Costs are kept in 1e-7 yuan; a charge posts whole 0.0001 yuan and carries the
//! rest to the next one.

use std::collections::BTreeMap;

use model::console::{ChargePart, LedgerSteps};
use model::energy::Energy;
use model::money::Money;
use model::time::{Date, Timestamp};

use super::tariff::Line;

/// 1e-7 yuan in 0.0001 yuan.
const E7_PER_E4: i64 = 1_000;

/// A charge that touches a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged {
    pub from: Timestamp,
    pub at: Timestamp,
    pub posted: Money,
    pub lines: Vec<Line>,
    pub is_reversal: bool,
}

/// What was charged before those charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChargedBefore {
    /// Cost of all days before the day, 1e-7 yuan.
    pub cost_e7: i64,
    /// Posted by the charges that do not touch the day.
    pub posted: Money,
}

/// The steps of a day: `charges` are all that touch it, and `ledger` is what the ledger has of them.
#[must_use]
pub fn ledger_steps(day: Date, charges: &[Charged], before: ChargedBefore, ledger: Money) -> LedgerSteps {
    let cost = |keep: &dyn Fn(Date) -> bool| {
        let lines = charges.iter().flat_map(|charge| &charge.lines);
        lines.filter(|line| keep(line.day)).map(|line| line.cost_e7).sum::<i64>()
    };
    let (earlier, all) = (cost(&|of| of < day), cost(&|_| true));
    let posted = charges.iter().map(|charge| charge.posted).sum::<Money>();
    let carried_in_e7 = before.cost_e7 - earlier - before.posted.0 * E7_PER_E4;
    LedgerSteps {
        charges: by_hour(day, charges),
        other_days_e7: cost(&|of| of != day),
        carried_in_e7,
        carried_out_e7: carried_in_e7 + all - posted.0 * E7_PER_E4,
        posted,
        ledger,
    }
}

/// The charges of each hour together; a sweep of ten seconds makes thousands of charges a day.
fn by_hour(day: Date, charges: &[Charged]) -> Vec<ChargePart> {
    let mut hours: BTreeMap<(bool, i64), ChargePart> = BTreeMap::new();
    for charge in charges {
        let here = || charge.lines.iter().filter(|line| line.day == day);
        if here().next().is_none() {
            continue;
        }
        // A reading at the full hour ends the hour before.
        let part = hours.entry((charge.is_reversal, charge.at.plus(-1).hour())).or_insert(ChargePart {
            from: charge.from,
            at: charge.at,
            readings: 0,
            energy: Energy::ZERO,
            cost_e7: 0,
            posted: Money::ZERO,
            is_reversal: charge.is_reversal,
        });
        (part.from, part.at) = (part.from.min(charge.from), part.at.max(charge.at));
        part.readings += 1;
        part.energy = part.energy + Energy(here().map(|line| line.wh).sum());
        part.cost_e7 += here().map(|line| line.cost_e7).sum::<i64>();
        part.posted = part.posted + charge.posted;
    }
    hours.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::tariff::{Passed, Position, Version, charge};
    use super::*;
    use model::tariff::Prices;
    use model::time::MINUTE;
    use uuid::Uuid;

    #[test]
    fn each_day_leads_to_what_the_ledger_took_of_its_charges() {
        let versions = [Version { id: Uuid::nil(), from: Timestamp(0), prices: Prices::flat(5_401) }];
        let (mut position, mut all) = (Position::default(), Vec::new());
        let first = Date::from_ymd(2028, 2, 28).unwrap();
        // Readings at 00:20, 01:00 and so on: some go over midnight.
        let start = first.start().plus(-20 * MINUTE);
        for n in 0..3 * 36 {
            let (from, to) = (start.plus(n * 40 * MINUTE), start.plus((n + 1) * 40 * MINUTE));
            let passed = Passed { from, to, energy: Energy(77), rates: None };
            let charge = charge(&mut position, &versions, &passed).unwrap();
            all.push(Charged { from, at: to, posted: charge.amount, lines: charge.lines, is_reversal: false });
        }
        for n in 0..3 {
            let day = first.plus(n);
            let touches = |charge: &&Charged| charge.at > day.start() && charge.from < day.plus(1).start();
            let here: Vec<Charged> = all.iter().filter(touches).cloned().collect();
            let lines = all.iter().flat_map(|charge| &charge.lines);
            let before = ChargedBefore {
                cost_e7: lines.clone().filter(|line| line.day < day).map(|line| line.cost_e7).sum(),
                posted: all.iter().filter(|charge| charge.at <= day.start()).map(|charge| charge.posted).sum(),
            };
            let cost: i64 = lines.filter(|line| line.day == day).map(|line| line.cost_e7).sum();
            let steps = ledger_steps(day, &here, before, here.iter().map(|charge| charge.posted).sum());
            let took = steps.carried_in_e7 + cost + steps.other_days_e7 - steps.carried_out_e7;
            assert_eq!((took, steps.ledger), (steps.posted.0 * 1_000, steps.posted), "{day}");
            assert!((0..1_000).contains(&steps.carried_in_e7) && (0..1_000).contains(&steps.carried_out_e7), "{steps:?}");
            assert_eq!(steps.charges.iter().map(|part| part.cost_e7).sum::<i64>(), cost);
            assert!(steps.charges.len() <= 25 && steps.other_days_e7 > 0, "{steps:?}");
        }
        assert_eq!(position.carry_e7, {
            let costs: i64 = all.iter().flat_map(|charge| &charge.lines).map(|line| line.cost_e7).sum();
            costs - all.iter().map(|charge| charge.posted).sum::<Money>().0 * 1_000
        });
    }

    #[test]
    fn a_reversal_is_a_line_of_its_own() {
        let day = Date::from_ymd(2026, 11, 28).unwrap();
        let line = Line { day, version: Uuid::nil(), rate: 3, tier: 1, price_e4: 10_000, wh: 100, cost_e7: 1_000_000 };
        let (from, at) = (day.start(), day.start().plus(30 * MINUTE));
        let charged = Charged { from, at, posted: Money(1_000), lines: vec![line], is_reversal: false };
        let back = Line { wh: -100, cost_e7: -1_000_000, ..line };
        let reversal = Charged { posted: Money(-1_000), lines: vec![back], is_reversal: true, ..charged.clone() };
        let steps = ledger_steps(day, &[charged, reversal], ChargedBefore::default(), Money::ZERO);
        assert_eq!((steps.posted, steps.carried_out_e7, steps.charges.len()), (Money::ZERO, 0, 2));
    }
}
