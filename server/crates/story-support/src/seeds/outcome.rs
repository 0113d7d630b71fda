//! What may be wrong with a world, and what is said of one.

use std::fmt;

/// A mistake that somebody might make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flaw {
    #[default]
    None,
    /// An event that was heard before is settled again.
    ForgetsEvents,
    /// The count that a command makes is taken from the meter, and not from the claim.
    CountsFromTheMeter,
    /// A frame that was taken is settled without being read back.
    BelievesTheWrite,
    /// A refund is tried again under another number.
    RefundsUnderNewNumbers,
    /// An order is given back although a frame of it was sent.
    RefundsWhatMayArrive,
    /// A payment for a closed order is passed over.
    GivesUpLatePayments,
    /// A question without an answer is taken for an unpaid trade.
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

/// What happened, so that a simulation in which nothing happens does not pass for a proof.
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
    /// Whether all of it did.
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
