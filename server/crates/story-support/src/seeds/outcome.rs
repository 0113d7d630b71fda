//! Flaws to inject, violations, and what a run counts.

use std::fmt;

/// A bug to inject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    #[default]
    None,
    /// An event is settled again when repeated.
    ForgetsEvents,
    /// The purchase count of a command is taken from the meter instead of the claim.
    CountsFromTheMeter,
    /// An accepted frame is settled without reading it back.
    BelievesTheWrite,
    /// A refund is retried under another number.
    RefundsUnderNewNumbers,
    /// An order is refunded although a frame of it was sent.
    RefundsWhatMayArrive,
    /// A payment for a closed order is ignored.
    GivesUpLatePayments,
    /// A query without an answer counts as an unpaid trade.
    BelievesSilence,
}

/// Why a seed failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl Violation {
    pub fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Counts of what happened, so that an empty simulation does not count as a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub payments: u64,
    pub credited: u64,
    pub late: u64,
    pub twice: u64,
    pub refunds: u64,
    pub frames: u64,
    pub cases: u64,
    pub crashes: u64,
}

impl Tally {
    /// Whether everything happened at least once.
    pub fn happened(&self) -> bool {
        [self.payments, self.credited, self.late, self.twice, self.refunds, self.frames, self.cases, self.crashes]
            .into_iter()
            .all(|count| count > 0)
    }
}

impl std::ops::Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            payments: self.payments + other.payments,
            credited: self.credited + other.credited,
            late: self.late + other.late,
            twice: self.twice + other.twice,
            refunds: self.refunds + other.refunds,
            frames: self.frames + other.frames,
            cases: self.cases + other.cases,
            crashes: self.crashes + other.crashes,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { payments, credited, late, twice, refunds, frames, cases, crashes } = self;
        write!(f, "{payments} payments ({late} late, {twice} for an order that was paid), {credited} orders credited, ")?;
        write!(f, "{refunds} refunds, {frames} frames, {cases} cases, {crashes} crashes: 0 lost, 0 doubled")
    }
}
