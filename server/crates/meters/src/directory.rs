//! Which meters there are and how each is reached.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use model::ids::{GatewayId, MeterId};
use tokio::sync::mpsc;

use super::link::Link;
use super::poller::Control;
use super::profile::Profile;
use domain::serial::Serial;

/// A meter and the way to it.
#[derive(Clone)]
pub struct Meter {
    pub id: MeterId,
    /// Behind which gateway.
    pub gateway: GatewayId,
    /// Unit id on its bus, 1-247.
    pub unit: u8,
    /// Serial number that must answer there.
    pub serial: Serial,
    pub profile: Arc<Profile>,
    /// From one reading to the next.
    pub sweep_interval_ms: u64,
    /// The way to its gateway.
    pub link: Link,
    /// Who goes round its gateway.
    pub poll: mpsc::UnboundedSender<Control>,
}

/// All meters in service.
#[derive(Default)]
pub struct Directory(RwLock<HashMap<MeterId, Arc<Meter>>>);

impl Directory {
    #[must_use]
    pub fn get(&self, meter: MeterId) -> Option<Arc<Meter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&meter).cloned()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Meter>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// These, and no others, from now on.
    pub fn replace(&self, meters: impl IntoIterator<Item = Arc<Meter>>) {
        let meters = meters.into_iter().map(|meter| (meter.id, meter)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = meters;
    }
}
