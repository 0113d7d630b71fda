//! Reads a meter's registers in the requests that its profile plans, and verifies the serial number.

use model::time::Timestamp;

use super::codec::{DecodeError, Values};
use super::directory::Meter;
use super::link::{LinkError, Priority};
use super::profile::{Area, Field, Read};
use super::schedule::Failure;
use domain::clock::SharedClock;
use domain::meter_state::MeterStatus;
use domain::serial::Serial;

/// Exceptions with which a gateway reports that a meter does not answer.
const TARGET_SILENT: [u8; 2] = [0x0a, 0x0b];

/// Why a meter could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("no answer")]
    Link(#[from] LinkError),
    /// The answer could not be decoded.
    #[error("invalid answer")]
    Decode(#[from] DecodeError),
    /// Another meter answered.
    #[error("meter {0} answered")]
    Stranger(Serial),
}

impl ReadError {
    /// What the error means for the schedule of the bus.
    #[must_use]
    pub const fn failure(self) -> Failure {
        match self {
            Self::Link(LinkError::Timeout | LinkError::Broken | LinkError::Unreachable | LinkError::Stopped) => Failure::Silent,
            Self::Link(LinkError::Exception(_) | LinkError::Refused(_) | LinkError::NoPassword | LinkError::NotCarried)
            | Self::Decode(_)
            | Self::Stranger(_) => Failure::Refused,
        }
    }

    /// Reason code stored with the commands that wait for the meter.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Link(LinkError::Unreachable) => "gateway-lost",
            Self::Link(LinkError::Exception(code)) if !TARGET_SILENT.contains(&code) => "busy",
            Self::Link(LinkError::Exception(_) | LinkError::Timeout | LinkError::Broken) => "lost",
            Self::Link(LinkError::Stopped) => "stopping",
            Self::Decode(_) | Self::Link(LinkError::Refused(_) | LinkError::NoPassword | LinkError::NotCarried) => "unreadable",
            Self::Stranger(_) => "stranger",
        }
    }
}

/// Full reading, with the time at which identity, wallet and relay were read.
///
/// # Errors
/// [`ReadError`].
pub async fn whole(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<(Values, Timestamp), ReadError> {
    let plan = &meter.profile.plan;
    let (first, rest) = plan.whole.split_at_checked(plan.until_face).unwrap_or((&plan.whole, &[]));
    let mut values = Values::default();
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
    let mut values = Values::default();
    read(meter, priority, &meter.profile.plan.meter_status, &mut values).await?;
    Ok(values.meter_status(meter.profile.abilities.wallet)?)
}

/// Performs the requests in order. A wrong serial number or an invalid digit ends the reading and the connection.
async fn read(meter: &Meter, priority: Priority, reads: &[Read], values: &mut Values) -> Result<(), ReadError> {
    for read in reads {
        let registers = registers(meter, priority, read).await?;
        let known = values.get(Field::Serial).is_some();
        let taken = values.take(&meter.profile, read, &registers).and_then(|()| if known { Ok(None) } else { values.serial() });
        let error = match taken {
            Ok(None) => continue,
            Ok(Some(serial)) if serial == meter.serial => continue,
            Ok(Some(serial)) => ReadError::Stranger(serial),
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
pub async fn registers(meter: &Meter, priority: Priority, read: &Read) -> Result<Vec<u16>, LinkError> {
    match read.area {
        Area::Holding => meter.link.read(priority, meter.unit, read.address, read.count).await,
        Area::Input => meter.link.read_input(priority, meter.unit, read.address, read.count).await,
    }
}
