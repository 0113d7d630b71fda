//! Polls and commands the meters. The services are built first; until the buses run, and in a process without keys, commands
//! wait in the database.
//!
//! The buses have a thread of their own: a slow page never delays a bus, and a reading goes from its poller to the recorder
//! without waking another core, which costs more than the reading itself.

use std::sync::OnceLock;

use async_trait::async_trait;
use domain::meter_state::StateBlock;
use domain::rng::Rng;
use domain::serial::Serial;
use model::console::ReadQuality;
use model::error::AppError;
use model::gateway::scan::Scan;
use model::gateway::{DialInConnection, GatewayTest, PortState, UnknownCaller};
use model::ids::{GatewayId, InstrumentId, MeterId};
use model::instrument::InstrumentTrouble;
use model::time::Timestamp;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::StartError;
use crate::config::{Config, Keys};
use meters::gateway::GatewayState;
use meters::keys::MasterKeys;
use meters::profile::Profiles;
use meters::{GatewayHandle, Meters};
use services::{Context, MeterGateway, NoMeterGateway};

/// The handle of the meters, before and after they are started.
#[derive(Default)]
pub struct Buses {
    handle: OnceLock<GatewayHandle>,
    /// Ends the thread when it is dropped: after the database is closed, for its connections may have been opened there.
    thread: OnceLock<oneshot::Sender<()>>,
}

impl Buses {
    /// Starts to poll the meters, if the site's keys are configured.
    pub async fn start(&self, config: &Config, context: &Context, profiles: Profiles) -> Result<(), StartError> {
        let Some(keys) = keys(&config.keys)? else {
            tracing::warn!(
                "meters.not_started: keys.enc, keys.mac and keys.aes are not given; this process serves pages and reads no meters"
            );
            return Ok(());
        };
        let meters = Meters {
            db: context.db.clone(),
            clock: context.clock.clone(),
            rng: context.rng.clone(),
            live: context.live.clone(),
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
        // Started once, so that both are empty.
        let _ = self.handle.set(handle);
        let _ = self.thread.set(alive);
        Ok(())
    }

    /// `None` in a process that does not poll.
    #[must_use]
    pub fn handle(&self) -> Option<&GatewayHandle> {
        self.handle.get()
    }

    /// Reads and sends nothing more; [`Self::stop`] waits for what is under way.
    pub fn halt(&self) {
        if let Some(handle) = self.handle.get() {
            handle.stop_polling();
        }
    }

    /// Finishes the transactions under way.
    pub async fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            handle.stop().await;
        }
    }
}

impl Buses {
    fn gateway(&self) -> &dyn MeterGateway {
        match self.handle.get() {
            Some(handle) => handle,
            None => &NoMeterGateway,
        }
    }
}

#[async_trait]
impl MeterGateway for Buses {
    fn polls(&self) -> bool {
        self.gateway().polls()
    }

    fn wake(&self) {
        self.gateway().wake();
    }

    fn read_now(&self, meter: MeterId) {
        self.gateway().read_now(meter);
    }

    fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.gateway().is_identified(meter)
    }

    async fn answering_serial(&self, meter: MeterId) -> Result<Serial, AppError> {
        self.gateway().answering_serial(meter).await
    }

    async fn read_state(&self, meter: MeterId) -> Result<StateBlock, AppError> {
        self.gateway().read_state(meter).await
    }

    fn takes_time(&self, meter: MeterId) -> bool {
        self.gateway().takes_time(meter)
    }

    fn retry_gateway(&self, gateway: GatewayId) {
        self.gateway().retry_gateway(gateway);
    }

    async fn test_gateway(&self, gateway: GatewayId, rng: &Rng) -> Result<GatewayTest, AppError> {
        self.gateway().test_gateway(gateway, rng).await
    }

    async fn read_instrument(&self, instrument: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        self.gateway().read_instrument(instrument).await
    }

    fn unknown_callers(&self) -> Vec<UnknownCaller> {
        self.gateway().unknown_callers()
    }

    fn port_state(&self, port: u16) -> Option<PortState> {
        self.gateway().port_state(port)
    }

    fn connections(&self, gateway: GatewayId) -> Vec<DialInConnection> {
        self.gateway().connections(gateway)
    }

    fn certificates(&self) -> Vec<(GatewayId, Timestamp)> {
        self.gateway().certificates()
    }

    fn read_quality(&self, meter: MeterId) -> Option<ReadQuality> {
        self.gateway().read_quality(meter)
    }

    async fn start_scan(&self, gateway: GatewayId) -> Result<(), AppError> {
        self.gateway().start_scan(gateway).await
    }

    fn stop_scan(&self, gateway: GatewayId) {
        self.gateway().stop_scan(gateway);
    }

    fn scan(&self, gateway: GatewayId) -> Option<Scan> {
        self.gateway().scan(gateway)
    }

    fn reload(&self) {
        self.gateway().reload();
    }

    fn gateways(&self) -> Vec<GatewayState> {
        self.gateway().gateways()
    }
}

/// Whether a process with these keys polls meters.
pub(super) fn polls(keys: &Keys) -> bool {
    [&keys.enc, &keys.mac, &keys.aes].iter().any(|key| !key.expose().is_empty())
}

fn keys(keys: &Keys) -> Result<Option<MasterKeys>, StartError> {
    if !polls(keys) {
        return Ok(None);
    }
    let [enc, mac, aes] = [&keys.enc, &keys.mac, &keys.aes].map(|key| key.expose());
    MasterKeys::parse(enc, mac, aes).map(Some).map_err(|error| StartError::Setting(format!("keys: {error}")))
}
