//! Queries the channels about payments without a notification, and closes those that were not made.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use model::task::TaskKind;
use model::time::SECOND;

use super::{Done, Failure, Task};
use domain::payment::next_query;
use domain::payment_event::EventKind;
use payments::channel::QueryResponse;
use payments::{Payments, QueryError};
use services::Context;
use store::payments::{Attempt, AttemptState, Outcome, begin_close, claim_due};

/// With the period this limits the queries to a channel per second.
const BATCH: i64 = 20;
/// Queries at the same time.
const AT_ONCE: usize = 4;
/// Leaves time to book a payment that was made in the last second.
const CLOSE_AFTER: i64 = 5 * SECOND;

pub struct QueryPayments {
    pub context: Context,
    pub payments: Payments,
}

enum QueryResult {
    Settled(Outcome),
    Open,
    Failed,
}

#[async_trait]
impl Task for QueryPayments {
    fn kind(&self) -> TaskKind {
        TaskKind::QueryPayments
    }

    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let Context { db, rng, .. } = &self.context;
        let now = self.context.now();
        // Up to a tenth later, so that the orders of a busy evening are spread over time.
        let next = |attempt: &Attempt| {
            let at = next_query(attempt.created_at, attempt.expires_at, now);
            at.plus(i64::try_from(rng.below(at.since(now).unsigned_abs() / 10 + 1)).unwrap_or(0))
        };
        let due = claim_due(db, now, BATCH, next).await?;
        let queried = due.len();
        let results: Vec<QueryResult> = stream::iter(due)
            .map(|attempt| async move { self.query_and_log(&attempt).await })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let settled =
            results.iter().filter(|end| matches!(end, QueryResult::Settled(outcome) if *outcome != Outcome::Ignored)).count();
        let failed = results.iter().filter(|end| matches!(end, QueryResult::Failed)).count();
        if failed > 0 && failed == queried {
            return Err(format!("none of {queried} queries was answered").into());
        }
        Ok(Done::new(queried, format!("asked {queried}, settled {settled}, failed {failed}")))
    }
}

impl QueryPayments {
    async fn query_and_log(&self, attempt: &Attempt) -> QueryResult {
        match self.query(attempt).await {
            Ok(result) => result,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(channel = attempt.channel.as_str(), attempt = attempt.out_trade_no, error, "payment.query.failed");
                QueryResult::Failed
            }
        }
    }

    /// Queries; after the attempt's end also closes and queries again, since only a definite
    /// answer of the channel ends an attempt.
    async fn query(&self, attempt: &Attempt) -> Result<QueryResult, QueryError> {
        let channel = self.payments.merchant_of_attempt(attempt)?;
        let answer = channel.query(attempt).await?;
        // Another attempt took its place, or the close that ended it was lost.
        let closing = attempt.state == AttemptState::Closing;
        let ended = closing || self.context.now().since(attempt.expires_at) > CLOSE_AFTER;
        let still_open = match &answer {
            QueryResponse::Waiting => true,
            QueryResponse::Event(event) => event.kind() == EventKind::Absent,
            QueryResponse::Unknown(_) => false,
        };
        if !(ended && still_open) {
            return self.conclude(attempt, answer).await;
        }
        if !begin_close(&self.context.db, attempt.id).await? {
            return Ok(QueryResult::Open);
        }
        // Its answer is not used: the query below returns the state even if the answer was lost.
        if let Err(error) = channel.close(attempt).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(channel = attempt.channel.as_str(), attempt = attempt.out_trade_no, error, "payment.close.failed");
        }
        let answer = channel.query(attempt).await?;
        self.conclude(attempt, answer).await
    }

    async fn conclude(&self, attempt: &Attempt, answer: QueryResponse) -> Result<QueryResult, QueryError> {
        let outcome = self.payments.conclude(attempt, answer).await?;
        Ok(outcome.map_or(QueryResult::Open, QueryResult::Settled))
    }
}
