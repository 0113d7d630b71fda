//! What a meter that holds its own credit must still be told, so that it keeps what its price plan says.

use model::console::{PriceChange, PriceGap};
use model::issue::Issue;
use model::parameters::{Parameters, Slot, Tiers};
use model::tariff::Prices;
use model::time::Timestamp;

use super::price_steps::of_meter;
use super::price_year::changes;

/// The version in force, and the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub now: Prices,
    pub next: Option<(Prices, Timestamp)>,
}

/// What a meter keeps otherwise. Only prices can be loaded before their time: tiers, day tables and seasons of the next version
/// are told once it is in force.
#[must_use]
pub fn gaps(known: &Parameters, wanted: &Wanted, at: Timestamp) -> Vec<PriceGap> {
    let gap = |change: PriceChange| match change {
        PriceChange::Rate { .. } => PriceGap::Prices,
        PriceChange::Tiers => PriceGap::Tiers,
        PriceChange::Table(table) => PriceGap::Table(table),
        PriceChange::Seasons => PriceGap::Seasons,
    };
    let mut gaps: Vec<PriceGap> = changes(&of_meter(known, at), &kept(&wanted.now)).into_iter().map(gap).collect();
    if let Some((next, from)) = &wanted.next {
        let is_loaded = known.switch_over == Some(*from) && known.standby == next.rates;
        if next.rates != wanted.now.rates && !is_loaded {
            gaps.push(PriceGap::Standby);
        }
    }
    gaps.sort_unstable();
    gaps.dedup();
    gaps
}

/// The command that closes a gap; `None` where no meter takes its values.
#[must_use]
pub fn issue(gap: PriceGap, wanted: &Wanted, at: Timestamp) -> Option<Issue> {
    let prices = &wanted.now;
    let issue = match gap {
        PriceGap::Prices => Issue::Prices(prices.rates),
        PriceGap::Standby => {
            let (next, from) = wanted.next.as_ref()?;
            Issue::Standby { prices: next.rates, at: *from }
        }
        PriceGap::Tiers => {
            let tiers = prices.tiers;
            let [second, third] = tiers.thresholds.map(|wh| u32::try_from(wh / 10));
            Issue::Tiers(Tiers { period: tiers.period, thresholds: [second.ok()?, third.ok()?], surcharges: tiers.surcharges })
        }
        PriceGap::Table(table) => {
            let slot = |slot: &model::tariff::Slot| {
                let (hour, minute) = (u8::try_from(slot.starts / 60).ok()?, u8::try_from(slot.starts % 60).ok()?);
                Some(Slot { rate: slot.rate, hour, minute })
            };
            Issue::DayTable { table, slots: prices.table(table).iter().map(slot).collect::<Option<_>>()? }
        }
        PriceGap::Seasons => {
            let mut entries = prices.plan.clone();
            entries.sort_unstable();
            Issue::DatePlan(entries)
        }
    };
    issue.checked(at)
}

/// As a meter keeps it: thresholds in 0.01 kWh.
fn kept(prices: &Prices) -> Prices {
    let mut kept = prices.clone();
    kept.tiers.thresholds = kept.tiers.thresholds.map(|wh| wh / 10 * 10);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::parameters::{PlanEntry, TierPeriod};
    use model::tariff::{DayTable, parse_plan};
    use model::time::{DAY, HOUR};

    const NOW: Timestamp = Timestamp(1_795_600_000_000);

    fn plan() -> Prices {
        Prices {
            rates: [9_000, 7_000, 5_000, 3_000],
            tiers: model::tariff::Tiers { period: TierPeriod::Month, thresholds: [100_005, 200_000], surcharges: [500, 3_000] },
            tables: ["00:00=4 07:30=2".parse().unwrap(), DayTable::default()],
            plan: parse_plan("11-01=2 03-01=1").unwrap(),
        }
    }

    fn issued(wanted: &Wanted, gaps: &[PriceGap]) -> Parameters {
        let mut known = Parameters::default();
        for gap in gaps {
            match issue(*gap, wanted, NOW).unwrap() {
                Issue::Prices(prices) => known.prices = prices,
                Issue::Standby { prices, at } => (known.standby, known.switch_over) = (prices, Some(at)),
                Issue::Tiers(tiers) => known.tiers = tiers,
                Issue::DayTable { table, slots } => known.day_tables[usize::from(table) - 1] = slots,
                Issue::DatePlan(entries) => known.date_plan = entries,
                other => panic!("{other:?}"),
            }
        }
        known
    }

    #[test]
    fn a_meter_that_was_told_every_gap_has_none() {
        let next = (Prices { rates: [9_500, 7_500, 5_500, 3_500], ..plan() }, NOW.plus(10 * DAY));
        let wanted = Wanted { now: plan(), next: Some(next) };
        let all = [PriceGap::Prices, PriceGap::Standby, PriceGap::Tiers, PriceGap::Table(1), PriceGap::Seasons];
        assert_eq!(gaps(&Parameters::default(), &wanted, NOW), all);
        let known = issued(&wanted, &all);
        assert_eq!(known.date_plan, [PlanEntry { month: 3, day: 1, table: 1 }, PlanEntry { month: 11, day: 1, table: 2 }]);
        assert_eq!(gaps(&known, &wanted, NOW), [], "thresholds are compared as a meter keeps them");
        // After the switch-over it goes by the standby prices.
        let later = Wanted { now: wanted.next.clone().unwrap().0, next: None };
        assert_eq!(gaps(&known, &later, NOW.plus(11 * DAY)), []);
        assert_eq!(gaps(&known, &wanted, NOW.plus(11 * DAY)), [PriceGap::Prices]);
    }

    #[test]
    fn only_prices_are_loaded_before_their_time() {
        let tables = ["00:00=1".parse().unwrap(), DayTable::default()];
        let wanted = Wanted { now: plan(), next: Some((Prices { tables, ..plan() }, NOW.plus(DAY))) };
        let known = issued(&wanted, &[PriceGap::Prices, PriceGap::Tiers, PriceGap::Table(1), PriceGap::Seasons]);
        assert_eq!(gaps(&known, &wanted, NOW), []);
        let dearer = Wanted { next: Some((Prices::flat(1), NOW.plus(DAY))), ..wanted };
        assert_eq!(gaps(&known, &dearer, NOW), [PriceGap::Standby]);
    }

    #[test]
    fn what_no_meter_takes_is_not_issued() {
        let wanted = |rates| Wanted { now: Prices { rates, ..plan() }, next: Some((plan(), NOW.plus(-HOUR))) };
        assert_eq!(issue(PriceGap::Prices, &wanted([0, 1, 1, 1]), NOW), None, "a price of zero");
        assert_eq!(issue(PriceGap::Prices, &wanted([100_001, 1, 1, 1]), NOW), None, "above 10 yuan");
        assert_eq!(issue(PriceGap::Standby, &wanted([1; 4]), NOW), None, "its time has passed");
        assert_eq!(issue(PriceGap::Prices, &wanted([1; 4]), NOW), Some(Issue::Prices([1; 4])));
    }
}
