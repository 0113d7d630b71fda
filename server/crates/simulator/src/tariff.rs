//! Energy prices of a meter: day tables, date plan, prices, tiers, and the switch-over to standby prices.

use model::time::{DAY, MINUTE, Timestamp};
use serde::{Deserialize, Serialize};

use domain::bcd::BcdTime;
use domain::operation::{DayTable, PlanEntry, TierPeriod, Tiers};

/// Rate 3, in force if the plan is empty.
pub const FLAT: u8 = 3;

/// All price parameters of a meter. Times are of the meter's own clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Prices of rates 1-4 in force, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    /// Prices that take effect at the switch-over.
    pub standby: Option<[u32; 4]>,
    pub switch_over: Option<BcdTime>,
    pub tiers: Tiers,
    /// Day tables 1 and 2.
    pub day_tables: [DayTable; 2],
    /// Start days of the day tables.
    pub date_plan: Vec<PlanEntry>,
}

impl Tariff {
    /// The rate in force, 1-4.
    #[must_use]
    pub fn rate(&self, local: Timestamp) -> u8 {
        let minute = minute_of_day(local);
        let slots = self.table(local).map_or(&[][..], DayTable::slots);
        slots.iter().rev().find(|slot| slot.starts() <= minute).map_or(FLAT, |slot| slot.rate)
    }

    /// The next time at which rate, day or prices may change.
    #[must_use]
    pub fn next_change(&self, local: Timestamp) -> Timestamp {
        let (midnight, minute) = (local.date().start(), minute_of_day(local));
        let slots = self.table(local).map_or(&[][..], DayTable::slots);
        let slot = slots.iter().map(|slot| slot.starts()).find(|&starts| starts > minute);
        let next = slot.map_or(midnight.plus(DAY), |starts| midnight.plus(i64::from(starts) * MINUTE));
        match self.switch_over {
            Some(at) if at.timestamp() > local => next.min(at.timestamp()),
            _ => next,
        }
    }

    /// Activates standby prices if their time has come.
    pub fn switch_over_at(&mut self, local: Timestamp) {
        if self.switch_over.is_some_and(|at| at.timestamp() <= local) {
            self.switch_over = None;
            if let Some(prices) = self.standby.take() {
                self.prices = prices;
            }
        }
    }

    /// Price of one kWh, 0.0001 yuan, at a rate and the energy used in the tier period.
    #[must_use]
    pub fn price(&self, rate: u8, tier_use: u32) -> u64 {
        let price = self.prices.get(usize::from(rate).wrapping_sub(1)).copied().unwrap_or(0);
        u64::from(price) + u64::from(self.surcharge(tier_use))
    }

    fn surcharge(&self, tier_use: u32) -> u32 {
        let ([second, third], [over2, over3]) = (self.tiers.thresholds, self.tiers.surcharges);
        match self.tiers.period {
            TierPeriod::None => 0,
            _ if tier_use >= third => over3,
            _ if tier_use >= second => over2,
            _ => 0,
        }
    }

    /// Whether a tier period begins at this midnight.
    #[must_use]
    pub fn tier_period_begins(&self, midnight: Timestamp) -> bool {
        let c = midnight.civil();
        match self.tiers.period {
            TierPeriod::None => false,
            TierPeriod::Month => c.day == 1,
            TierPeriod::Year => (c.month, c.day) == (1, 1),
        }
    }

    /// The day table in force: that of the latest entry of this year, or else of the last entry, because the plan repeats yearly.
    fn table(&self, local: Timestamp) -> Option<&DayTable> {
        let c = local.civil();
        let begun = self.date_plan.iter().filter(|entry| (entry.month, entry.day) <= (c.month, c.day));
        let entry = begun.max_by_key(|entry| (entry.month, entry.day));
        let entry = entry.or_else(|| self.date_plan.iter().max_by_key(|entry| (entry.month, entry.day)))?;
        self.day_tables.get(usize::from(entry.table).wrapping_sub(1))
    }
}

