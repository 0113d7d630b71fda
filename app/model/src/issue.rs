//! What an operator may tell meters: the operations of the profile that move no money, with their ranges.

mod form;

use serde::{Deserialize, Serialize};

use super::meter::ControlMode;
use super::parameters::{Limits, PlanEntry, Slot, Tiers};
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
    Tiers,
    /// A day table.
    DayTable,
    /// The date plan.
    DatePlan,
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
    use super::super::parameters::TierPeriod;
    use super::*;

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
