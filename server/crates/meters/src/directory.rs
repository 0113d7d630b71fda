//! The meters in service, and how each is reached.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use model::ids::{GatewayId, MeterId};
use tokio::sync::mpsc;

use super::link::Link;
use super::poller::PollerCommand;
use super::profile::Profile;
use domain::serial::Serial;

#[derive(Clone)]
pub struct Meter {
    pub id: MeterId,
    /// Building, floor and room.
    pub room: Arc<str>,
    pub gateway: GatewayId,
    /// Unit id on its bus, 1-247.
    pub unit: u8,
    /// The serial number that must answer there.
    pub serial: Serial,
    pub profile: Arc<Profile>,
    /// Time between two readings.
    pub sweep_interval_ms: u64,
    /// Link to its gateway.
    pub link: Link,
    /// Commands to the poller of its gateway.
    pub poll: mpsc::UnboundedSender<PollerCommand>,
}

/// As log lines name it: room, serial number and id.
impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.room, self.serial, self.id)
    }
}

/// A meter in a log line, by its id alone where it is not in service.
pub struct MeterLabel(MeterId, Option<Arc<Meter>>);

impl fmt::Display for MeterLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(meter) => meter.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// All meters in service.
#[derive(Default)]
pub struct Directory(RwLock<HashMap<MeterId, Arc<Meter>>>);

impl Directory {
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<Arc<Meter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&meter).cloned()
    }

    /// How log lines name a meter.
    #[must_use]
    pub fn label(&self, meter: MeterId) -> MeterLabel {
        MeterLabel(meter, self.get(meter))
    }

    #[must_use]
    pub fn all(&self) -> Vec<Arc<Meter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Replaces all meters.
    pub fn replace(&self, meters: impl IntoIterator<Item = Arc<Meter>>) {
        let meters = meters.into_iter().map(|meter| (meter.id, meter)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = meters;
    }
}
