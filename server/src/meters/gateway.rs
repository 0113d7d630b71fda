//! What people are told of a gateway.

use app::model::ids::GatewayId;
use app::model::time::Timestamp;

/// How a gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayHealth {
    /// Not heard of yet.
    Connecting,
    /// It answers.
    Up,
    /// It does not accept connections.
    Unreachable,
    /// It accepts connections, and no meter behind it answers.
    Silent,
}

/// A gateway and how it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayState {
    /// Which.
    pub id: GatewayId,
    /// What people call it.
    pub name: String,
    /// How it does.
    pub health: GatewayHealth,
    /// Since when.
    pub since: Timestamp,
    /// Meters behind it.
    pub meters: usize,
    /// Of them, how many do not answer.
    pub lost: usize,
}
