//! Readings that somebody waits for before deciding.

use std::time::Duration;

use model::error::AppError;
use model::ids::MeterId;
use tokio::time::timeout;

use super::GatewayHandle;
use crate::driver;
use crate::link::Priority;
use domain::meter_state::{MeterStatus, StateBlock};
use domain::serial::Serial;

/// How long a person waits for a reading that a page asked for.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

impl GatewayHandle {
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
