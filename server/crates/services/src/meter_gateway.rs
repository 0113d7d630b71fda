//! What services and tasks ask of the process that polls the meters. Every command is stored before; a call only makes its
//! delivery sooner.

use async_trait::async_trait;
use model::console::ReadQuality;
use model::error::AppError;
use model::gateway::scan::Scan;
use model::gateway::{DialInConnection, GatewayTest, PortState, UnknownCaller};
use model::ids::{GatewayId, InstrumentId, MeterId};
use model::instrument::InstrumentTrouble;
use model::time::Timestamp;

use domain::meter_state::StateBlock;
use domain::rng::Rng;
use domain::serial::Serial;
use meters::GatewayHandle;
use meters::gateway::GatewayState;

#[async_trait]
pub trait MeterGateway: Send + Sync {
    /// Whether this process polls.
    fn polls(&self) -> bool;
    /// A command was stored.
    fn wake(&self);
    /// Reads a meter before its turn.
    fn read_now(&self, meter: MeterId);
    /// Whether a meter reports its serial number; `None` where this process does not know.
    fn is_identified(&self, meter: MeterId) -> Option<bool>;
    /// Reads which serial number answers at a meter's address. [`AppError::MeterLost`] if none does, [`AppError::Unavailable`]
    /// where this process does not poll.
    async fn answering_serial(&self, meter: MeterId) -> Result<Serial, AppError>;
    /// Reads what a meter with its own wallet shows. Fails as [`Self::answering_serial`].
    async fn read_state(&self, meter: MeterId) -> Result<StateBlock, AppError>;
    /// Whether a meter without a wallet can be given the time.
    fn takes_time(&self, meter: MeterId) -> bool;
    /// Connects to a gateway at once instead of at its next attempt.
    fn retry_gateway(&self, gateway: GatewayId);
    /// Connects to a gateway and reads a meter behind it. [`AppError::Unavailable`] where this process does not poll.
    async fn test_gateway(&self, gateway: GatewayId, rng: &Rng) -> Result<GatewayTest, AppError>;
    /// Reads an instrument now, and stores it; gives why it could not be read. [`AppError::Unavailable`] where this process
    /// does not poll.
    async fn read_instrument(&self, instrument: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError>;
    /// What dialled in and is no gateway.
    fn unknown_callers(&self) -> Vec<UnknownCaller>;
    /// How the port where gateways dial in does; `None` where this process does not poll.
    fn port_state(&self, port: u16) -> Option<PortState>;
    /// The connections of a gateway that dials in, since the server started.
    fn connections(&self, gateway: GatewayId) -> Vec<DialInConnection>;
    /// Until when the certificates are valid that gateways have shown since the start, where an authority signed them.
    fn certificates(&self) -> Vec<(GatewayId, Timestamp)>;
    /// How many of its last requests a meter answered.
    fn read_quality(&self, meter: MeterId) -> Option<ReadQuality>;
    /// Looks for meters behind a gateway. [`AppError::Unavailable`] where this process does not poll.
    async fn start_scan(&self, gateway: GatewayId) -> Result<(), AppError>;
    fn stop_scan(&self, gateway: GatewayId);
    /// The newest scan of a gateway since the server started.
    fn scan(&self, gateway: GatewayId) -> Option<Scan>;
    /// Reads the places, meters and polling intervals again.
    fn reload(&self);
    /// Health of the gateways that this process polls.
    fn gateways(&self) -> Vec<GatewayState>;
}

#[async_trait]
impl MeterGateway for GatewayHandle {
    fn polls(&self) -> bool {
        true
    }

    fn wake(&self) {
        self.wake();
    }

    fn read_now(&self, meter: MeterId) {
        self.read_now(meter);
    }

    fn is_identified(&self, meter: MeterId) -> Option<bool> {
        self.is_identified(meter)
    }

    async fn answering_serial(&self, meter: MeterId) -> Result<Serial, AppError> {
        self.answering_serial(meter).await
    }

    async fn read_state(&self, meter: MeterId) -> Result<StateBlock, AppError> {
        self.read_state(meter).await
    }

    fn takes_time(&self, meter: MeterId) -> bool {
        self.takes_time(meter)
    }

    fn retry_gateway(&self, gateway: GatewayId) {
        self.retry_gateway(gateway);
    }

    async fn test_gateway(&self, gateway: GatewayId, rng: &Rng) -> Result<GatewayTest, AppError> {
        self.test_gateway(gateway, rng).await
    }

    async fn read_instrument(&self, instrument: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        self.read_instrument(instrument).await
    }

    fn unknown_callers(&self) -> Vec<UnknownCaller> {
        self.unknown_callers()
    }

    fn port_state(&self, port: u16) -> Option<PortState> {
        Some(self.port_state(port))
    }

    fn connections(&self, gateway: GatewayId) -> Vec<DialInConnection> {
        self.connections(gateway)
    }

    fn certificates(&self) -> Vec<(GatewayId, Timestamp)> {
        self.certificates()
    }

    fn read_quality(&self, meter: MeterId) -> Option<ReadQuality> {
        self.read_quality(meter)
    }

    async fn start_scan(&self, gateway: GatewayId) -> Result<(), AppError> {
        self.start_scan(gateway).await
    }

    fn stop_scan(&self, gateway: GatewayId) {
        self.stop_scan(gateway);
    }

    fn scan(&self, gateway: GatewayId) -> Option<Scan> {
        self.scan(gateway)
    }

    fn reload(&self) {
        self.reload();
    }

    fn gateways(&self) -> Vec<GatewayState> {
        self.gateways()
    }
}

/// For a process that only serves pages beside another one that polls.
pub struct NoMeterGateway;

#[async_trait]
impl MeterGateway for NoMeterGateway {
    fn polls(&self) -> bool {
        false
    }
    fn wake(&self) {}
    fn read_now(&self, _: MeterId) {}
    fn is_identified(&self, _: MeterId) -> Option<bool> {
        None
    }
    async fn answering_serial(&self, _: MeterId) -> Result<Serial, AppError> {
        Err(AppError::Unavailable)
    }
    async fn read_state(&self, _: MeterId) -> Result<StateBlock, AppError> {
        Err(AppError::Unavailable)
    }
    fn takes_time(&self, _: MeterId) -> bool {
        false
    }
    fn retry_gateway(&self, _: GatewayId) {}
    async fn test_gateway(&self, _: GatewayId, _: &Rng) -> Result<GatewayTest, AppError> {
        Err(AppError::Unavailable)
    }
    async fn read_instrument(&self, _: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError> {
        Err(AppError::Unavailable)
    }
    fn unknown_callers(&self) -> Vec<UnknownCaller> {
        Vec::new()
    }
    fn port_state(&self, _: u16) -> Option<PortState> {
        None
    }

    fn connections(&self, _: GatewayId) -> Vec<DialInConnection> {
        Vec::new()
    }
    fn certificates(&self) -> Vec<(GatewayId, Timestamp)> {
        Vec::new()
    }
    fn read_quality(&self, _: MeterId) -> Option<ReadQuality> {
        None
    }
    async fn start_scan(&self, _: GatewayId) -> Result<(), AppError> {
        Err(AppError::Unavailable)
    }
    fn stop_scan(&self, _: GatewayId) {}
    fn scan(&self, _: GatewayId) -> Option<Scan> {
        None
    }
    fn reload(&self) {}
    fn gateways(&self) -> Vec<GatewayState> {
        Vec::new()
    }
}
