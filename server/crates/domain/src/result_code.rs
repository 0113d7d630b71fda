//! What a meter answers to a secured frame, and what follows from it.

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameOutcome {
    /// It was applied, now or before.
    Applied,
    /// The frame was not for this moment; another one with a fresh challenge may be.
    Retry(&'static str),
    /// The meter will never take it as it is.
    Refused(&'static str),
}

/// The meaning of a result code of the reference prepaid profile; the word is stored and has words on the pages.
#[must_use]
pub const fn outcome(code: u8) -> FrameOutcome {
    match code {
        0 | 1 => FrameOutcome::Applied,
        2 => FrameOutcome::Refused("purchase-count"),
        3 => FrameOutcome::Refused("hoarding-limit"),
        4 => FrameOutcome::Refused("serial-mismatch"),
        5 => FrameOutcome::Retry("mac"),
        6 => FrameOutcome::Refused("account-not-open"),
        7 => FrameOutcome::Refused("account-already-open"),
        8 => FrameOutcome::Refused("exceeds-remaining"),
        9 => FrameOutcome::Retry("stale-challenge"),
        10 => FrameOutcome::Refused("out-of-range"),
        11 => FrameOutcome::Retry("epoch"),
        _ => FrameOutcome::Refused("unknown-result"),
    }
}
