//! The description of a new meter: what is left out is as the old meter's.

use model::console::Device;
use model::error::AppError;
use model::ids::MeterId;
use model::person::Who;

use super::AccountLifecycleService;
use store::{closings, meters};

impl AccountLifecycleService {
    /// Completes the description from the old meter and the profile.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a gateway that is not the operator's, [`AppError::Invalid`] for an unknown profile or a unit
    /// id that no bus has.
    pub(super) async fn device(&self, who: &Who, old: MeterId, device: &Device) -> Result<closings::Device, AppError> {
        let row = meters::find(&self.context.db, old).await?.ok_or(AppError::NotFound)?;
        let gateway = device.gateway.unwrap_or(row.gateway_id);
        if device.gateway.is_some() {
            self.context.require_gateway(who, gateway).await?;
        }
        let unit = match device.unit {
            Some(unit) => unit,
            None => u8::try_from(row.unit).map_err(|_| AppError::Invalid)?,
        };
        if !(1..=247).contains(&unit) {
            return Err(AppError::Invalid);
        }
        let profile = device.profile.clone().unwrap_or(row.profile);
        let wallet = self.profiles.get(&profile).ok_or(AppError::Invalid)?.abilities.wallet;
        Ok(closings::Device { serial: device.serial.clone(), gateway, unit, profile, wallet })
    }
}
