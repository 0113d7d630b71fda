//! Verified events on their way into the database.
//!
//! SQLite writes one transaction at a time, and each waits for the disk: events that come meanwhile go together into the next one, so
//! that a slow disk makes no queue. PostgreSQL's transactions run side by side, each event in its own; together they would hold the
//! rows of many orders at once, and wait for each other's.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use domain::clock::SharedClock;
use domain::payment_event::Verified;
use domain::rng::Rng;
use store::payments::{self, Outcome};
use store::{Db, StoreError};

/// Most events of one transaction: other writers wait for all of them.
const TOGETHER: usize = 32;

type Settled = Result<Outcome, StoreError>;

/// Settles what comes. Cheap to clone.
#[derive(Clone)]
pub(super) struct Settling(Arc<Inner>);

struct Inner {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    waiting: Mutex<Vec<Waiting>>,
    /// Held by whoever settles what waits.
    turn: tokio::sync::Mutex<()>,
}

struct Waiting {
    event: Verified,
    answer: oneshot::Sender<Settled>,
}

impl Settling {
    pub fn new(db: Db, clock: SharedClock, rng: Rng) -> Self {
        Self(Arc::new(Inner { db, clock, rng, waiting: Mutex::default(), turn: tokio::sync::Mutex::default() }))
    }

    /// Settles an event; what it gives is durable.
    ///
    /// # Errors
    /// Where it could not be stored.
    pub async fn settle(&self, event: &Verified) -> Settled {
        if matches!(self.0.db, Db::Postgres(_)) {
            return self.0.alone(event).await;
        }
        let (answer, answered) = oneshot::channel();
        self.0.lock().push(Waiting { event: event.clone(), answer });
        let inner = Arc::clone(&self.0);
        // A task of its own: a channel that hangs up must not take the events of others with it.
        tokio::spawn(async move { inner.take_turn().await });
        answered.await.unwrap_or(Err(StoreError::interrupted()))
    }
}

impl Inner {
    /// Settles all that waits by then, up to the bound. There is a turn for each event, so none is left.
    async fn take_turn(&self) {
        let _turn = self.turn.lock().await;
        let group = self.next();
        let events: Vec<&Verified> = group.iter().map(|waiting| &waiting.event).collect();
        if events.len() > 1 {
            match payments::settle(&self.db, &self.rng, self.clock.now(), &events).await {
                Ok(outcomes) => {
                    for (waiting, outcome) in group.into_iter().zip(outcomes) {
                        // Whoever asked may be gone.
                        let _ = waiting.answer.send(Ok(outcome));
                    }
                    return;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, events = events.len(), "payment.settled-one-by-one");
                }
            }
        }
        // One that fails must not keep the others out.
        for waiting in group {
            let _ = waiting.answer.send(self.alone(&waiting.event).await);
        }
    }

    async fn alone(&self, event: &Verified) -> Settled {
        let outcomes = payments::settle(&self.db, &self.rng, self.clock.now(), &[event]).await?;
        outcomes.first().copied().ok_or(StoreError::Inconsistent { table: "payment_events", column: "outcome" })
    }

    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.lock();
        let count = waiting.len().min(TOGETHER);
        waiting.drain(..count).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
