//! The event stream of one wall.

use bytes::Bytes;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Live;
use domain::wall_layout::WallScope;

pub struct WallStream {
    live: Live,
    scope: WallScope,
    receiver: Option<Receiver<Bytes>>,
}

impl WallStream {
    pub(super) const fn new(live: Live, scope: WallScope) -> Self {
        Self { live, scope, receiver: None }
    }

    /// The next event: a snapshot at first and whenever this wall lagged behind, otherwise a delta. Safe to cancel.
    pub async fn next(&mut self) -> Bytes {
        if let Some(receiver) = &mut self.receiver {
            match receiver.recv().await {
                Ok(bytes) => return bytes,
                Err(RecvError::Lagged(missed)) => tracing::debug!(missed, "live.lagged"),
                Err(RecvError::Closed) => tracing::debug!("live.rejoined"),
            }
        }
        let (snapshot, receiver) = self.live.join(&self.scope);
        self.receiver = Some(receiver);
        snapshot
    }
}
