//! What an operator may tell meters: the operations of the profile that move no money, with their ranges.

mod form;

use serde::{Deserialize, Serialize};

use super::meter::ControlMode;
use super::money::Money;
use super::time::Timestamp;

pub use form::{Fields, PRICES, Problem};

/// The dearest price that is believed, 0.0001 yuan/kWh: more is a slip of the hand.
pub const MAX_PRICE: u32 = 100_000;
/// The most slots of a day table.
pub const SLOTS: usize = 14;
/// The most entries of a date plan.
pub const ENTRIES: usize = 4;

/// Which operation, without its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// How the relay is governed.
    Mode,
    /// The resident's switch.
    Switch,
    /// Alarm, overdraft, hoarding and overload limits.
    Limits,
    /// Prices, at once.
    Prices,
    /// Prices that wait for an instant.
    Standby,
    /// The waiting prices are not to come into force.
    Cancel,
    /// Step prices.
    Tiers,
    /// A day table.
    DayTable,
    /// The date plan.
    DatePlan,
    /// The clock.
    Clock,
    /// Nothing is changed: the meter is read now.
    Read,
}

impl Kind {
    /// All of them, as people look for them.
    pub const ALL: [Self; 11] = [
        Self::Mode,
        Self::Switch,
        Self::Limits,
        Self::Prices,
        Self::Standby,
        Self::Cancel,
        Self::Tiers,
        Self::DayTable,
        Self::DatePlan,
        Self::Clock,
        Self::Read,
    ];

    /// The word in the outbox and in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Switch => "switch",
            Self::Limits => "limits",
            Self::Prices => "prices",
            Self::Standby => "standby",
            Self::Cancel => "switch_over",
            Self::Tiers => "tiers",
            Self::DayTable => "day_table",
            Self::DatePlan => "date_plan",
            Self::Clock => "clock",
            Self::Read => "read",
        }
    }

    /// From that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Limits; amounts in 0.01 yuan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// First warning below this amount.
    pub alarm1: u32,
    /// Second warning; not above the first.
    pub alarm2: u32,
    /// How far below zero a wallet may go.
    pub overdraft: u32,
    /// The largest remaining amount after a credit; 0: none.
    pub hoarding: u32,
    /// Above this power the relay trips, W; 0: none.
    pub overload_w: u16,
}

/// Over which period use climbs the tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierPeriod {
    /// No tiers.
    #[default]
    None,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

/// Step prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tiers {
    /// When use starts again at zero.
    pub period: TierPeriod,
    /// Where tiers 2 and 3 begin, 0.01 kWh.
    pub thresholds: [u32; 2],
    /// What they cost more than tier 1, 0.0001 yuan/kWh.
    pub surcharges: [u32; 2],
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

/// From a day of the year on, a day table is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanEntry {
    /// 1-12.
    pub month: u8,
    /// 1-31.
    pub day: u8,
    /// 1 or 2.
    pub table: u8,
}

/// What a meter's parameters were when they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Limits.
    pub limits: Limits,
    /// Prices in force, 0.0001 yuan/kWh.
    pub prices: [u32; 4],
    /// Step prices.
    pub tiers: Tiers,
    /// Prices that wait, 0.0001 yuan/kWh.
    pub standby: [u32; 4],
    /// When they come into force; `None` where nothing is planned.
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

    /// The one price of a kWh, where it is the same all day and at any use.
    #[must_use]
    pub fn flat_price(&self, now: Timestamp) -> Option<Money> {
        let prices = self.prices_at(now);
        let [_, _, flat, _] = prices;
        let same = prices.iter().all(|price| *price == flat) || self.date_plan.is_empty();
        (flat > 0 && same && self.tiers.period == TierPeriod::None).then_some(Money(flat.into()))
    }
}

/// What meters are told. Made from a form or from a stored command, it is within the profile's ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Issue {
    /// Set the control mode.
    Mode(ControlMode),
    /// Turn the resident's switch.
    Switch(bool),
    /// Set the limits.
    Limits(Limits),
    /// Set the prices of rates 1-4, 0.0001 yuan/kWh.
    Prices([u32; 4]),
    /// Load prices that come into force later.
    Standby {
        /// Of rates 1-4, 0.0001 yuan/kWh.
        prices: [u32; 4],
        /// When.
        at: Timestamp,
    },
    /// Cancel the switch-over.
    Cancel,
    /// Set the step prices.
    Tiers(Tiers),
    /// Set a day table; without slots rate 3 is in force all day.
    DayTable {
        /// 1 or 2.
        table: u8,
        /// Ascending from 00:00.
        slots: Vec<Slot>,
    },
    /// Set the date plan.
    DatePlan(Vec<PlanEntry>),
    /// Set the clock to the server's.
    Clock,
    /// Read now.
    Read,
}

