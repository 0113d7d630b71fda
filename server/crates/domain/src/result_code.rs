//! What a meter answers to a secured frame, and what follows from it.

use model::case::HoldReason;

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied, now or before.
    Applied,
    /// The frame was not for this moment; another one with a fresh challenge may be.
    Again(HoldReason),
    /// The meter will never take it as it is.
    Refused(HoldReason),
}

/// The meaning of a result code of the reference prepaid profile.
#[must_use]
pub const fn outcome(code: u8) -> Outcome {
    match code {
        0 | 1 => Outcome::Applied,
        2 => Outcome::Refused(HoldReason::PurchaseCount),
        3 => Outcome::Refused(HoldReason::HoardingLimit),
        4 => Outcome::Refused(HoldReason::SerialMismatch),
        5 => Outcome::Again(HoldReason::Mac),
        6 => Outcome::Refused(HoldReason::AccountNotOpen),
        7 => Outcome::Refused(HoldReason::AccountAlreadyOpen),
        8 => Outcome::Refused(HoldReason::ExceedsRemaining),
        9 => Outcome::Again(HoldReason::StaleChallenge),
        10 => Outcome::Refused(HoldReason::OutOfRange),
        11 => Outcome::Again(HoldReason::Epoch),
        _ => Outcome::Refused(HoldReason::UnknownResult),
    }
}
