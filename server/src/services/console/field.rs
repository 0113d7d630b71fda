//! What the desk asks of the buses. Everything asked for is stored before; a poke only makes it sooner.

use model::ids::{GatewayId, MeterId};

use meters::gateway::GatewayState;

/// The buses, as the desk knows them.
pub trait Field: Send + Sync {
    /// A command was stored.
    fn wake(&self);
    /// Somebody wants to see this meter as it is now.
    fn read_now(&self, meter: MeterId);
    /// Whether a meter says who it is; `None` where that is not known here.
    fn is_identified(&self, meter: MeterId) -> Option<bool>;
    /// Somebody believes that this gateway answers again.
    fn retry_gateway(&self, gateway: GatewayId);
    /// Intervals were changed.
    fn reload(&self);
    /// How the gateways do that are read here.
    fn gateways(&self) -> Vec<GatewayState>;
}

/// No buses: a server that only serves pages beside another that polls.
pub struct NoField;

impl Field for NoField {
    fn wake(&self) {}
    fn read_now(&self, _: MeterId) {}
    fn is_identified(&self, _: MeterId) -> Option<bool> {
        None
    }
    fn retry_gateway(&self, _: GatewayId) {}
    fn reload(&self) {}
    fn gateways(&self) -> Vec<GatewayState> {
        Vec::new()
    }
}
