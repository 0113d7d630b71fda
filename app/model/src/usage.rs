//! A resident's use of energy beside other months and other rooms.

use crate::energy::Energy;
use crate::time::Date;

/// A month and what was used in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthUse {
    pub year: i64,
    pub month: u8,
    pub energy: Energy,
}

/// The present month beside the ones before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthsCompared {
    /// Oldest first, the present one last; without months before the account was theirs.
    pub months: Vec<MonthUse>,
    /// The present month up to yesterday, and as many days of the month before; `None` where these are not known.
    pub same_days: Option<(Energy, Energy)>,
}

/// What similar rooms used in the same time: in the same building, with as many meters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimilarRooms {
    /// The days that are compared, both included.
    pub days: (Date, Date),
    pub rooms: usize,
    pub own: Energy,
    /// A quarter of the rooms used less.
    pub lower: Energy,
    pub median: Energy,
    /// A quarter of the rooms used more.
    pub upper: Energy,
}
