//! Tariffs: prices of rates, tiers, day tables and a date plan, as in the meter profile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod form;

use super::money::Money;
use super::parameters::{PlanEntry, TierPeriod, flat_price};
use super::time::{DAY, Date, MINUTE, Timestamp};

pub use form::{FormFault, NewVersion, PLAN_NAME_MAX, SPECIALS, is_plan_name, parse_version, with_special};

/// Rate outside all slots: 3, flat.
const FLAT: u8 = 3;
/// The highest price and surcharge that may be published: 100 yuan/kWh.
const MAX_PRICE: u32 = 1_000_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// Period after which tier energy restarts at zero.
    pub period: TierPeriod,
    /// Energy at which tiers 2 and 3 begin, Wh.
    pub thresholds: [i64; 2],
    /// Surcharge of tiers 2 and 3 over tier 1, 0.0001 yuan/kWh.
    pub surcharges: [u32; 2],
}

/// A slot of a day table: a rate and the minute at which it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// 1 spike, 2 peak, 3 flat, 4 valley.
    pub rate: u8,
    /// Minutes since midnight.
    pub starts: u16,
}

/// At most 14 slots that ascend from 00:00; empty: flat all day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTable(pub Vec<Slot>);

/// A part of a day at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RateSpan {
    /// Minutes since midnight.
    pub from: u16,
    /// Minutes since midnight; 1440 at the end of the day.
    pub until: u16,
    /// 1 spike, 2 peak, 3 flat, 4 valley.
    pub rate: u8,
    /// 0.0001 yuan/kWh, without a tier's surcharge.
    pub price: u32,
}

/// The content of a price version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Prices of rates 1-4 (spike, peak, flat, valley), 0.0001 yuan/kWh.
    pub rates: [u32; 4],
    #[serde(default)]
    pub tiers: Tiers,
    /// Day tables 1 and 2.
    #[serde(default)]
    pub tables: [DayTable; 2],
    /// Date plan; empty: flat all year.
    #[serde(default)]
    pub plan: Vec<PlanEntry>,
}

/// An invalid tariff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// A day table must have ascending slots from 00:00.
    #[error("a day table is at most 14 slots like 07:00=2 that ascend from 00:00")]
    DayTable,
    /// Invalid date plan.
    #[error("a date plan is at most 4 entries like 07-01=2")]
    Plan,
    /// A price is above 100 yuan, or the thresholds descend.
    #[error("a price or a threshold is out of range")]
    Range,
}

impl Prices {
    /// One price at all times.
    #[must_use]
    pub const fn flat(price: u32) -> Self {
        let tiers = Tiers { period: TierPeriod::None, thresholds: [0; 2], surcharges: [0; 2] };
        Self { rates: [price; 4], tiers, tables: [DayTable(Vec::new()), DayTable(Vec::new())], plan: Vec::new() }
    }

    /// The price of a kWh, if it is the same at all times and in all tiers.
    #[must_use]
    pub fn flat_price(&self) -> Option<Money> {
        flat_price(self.rates, &self.plan, self.tiers.period)
    }

    /// Checks whether the tariff may be published.
    ///
    /// # Errors
    /// The first fault found.
    pub fn validate(&self) -> Result<(), TariffError> {
        let Tiers { thresholds: [second, third], surcharges, .. } = self.tiers;
        if self.rates.iter().chain(&surcharges).any(|&price| price > MAX_PRICE) || second < 0 || third < second {
            return Err(TariffError::Range);
        }
        if !self.tables.iter().all(DayTable::is_valid) {
            return Err(TariffError::DayTable);
        }
        let days = |e: &PlanEntry| (1..=12).contains(&e.month) && (1..=31).contains(&e.day) && (1..=2).contains(&e.table);
        if self.plan.len() > 4 || !self.plan.iter().all(days) { Err(TariffError::Plan) } else { Ok(()) }
    }

    /// The rate in force, 1-4.
    #[must_use]
    pub fn rate(&self, at: Timestamp) -> u8 {
        let minute = at.since(at.date().start()) / MINUTE;
        let slots = self.slots(at);
        slots.iter().rev().find(|slot| i64::from(slot.starts) <= minute).map_or(FLAT, |slot| slot.rate)
    }

    /// The next moment at which the rate or the day may change.
    #[must_use]
    pub fn next_edge(&self, at: Timestamp) -> Timestamp {
        let midnight = at.date().start();
        let edges = self.slots(at).iter().map(|slot| midnight.plus(i64::from(slot.starts) * MINUTE));
        edges.filter(|&edge| edge > at).min().unwrap_or(midnight.plus(DAY))
    }

    fn slots(&self, at: Timestamp) -> &[Slot] {
        self.season(at.date()).map_or(&[], |season| self.table(season.table))
    }

    /// The entry of the date plan in force: the latest of this year, else the last of the plan, which repeats every year. `None`
    /// without a plan: the flat rate all day.
    #[must_use]
    pub fn season(&self, day: Date) -> Option<PlanEntry> {
        let (_, month, day) = day.ymd();
        let begun = self.plan.iter().filter(|entry| (entry.month, entry.day) <= (month, day)).max();
        begun.or_else(|| self.plan.iter().max()).copied()
    }

