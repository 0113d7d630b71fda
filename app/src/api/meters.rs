//! Meters: the list of their newest states.

use async_trait::async_trait;

use crate::ports::Who;
use model::console::{MeterState, Target};
use model::error::AppError;

#[async_trait]
pub trait MetersPort: Send + Sync {
    /// The newest state of each meter that a target selects, in the order of the wall.
    async fn meter_states(&self, who: &Who, target: &Target) -> Result<Vec<MeterState>, AppError>;
}
