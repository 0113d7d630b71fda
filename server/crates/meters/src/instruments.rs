//! Instruments: energy meters without prepayment, read in the time that meters and commands leave on their bus.

mod poller;
mod profile;
mod reader;
mod usable;

use std::sync::Arc;

use domain::serial::Serial;
use model::energy::Energy;
use model::ids::{CircuitId, GatewayId, InstrumentId};

use tokio::sync::Mutex;

use crate::link::Link;
use crate::profile::Step;

pub(crate) use poller::InstrumentPoller;
pub use profile::{CounterRegisters, CounterSource, InstrumentProfile, InstrumentProfiles};
pub(crate) use reader::read;
pub(crate) use usable::{UsableInstrument, usable};

/// An instrument in service.
pub(crate) struct Instrument {
    pub id: InstrumentId,
    pub gateway: GatewayId,
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
    /// Held while it is read and that is stored, so that readings are stored in the order in which they were taken. It stays the
    /// same when the settings change.
    pub turn: Arc<Mutex<()>>,
}

impl Instrument {
    pub fn new((id, gateway): (InstrumentId, GatewayId), usable: UsableInstrument, link: Link, turn: Arc<Mutex<()>>) -> Self {
        let UsableInstrument { unit, serial, profile, start, step, circuits, interval_s } = usable;
        Self { id, gateway, unit, serial, profile, start, step, circuits, interval_s, link, turn }
    }

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

/// An instrument with one circuit, behind a gateway that is not there.
#[cfg(test)]
fn example(profile: &str, interval_s: u32, stop: &tokio_util::sync::CancellationToken) -> Instrument {
    use crate::link::{Carrier, Target};
    use model::ids::Uuid;
    let target = Target::dialled("127.0.0.1".into(), 1, Carrier::Tcp);
    let (link, _) = Link::start(target, Arc::default(), domain::rng::Rng::from_system(), stop.clone());
    Instrument {
        id: InstrumentId(Uuid::nil()),
        gateway: GatewayId(Uuid::nil()),
        unit: 1,
        serial: None,
        start: 100,
        step: Step::default(),
        circuits: vec![(CircuitId(Uuid::nil()), 1)],
        interval_s,
        profile: InstrumentProfiles::load(None).unwrap().get(profile).unwrap(),
        link,
        turn: Arc::default(),
    }
}
