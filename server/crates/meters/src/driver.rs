//! Reading and switching a meter of any model, as its profile describes.

use model::time::Timestamp;

use super::directory::Meter;
use super::dlt645;
use super::link::{LinkError, Priority};
use super::profile::FieldSet;
use super::reader::{self, ReadError};
use super::records;
use domain::clock::SharedClock;
pub use domain::meter_records::{Frozen, JournalRecord};
use domain::meter_state::{Measurement, MeterStatus};

/// The exception of a meter that does not support a request.
const ILLEGAL_FUNCTION: LinkError = LinkError::Exception(0x01);

/// A full reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When identity, wallet and relay were read; the counters follow immediately.
    pub at: Timestamp,
    pub measurement: Measurement,
    pub meter_status: MeterStatus,
    /// What the meter shows and cannot be.
    pub odd: FieldSet,
}

/// Takes a full reading. The serial number is read first, if the meter has one, because it identifies who answers.
///
/// # Errors
/// [`ReadError`].
pub async fn read(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<Reading, ReadError> {
    let (values, at) = match &meter.profile.dlt645 {
        Some(has) => dlt645::driver::whole(meter, has, priority, clock).await?,
        None => reader::whole(meter, priority, clock).await?,
    };
    let meter_status = values.meter_status(meter.profile.abilities.wallet)?;
    Ok(Reading { at, measurement: values.measurement()?, meter_status, odd: values.odd() })
}

/// Reads wallet and relay alone, with the time of the reading.
///
/// # Errors
/// [`ReadError`].
pub async fn meter_status(meter: &Meter, priority: Priority, clock: &SharedClock) -> Result<(MeterStatus, Timestamp), ReadError> {
    let meter_status = match &meter.profile.dlt645 {
        Some(has) => dlt645::driver::meter_status(meter, has, priority).await?.meter_status(meter.profile.abilities.wallet)?,
        None => reader::meter_status(meter, priority).await?,
    };
    Ok((meter_status, clock.now()))
}

/// Switches a plain relay; the command is sent once. Only [`meter_status`] shows whether it switched.
///
/// # Errors
/// [`LinkError`]; after anything but an exception or [`LinkError::Unreachable`] it is unknown whether the command arrived. A
/// meter without a plain relay gives exception 01 without sending.
pub async fn switch(meter: &Meter, priority: Priority, closed: bool) -> Result<(), LinkError> {
    if let Some(has) = &meter.profile.dlt645 {
        return dlt645::driver::switch(meter, has, priority, closed).await;
    }
    let relay = meter.profile.relay.as_ref().ok_or(ILLEGAL_FUNCTION)?;
    let words = if closed { &relay.close } else { &relay.open };
    meter.link.write(priority, meter.unit, relay.address, words.clone()).await
}

/// The daily freezes that the meter keeps, newest first; empty if it keeps none.
///
/// # Errors
/// [`ReadError`].
pub async fn freeze(meter: &Meter, priority: Priority) -> Result<Vec<Frozen>, ReadError> {
    match &meter.profile.dlt645 {
        Some(has) => dlt645::driver::freeze(meter, has, priority).await,
        None => records::freeze(meter, priority).await,
    }
}

/// The journal that the meter keeps, newest first; empty if it keeps none.
///
/// # Errors
/// [`ReadError`].
pub async fn journal(meter: &Meter, priority: Priority) -> Result<Vec<JournalRecord>, ReadError> {
    records::journal(meter, priority).await
}
