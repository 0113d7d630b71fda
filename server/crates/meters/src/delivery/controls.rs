//! Leaves a meter prepaid and switched on after an opening or closure, whatever its own rule is: a mode or switch of the account
//! before must not govern the next one.

use model::meter::ControlMode;
use model::time::Timestamp;

use super::{CommandStep, DeliveryEngine, MAX_SENDS};
use crate::directory::Meter;
use crate::link::Priority;
use domain::meter_state::StateBlock;
use domain::operation::Operation;
use store::StoreError;
use store::commands::Command;

/// The operation that is still needed; `None` where the state shows a meter that is prepaid and switched on.
fn missing(seen: &StateBlock) -> Option<Operation> {
    if seen.status.mode() != ControlMode::Prepaid {
        return Some(Operation::SetMode(ControlMode::Prepaid));
    }
    seen.status.user_switch_off().then_some(Operation::UserSwitch(true))
}

/// A state, and when it was read.
pub(super) type Read = (StateBlock, Timestamp);

/// The state after the last operation, when it was read, and whether it is as it should be.
pub(super) type Controls = (StateBlock, Timestamp, bool);

impl DeliveryEngine {
    /// Sends what is missing and reads it back.
    pub(super) async fn reset_controls(
        &self,
        command: &Command,
        meter: &Meter,
        (mut seen, mut at): Read,
    ) -> Result<Result<Controls, CommandStep>, StoreError> {
        // Each of the two as often as any frame.
        for _ in 0..2 * MAX_SENDS {
            let Some(operation) = missing(&seen) else { break };
            if self.send(command, meter, Priority::Money, &seen, &operation).await?.is_none() {
                return Ok(Err(CommandStep::Ended));
            }
            (seen, at) = match self.read_state(meter, Priority::Money).await? {
                Ok(read) => read,
                Err(step) => return Ok(Err(step)),
            };
        }
        let is_reset = missing(&seen).is_none();
        if !is_reset {
            tracing::warn!(%meter, status = seen.status.0, "delivery.controls-not-reset");
        }
        Ok(Ok((seen, at, is_reset)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;
    use model::meter::StatusWord;

    #[test]
    fn mode_and_switch_are_reset_one_after_the_other() {
        let shows = |status| missing(&StateBlock { status: StatusWord(status), ..state() });
        assert_eq!(shows(0b11), None);
        assert_eq!(shows(1 << 6), Some(Operation::SetMode(ControlMode::Prepaid)));
        assert_eq!(shows(1 << 7 | 1 << 8), Some(Operation::SetMode(ControlMode::Prepaid)));
        assert_eq!(shows(1 << 8), Some(Operation::UserSwitch(true)));
    }
}
