//! The relay controller: brings relays of server wallets into the state that their wallets ask for. Wallets that changed are
//! checked at a signal and every few seconds; all of them from time to time.

use std::sync::Arc;
use std::time::Duration;

use model::time::{MINUTE, Timestamp};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::recorder::MeterEvent;
use domain::clock::SharedClock;
use domain::rng::Rng;
use store::{Db, wallets};

/// How soon a change without a signal is noticed.
const PERIOD: Duration = Duration::from_secs(5);

pub struct RelayController {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// To the recorder, which publishes wallets.
    pub events: mpsc::Sender<MeterEvent>,
    /// Wakes the delivery engine.
    pub wake: Arc<Notify>,
}

impl RelayController {
    /// Runs until `stop` is cancelled; `moved` signals that a wallet may have changed.
    pub async fn run(self, moved: Arc<Notify>, stop: CancellationToken) {
        let (mut checked_at, mut all_checked_at) = (None, None);
        loop {
            let (now, steady) = (self.clock.now(), self.clock.steady());
            // A relay that was switched by hand, or did not obey, changed no wallet, so all are checked from time to time.
            let check_all = all_checked_at.is_none_or(|at: i64| steady - at >= wallets::AGAIN);
            // Overlaps the previous check, for transactions that were committed while it ran.
            let since = checked_at.filter(|at| !check_all && *at <= now).map(|at: Timestamp| at.plus(-MINUTE));
            match wallets::reconcile(&self.db, &self.rng, now, since).await {
                Ok(commands) => {
                    checked_at = Some(now);
                    all_checked_at = all_checked_at.filter(|_| !check_all).or(Some(steady));
                    if commands > 0 {
                        tracing::info!(commands, "relays.commanded");
                        self.wake.notify_one();
                    }
                }
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "relays.control-failed"),
            }
            // The recorder is gone only during shutdown.
            let _ = self.events.send(MeterEvent::ServerWallets).await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = moved.notified() => {}
                () = sleep(PERIOD) => {}
            }
        }
    }
}
