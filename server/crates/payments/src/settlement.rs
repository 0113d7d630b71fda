//! Writes verified events to the database.
//!
//! SQLite runs one write transaction at a time and each waits for the disk, so events that arrive meanwhile share the next
//! transaction. On PostgreSQL each event has its own transaction: they run concurrently, and a shared one would lock the rows of
//! many orders.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::sleep;

use domain::clock::SharedClock;
use domain::payment_event::VerifiedEvent;
use domain::rng::Rng;
use store::payments::{self, Outcome};
use store::{Db, StoreError};

/// Most events in one transaction, because other writers wait for all of them.
const MAX_BATCH: usize = 32;

/// How often an event is settled that another transaction stood in the way of. The channel sends it again afterwards.
const MAX_TRIES: u32 = 3;

/// How long the first repetition waits, for the other transaction to end; the next one waits longer by as much.
const PAUSE: Duration = Duration::from_millis(20);

type SettleResult = Result<Outcome, StoreError>;

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct SettlementQueue(Arc<Inner>);

struct Inner {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    queue: Mutex<Vec<QueuedEvent>>,
    /// Held while a batch is written.
    turn: tokio::sync::Mutex<()>,
}

struct QueuedEvent {
    event: VerifiedEvent,
    result: oneshot::Sender<SettleResult>,
}

impl SettlementQueue {
    pub fn new(db: Db, clock: SharedClock, rng: Rng) -> Self {
        Self(Arc::new(Inner { db, clock, rng, queue: Mutex::default(), turn: tokio::sync::Mutex::default() }))
    }

    /// Settles an event; the returned outcome is committed.
    ///
    /// # Errors
    /// [`StoreError`] if nothing was stored.
    pub async fn settle(&self, event: &VerifiedEvent) -> SettleResult {
        if matches!(self.0.db, Db::Postgres { .. }) {
            return self.0.settle_one(event).await;
        }
        let (result, receiver) = oneshot::channel();
        self.0.lock().push(QueuedEvent { event: event.clone(), result });
        let inner = Arc::clone(&self.0);
        // In its own task, so that a disconnecting client does not cancel a batch with the events of others.
        tokio::spawn(async move { inner.settle_batch().await });
        receiver.await.unwrap_or(Err(StoreError::interrupted()))
    }
}

impl Inner {
    /// Settles at most [`MAX_BATCH`] queued events. It runs once per queued event, so none is left over.
    async fn settle_batch(&self) {
        let _turn = self.turn.lock().await;
        let batch = self.next_batch();
        let events: Vec<&VerifiedEvent> = batch.iter().map(|queued| &queued.event).collect();
        if events.len() > 1 {
            match payments::settle(&self.db, &self.rng, self.clock.now(), &events).await {
                Ok(outcomes) => {
                    for (queued, outcome) in batch.into_iter().zip(outcomes) {
                        // The receiver is gone if its request was cancelled.
                        let _ = queued.result.send(Ok(outcome));
                    }
                    return;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, events = events.len(), "payment.settled-one-by-one");
                }
            }
        }
        // Separately, so that one failing event does not block the others.
        for queued in batch {
            let _ = queued.result.send(self.settle_one(&queued.event).await);
        }
    }

    async fn settle_one(&self, event: &VerifiedEvent) -> SettleResult {
        let mut tries = 1;
        loop {
            match payments::settle(&self.db, &self.rng, self.clock.now(), &[event]).await {
                Ok(outcomes) => {
                    let missing = StoreError::Inconsistent { table: "payment_events", column: "outcome" };
                    return outcomes.first().copied().ok_or(missing);
                }
                Err(error) if error.is_contended() && tries < MAX_TRIES => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "payment.settled-again");
                    sleep(PAUSE * tries).await;
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn next_batch(&self) -> Vec<QueuedEvent> {
        let mut queue = self.lock();
        let count = queue.len().min(MAX_BATCH);
        queue.drain(..count).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<QueuedEvent>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
