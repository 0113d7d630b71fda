//! The parameters that a meter keeps and that commands set, as the meter profile has them.

use serde::{Deserialize, Serialize};

use super::money::Money;
use super::time::{Date, Timestamp};
use crate::word_enum;

/// Limits on the remaining amount and on power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Alarm 1 below this amount, 0.01 yuan.
    pub alarm1: u32,
    /// Alarm 2; at most alarm 1.
    pub alarm2: u32,
    pub overdraft: u32,
    /// Hoarding limit: the largest remaining amount after a credit; 0: none.
    pub hoarding: u32,
    /// Above this power the relay trips, W; 0: none.
    pub overload_w: u16,
}

impl Limits {
    /// Whether a meter takes them.
    #[must_use]
    pub const fn valid(&self) -> bool {
        self.alarm2 <= self.alarm1 && self.overdraft <= i32::MAX as u32 && self.hoarding <= i32::MAX as u32
    }
}

word_enum! {
    /// Period over which tier energy accumulates, in the order of its codes in meters.
    #[derive(Default)]
    pub enum TierPeriod {
        #[default]
        None = "none",
        /// A calendar month.
        Month = "month",
        /// A calendar year.
        Year = "year",
    }
}

impl TierPeriod {
    /// Its code in meters.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// From its code in meters.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|period| period.code() == code)
    }
}

/// Tiers: surcharges of tiers 2 and 3 over tier 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// Period after which tier energy restarts at zero.
    pub period: TierPeriod,
    /// Thresholds of tiers 2 and 3, 0.01 kWh.
    pub thresholds: [u32; 2],
    /// Surcharges, 0.0001 yuan/kWh.
    pub surcharges: [u32; 2],
}

impl Tiers {
    /// Whether a meter takes them: thresholds do not descend.
    #[must_use]
    pub const fn valid(&self) -> bool {
        let [first, second] = self.thresholds;
        first <= second
    }
}

/// From a time of day on, a rate is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// 1 spike, 2 peak, 3 flat, 4 valley.
    pub rate: u8,
    /// 0-23.
    pub hour: u8,
    /// 0-59.
    pub minute: u8,
}

impl Slot {
    /// As in the frame and in block T.
    #[must_use]
    pub const fn bytes(self) -> [u8; 3] {
        [self.rate, self.hour, self.minute]
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn starts(self) -> u16 {
        self.hour as u16 * 60 + self.minute as u16
    }

    const fn valid(self) -> bool {
        self.rate >= 1 && self.rate <= 4 && self.hour < 24 && self.minute < 60
    }
}

/// At most 14 slots that ascend from 00:00; empty: rate 3 all day. Holds by construction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Slot>", into = "Vec<Slot>")]
pub struct DayTable(Box<[Slot]>);

/// Slots do not make a day table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day table has at most 14 slots of rates 1-4 that ascend from 00:00")]
pub struct DayTableError;

impl DayTable {
    /// The most slots that a table holds.
    pub const MAX: usize = 14;

    #[must_use]
    pub const fn slots(&self) -> &[Slot] {
        &self.0
    }

    /// How many slots.
    #[must_use]
    pub fn count(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

impl TryFrom<Vec<Slot>> for DayTable {
    type Error = DayTableError;
    fn try_from(slots: Vec<Slot>) -> Result<Self, DayTableError> {
        let ascending = slots.iter().zip(slots.iter().skip(1)).all(|(a, b)| a.starts() < b.starts());
        let from_midnight = slots.first().is_none_or(|slot| slot.starts() == 0);
        let valid = slots.len() <= Self::MAX && ascending && from_midnight && slots.iter().all(|slot| slot.valid());
        if valid { Ok(Self(slots.into())) } else { Err(DayTableError) }
    }
}

impl From<DayTable> for Vec<Slot> {
    fn from(table: DayTable) -> Self {
        table.0.into()
    }
}

/// From a day of the year on, a day table is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanEntry {
    /// 1-12.
    pub month: u8,
    /// 1-31.
    pub day: u8,
    /// 1 or 2.
    pub table: u8,
}

impl PlanEntry {
    /// As in the frame and in block T.
    #[must_use]
    pub const fn bytes(self) -> [u8; 3] {
        [self.month, self.day, self.table]
    }

