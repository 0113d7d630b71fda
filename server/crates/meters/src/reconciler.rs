//! The relay controller: brings relays of server wallets into the state that their wallets ask for. Wallets that changed are
//! checked at a signal and every few seconds; all of them from time to time.

use std::sync::Arc;
use std::time::Duration;

use model::time::{MINUTE, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::recorder::Event;
use domain::clock::SharedClock;
use domain::rng::Rng;
use store::{Db, wallets};

/// How soon a change without a signal is noticed.
const REST: Duration = Duration::from_secs(5);

pub struct Reconciler {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// To the recorder, which publishes wallets.
    pub events: mpsc::Sender<Event>,
    /// Wakes the delivery engine.
    pub wake: Arc<Notify>,
}

impl Reconciler {
    /// Runs until `stop` is cancelled; `moved` signals that a wallet may have changed.
    pub async fn run(self, moved: Arc<Notify>, stop: CancellationToken) {
        let (mut looked, mut all) = (None, None);
        loop {
            let now = self.clock.now();
            // A relay that was switched by hand, or did not obey, changed no wallet, so all are checked from time to time.
            let whole = all.is_none_or(|at: Timestamp| now.since(at) >= wallets::AGAIN);
            // Overlaps the previous check, for transactions that were committed while it ran.
            let since = looked.filter(|_| !whole).map(|at: Timestamp| at.plus(-MINUTE));
            match wallets::reconcile(&self.db, &self.rng, now, since).await {
                Ok(commands) => {
                    looked = Some(now);
                    all = all.filter(|_| !whole).or(looked);
                    if commands > 0 {
                        tracing::info!(commands, "relays.reconciled");
                        self.wake.notify_one();
                    }
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "relays.not-reconciled"),
            }
            // The recorder is gone only during shutdown.
            let _ = self.events.send(Event::ServerWallets).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = moved.notified() => {}
                () = sleep(REST) => {}
            }
        }
    }
}
