//! What the operator sees and does.

use async_trait::async_trait;

/// What the server does for the operator's pages.
#[async_trait]
pub trait OperatorPort: Send + Sync {}
