//! How long a relay that did not follow its command is left alone: each further command wears a contact that may be welded.

use model::time::{HOUR, SECOND};

/// Pause after the first command that was not followed, ms; it doubles with each further one in a row.
pub const FIRST: i64 = 30 * SECOND;
const LONGEST: i64 = HOUR;

/// The pause, ms, after so many commands in a row that were not followed.
#[must_use]
pub fn pause(failures: i64) -> i64 {
    let doubled = (failures - 1).clamp(0, 16);
    (FIRST << doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::MINUTE;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses: Vec<i64> = (0..10).map(pause).collect();
        let minutes =
            [30 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE, 32 * MINUTE, HOUR, HOUR];
        assert_eq!(pauses, minutes);
        assert_eq!(pause(i64::MAX), HOUR);
    }
}
