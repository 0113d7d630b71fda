//! What the resident sees and does.

use async_trait::async_trait;

/// What the server does for the resident's pages.
#[async_trait]
pub trait ResidentPort: Send + Sync {}
