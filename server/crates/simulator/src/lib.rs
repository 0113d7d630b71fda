//! The simulator: gateways of any framing with meters of any profile, for demo, tests and benchmarks.
//!
//! Say what stands at the site ([`Estate`], [`MeterPlan`]), how it behaves ([`Config`]), and [`start`] it; the
//! [`Simulator`] gives the addresses, and handles to look into meters, break them and move time. `dormwatt simulate` is the
//! same with a command line, and with an HTTP interface in place of the handles ([`control`]).

pub mod bus;
pub mod clock;
pub mod command;
pub mod control;
pub mod estate;
pub mod faults;
pub mod load;
pub mod view;

mod apply;
mod bare;
mod conversation;
mod dlt645;
mod energy;
mod facts;
mod freeze;
mod gateway;
mod handle;
mod image;
mod journal;
mod measured;
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

pub use bare::Bare;
pub use bus::BusTiming;
pub use dlt645::{OPERATOR as DLT645_OPERATOR, PASSWORD as DLT645_PASSWORD};
pub use estate::{Estate, GatewayPlan, MeterPlan, OpenAccount};
pub use faults::{Defect, LineFault, OneTimeFault};
pub use gateway::ChangeError;
pub use handle::{GatewayHandle, MeterHandle, Simulator};
pub use load::{Load, Profile};
pub use start::{StartError, start};
pub use view::MeterView;

/// How a simulated site behaves. Start from [`Config::new`].
pub struct Config {
    /// What stands there.
    pub estate: Estate,
    /// The models that plans name; `None`: the built-in ones.
    pub profiles: Option<Profiles>,
    /// From which keys the meters derive theirs.
    pub keys: MasterKeys,
    /// Where the gateways listen.
    pub host: IpAddr,
    /// The first gateway's port, the others following; 0: any free ones.
    pub base_port: u16,
    /// How long transactions take on a bus; `None`: no time.
    pub bus: Option<BusTiming>,
    /// What rooms draw.
    pub load: Load,
    /// The wall clock.
    pub clock: SharedClock,
    /// How many times as fast as the wall clock the site's time runs.
    pub speed: f64,
    /// The site's time at the start; `None`: the wall clock's. A state file goes before.
    pub starts_at: Option<Timestamp>,
    /// Where the meters' memory is kept; `None`: nowhere.
    pub state_file: Option<PathBuf>,
    /// The same seed gives the same faults and garbage in the same order of requests.
    pub seed: u64,
    /// Where the control interface listens; `None`: there is none.
    pub control: Option<SocketAddr>,
}

impl Config {
    /// On this machine only, on any free ports, with the built-in load, at the speed of the wall clock, no bus time, no
    /// state file, no control interface.
    #[must_use]
    pub fn new(estate: Estate, keys: MasterKeys) -> Self {
        Self {
            estate,
            profiles: None,
            keys,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: 0,
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
