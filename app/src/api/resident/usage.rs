//! What the page of a room's use shows.

use model::abnormal_use::AbnormalKind;
use model::energy::Energy;
use model::time::Date;
use model::usage::{MonthsCompared, SimilarRooms};

use super::Used;

/// Which days; what is left out is the last 30 days, and the last of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageQuery {
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// The day whose hours are shown.
    pub day: Option<Date>,
}

/// The days of a period, the hours of one of them, and what they are compared with. What was used before the account was theirs
/// is left out.
#[derive(Clone, Debug)]
pub struct Usage {
    pub from: Date,
    pub to: Date,
    pub days: Vec<Used<Date>>,
    /// The chosen day.
    pub day: Date,
    /// Its 24 hours.
    pub hours: Vec<Used<u8>>,
    pub months: MonthsCompared,
    /// `None` where the site does not show it, or too few rooms are similar.
    pub similar: Option<SimilarRooms>,
    /// Days of the period on which much more was used than is usual, newest first.
    pub unusual: Vec<UnusualDay>,
}

/// A day on which much more was used than is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnusualDay {
    pub day: Date,
    pub kind: AbnormalKind,
    pub used: Energy,
    /// What is usual there.
    pub expected: Energy,
}
