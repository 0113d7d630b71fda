//! Readings that somebody waits for before deciding.

use std::time::Duration;

use model::console::ReadQuality;
use model::error::AppError;
use model::ids::MeterId;
use model::reading::ReadingSource;
use tokio::time::timeout;

use super::GatewayHandle;
use crate::driver;
use crate::link::Priority;
use crate::poller::PollerCommand;
use domain::meter_state::{MeterStatus, StateBlock};
use domain::serial::Serial;

/// How long a person waits for a reading that a page asked for.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

impl GatewayHandle {
    /// Requests a reading of this meter.
    pub fn read_now(&self, meter: MeterId) {
        if let Some(found) = self.0.directory.get(meter) {
            // If the poller is gone it is being replaced, and the new one reads all meters.
            let _ = found.poll.send(PollerCommand::ReadNow(meter, ReadingSource::OnDemand));
        }
    }

    /// How many of its last requests a meter answered; `None` where nothing was requested since the start.
    #[must_use]
    pub fn read_quality(&self, meter: MeterId) -> Option<ReadQuality> {
        self.0.qualities.of(meter)
    }

    /// Whether a meter reports its serial number, so that a replacement is noticed at once; `None` if it is not in service.
    #[must_use]
    pub fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.0.directory.get(meter).map(|meter| meter.profile.abilities.serial)
    }

    /// Whether a meter in service accepts the time from a broadcast on its bus.
    #[must_use]
    pub fn takes_time(&self, meter: MeterId) -> bool {
        let found = self.0.directory.get(meter);
        found.is_some_and(|meter| meter.profile.dlt645.as_ref().is_some_and(|has| has.clock().is_some()))
    }

    /// Reads which meter answers at the address of this one.
    ///
    /// # Errors
    /// [`AppError::MeterLost`] if none answers in time, or the meter is not in service.
    pub async fn answering_serial(&self, meter: MeterId) -> Result<Serial, AppError> {
        let meter = self.0.directory.get(meter).ok_or(AppError::MeterLost)?;
        let reading = driver::answering_serial(&meter, Priority::ReadNow, &self.0.clock);
        match timeout(ANSWER_WITHIN, reading).await {
            Ok(Ok(serial)) => Ok(serial),
            Ok(Err(_)) | Err(_) => Err(AppError::MeterLost),
        }
    }

    /// Reads what a meter with a secured wallet shows.
    ///
    /// # Errors
    /// [`AppError::MeterLost`] if it does not answer in time, another one answers, or it is not in service or has no wallet.
    pub async fn read_state(&self, meter: MeterId) -> Result<StateBlock, AppError> {
        let meter = self.0.directory.get(meter).ok_or(AppError::MeterLost)?;
        let reading = driver::meter_status(&meter, Priority::ReadNow, &self.0.clock);
        match timeout(ANSWER_WITHIN, reading).await {
            Ok(Ok((MeterStatus::Wallet(state), _))) => Ok(state),
            Ok(_) | Err(_) => Err(AppError::MeterLost),
        }
    }
}
