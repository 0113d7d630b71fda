//! The certificates that gateways show.

use model::ids::GatewayId;
use model::time::Timestamp;

use super::GatewayHandle;

impl GatewayHandle {
    /// Until when the certificates are valid that gateways have shown since the start, where an authority signed them.
    #[must_use]
    pub fn certificates(&self) -> Vec<(GatewayId, Timestamp)> {
        let buses = self.0.lock_buses();
        buses.iter().filter_map(|(id, bus)| Some((*id, bus.target.certificate_until()?))).collect()
    }
}
