//! The buses, as pages and payments know them. Those are put together first; until the buses run, and on a server without keys,
//! whatever is asked for waits in the database.
//!
//! They run on a thread of their own: a page that is slow to draw never delays a bus, and a reading goes from its poller to the
//! recorder without waking another core, which cost more than the reading itself.

use std::sync::OnceLock;

use model::ids::{GatewayId, MeterId};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::StartError;
use crate::config::{Config, Keys};
use crate::services::console::Field;
use domain::clock::SharedClock;
use domain::rng::Rng;
use meters::gateway::GatewayState;
use meters::keys::MasterKeys;
use meters::live::Live;
use meters::profile::Profiles;
use meters::{GatewayHandle, Meters};
use store::Db;

/// A handle that is there from the beginning.
#[derive(Default)]
pub struct Buses {
    handle: OnceLock<GatewayHandle>,
    /// Ends the thread when it is dropped: after the database is closed, for its connections may have been opened there.
    thread: OnceLock<oneshot::Sender<()>>,
}

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
            config: meters::config::Config { hoarding_fen: config.pay.limits.hoarding_fen, ..config.meters.clone() },
            profiles,
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| StartError::Part(error.into()))?;
        let started = runtime.spawn(meters.start());
        let (alive, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("buses".to_owned())
            .spawn(move || runtime.block_on(ended))
            .map_err(|error| StartError::Part(error.into()))?;
        let handle = started.await.map_err(|error| StartError::Part(error.into()))?.map_err(StartError::Database)?;
        // Started once, so the places are free.
        let _ = self.handle.set(handle);
        let _ = self.thread.set(alive);
        Ok(())
    }

    /// The handle, where meters are read.
    #[must_use]
    pub fn handle(&self) -> Option<&GatewayHandle> {
        self.handle.get()
    }

    /// Finishes what is under way.
    pub async fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            handle.stop().await;
        }
    }
}

impl Field for Buses {
    fn wake(&self) {
        if let Some(handle) = self.handle.get() {
            handle.wake();
        }
    }

    fn read_now(&self, meter: MeterId) {
        if let Some(handle) = self.handle.get() {
            handle.read_now(meter);
        }
    }

    fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.handle.get()?.is_identified(meter)
    }

    fn retry_gateway(&self, gateway: GatewayId) {
        if let Some(handle) = self.handle.get() {
            handle.retry_gateway(gateway);
        }
    }

    fn reload(&self) {
        if let Some(handle) = self.handle.get() {
            handle.reload();
        }
    }

    fn gateways(&self) -> Vec<GatewayState> {
        self.handle.get().map(GatewayHandle::gateways).unwrap_or_default()
    }
}

fn keys(keys: &Keys) -> Result<Option<MasterKeys>, StartError> {
    let [enc, mac, aes] = [&keys.enc, &keys.mac, &keys.aes].map(|key| key.expose());
    if [enc, mac, aes].iter().all(|key| key.is_empty()) {
        return Ok(None);
    }
    MasterKeys::parse(enc, mac, aes).map(Some).map_err(|error| StartError::Setting(format!("keys: {error}")))
}