#[derive(Serialize, Deserialize)]
struct ModeArgs {
    mode: ControlMode,
}
#[derive(Serialize, Deserialize)]
struct SwitchArgs {
    on: bool,
}
#[derive(Serialize, Deserialize)]
struct PriceArgs {
    standby: bool,
    prices: [u32; 4],
}
#[derive(Serialize, Deserialize)]
struct StandbyArgs {
    prices: [u32; 4],
    at: Timestamp,
}
#[derive(Serialize, Deserialize)]
struct TableArgs {
    table: u8,
    slots: Vec<Slot>,
}
#[derive(Serialize, Deserialize)]
struct PlanArgs {
    entries: Vec<PlanEntry>,
}

impl Issue {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Mode(_) => Kind::Mode,
            Self::Switch(_) => Kind::Switch,
            Self::Limits(_) => Kind::Limits,
            Self::Prices(_) => Kind::Prices,
            Self::Standby { .. } => Kind::Standby,
            Self::Cancel => Kind::Cancel,
            Self::Tiers(_) => Kind::Tiers,
            Self::DayTable { .. } => Kind::DayTable,
            Self::DatePlan(_) => Kind::DatePlan,
            Self::Clock => Kind::Clock,
            Self::Read => Kind::Read,
        }
    }

    /// Its values as a command stores them.
    #[must_use]
    pub fn args(&self) -> String {
        fn json<T: Serialize>(args: &T) -> String {
            serde_json::to_string(args).unwrap_or_default()
        }
        match self {
            Self::Mode(mode) => json(&ModeArgs { mode: *mode }),
            Self::Switch(on) => json(&SwitchArgs { on: *on }),
            Self::Limits(limits) => json(limits),
            Self::Prices(prices) => json(&PriceArgs { standby: false, prices: *prices }),
            Self::Standby { prices, at } => json(&StandbyArgs { prices: *prices, at: *at }),
            Self::Cancel => r#"{"at":null}"#.to_owned(),
            Self::Tiers(tiers) => json(tiers),
            Self::DayTable { table, slots } => json(&TableArgs { table: *table, slots: slots.clone() }),
            Self::DatePlan(entries) => json(&PlanArgs { entries: entries.clone() }),
            Self::Clock | Self::Read => "{}".to_owned(),
        }
    }

    /// From a stored command; `None` where it is none of these.
    #[must_use]
    pub fn stored(kind: &str, args: &str) -> Option<Self> {
        fn from<'a, T: Deserialize<'a>>(args: &'a str) -> Option<T> {
            serde_json::from_str(args).ok()
        }
        Some(match Kind::parse(kind)? {
            Kind::Mode => Self::Mode(from::<ModeArgs>(args)?.mode),
            Kind::Switch => Self::Switch(from::<SwitchArgs>(args)?.on),
            Kind::Limits => Self::Limits(from(args)?),
            Kind::Prices => Self::Prices(from::<PriceArgs>(args)?.prices),
            Kind::Standby => {
                let StandbyArgs { prices, at } = from(args)?;
                Self::Standby { prices, at }
            }
            Kind::Cancel => Self::Cancel,
            Kind::Tiers => Self::Tiers(from(args)?),
            Kind::DayTable => {
                let TableArgs { table, slots } = from(args)?;
                Self::DayTable { table, slots }
            }
            Kind::DatePlan => Self::DatePlan(from::<PlanArgs>(args)?.entries),
            Kind::Clock => Self::Clock,
            Kind::Read => Self::Read,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_is_stored_comes_back() {
        for issue in [
            Issue::Mode(ControlMode::Guaranteed),
            Issue::Switch(false),
            Issue::Limits(Limits { alarm1: 2_000, alarm2: 500, overdraft: 0, hoarding: 50_000, overload_w: 1_800 }),
            Issue::Prices([9_000, 7_000, 5_383, 3_000]),
            Issue::Standby { prices: [1, 2, 3, 4], at: Timestamp(1_795_600_000_000) },
            Issue::Cancel,
            Issue::Tiers(Tiers { period: TierPeriod::Month, thresholds: [10_000, 20_000], surcharges: [500, 3_000] }),
            Issue::DayTable { table: 2, slots: vec![Slot { rate: 4, hour: 0, minute: 0 }] },
            Issue::DatePlan(vec![PlanEntry { month: 7, day: 1, table: 2 }]),
            Issue::Clock,
            Issue::Read,
        ] {
            assert_eq!(Issue::stored(issue.kind().as_str(), &issue.args()), Some(issue.clone()), "{issue:?}");
        }
        assert_eq!(Issue::stored("credit", "{}"), None);
        assert_eq!(Issue::stored("mode", "{"), None);
    }
}