    /// The slots of day table 1 or 2; empty: the flat rate all day.
    #[must_use]
    pub fn table(&self, table: u8) -> &[Slot] {
        self.tables.get(usize::from(table).wrapping_sub(1)).map_or(&[], |table| &table.0)
    }

    /// The price of a rate without surcharge, 0.0001 yuan/kWh; 0 for a rate that there is not.
    #[must_use]
    pub fn price(&self, rate: u8) -> u32 {
        self.rates.get(usize::from(rate).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// A day from midnight to midnight, by rate; neighbours of one rate are joined.
    #[must_use]
    pub fn spans(&self, day: Date) -> Vec<RateSpan> {
        const END: u16 = 24 * 60;
        let slots = self.season(day).map_or(&[][..], |season| self.table(season.table));
        let mut spans: Vec<RateSpan> = Vec::new();
        let flat = [Slot { rate: FLAT, starts: 0 }];
        let slots = if slots.is_empty() { &flat[..] } else { slots };
        for (n, slot) in slots.iter().enumerate() {
            let until = slots.get(n + 1).map_or(END, |next| next.starts);
            match spans.last_mut() {
                Some(last) if last.rate == slot.rate => last.until = until,
                _ => spans.push(RateSpan { from: slot.starts, until, rate: slot.rate, price: self.price(slot.rate) }),
            }
        }
        spans
    }
}

impl DayTable {
    fn is_valid(&self) -> bool {
        self.0.len() <= 14
            && self.0.first().is_none_or(|slot| slot.starts == 0)
            && self.0.is_sorted_by(|a, b| a.starts < b.starts)
            && self.0.iter().all(|slot| (1..=4).contains(&slot.rate) && slot.starts < 24 * 60)
    }
}

impl FromStr for DayTable {
    type Err = TariffError;

    /// `00:00=4 07:00=3`: a time and the rate from then on, separated by spaces or commas.
    fn from_str(text: &str) -> Result<Self, TariffError> {
        let slot = |word: &str| {
            let (time, rate) = word.split_once('=')?;
            let (hour, minute) = time.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            let rate = rate.parse().ok()?;
            (hour < 24 && minute < 60).then_some(Slot { rate, starts: hour * 60 + minute })
        };
        let slots: Option<Vec<_>> = words(text).map(slot).collect();
        slots.map(Self).filter(Self::is_valid).ok_or(TariffError::DayTable)
    }
}

impl fmt::Display for DayTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Slot { rate, starts }) in self.0.iter().enumerate() {
            let gap = if n == 0 { "" } else { " " };
            write!(f, "{gap}{:02}:{:02}={rate}", starts / 60, starts % 60)?;
        }
        Ok(())
    }
}

impl FromStr for PlanEntry {
    type Err = TariffError;

    /// `07-01=2`: a month, a day, and the day table from then on.
    fn from_str(word: &str) -> Result<Self, TariffError> {
        let entry = || {
            let (date, table) = word.split_once('=')?;
            let (month, day) = date.split_once('-')?;
            Some(Self { month: month.parse().ok()?, day: day.parse().ok()?, table: table.parse().ok()? })
        };
        entry().ok_or(TariffError::Plan)
    }
}

impl fmt::Display for PlanEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}={}", self.month, self.day, self.table)
    }
}

/// Of a plan's versions, in any order, the one in force at an instant and the one after it, by when each begins. A plan's first
/// version holds before its instant, too: energy is never without a price.
#[must_use]
pub fn in_force<V>(versions: &[V], at: Timestamp, begins: impl Fn(&V) -> Timestamp) -> Option<(&V, Option<&V>)> {
    let begun = versions.iter().filter(|version| begins(version) <= at).max_by_key(|version| begins(version));
    let version = begun.or_else(|| versions.iter().min_by_key(|version| begins(version)))?;
    let later = at.max(begins(version));
    Some((version, versions.iter().filter(|one| begins(one) > later).min_by_key(|one| begins(one))))
}

/// Reads yuan/kWh with at most four decimals, in 0.0001 yuan; `None` if invalid or above 100 000.
#[must_use]
pub fn parse_price(text: &str) -> Option<u32> {
    let (whole, decimals) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 5 || decimals.len() > 4 || !digits(whole) || !digits(decimals) {
        return None;
    }
    Some(whole.parse::<u32>().ok()? * 10_000 + format!("{decimals:0<4}").parse::<u32>().ok()?)
}

