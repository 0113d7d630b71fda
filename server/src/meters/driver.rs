//! What is asked of a meter, whatever its model: read it, look at it, switch it. The profile says how.

use app::model::time::Timestamp;

use super::codec::{Face, Measurement};
use super::directory::Meter;
use super::link::Priority;
use super::reader::{self, ReadError};
use crate::clock::SharedClock;

/// A whole reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When identity, wallet and relay were read; the counters follow at once.
    pub at: Timestamp,
    /// Counters and instantaneous values.
    pub measurement: Measurement,
    /// Wallet and relay.
    pub face: Face,
}

/// Reads a meter whole. Its identity comes first: it says who answers.
///
/// # Errors
/// [`ReadError`].
pub async fn read(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<Reading, ReadError> {
    let state = reader::state(meter, priority).await?;
    // A command may go between the two blocks, so the state's instant is the reading's.
    let at = clock.now();
    let measurement = Measurement { reverse: Some(state.reverse), ..reader::measurement(meter, priority).await? };
    Ok(Reading { at, measurement, face: Face::Wallet(state) })
}
