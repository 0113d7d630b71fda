//! When a resident may switch their room, and what stands in the way.

use super::meter::{ControlMode, Latest};
use crate::error::AppError;

/// Why the resident may not switch now; `None` where they may.
///
/// The relay rule of the meter puts its user switch last: where anything above it decides, switching would change nothing that
/// the resident sees, so it is refused with the reason instead.
#[must_use]
pub const fn refusal(latest: &Latest) -> Option<AppError> {
    let status = latest.status;
    if latest.lost_since.is_some() || latest.observed_at.is_none() {
        return Some(AppError::MeterLost);
    }
    match status.mode() {
        ControlMode::ForcedOff => return Some(AppError::OffByOperator),
        ControlMode::Guaranteed => return Some(AppError::OnByOperator),
        ControlMode::Prepaid => {}
    }
    if !status.account_open() {
        Some(AppError::AccountNotOpen)
    } else if status.tripped_overload() {
        Some(AppError::OffForOverload)
    } else if status.tripped_malignant() {
        Some(AppError::OffForMalignantLoad)
    } else if status.tripped_arrears() {
        Some(AppError::OffForArrears)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MeterId, Uuid};
    use crate::meter::StatusWord;
    use crate::time::Timestamp;

    #[test]
    fn whatever_decides_above_the_switch_is_the_reason() {
        let seen = |status: u16| Latest {
            observed_at: Some(Timestamp(1)),
            status: StatusWord(status),
            ..Latest::unseen(MeterId(Uuid::nil()))
        };
        const OPEN: u16 = 1 << 1;
        for (status, expected) in [
            (OPEN | 1, None),
            (OPEN | 1 << 8, None),
            (OPEN | 1 << 2 | 1 << 3, None),
            (0, Some(AppError::AccountNotOpen)),
            (OPEN | 1 << 4, Some(AppError::OffForArrears)),
            (OPEN | 1 << 5, Some(AppError::OffForOverload)),
            (OPEN | 1 << 11 | 1 << 5, Some(AppError::OffForOverload)),
            (OPEN | 1 << 11 | 1 << 4, Some(AppError::OffForMalignantLoad)),
            (OPEN | 1 << 6 | 1, Some(AppError::OnByOperator)),
            (OPEN | 1 << 7 | 1 << 4, Some(AppError::OffByOperator)),
        ] {
            assert_eq!(refusal(&seen(status)), expected, "{status:#b}");
        }
        let lost = Latest { lost_since: Some(Timestamp(2)), ..seen(OPEN | 1) };
        assert_eq!(refusal(&lost), Some(AppError::MeterLost));
        assert_eq!(refusal(&Latest::unseen(MeterId(Uuid::nil()))), Some(AppError::MeterLost));
    }
}
