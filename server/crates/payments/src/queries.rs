//! Questions to channels about payments, and what is made of the answers.

use std::time::Duration;

use futures::future::join_all;
use model::error::AppError;
use model::ids::OrderId;
use model::order::Tender;
use tokio::time::timeout;

use super::Payments;
use super::channel::{Channel, ChannelError, QueryResponse};
use store::StoreError;
use store::payments::{Attempt, Outcome, attempts_of};

/// How long a person waits for the answers about an order. Shorter than a page may take.
const QUERY_NOW_TIMEOUT: Duration = Duration::from_secs(12);
/// The newest attempts of an order that are asked about at once.
const MAX_QUERIED: usize = 20;

/// A payment was made under a merchant and application whose credentials are not configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel {} is not configured for its merchant and application", .channel.as_str())]
pub struct MerchantMissing {
    pub channel: Tender,
}

/// Why nothing is known of an attempt.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("the channel cannot be queried")]
    Channel(#[from] ChannelError),
    #[error("the answer cannot be stored")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Merchant(#[from] MerchantMissing),
    #[error("the channel did not answer in time")]
    Late,
}

impl Payments {
    /// The merchant under which an attempt was made; another one would answer "no such trade", and a payment would be given up.
    ///
    /// # Errors
    /// [`MerchantMissing`] if its credentials are not configured.
    pub fn merchant_of_attempt(&self, attempt: &Attempt) -> Result<&dyn Channel, MerchantMissing> {
        let Attempt { channel, app_id, seller_id, .. } = attempt;
        self.merchant_of(*channel, app_id, seller_id).ok_or(MerchantMissing { channel: *channel })
    }

    /// Settles what a channel answered about an attempt; `None` where that decides nothing.
    ///
    /// # Errors
    /// [`StoreError`] if nothing was stored.
    pub async fn conclude(&self, attempt: &Attempt, answer: QueryResponse) -> Result<Option<Outcome>, StoreError> {
        match answer {
            QueryResponse::Event(event) => self.settle(&event).await.map(Some),
            QueryResponse::Waiting => Ok(None),
            QueryResponse::Unknown(answer) => {
                let channel = attempt.channel.as_str();
                tracing::info!(channel, attempt = attempt.out_trade_no, answer, "payment.query.unknown");
                Ok(None)
            }
        }
    }

    /// Asks the channel about the attempts of an order at once, whatever their state, and settles the answers.
    ///
    /// # Errors
    /// [`AppError::ChannelUnavailable`] if none was answered within [`QUERY_NOW_TIMEOUT`].
    pub async fn query_now(&self, order: OrderId) -> Result<(), AppError> {
        let attempts = attempts_of(self.parts().0, order).await?;
        let newest = attempts.iter().rev().take(MAX_QUERIED);
        let is_answered = join_all(newest.map(|attempt| async move {
            match timeout(QUERY_NOW_TIMEOUT, self.query_and_conclude(attempt)).await.unwrap_or(Err(QueryError::Late)) {
                Ok(is_answered) => is_answered,
                Err(error) => {
                    let (channel, error) = (attempt.channel.as_str(), &error as &dyn std::error::Error);
                    tracing::warn!(channel, attempt = attempt.out_trade_no, error, "payment.query.failed");
                    false
                }
            }
        }))
        .await;
        if attempts.is_empty() || is_answered.contains(&true) { Ok(()) } else { Err(AppError::ChannelUnavailable) }
    }

    /// Whether the channel knew anything of the attempt.
    async fn query_and_conclude(&self, attempt: &Attempt) -> Result<bool, QueryError> {
        let answer = self.merchant_of_attempt(attempt)?.query(attempt).await?;
        let is_answered = !matches!(answer, QueryResponse::Unknown(_));
        self.conclude(attempt, answer).await?;
        Ok(is_answered)
    }
}
