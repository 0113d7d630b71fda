//! What a meter answers to a secured frame, and what follows from it.

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied, now or before.
    Applied,
    /// The frame was not for this moment; another one with a fresh challenge may be.
    Again(&'static str),
    /// The meter will never take it as it is.
    Refused(&'static str),
}

/// The meaning of a result code of the reference prepaid profile; the word is stored and has words on the pages.
#[must_use]
pub const fn outcome(code: u8) -> Outcome {
    match code {
        0 | 1 => Outcome::Applied,
        2 => Outcome::Refused("purchase-count"),
        3 => Outcome::Refused("hoarding-limit"),
        4 => Outcome::Refused("serial-mismatch"),
        5 => Outcome::Again("mac"),
        6 => Outcome::Refused("account-not-open"),
        7 => Outcome::Refused("account-already-open"),
        8 => Outcome::Refused("exceeds-remaining"),
        9 => Outcome::Again("stale-challenge"),
        10 => Outcome::Refused("out-of-range"),
        11 => Outcome::Again("epoch"),
        _ => Outcome::Refused("unknown-result"),
    }
}
