//! The place where a link finds the newest connection of its gateway.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::ConnectionPermit;
use crate::link::Stream;

/// A connection that said who it is.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub stream: Box<dyn Stream>,
    pub peer: SocketAddr,
    pub seat: Arc<ConnectionPermit>,
}

/// Holds one connection: a newer one takes the place of one that was not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    newest: Mutex<Option<Accepted>>,
    arrived: Notify,
}

impl Mailbox {
    pub(crate) fn put(&self, accepted: Accepted) {
        *self.lock() = Some(accepted);
        self.arrived.notify_one();
    }

    /// Waits until a connection is there, and leaves it.
    pub(crate) async fn wait(&self) {
        while self.lock().is_none() {
            self.arrived.notified().await;
        }
    }

    /// Waits for a connection and takes it.
    pub(crate) async fn take(&self) -> Accepted {
        loop {
            if let Some(accepted) = self.lock().take() {
                return accepted;
            }
            self.arrived.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Accepted>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
