//! Reading a meter's blocks, and making sure that it is that meter.

use super::codec::{self, DecodeError, Measurement, State};
use super::directory::Meter;
use super::link::{LinkError, Priority};
use super::schedule::Failure;
use super::serial::Serial;

/// Exceptions by which a gateway says that a meter behind it does not answer.
const TARGET_SILENT: [u8; 2] = [0x0a, 0x0b];

/// Why a meter could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No answer.
    #[error("no answer")]
    Link(#[from] LinkError),
    /// An answer that says nothing.
    #[error("an answer that cannot be read")]
    Decode(#[from] DecodeError),
    /// Another meter answered.
    #[error("meter {0} answered")]
    Stranger(Serial),
}

impl ReadError {
    /// What it means for the schedule of a bus.
    #[must_use]
    pub const fn failure(self) -> Failure {
        match self {
            Self::Link(LinkError::Timeout | LinkError::Broken | LinkError::Unreachable | LinkError::Stopped) => Failure::Silent,
            Self::Link(LinkError::Exception(_)) | Self::Decode(_) | Self::Stranger(_) => Failure::Refused,
        }
    }

    /// The word that is stored with a command that waits for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Link(LinkError::Unreachable) => "gateway-lost",
            Self::Link(LinkError::Exception(code)) if !TARGET_SILENT.contains(&code) => "busy",
            Self::Link(LinkError::Exception(_) | LinkError::Timeout | LinkError::Broken) => "lost",
            Self::Link(LinkError::Stopped) => "stopping",
            Self::Decode(_) => "unreadable",
            Self::Stranger(_) => "stranger",
        }
    }
}

/// Reads the state block; the serial number stands in it, so this is the meter or an error.
///
/// # Errors
/// [`ReadError`].
pub async fn state(meter: &Meter, priority: Priority) -> Result<State, ReadError> {
    let block = &meter.profile.state;
    let registers = meter.link.read(priority, meter.unit, block.address, block.registers).await?;
    let result = match codec::state(&meter.profile, &registers) {
        Ok(state) if state.serial == meter.serial => return Ok(state),
        Ok(state) => ReadError::Stranger(state.serial),
        Err(error) => error.into(),
    };
    // Another meter may answer here, or answers may have slipped by one: a fresh connection tells.
    meter.link.distrust();
    Err(result)
}

/// Reads the measurement block. Call it after [`state`]: a connection that just gave this meter's state is in step.
///
/// # Errors
/// [`ReadError`].
pub async fn measurement(meter: &Meter, priority: Priority) -> Result<Measurement, ReadError> {
    let block = &meter.profile.measurement;
    let registers = meter.link.read(priority, meter.unit, block.address, block.registers).await?;
    Ok(codec::measurement(&meter.profile, &registers)?)
}
