//! Asks the channels about payments that nobody told us of, and ends those that were not made.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use model::ids::AttemptId;
use model::order::Tender;
use model::time::{SECOND, Timestamp};

use super::{Failure, Task};
use domain::payment::next_query;
use domain::payment_event::EventKind;
use payments::Payments;
use payments::channel::{Channel, ChannelError, QueryResponse};
use store::StoreError;
use store::payments::{Attempt, Outcome, begin_close, claim_due};

/// With the period this bounds how often a channel is asked: this many times a second.
const BATCH: i64 = 20;
/// How many questions are under way at once.
const AT_ONCE: usize = 4;
/// A payer who pressed the button in the last second gets his payment booked before we close.
const CLOSE_AFTER: i64 = 5 * SECOND;

pub struct QueryPayments(pub Payments);

/// How one question ended.
enum Asked {
    Settled(Outcome),
    Open,
    Failed,
}

/// What keeps a question from its end.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("the channel cannot be asked")]
    Channel(#[from] ChannelError),
    #[error("the answer cannot be stored")]
    Store(#[from] StoreError),
    #[error("the channel {0} is not configured, or under another application")]
    Unconfigured(String),
}

#[async_trait]
impl Task for QueryPayments {
    fn name(&self) -> &'static str {
        "payments.query"
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self) -> Result<String, Failure> {
        let (db, clock, rng) = self.0.parts();
        let now = clock.now();
        // Up to a tenth later, so that the orders of a busy evening are not asked about in the same second for ever.
        let next = |attempt: &Attempt| {
            let at = next_query(Timestamp(attempt.created_at), attempt.expires_at(), now);
            at.plus(i64::try_from(rng.below(at.since(now).unsigned_abs() / 10 + 1)).unwrap_or(0))
        };
        let due = claim_due(db, now, BATCH, next).await?;
        let asked = due.len();
        let ends: Vec<Asked> =
            stream::iter(due).map(|attempt| async move { self.one(&attempt).await }).buffer_unordered(AT_ONCE).collect().await;
        let settled = ends.iter().filter(|end| matches!(end, Asked::Settled(outcome) if *outcome != Outcome::Ignored)).count();
        let failed = ends.iter().filter(|end| matches!(end, Asked::Failed)).count();
        if failed > 0 && failed == asked {
            return Err(format!("none of {asked} questions was answered").into());
        }
        Ok(format!("asked {asked}, settled {settled}, failed {failed}"))
    }
}

impl QueryPayments {
    async fn one(&self, attempt: &Attempt) -> Asked {
        match self.ask(attempt).await {
            Ok(asked) => asked,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(channel = attempt.channel, attempt = attempt.out_trade_no, error, "payment.query.failed");
                Asked::Failed
            }
        }
    }

    /// Query; and after the end close and query again: only a channel's clear word ends an attempt.
    async fn ask(&self, attempt: &Attempt) -> Result<Asked, AskError> {
        let channel = self.channel(attempt)?;
        let (db, clock, ..) = self.0.parts();
        let answer = channel.query(attempt).await?;
        let ended = clock.now().since(attempt.expires_at()) > CLOSE_AFTER;
        let still_open = match &answer {
            QueryResponse::Waiting => true,
            QueryResponse::Event(event) => event.kind() == EventKind::Absent,
            QueryResponse::Unknown(_) => false,
        };
        if !(ended && still_open) {
            return self.conclude(attempt, answer).await;
        }
        if !begin_close(db, AttemptId(attempt.id)).await? {
            return Ok(Asked::Open);
        }
        // Its answer concludes nothing: where it was lost, the query tells what became of it.
        if let Err(error) = channel.close(attempt).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(channel = attempt.channel, attempt = attempt.out_trade_no, error, "payment.close.failed");
        }
        let answer = channel.query(attempt).await?;
        self.conclude(attempt, answer).await
    }

    async fn conclude(&self, attempt: &Attempt, answer: QueryResponse) -> Result<Asked, AskError> {
        match answer {
            QueryResponse::Event(event) => Ok(Asked::Settled(self.0.settle(&event).await?)),
            QueryResponse::Waiting => Ok(Asked::Open),
            QueryResponse::Unknown(said) => {
                tracing::info!(channel = attempt.channel, attempt = attempt.out_trade_no, said, "payment.query.unknown");
                Ok(Asked::Open)
            }
        }
    }

    /// A question under another application's name would be answered "no such trade", and a payment given up for lost.
    fn channel(&self, attempt: &Attempt) -> Result<&dyn Channel, AskError> {
        Tender::parse(&attempt.channel)
            .and_then(|tender| self.0.channel(tender))
            .filter(|channel| channel.terms().app_id == attempt.app_id)
            .ok_or_else(|| AskError::Unconfigured(attempt.channel.clone()))
    }
}
