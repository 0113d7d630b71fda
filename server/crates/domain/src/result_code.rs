//! Result codes of secured frames, and how delivery proceeds after each.

use model::case::HoldReason;

/// How delivery proceeds after a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameOutcome {
    /// Applied, now or before.
    Applied,
    /// The frame was rejected; another one with a new challenge may be accepted.
    Retry(HoldReason),
    /// The meter will never accept the operation as it is.
    Refused(HoldReason),
}

/// The outcome for a result code of the reference prepaid profile.
#[must_use]
pub const fn outcome(code: u8) -> FrameOutcome {
    match code {
        0 | 1 => FrameOutcome::Applied,
        2 => FrameOutcome::Refused(HoldReason::PurchaseCount),
        3 => FrameOutcome::Refused(HoldReason::HoardingLimit),
        4 => FrameOutcome::Refused(HoldReason::SerialMismatch),
        5 => FrameOutcome::Retry(HoldReason::Mac),
        6 => FrameOutcome::Refused(HoldReason::AccountNotOpen),
        7 => FrameOutcome::Refused(HoldReason::AccountAlreadyOpen),
        8 => FrameOutcome::Refused(HoldReason::ExceedsRemaining),
        9 => FrameOutcome::Retry(HoldReason::StaleChallenge),
        10 => FrameOutcome::Refused(HoldReason::OutOfRange),
        11 => FrameOutcome::Retry(HoldReason::Epoch),
        _ => FrameOutcome::Refused(HoldReason::UnknownResult),
    }
}
