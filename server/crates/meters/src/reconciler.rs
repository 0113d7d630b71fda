//! Keeps relays of server wallets as they should be: those of wallets that have moved, at a signal and every few seconds besides,
//! and now and then all of them.

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

/// A wallet that moved without a signal is noticed this much later.
const REST: Duration = Duration::from_secs(5);

pub struct Reconciler {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// The recorder, which shows wallets.
    pub events: mpsc::Sender<Event>,
    /// The delivery, which sends commands.
    pub wake: Arc<Notify>,
}

impl Reconciler {
    /// Works until `stop`; `moved` says that a wallet may have moved.
    pub async fn run(self, moved: Arc<Notify>, stop: CancellationToken) {
        let (mut looked, mut all) = (None, None);
        loop {
            let now = self.clock.now();
            // A relay that was moved by hand, or that did not obey, moved no wallet.
            let whole = all.is_none_or(|at: Timestamp| now.since(at) >= wallets::AGAIN);
            // A wallet may have moved in a transaction that was on its way while the last look was taken.
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
            // A recorder that has gone is stopping.
            let _ = self.events.send(Event::ServerWallets).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = moved.notified() => {}
                () = sleep(REST) => {}
            }
        }
    }
}
