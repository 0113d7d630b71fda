//! The buses, as pages and payments know them. Those are put together first; until the buses run, and on a server without keys,
//! whatever is asked for waits in the database.

use std::sync::OnceLock;

use app::model::ids::{GatewayId, MeterId};

use super::StartError;
use crate::config::{Config, Keys};
use crate::live::Live;
use crate::meters::gateway::GatewayState;
use crate::meters::keys::MasterKeys;
use crate::meters::profile::Profiles;
use crate::meters::{Handle, Meters};
use crate::operator::Field;
use crate::store::Db;
use crate::{clock::SharedClock, rng::Rng};

/// A handle that is there from the beginning.
#[derive(Default)]
pub struct Buses(OnceLock<Handle>);

impl Buses {
    /// Starts reading and commanding meters, if the estate's keys are given.
    ///
    /// # Errors
    /// Where keys or profiles cannot be used, or the database fails.
    pub async fn start(&self, config: &Config, db: &Db, clock: &SharedClock, rng: &Rng, live: &Live) -> Result<(), StartError> {
        let profiles = Profiles::load(config.meters.profiles_dir.as_deref()).map_err(|error| StartError::Part(error.into()))?;
        let Some(keys) = keys(&config.keys)? else {
            tracing::warn!("meters.not_started: keys are not given; this process only serves pages");
            return Ok(());
        };
        let meters = Meters {
            db: db.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            live: live.clone(),
            keys,
            config: config.meters.clone(),
            profiles,
        };
        let handle = meters.start().await.map_err(StartError::Database)?;
        // Started once, so the place is free.
        let _ = self.0.set(handle);
        Ok(())
    }

    /// The handle, where meters are read.
    #[must_use]
    pub fn handle(&self) -> Option<&Handle> {
        self.0.get()
    }

    /// Finishes what is under way.
    pub async fn stop(&self) {
        if let Some(handle) = self.0.get() {
            handle.stop().await;
        }
    }
}

impl Field for Buses {
    fn wake(&self) {
        if let Some(handle) = self.0.get() {
            handle.wake();
        }
    }

    fn read_now(&self, meter: MeterId) {
        if let Some(handle) = self.0.get() {
            handle.read_now(meter);
        }
    }

    fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.0.get()?.is_identified(meter)
    }

    fn retry_gateway(&self, gateway: GatewayId) {
        if let Some(handle) = self.0.get() {
            handle.retry_gateway(gateway);
        }
    }

    fn reload(&self) {
        if let Some(handle) = self.0.get() {
            handle.reload();
        }
    }

    fn gateways(&self) -> Vec<GatewayState> {
        self.0.get().map(Handle::gateways).unwrap_or_default()
    }
}

fn keys(keys: &Keys) -> Result<Option<MasterKeys>, StartError> {
    let [enc, mac, aes] = [&keys.enc, &keys.mac, &keys.aes].map(|key| key.expose());
    if [enc, mac, aes].iter().all(|key| key.is_empty()) {
        return Ok(None);
    }
    MasterKeys::parse(enc, mac, aes).map(Some).map_err(|error| StartError::Setting(format!("keys: {error}")))
}
