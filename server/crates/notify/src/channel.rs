//! What brings a message to people.

use async_trait::async_trait;
use model::ids::NotificationId;
use model::language::Lang;
use model::money::Money;
use model::notification::{NotificationChannel, NotificationKind, NotificationReason, NotificationValues};
use model::time::Timestamp;

/// A message as a channel gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The same in every try, so that whoever gets it twice can tell.
    pub id: NotificationId,
    pub kind: NotificationKind,
    /// Empty for a group or another system.
    pub address: String,
    pub language: Lang,
    pub subject: String,
    pub text: String,
    pub values: NotificationValues,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

/// How fast a channel may be used, and what a message costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most messages a minute.
    pub per_minute: i64,
    /// The most at the same time.
    pub at_once: i64,
}

/// A channel that is set up.
#[async_trait]
pub trait Channel: Send + Sync {
    fn channel(&self) -> NotificationChannel;
    fn pace(&self) -> Pace;
    /// Hands a message over; gives what it cost. Every wait in it has an end.
    ///
    /// # Errors
    /// What kept it from being taken.
    async fn send(&self, message: &Message, at: Timestamp) -> Result<Money, NotificationReason>;
}
