//! What a meter answers to a secured frame, and what follows from it.

use model::command::CommandReason;

/// What follows from a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied, now or before.
    Applied,
    /// The frame was not for this moment; another one with a fresh challenge may be.
    Again(CommandReason),
    /// The meter will never take it as it is.
    Refused(CommandReason),
}

/// The meaning of a result code of the reference prepaid profile.
#[must_use]
pub const fn outcome(code: u8) -> Outcome {
    match code {
        0 | 1 => Outcome::Applied,
        2 => Outcome::Refused(CommandReason::PurchaseCount),
        3 => Outcome::Refused(CommandReason::HoardingLimit),
        4 => Outcome::Refused(CommandReason::SerialMismatch),
        5 => Outcome::Again(CommandReason::Mac),
        6 => Outcome::Refused(CommandReason::AccountNotOpen),
        7 => Outcome::Refused(CommandReason::AccountAlreadyOpen),
        8 => Outcome::Refused(CommandReason::ExceedsRemaining),
        9 => Outcome::Again(CommandReason::StaleChallenge),
        10 => Outcome::Refused(CommandReason::OutOfRange),
        11 => Outcome::Again(CommandReason::Epoch),
        _ => Outcome::Refused(CommandReason::UnknownResult),
    }
}
