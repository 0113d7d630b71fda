//! Instruments: energy meters without prepayment, read in the time that meters and commands leave on their bus.

mod poller;
mod profile;
mod reader;

use std::sync::Arc;

use domain::serial::Serial;
use model::energy::Energy;
use model::ids::{CircuitId, InstrumentId};

use tokio::sync::Mutex;

use crate::link::Link;
use crate::profile::Step;

pub(crate) use poller::InstrumentPoller;
pub use profile::{CounterRegisters, CounterSource, InstrumentProfile, InstrumentProfiles};
pub(crate) use reader::read;

/// An instrument in service.
pub(crate) struct Instrument {
    pub id: InstrumentId,
    /// Its unit id on a Modbus bus.
    pub unit: u8,
    /// Its address on a DL/T 645 bus.
    pub serial: Option<Serial>,
    pub profile: Arc<InstrumentProfile>,
    /// The register of the first counter.
    pub start: u16,
    /// Wh in one count.
    pub step: Step,
    /// The circuits with their positions, from 1.
    pub circuits: Vec<(CircuitId, u8)>,
    pub interval_s: u32,
    pub link: Link,
    /// Held while it is read and that is stored, so that readings are stored in the order in which they were taken.
    pub turn: Mutex<()>,
}

impl Instrument {
    /// Where its counters begin again at zero; zero where they are not known to.
    pub fn wrap(&self) -> Energy {
        Energy(self.profile.counts().map_or(0, |counts| i64::try_from(self.step.of(counts)).unwrap_or(0)))
    }

    /// Whether it is read as before, but for how often.
    fn is_read_like(&self, other: &Self) -> bool {
        (self.unit, self.serial, self.start, self.step, &self.circuits)
            == (other.unit, other.serial, other.start, other.step, &other.circuits)
            && self.profile.name == other.profile.name
    }
}
