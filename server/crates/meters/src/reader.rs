//! Reads a meter's registers in the requests that its profile plans, and verifies the serial number.

use model::command::CommandReason;
use model::time::Timestamp;

use super::codec::{DecodeError, DecodedValues};
use super::directory::Meter;
use super::link::{LinkError, Priority};
use super::profile::{Area, MeterField, ReadRequest};
use super::schedule::ReadFailure;
use domain::clock::SharedClock;
use domain::meter_state::MeterStatus;
use domain::serial::Serial;

/// Why a meter could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing usable was received.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The answer could not be decoded.
    #[error("the answer cannot be used: {0}")]
    Decode(#[from] DecodeError),
    /// Another meter answered.
    #[error("meter {0} answered")]
    SerialMismatch(Serial),
}

impl ReadError {
    /// What the error means for the schedule of the bus.
    #[must_use]
    pub const fn failure(self) -> ReadFailure {
        match self {
            Self::Link(LinkError::Garbled) => ReadFailure::Garbled,
            Self::Link(LinkError::Timeout | LinkError::Broken | LinkError::Unreachable | LinkError::Stopped) => {
                ReadFailure::Silent
            }
            Self::Link(LinkError::Exception(_) | LinkError::Refused(_) | LinkError::NoPassword | LinkError::NotCarried)
            | Self::Decode(_)
            | Self::SerialMismatch(_) => ReadFailure::Refused,
        }
    }

    /// Whether something answered that could not be used, so that the meter is not lost.
    #[must_use]
    pub fn is_answered(self) -> bool {
        match self {
            Self::Link(error @ LinkError::Exception(_)) => !error.is_target_silent(),
            Self::Link(error) => matches!(error, LinkError::Refused(_) | LinkError::Garbled),
            Self::Decode(_) | Self::SerialMismatch(_) => true,
        }
    }

    /// The reason that is stored with the commands that wait for the meter.
    #[must_use]
    pub fn reason(self) -> CommandReason {
        match self {
            Self::Link(LinkError::Unreachable) => CommandReason::GatewayLost,
            Self::Link(error @ LinkError::Exception(_)) if !error.is_target_silent() => CommandReason::Busy,
            Self::Link(LinkError::Exception(_) | LinkError::Timeout | LinkError::Broken) => CommandReason::Lost,
            Self::Link(LinkError::Stopped) => CommandReason::Stopping,
            Self::Decode(_)
            | Self::Link(LinkError::Refused(_) | LinkError::Garbled | LinkError::NoPassword | LinkError::NotCarried) => {
                CommandReason::Unreadable
            }
            Self::SerialMismatch(_) => CommandReason::SerialMismatch,
        }
    }
}

/// Full reading, with the time at which identity, wallet and relay were read.
///
/// # Errors
/// [`ReadError`].
pub async fn whole(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<(DecodedValues, Timestamp), ReadError> {
    let plan = &meter.profile.plan;
    let (first, rest) = plan.whole.split_at_checked(plan.status_requests).unwrap_or((&plan.whole, &[]));
    let mut values = DecodedValues::default();
    read(meter, priority, first, &mut values).await?;
    // A command may be sent between two requests, so the time of the status is the time of the reading.
    let at = clock.now();
    read(meter, priority, rest, &mut values).await?;
    Ok((values, at))
}

/// Reads identity, wallet and relay.
///
/// # Errors
/// [`ReadError`].
pub async fn meter_status(meter: &Meter, priority: Priority) -> Result<MeterStatus, ReadError> {
    let mut values = DecodedValues::default();
    read(meter, priority, &meter.profile.plan.meter_status, &mut values).await?;
    Ok(values.meter_status(meter.profile.abilities.wallet)?)
}

/// Performs the requests in order. A wrong serial number or an invalid digit ends the reading and the connection.
async fn read(meter: &Meter, priority: Priority, reads: &[ReadRequest], values: &mut DecodedValues) -> Result<(), ReadError> {
    for read in reads {
        let registers = registers(meter, priority, read).await?;
        let is_identified = values.get(MeterField::Serial).is_some();
        let decoded = values
            .decode_block(&meter.profile, read, &registers)
            .and_then(|()| if is_identified { Ok(None) } else { values.serial() });
        let error = match decoded {
            Ok(None) => continue,
            Ok(Some(serial)) if serial == meter.serial => continue,
            Ok(Some(serial)) => ReadError::SerialMismatch(serial),
            Err(error) => error.into(),
        };
        // Another meter may be installed here, or answers may be shifted by one; a new connection tells.
        meter.link.distrust();
        return Err(error);
    }
    Ok(())
}

/// Performs one request.
///
/// # Errors
/// [`LinkError`].
pub async fn registers(meter: &Meter, priority: Priority, read: &ReadRequest) -> Result<Vec<u16>, LinkError> {
    match read.area {
        Area::Holding => meter.link.read(priority, meter.unit, read.address, read.count).await,
        Area::Input => meter.link.read_input(priority, meter.unit, read.address, read.count).await,
    }
}
