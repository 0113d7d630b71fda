//! Keeps relays of server wallets as they should be: whenever a wallet may have moved, and every few seconds besides.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::recorder::Event;
use crate::clock::SharedClock;
use crate::rng::Rng;
use crate::store::{Db, wallets};

/// A wallet that moved without a signal is noticed this much later.
const REST: Duration = Duration::from_secs(5);

/// The task.
pub struct Reconciler {
    /// The database.
    pub db: Db,
    /// Now.
    pub clock: SharedClock,
    /// Ids.
    pub rng: Rng,
    /// The recorder, which shows wallets.
    pub events: mpsc::Sender<Event>,
    /// The delivery, which sends commands.
    pub wake: Arc<Notify>,
}

impl Reconciler {
    /// Works until `stop`; `moved` says that a wallet may have moved.
    pub async fn run(self, moved: Arc<Notify>, stop: CancellationToken) {
        loop {
            match wallets::reconcile(&self.db, &self.rng, self.clock.now()).await {
                Ok(0) => {}
                Ok(commands) => {
                    tracing::info!(commands, "relays.reconciled");
                    self.wake.notify_one();
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "relays.not-reconciled"),
            }
            // A recorder that has gone is stopping.
            let _ = self.events.send(Event::Purses).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = moved.notified() => {}
                () = sleep(REST) => {}
            }
        }
    }
}
