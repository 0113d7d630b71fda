//! Setting up a new site: what it still lacks before it runs.

use crate::word_enum;

/// More sales than this are not counted for the list.
pub const SALES_COUNTED: i64 = 100;

word_enum! {
    /// What a site needs before it runs, in the order in which it is done.
    pub enum SetupStep {
        Places = "places",
        Gateways = "gateways",
        Meters = "meters",
        Prices = "prices",
        /// The default parameters of the site.
        Defaults = "defaults",
        /// A channel through which residents pay.
        Channels = "channels",
        /// A second operator, who approves what the first asks for.
        People = "people",
        /// The first reading of a meter.
        Reading = "reading",
        /// The first sale that a meter confirmed.
        Sale = "sale",
    }
}

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupProgress {
    pub step: SetupStep,
    pub done: bool,
    /// How many there are: rooms, gateways, meters, price plans in use, default parameters, channels, operators, meters that were
    /// read, sales.
    pub have: i64,
    /// How many lack it: gateways without meters, rooms without a meter, meters without prices, default parameters that are set
    /// nowhere, meters that were never read.
    pub lacking: i64,
    /// Meters that were last read with other limits than the default parameters; 0 for the other steps.
    pub differing: i64,
    /// Places and groups with friendly hours; 0 for the other steps.
    pub friendly: i64,
}

/// The list of the steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checklist {
    pub steps: [SetupProgress; SetupStep::ALL.len()],
    /// Somebody has hidden it.
    pub hidden: bool,
}

impl Checklist {
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.done)
    }

    /// Whether the console still links to it.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !self.hidden && !self.is_done()
    }
}
