//! Begins the refunds that are owed, and requests and queries each at its channel under one number until the channel's final
//! answer.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use model::refund::RefundObstacle;
use model::task::TaskKind;

use super::{Done, Failure, Task};
use domain::refund::{SLOW_AFTER, next_try};
use payments::channel::{Channel, ChannelError, RefundResponse};
use payments::{MerchantMissing, Payments};
use services::Context;
use store::StoreError;
use store::payments::Outcome;
use store::refunds::{self, DueRefund, NewRefund, OwedRefund, Policy};

/// With the period this limits the requests to a channel per second.
const BATCH: i64 = 20;
/// Requests at the same time.
const AT_ONCE: usize = 4;

pub struct SendRefunds {
    pub context: Context,
    pub payments: Payments,
}

#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the channel cannot be reached")]
    Channel(#[from] ChannelError),
    #[error("the answer cannot be stored")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Merchant(#[from] MerchantMissing),
}

#[async_trait]
impl Task for SendRefunds {
    fn kind(&self) -> TaskKind {
        TaskKind::SendRefunds
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, .. } = &self.context;
        let begun = self.begin().await?;
        let now = self.context.now();
        // Up to a tenth later, so that the refunds of one evening are spread over time.
        let next = |due: &DueRefund| {
            let at = next_try(due.begun_at, now);
            at.plus(i64::try_from(rng.below(at.since(now).unsigned_abs() / 10 + 1)).unwrap_or(0))
        };
        let due = refunds::claim_due(db, now, BATCH, next).await?;
        let tried = due.len();
        let results: Vec<Option<bool>> =
            stream::iter(due).map(|due| async move { self.send_and_log(&due).await }).buffer_unordered(AT_ONCE).collect().await;
        let ended = results.iter().filter(|result| **result == Some(true)).count();
        let failed = results.iter().filter(|result| result.is_none()).count();
        if failed > 0 && failed == tried {
            return Err(format!("none of {tried} refunds could be requested").into());
        }
        Ok(Done::new(begun + tried, format!("begun {begun}, asked {tried}, ended {ended}, failed {failed}")))
    }
}

impl SendRefunds {
    /// Begins the refunds that need no person, each in its own transaction and under an idempotency key.
    async fn begin(&self) -> Result<usize, StoreError> {
        let Context { db, rng, .. } = &self.context;
        let policy = Policy { refunds: self.payments.refund_rules(), ..Policy::default() };
        let mut begun = 0;
        for owed in refunds::owed(db, policy.refunds.automatic, BATCH).await? {
            let now = self.context.now();
            match refunds::ask(db, rng, now, &policy, &new_refund(&owed)).await {
                Ok(_) => begun += 1,
                Err(StoreError::Refused(why)) => refunds::needs_person(db, rng, now, &owed, why).await?,
                Err(error) => return Err(error),
            }
        }
        Ok(begun)
    }

    /// Whether the refund has ended; `None` where the channel could not be reached.
    async fn send_and_log(&self, due: &DueRefund) -> Option<bool> {
        match self.send(due).await {
            Ok(ended) => Some(ended),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(channel = due.channel.as_str(), refund = due.refund_no, error, "refund.failed");
                None
            }
        }
    }

    /// Requests the refund the first time. Afterwards queries it, and requests it again under the same number where the channel
    /// does not know it.
    async fn send(&self, due: &DueRefund) -> Result<bool, SendError> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        if now.since(due.begun_at) > SLOW_AFTER {
            refunds::slow(db, rng, now, due).await?;
        }
        let refund = due.channel_refund();
        let Some(channel) = self.channel(due) else {
            refunds::held_up(db, rng, now, due, RefundObstacle::NoMerchant).await?;
            return Err(MerchantMissing { channel: due.channel }.into());
        };
        let mut answer = if due.tries == 0 { channel.refund(&refund).await? } else { channel.query_refund(&refund).await? };
        if matches!(answer, RefundResponse::Absent) {
            answer = channel.refund(&refund).await?;
        }
        if let RefundResponse::NotEnough(code) = &answer {
            tracing::warn!(channel = due.channel.as_str(), refund = due.refund_no, code, "refund.not-enough");
            refunds::held_up(db, rng, now, due, RefundObstacle::NoFunds).await?;
            return Ok(false);
        }
        refunds::goes_on(db, due).await?;
        match answer {
            RefundResponse::Event(event) => {
                let outcome = self.payments.settle(&event).await?;
                Ok(matches!(outcome, Outcome::Returned | Outcome::NotReturned | Outcome::Duplicate))
            }
            RefundResponse::Processing | RefundResponse::Absent | RefundResponse::NotEnough(_) => Ok(false),
            RefundResponse::Unknown(answer) => {
                tracing::info!(channel = due.channel.as_str(), refund = due.refund_no, answer, "refund.unknown");
                Ok(false)
            }
        }
    }

    /// The merchant that was paid; another one would answer "no such refund", and the money would be refunded twice.
    fn channel(&self, due: &DueRefund) -> Option<&dyn Channel> {
        self.payments.merchant_of(due.channel, &due.app_id, &due.seller_id)
    }
}

fn new_refund(owed: &OwedRefund) -> NewRefund {
    let (key, reason) = match owed.of {
        refunds::RefundSubject::Payment(event) => (event, "automatic"),
        refunds::RefundSubject::Return(id) => (id.0, "return"),
    };
    NewRefund { key, of: owed.of, over_counter: None, amount: owed.amount, reason: reason.into(), by: None, ip: String::new() }
}
