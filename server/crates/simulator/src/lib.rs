//! Simulated gateways of any framing with meters of any profile, for demos, tests and benchmarks.
//!
//! Describe the site ([`Estate`], [`MeterPlan`]) and its behaviour ([`Config`]), and [`start`] it. The [`Simulator`] provides the
//! addresses, and handles to inspect meters, inject faults and move time. `dormwatt simulate` does the same from the command
//! line, with an HTTP interface instead of the handles ([`control`]).

pub mod bus;
pub mod clock;
pub mod command;
pub mod control;
pub mod estate;
pub mod faults;
pub mod load;
pub mod mail_server;
pub mod notify_provider;
pub mod printer;
pub mod view;

mod apply;
mod connection;
mod detached_meter;
mod dial_in;
mod dlt645;
mod energy;
mod field_values;
mod freeze;
mod gateway;
mod handle;
mod image;
mod instantaneous_values;
mod instrument;
mod journal;
mod meter;
mod meter_model;
mod modbus;
mod persist;
mod registers;
mod relay;
mod rtu;
mod secured;
mod server;
mod start;
mod status;
mod tariff;
mod tls;
mod wallet;
mod wire;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use model::time::Timestamp;

use domain::clock::{SharedClock, SystemClock};
use meters::keys::MasterKeys;
use meters::profile::Profiles;

pub use bus::BusTiming;
pub use detached_meter::DetachedMeter;
pub use dial_in::DialIn;
pub use dlt645::{OPERATOR as DLT645_OPERATOR, PASSWORD as DLT645_PASSWORD};
pub use estate::{Estate, GatewayPlan, MeterPlan, OpenAccount};
pub use faults::{Defect, LineFault, OneTimeFault};
pub use gateway::ChangeError;
pub use handle::{GatewayHandle, InstrumentHandle, MeterHandle, Simulator};
pub use instrument::{CircuitPlan, InstrumentPlan};
pub use load::{Load, Profile};
pub use modem::simulated as gsm_modem;
pub use start::{StartError, start};
pub use view::MeterView;

/// Configuration of a simulated site. Start from [`Config::new`].
pub struct Config {
    pub estate: Estate,
    /// Profiles named in the plans; `None`: the built-in ones.
    pub profiles: Option<Profiles>,
    /// Master keys of the meters.
    pub keys: MasterKeys,
    /// Address on which the gateways listen.
    pub host: IpAddr,
    /// Port of the first gateway, the others use the following ports; 0: any free ports.
    pub base_port: u16,
    /// Gateways dial in there instead of listening.
    pub dial_in: Option<DialIn>,
    /// Bus timing; `None`: transactions take no time.
    pub bus: Option<BusTiming>,
    pub load: Load,
    /// The wall clock.
    pub clock: SharedClock,
    /// Speed of site time relative to the wall clock.
    pub speed: f64,
    /// Site time at the start; `None`: the wall clock. A state file takes precedence.
    pub starts_at: Option<Timestamp>,
    /// Where the meters' state is stored; `None`: nowhere.
    pub state_file: Option<PathBuf>,
    /// The same seed gives the same faults and random bytes for the same order of requests.
    pub seed: u64,
    /// Address of the control interface; `None`: there is none.
    pub control: Option<SocketAddr>,
}

impl Config {
    /// Localhost, free ports, the built-in load, the speed of the wall clock, no bus timing, no state file, no control interface.
    #[must_use]
    pub fn new(estate: Estate, keys: MasterKeys) -> Self {
        Self {
            estate,
            profiles: None,
            keys,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: 0,
            dial_in: None,
            bus: None,
            load: Load::Curve,
            clock: Arc::new(SystemClock),
            speed: 1.0,
            starts_at: None,
            state_file: None,
            seed: 1,
            control: None,
        }
    }
}
