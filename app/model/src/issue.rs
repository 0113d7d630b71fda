//! The operations that an operator may send to meters: those of the profile that move no money, with their ranges.

pub(crate) mod form;

use serde::{Deserialize, Serialize};

use super::meter::ControlMode;
use super::parameters::{Limits, PlanEntry, Slot, Tiers};
use super::time::Timestamp;
use crate::word_enum;

pub use form::{Fields, PRICES, Problem};

/// The highest price that is accepted, 0.0001 yuan/kWh: a higher one is taken for a typing error.
pub const MAX_PRICE: u32 = 100_000;
/// The most slots of a day table.
pub const SLOTS: usize = 14;
/// The most entries of a date plan.
pub const ENTRIES: usize = 4;

word_enum! {
    /// Which operation, without its values, in the order of the console's menu.
    pub enum Kind {
        /// How the relay is governed.
        Mode = "mode",
        /// The resident's switch.
        Switch = "switch",
        /// Alarm, overdraft, hoarding and overload limits.
        Limits = "limits",
        /// Prices, at once.
        Prices = "prices",
        /// Prices that come into force at an instant.
        Standby = "standby",
        /// Cancels the switch-over to standby prices.
        Cancel = "switch_over",
        Tiers = "tiers",
        DayTable = "day_table",
        DatePlan = "date_plan",
        Clock = "clock",
        /// Reads the meter now and changes nothing.
        Read = "read",
    }
}

impl Kind {
    /// Whether it changes what energy costs.
    #[must_use]
    pub const fn is_of_prices(self) -> bool {
        matches!(self, Self::Prices | Self::Standby | Self::Tiers | Self::DayTable | Self::DatePlan)
    }
}

/// An operation with its values, within the profile's ranges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
}

#[cfg(test)]
mod tests {
    use super::super::parameters::TierPeriod;
    use super::*;

    #[test]
    fn issues_survive_serialization() {
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
            let text = serde_json::to_string(&issue).unwrap();
            assert_eq!(serde_json::from_str::<Issue>(&text).unwrap(), issue, "{text}");
            assert!(text.contains(issue.kind().as_str()) || issue == Issue::Cancel, "{text}");
        }
        assert!(serde_json::from_str::<Issue>(r#"{"credit":5000}"#).is_err());
        assert!(serde_json::from_str::<Issue>(r#"{"mode":"party"}"#).is_err());
    }
}
