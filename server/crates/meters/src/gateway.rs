//! State of a gateway as shown to operators.

pub use model::gateway::GatewayHealth;
use model::ids::GatewayId;
use model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayState {
    pub id: GatewayId,
    pub name: String,
    pub health: GatewayHealth,
    pub since: Timestamp,
    /// Number of meters behind it.
    pub meters: usize,
    /// Number of them that do not answer.
    pub lost: usize,
    /// Since the server started, how often stray bytes were received around an answer, and when the last time.
    pub noise: Option<(u64, Timestamp)>,
    /// How long a round over its meters takes, by the last reading of each, ms; `None` before the first.
    pub round_ms: Option<u64>,
}
