//! View types of price plans: the year of a plan, what changed between versions, and what a change would cost.

use crate::defaults::DefaultsOf;
use crate::energy::Energy;
use crate::ids::Uuid;
use crate::money::Money;
use crate::parameters::TierPeriod;
use crate::tariff::{Prices, RateSpan, in_force};
use crate::time::{Date, Timestamp};

/// A year of a plan, day by day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceYear {
    pub year: i64,
    /// From 1 January to 31 December.
    pub days: Vec<YearDay>,
    /// In the order of their first day.
    pub kinds: Vec<DayKind>,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearDay {
    pub day: Date,
    /// Its place in [`PriceYear::kinds`], by the version in force when the day begins, or on the first day of the plan by its
    /// first version; `None` before that.
    pub kind: Option<usize>,
    /// The number of a version that takes over on this day.
    pub starts: Option<i64>,
}

/// All days of a year with the same hours and prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayKind {
    pub spans: Vec<RateSpan>,
    /// The day table: 1 or 2; 0 for the flat rate all day.
    pub table: u8,
    /// The numbers of the versions that have it.
    pub versions: Vec<i64>,
    /// How many days.
    pub days: usize,
}

/// What a version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceChange {
    /// The price of a rate (1-4), 0.0001 yuan/kWh.
    Rate { rate: u8, before: u32, now: u32 },
    /// Period, thresholds or surcharges.
    Tiers,
    /// Day table 1 or 2.
    Table(u8),
    /// The seasons of the year, in their order.
    Seasons,
}

/// A version of a plan; never changed once published.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanVersion {
    /// 1 for the first.
    pub number: i64,
    pub effective_at: Timestamp,
    pub prices: Prices,
    /// `None`: the system.
    pub by: Option<String>,
    pub published_at: Timestamp,
    /// The second person; `None` where one person could do it alone.
    pub approved_by: Option<String>,
    /// Against the version before it; empty for the first.
    pub changes: Vec<PriceChange>,
}

/// A place or group that a plan was given to, and the meters there that it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanPlace {
    pub of: DefaultsOf,
    pub name: String,
    pub from: Timestamp,
    /// Meters that hold their own credit, and those with a server wallet.
    pub meter_wallets: usize,
    pub server_wallets: usize,
}

/// The page of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanPage {
    pub id: Uuid,
    pub name: String,
    /// Newest first; at least one.
    pub versions: Vec<PlanVersion>,
    pub places: Vec<PlanPlace>,
    /// Whether it was given to the whole site, or to places or groups, that the operator may not see.
    pub is_elsewhere: bool,
    /// Who asked for a version that waits for approval, and when.
    pub waiting: Option<(String, Timestamp)>,
    pub year: PriceYear,
    pub now: Timestamp,
    /// Plans are for all buildings: an operator of some may not publish.
    pub may_publish: bool,
}

impl PlanPage {
    /// The version in force; a plan's first holds before its instant, too.
    #[must_use]
    pub fn in_force(&self) -> Option<&PlanVersion> {
        in_force(&self.versions, self.now, |version| version.effective_at).map(|(version, _)| version)
    }
}

/// How typical a room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typical {
    /// A tenth of the rooms use less.
    Low,
    /// The room in the middle of all by use.
    Median,
    /// A tenth use more.
    High,
    /// Without readings: 100 kWh spread evenly over the days.
    Assumed,
}

/// What the last days would have cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrialCost {
    pub typical: Typical,
    pub energy: Energy,
    /// By the version in force; `None` for a new plan.
    pub before: Option<Money>,
    pub after: Money,
}

/// A dry run of a version.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceTrial {
    /// The plan that it is a version of; `None` for a new one.
    pub plan: Option<Uuid>,
    /// Against the version that it follows.
    pub changes: Vec<PriceChange>,
    /// The days whose readings were priced, both included.
    pub days: (Date, Date),
    /// Rooms with readings in that time.
    pub rooms: usize,
    pub costs: Vec<TrialCost>,
    /// Meters to which the plan applies.
    pub meter_wallets: usize,
    pub server_wallets: usize,
    /// The year in which it comes into force.
    pub year: PriceYear,
    pub tiers: TierPeriod,
    /// Whether somebody else has to approve it.
    pub second_person: bool,
}
