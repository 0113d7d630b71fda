//! How long the commands of a meter wait after a failure: pure.

use std::collections::HashMap;

use model::command::CommandReason;
use model::ids::MeterId;

/// Pause after the first failure; it doubles with each further one.
const FIRST_MS: u64 = 2_000;
/// Longest pause for a meter that can be read and does not show what was sent: it is not lost.
const UNCONFIRMED_CAP_MS: u64 = 16_000;

/// Failures in a row by meter, until one of its commands ends or the meter is found again.
#[derive(Debug, Default)]
pub struct Pauses(HashMap<MeterId, u32>);

impl Pauses {
    /// Counts a failure; gives the pause after it, ms, at most `cap`.
    pub(super) fn fail(&mut self, meter: MeterId, reason: CommandReason, cap: u64) -> u64 {
        let failures = self.0.entry(meter).or_default();
        *failures = failures.saturating_add(1);
        let cap = if reason == CommandReason::Unconfirmed { cap.min(UNCONFIRMED_CAP_MS) } else { cap };
        FIRST_MS.saturating_mul(1 << (*failures - 1).min(16)).min(cap)
    }

    /// The meter was read. Gives whether its commands move at once: where its last reading had failed, or after the first failure
    /// of a delivery. Otherwise a meter that can be read, and lacks what a command needs, would be asked without a pause.
    pub(super) fn recover(&mut self, meter: MeterId, had_failed: bool) -> bool {
        if had_failed {
            self.forget(meter);
        }
        had_failed || self.0.get(&meter) == Some(&1)
    }

    /// Ends the pauses of a meter: one of its commands is done, or the meter can be read again.
    pub(super) fn forget(&mut self, meter: MeterId) {
        self.0.remove(&meter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    const METER: MeterId = MeterId(Uuid::from_u128(1));

    #[test]
    fn pauses_double_up_to_their_cap() {
        let mut pauses = Pauses::default();
        let mut fail = |reason| pauses.fail(METER, reason, 60_000);
        let lost: Vec<u64> = (0..6).map(|_| fail(CommandReason::Lost)).collect();
        assert_eq!(lost, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000]);
        assert_eq!(fail(CommandReason::Unconfirmed), 16_000);
        pauses.forget(METER);
        assert_eq!(pauses.fail(METER, CommandReason::Unconfirmed, 60_000), 2_000);
    }

    #[test]
    fn a_meter_that_can_be_read_does_not_end_every_pause() {
        let mut pauses = Pauses::default();
        assert!(!pauses.recover(METER, false), "nothing waits for it");
        // Its state can be read and its journal cannot: each failure asks for a reading, which succeeds.
        let moves: Vec<bool> = (0..4)
            .map(|_| {
                pauses.fail(METER, CommandReason::Unreadable, 60_000);
                pauses.recover(METER, false)
            })
            .collect();
        assert_eq!(moves, [true, false, false, false]);
        assert!(pauses.recover(METER, true), "it was lost and is found");
        assert_eq!(pauses.fail(METER, CommandReason::Lost, 60_000), 2_000);
    }
}