/// Reads a date plan: entries separated by spaces or commas.
///
/// # Errors
/// [`TariffError::Plan`].
pub fn parse_plan(text: &str) -> Result<Vec<PlanEntry>, TariffError> {
    words(text).map(str::parse).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', '，', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Civil, HOUR};

    fn at(month: u8, day: u8, hour: u8, minute: u8) -> Timestamp {
        Civil { year: 2026, month, day, hour, minute, second: 0 }.timestamp().unwrap()
    }

    fn seasons() -> Prices {
        let tables = ["00:00=4 08:00=2 22:00=4", "00:00=3, 10:30=1 16:00=3"].map(|text| text.parse().unwrap());
        Prices { rates: [4, 3, 2, 1], tables, plan: parse_plan("03-01=1 07-01=2").unwrap(), ..Prices::default() }
    }

    #[test]
    fn the_rate_follows_the_day_table_and_the_plan_goes_round() {
        let prices = seasons();
        assert_eq!(prices.validate(), Ok(()));
        for (when, rate) in [
            (at(3, 1, 0, 0), 4),
            (at(6, 30, 8, 0), 2),
            (at(6, 30, 21, 59), 2),
            (at(7, 1, 10, 29), 3),
            (at(7, 1, 10, 30), 1),
            (at(1, 5, 10, 30), 1),
        ] {
            assert_eq!(prices.rate(when), rate, "{when}");
        }
        assert_eq!(Prices::flat(5_400).rate(at(1, 1, 3, 0)), FLAT);
        assert_eq!(prices.next_edge(at(7, 1, 10, 30)), at(7, 1, 16, 0));
        assert_eq!(prices.next_edge(at(7, 1, 16, 0)), at(7, 1, 16, 0).plus(8 * HOUR));
    }

    #[test]
    fn a_season_lasts_over_new_year_and_the_leap_day() {
        let prices = seasons();
        let table = |year, month, day| prices.season(Date::from_ymd(year, month, day).unwrap()).unwrap().table;
        assert_eq!([table(2026, 12, 31), table(2027, 1, 1), table(2027, 2, 28), table(2027, 3, 1)], [2, 2, 2, 1]);
        assert_eq!([table(2028, 2, 29), table(2028, 3, 1), table(2028, 6, 30), table(2028, 7, 1)], [2, 1, 1, 2]);
        let leap = Prices { plan: parse_plan("01-01=2 02-29=1").unwrap(), ..prices };
        let table = |year, month, day| leap.season(Date::from_ymd(year, month, day).unwrap()).unwrap().table;
        assert_eq!([table(2027, 2, 28), table(2027, 3, 1), table(2028, 2, 28), table(2028, 2, 29)], [2, 1, 2, 1]);
        assert_eq!(Prices::flat(1).season(Date(0)), None);
    }

    #[test]
    fn spans_cover_the_day_and_join_neighbours_of_one_rate() {
        let span = |from, until, rate, price| RateSpan { from, until, rate, price };
        let spring = Date::from_ymd(2026, 4, 1).unwrap();
        assert_eq!(seasons().spans(spring), [span(0, 480, 4, 1), span(480, 1_320, 2, 3), span(1_320, 1_440, 4, 1)]);
        assert_eq!(Prices::flat(7).spans(spring), [span(0, 1_440, FLAT, 7)]);
        let joined = Prices { tables: ["00:00=4 08:00=4".parse().unwrap(), DayTable::default()], ..seasons() };
        assert_eq!(joined.spans(spring), [span(0, 1_440, 4, 1)]);
    }

    #[test]
    fn the_first_version_holds_before_its_instant_too() {
        let of = |versions: &[i64], at| {
            let found = in_force(versions, Timestamp(at), |begins| Timestamp(*begins));
            found.map(|(version, next)| (*version, next.copied()))
        };
        assert_eq!(of(&[], 5), None);
        for versions in [[10, 20, 30], [30, 10, 20]] {
            assert_eq!(of(&versions, 5), Some((10, Some(20))));
            assert_eq!(of(&versions, 10), Some((10, Some(20))));
            assert_eq!(of(&versions, 29), Some((20, Some(30))));
            assert_eq!(of(&versions, 30), Some((30, None)));
        }
    }

    #[test]
    fn texts_go_round_and_broken_ones_are_refused() {
        for text in ["", "00:00=4 08:00=2 22:00=4"] {
            assert_eq!(text.parse::<DayTable>().unwrap().to_string(), text);
        }
        for text in ["08:00=2", "00:00=5", "00:00=1 00:00=2", "24:00=1", "x", "00:00", "00:00=1 09:00=2 08:00=3"] {
            assert_eq!(text.parse::<DayTable>(), Err(TariffError::DayTable), "{text}");
        }
        assert_eq!("07-01=2".parse::<PlanEntry>().unwrap().to_string(), "07-01=2");
        assert!(parse_plan("07").is_err());
        assert_eq!([parse_price("0.54"), parse_price("1"), parse_price("2.0001")], [Some(5_400), Some(10_000), Some(20_001)]);
        for text in ["", ".5", "0.54001", "-1", "1e1", "999999"] {
            assert_eq!(parse_price(text), None, "{text}");
        }
        let broken = Prices { plan: parse_plan("13-01=1").unwrap(), ..Prices::flat(1) };
        assert_eq!(broken.validate(), Err(TariffError::Plan));
        assert_eq!(Prices::flat(MAX_PRICE + 1).validate(), Err(TariffError::Range));
    }
}