fn minute_of_day(local: Timestamp) -> u16 {
    let c = local.civil();
    u16::from(c.hour) * 60 + u16::from(c.minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::operation::Slot;

    fn at(text: [u8; 6]) -> Timestamp {
        BcdTime::from_bytes(text).unwrap().timestamp()
    }

    fn table(slots: &[(u8, u8, u8)]) -> DayTable {
        slots.iter().map(|&(rate, hour, minute)| Slot { rate, hour, minute }).collect::<Vec<_>>().try_into().unwrap()
    }

    fn seasonal() -> Tariff {
        Tariff {
            prices: [9_000, 7_000, 5_000, 3_000],
            day_tables: [table(&[(4, 0, 0), (3, 8, 0), (2, 17, 30)]), table(&[(1, 0, 0)])],
            date_plan: vec![PlanEntry { month: 3, day: 1, table: 1 }, PlanEntry { month: 7, day: 1, table: 2 }],
            ..Tariff::default()
        }
    }

    #[test]
    fn an_empty_plan_is_flat() {
        assert_eq!(Tariff::default().rate(at([0x26, 0x07, 0x01, 0x12, 0, 0])), 3);
    }

    #[test]
    fn slots_seasons_and_the_turn_of_the_year() {
        let tariff = seasonal();
        for (time, rate) in [
            ([0x26, 0x03, 0x01, 0x00, 0x00, 0x00], 4),
            ([0x26, 0x03, 0x01, 0x07, 0x59, 0x59], 4),
            ([0x26, 0x06, 0x30, 0x08, 0x00, 0x00], 3),
            ([0x26, 0x06, 0x30, 0x17, 0x30, 0x00], 2),
            ([0x26, 0x07, 0x01, 0x03, 0x00, 0x00], 1),
            ([0x26, 0x02, 0x28, 0x03, 0x00, 0x00], 1),
        ] {
            assert_eq!(tariff.rate(at(time)), rate, "{time:x?}");
        }
    }

    #[test]
    fn next_change_is_a_slot_midnight_or_the_switch_over() {
        let mut tariff = seasonal();
        assert_eq!(tariff.next_change(at([0x26, 0x03, 1, 0, 0, 0])), at([0x26, 0x03, 1, 0x08, 0, 0]));
        assert_eq!(tariff.next_change(at([0x26, 0x03, 1, 0x18, 0, 0])), at([0x26, 0x03, 2, 0, 0, 0]));
        tariff.switch_over = BcdTime::from_bytes([0x26, 0x03, 1, 0x18, 0x30, 0]);
        assert_eq!(tariff.next_change(at([0x26, 0x03, 1, 0x18, 0, 0])), at([0x26, 0x03, 1, 0x18, 0x30, 0]));
    }

    #[test]
    fn standby_prices_take_effect_once() {
        let mut tariff = Tariff { standby: Some([1; 4]), switch_over: BcdTime::from_bytes([0x27, 1, 1, 0, 0, 0]), ..seasonal() };
        tariff.switch_over_at(at([0x26, 0x12, 0x31, 0x23, 0x59, 0x59]));
        assert_eq!(tariff.prices, seasonal().prices);
        tariff.switch_over_at(at([0x27, 1, 1, 0, 0, 0]));
        assert_eq!((tariff.prices, tariff.standby, tariff.switch_over), ([1; 4], None, None));
    }

    #[test]
    fn tiers_add_their_surcharge_from_the_threshold() {
        let tiers = Tiers { period: TierPeriod::Month, thresholds: [100, 200], surcharges: [500, 3_000] };
        let mut tariff = Tariff { tiers, ..seasonal() };
        assert_eq!([0, 99, 100, 199, 200].map(|used| tariff.price(3, used)), [5_000, 5_000, 5_500, 5_500, 8_000]);
        tariff.tiers.period = TierPeriod::None;
        assert_eq!(tariff.price(3, 1_000), 5_000);
    }
}
