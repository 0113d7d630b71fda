//! Load of the rooms: a pure function of room and time, so that a restart reproduces the same energy.

mod curve;
mod profile;

use std::sync::Arc;

use model::time::{HOUR, MINUTE, Timestamp};
use serde::{Deserialize, Serialize};

pub use profile::{Profile, ProfileError};

/// Power is constant for this long.
const STEP: i64 = 5 * MINUTE;
const STEPS: i64 = HOUR / STEP;

/// Source of the load.
#[derive(Clone, Debug, Default)]
pub enum Load {
    /// The built-in day of a dormitory room: low during the day, highest from 18:00 to 23:00.
    #[default]
    Curve,
    /// A recorded load, from a file.
    Profile {
        /// Hourly values of the file.
        profile: Arc<Profile>,
        /// Thousandths of it that a typical room draws; 200 for the load of a household.
        permille: u32,
    },
    /// Constant power, for tests.
    Constant { watts: u32 },
}

/// How the load of a room differs from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Rooms with different seeds fluctuate differently.
    pub seed: u64,
    /// Day of a recorded profile at which this room starts.
    pub offset_days: u32,
    /// Thousandths of the load of a typical room.
    pub scale_permille: u32,
}

/// Electrical values while the relay is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Active power, W.
    pub watts: u32,
    /// Reactive power, var.
    pub vars: i32,
    /// Voltage, 0.1 V; also present while the relay is open.
    pub decivolts: u16,
}

impl Load {
    /// The load of a room at a time.
    #[must_use]
    pub fn at(&self, shape: &Shape, at: Timestamp) -> Flow {
        let (mean, permille) = match self {
            Self::Curve => (curve::hour(shape, at), 1_000),
            Self::Profile { profile, permille } => (profile.hour(shape, at), *permille),
            Self::Constant { watts } => return Flow { watts: *watts, vars: 0, decivolts: 2_200 },
        };
        let swing = swing(shape.seed, at);
        let scale = i64::from(shape.scale_permille) * i64::from(permille) * (1_000 + swing);
        let scaled = |value: i64| value * scale / 1_000_000_000;
        Flow {
            watts: u32::try_from(scaled(i64::from(mean.watts))).unwrap_or(0),
            vars: i32::try_from(scaled(i64::from(mean.vars))).unwrap_or(0),
            decivolts: mean.decivolts,
        }
    }

    /// The next time at which the load may change.
    #[must_use]
    pub const fn next_change(at: Timestamp) -> Timestamp {
        Timestamp((at.0.div_euclid(STEP) + 1) * STEP)
    }
}

/// Thousandths by which a five-minute step differs from the hourly mean. Steps half an hour apart cancel out, so that the energy
/// of the hour is unchanged.
fn swing(seed: u64, at: Timestamp) -> i64 {
    let step = at.0.div_euclid(STEP);
    let (hour, in_hour) = (step.div_euclid(STEPS), step.rem_euclid(STEPS));
    let pair = in_hour % (STEPS / 2);
    let size = (mix(seed ^ mix(hour as u64 ^ ((pair as u64) << 48))) % 601) as i64 - 300;
    if in_hour == pair { size } else { -size }
}

/// Finaliser of SplitMix64: a fixed, well-mixed number for every number.
pub(super) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fluctuation_preserves_the_hourly_energy() {
        let shape = Shape { seed: 7, offset_days: 0, scale_permille: 1_000 };
        for hour in 0..200 {
            let swings: Vec<i64> = (0..STEPS).map(|step| swing(shape.seed, Timestamp(hour * HOUR + step * STEP))).collect();
            assert_eq!(swings.iter().sum::<i64>(), 0);
            assert!(swings.iter().any(|&swing| swing != 0));
        }
    }

    #[test]
    fn load_changes_every_five_minutes() {
        assert_eq!(Load::next_change(Timestamp(0)), Timestamp(STEP));
        assert_eq!(Load::next_change(Timestamp(STEP - 1)), Timestamp(STEP));
    }
}
