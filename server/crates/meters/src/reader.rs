//! Reading a meter's registers as its profile plans it, and making sure that it is that meter.

use model::command::CommandReason;
use model::time::Timestamp;

use super::codec::{DecodeError, Values};
use super::directory::Meter;
use super::link::{LinkError, Priority};
use super::profile::{Area, Field, Read};
use super::schedule::Failure;
use domain::clock::SharedClock;
use domain::meter_state::MeterStatus;
use domain::serial::Serial;

/// Exceptions by which a gateway says that a meter behind it does not answer.
const TARGET_SILENT: [u8; 2] = [0x0a, 0x0b];

/// Why a meter could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
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
            Self::Link(LinkError::Exception(_) | LinkError::Refused(_) | LinkError::NoPassword | LinkError::NotCarried)
            | Self::Decode(_)
            | Self::Stranger(_) => Failure::Refused,
        }
    }

    /// The word that is stored with a command that waits for it.
    #[must_use]
    pub fn reason(self) -> CommandReason {
        match self {
            Self::Link(LinkError::Unreachable) => CommandReason::GatewayLost,
            Self::Link(LinkError::Exception(code)) if !TARGET_SILENT.contains(&code) => CommandReason::Busy,
            Self::Link(LinkError::Exception(_) | LinkError::Timeout | LinkError::Broken) => CommandReason::Lost,
            Self::Link(LinkError::Stopped) => CommandReason::Stopping,
            Self::Decode(_) | Self::Link(LinkError::Refused(_) | LinkError::NoPassword | LinkError::NotCarried) => {
                CommandReason::Unreadable
            }
            Self::Stranger(_) => CommandReason::SerialMismatch,
        }
    }
}

/// Reads everything; the instant is that at which identity, wallet and relay were known.
///
/// # Errors
/// [`ReadError`].
pub async fn whole(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<(Values, Timestamp), ReadError> {
    let plan = &meter.profile.plan;
    let (first, rest) = plan.whole.split_at_checked(plan.until_face).unwrap_or((&plan.whole, &[]));
    let mut values = Values::default();
    read(meter, priority, first, &mut values).await?;
    // A command may go between two requests, so the face's instant is the reading's.
    let at = clock.now();
    read(meter, priority, rest, &mut values).await?;
    Ok((values, at))
}

/// Reads who the meter is, and how wallet and relay stand.
///
/// # Errors
/// [`ReadError`].
pub async fn meter_status(meter: &Meter, priority: Priority) -> Result<MeterStatus, ReadError> {
    let mut values = Values::default();
    read(meter, priority, &meter.profile.plan.meter_status, &mut values).await?;
    Ok(values.meter_status(meter.profile.abilities.wallet)?)
}

/// Does the requests one after the other; a wrong serial number or a broken digit ends it, and the connection.
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
        // Another meter may answer here, or answers may have slipped by one: a fresh connection tells.
        meter.link.distrust();
        return Err(error);
    }
    Ok(())
}

/// Does one request.
///
/// # Errors
/// [`LinkError`].
pub async fn registers(meter: &Meter, priority: Priority, read: &Read) -> Result<Vec<u16>, LinkError> {
    match read.area {
        Area::Holding => meter.link.read(priority, meter.unit, read.address, read.count).await,
        Area::Input => meter.link.read_input(priority, meter.unit, read.address, read.count).await,
    }
}
