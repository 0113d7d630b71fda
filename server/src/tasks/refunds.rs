//! Gives money back: asks for what is owed, and asks the channels about each refund under its one number until their final word.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use model::order::Tender;

use super::{Failure, Task};
use domain::refund::{SLOW_AFTER, next_try};
use payments::Payments;
use payments::channel::{Channel, ChannelError, RefundResponse};
use store::StoreError;
use store::payments::Outcome;
use store::refunds::{self, Due, NewRefund, Owed, Policy};

/// With the period this bounds how often a channel is asked: this many times a second.
const BATCH: i64 = 20;
/// How many questions are under way at once.
const AT_ONCE: usize = 4;

pub struct Refunds(pub Payments);

/// What keeps a refund from its end.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the channel cannot be asked")]
    Channel(#[from] ChannelError),
    #[error("the answer cannot be stored")]
    Store(#[from] StoreError),
    #[error("the channel {0} is not configured, or under another application")]
    Unconfigured(String),
}

#[async_trait]
impl Task for Refunds {
    fn name(&self) -> &'static str {
        "payments.refunds"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self) -> Result<String, Failure> {
        let (db, clock, rng) = self.0.parts();
        let begun = self.begin().await?;
        let now = clock.now();
        // Up to a tenth later, so that the refunds of one evening are not asked about in the same second for ever.
        let next = |due: &Due| {
            let at = next_try(due.begun_at(), now);
            at.plus(i64::try_from(rng.below(at.since(now).unsigned_abs() / 10 + 1)).unwrap_or(0))
        };
        let due = refunds::claim_due(db, now, BATCH, next).await?;
        let asked = due.len();
        let ends: Vec<Option<bool>> =
            stream::iter(due).map(|due| async move { self.one(&due).await }).buffer_unordered(AT_ONCE).collect().await;
        let ended = ends.iter().filter(|end| **end == Some(true)).count();
        let failed = ends.iter().filter(|end| end.is_none()).count();
        if failed > 0 && failed == asked {
            return Err(format!("none of {asked} refunds could be asked for").into());
        }
        Ok(format!("begun {begun}, asked {asked}, ended {ended}, failed {failed}"))
    }
}

impl Refunds {
    /// What nobody has to decide about: each in a transaction of its own, under a key that makes a repetition harmless.
    async fn begin(&self) -> Result<usize, StoreError> {
        let (db, clock, rng) = self.0.parts();
        let policy = Policy { refunds: self.0.refund_rules(), ..Policy::default() };
        let mut begun = 0;
        for owed in refunds::owed(db, policy.refunds.automatic, BATCH).await? {
            let now = clock.now();
            match refunds::ask(db, rng, now, &policy, &wish(&owed)).await {
                Ok(_) => begun += 1,
                Err(StoreError::Refused(why)) => refunds::needs_person(db, rng, now, &owed, why).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(begun)
    }

    /// Whether the refund came to its end; `None` where the channel could not be asked.
    async fn one(&self, due: &Due) -> Option<bool> {
        match self.send(due).await {
            Ok(ended) => Some(ended),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(channel = due.channel, refund = due.refund_no, error, "refund.failed");
                None
            }
        }
    }

    /// The first time it is asked for; afterwards asked about, and asked for again, under the same number, where the channel says
    /// that it never heard of it.
    async fn send(&self, due: &Due) -> Result<bool, SendError> {
        let (db, clock, rng) = self.0.parts();
        let now = clock.now();
        if now.since(due.begun_at()) > SLOW_AFTER {
            refunds::slow(db, rng, now, due).await?;
        }
        let (channel, refund) = (self.channel(due)?, due.told());
        let mut answer = if due.tries == 0 { channel.refund(&refund).await? } else { channel.query_refund(&refund).await? };
        if matches!(answer, RefundResponse::Absent) {
            answer = channel.refund(&refund).await?;
        }
        match answer {
            RefundResponse::Event(event) => {
                let outcome = self.0.settle(&event).await?;
                Ok(matches!(outcome, Outcome::Returned | Outcome::NotReturned | Outcome::Duplicate))
            }
            RefundResponse::Processing | RefundResponse::Absent => Ok(false),
            RefundResponse::Unknown(said) => {
                tracing::info!(channel = due.channel, refund = due.refund_no, said, "refund.unknown");
                Ok(false)
            }
        }
    }

    /// A question under another application's name would be answered "no such refund", and the money given a second time.
    fn channel(&self, due: &Due) -> Result<&dyn Channel, SendError> {
        Tender::parse(&due.channel)
            .and_then(|tender| self.0.channel(tender))
            .filter(|channel| channel.terms().app_id == due.app_id)
            .ok_or_else(|| SendError::Unconfigured(due.channel.clone()))
    }
}

fn wish(owed: &Owed) -> NewRefund {
    let (key, reason) = match owed.of {
        refunds::RefundSubject::Payment(event) => (event, "automatic"),
        refunds::RefundSubject::Return(id) => (id.0, "return"),
    };
    NewRefund { key, of: owed.of, over_counter: None, amount: owed.amount, reason: reason.into(), by: None, ip: String::new() }
}