    /// Whether a meter takes it: a day that a leap year has, a table that there is.
    #[must_use]
    pub fn valid(self) -> bool {
        Date::from_ymd(2028, self.month, self.day).is_some() && matches!(self.table, 1 | 2)
    }
}

/// Parameters of a meter as last read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub limits: Limits,
    /// Prices in force, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    pub tiers: Tiers,
    /// Standby prices, 0.0001 yuan/kWh.
    pub standby: [u32; 4],
    /// Switch-over time of the standby prices; `None` if none is planned.
    pub switch_over: Option<Timestamp>,
    /// Which day table from which day on.
    pub date_plan: Vec<PlanEntry>,
    /// Day tables 1 and 2.
    pub day_tables: [Vec<Slot>; 2],
}

impl Parameters {
    /// The prices in force at an instant, 0.0001 yuan/kWh: a meter switches to what is planned by itself.
    #[must_use]
    pub fn prices_at(&self, now: Timestamp) -> [u32; 4] {
        if self.switch_over.is_some_and(|at| at <= now) { self.standby } else { self.prices }
    }

    /// The price of a kWh, if it is the same at all times and in all tiers.
    #[must_use]
    pub fn flat_price(&self, now: Timestamp) -> Option<Money> {
        flat_price(self.prices_at(now), &self.date_plan, self.tiers.period)
    }
}

/// The price of a kWh that is the same at all times and in all tiers. Without a date plan all energy is of the flat rate.
pub(crate) fn flat_price(prices: [u32; 4], plan: &[PlanEntry], period: TierPeriod) -> Option<Money> {
    let [_, _, flat, _] = prices;
    let is_same = plan.is_empty() || prices.iter().all(|price| *price == flat);
    (flat > 0 && is_same && period == TierPeriod::None).then_some(Money(flat.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(slots: &[(u8, u8, u8)]) -> Result<DayTable, DayTableError> {
        slots.iter().map(|&(rate, hour, minute)| Slot { rate, hour, minute }).collect::<Vec<_>>().try_into()
    }

    #[test]
    fn day_tables_ascend_from_midnight() {
        assert!(table(&[]).is_ok());
        assert!(table(&[(4, 0, 0), (3, 8, 0), (2, 17, 30)]).is_ok());
        for bad in [&[(4, 0, 1)][..], &[(4, 0, 0), (3, 0, 0)], &[(4, 0, 0), (3, 9, 0), (2, 8, 0)], &[(5, 0, 0)], &[(0, 0, 0)]] {
            assert_eq!(table(bad), Err(DayTableError), "{bad:?}");
        }
        let fifteen: Vec<_> = (0..15).map(|hour| (1, hour, 0)).collect();
        assert_eq!(table(&fifteen), Err(DayTableError));
    }

    #[test]
    fn plans_name_real_days() {
        assert!(PlanEntry { month: 2, day: 29, table: 2 }.valid());
        for (month, day, table) in [(2, 30, 1), (0, 1, 1), (13, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 3)] {
            assert!(!PlanEntry { month, day, table }.valid());
        }
    }
    #[test]
    fn a_price_is_one_price_only_where_it_is_the_same_all_day() {
        let plain = Parameters { prices: [9, 7, 5, 3], ..Parameters::default() };
        let now = Timestamp(1_000);
        assert_eq!(plain.flat_price(now), Some(Money(5)), "without tables the flat rate is in force");
        let planned = Parameters { standby: [8; 4], switch_over: Some(now), ..plain.clone() };
        assert_eq!((planned.flat_price(Timestamp(999)), planned.flat_price(now)), (Some(Money(5)), Some(Money(8))));
        let tables = Parameters { date_plan: vec![PlanEntry { month: 1, day: 1, table: 1 }], ..plain.clone() };
        assert_eq!(tables.flat_price(now), None);
        let tiers = Tiers { period: TierPeriod::Month, ..Tiers::default() };
        assert_eq!(Parameters { tiers, ..plain }.flat_price(now), None);
    }
}
