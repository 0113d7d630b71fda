//! What people are told of a gateway.

pub use model::gateway::GatewayHealth;
use model::ids::GatewayId;
use model::time::Timestamp;

/// A gateway and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayState {
    pub id: GatewayId,
    /// What people call it.
    pub name: String,
    /// How it does.
    pub health: GatewayHealth,
    pub since: Timestamp,
    /// Meters behind it.
    pub meters: usize,
    /// Of them, how many do not answer.
    pub lost: usize,
}
