//! The payment channels: whether each works, and how it answers.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::OrderId;
use model::order::{ChannelFailure, Tender};
use model::time::Timestamp;

/// Whether a merchant at a channel works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelState {
    Working,
    /// Nothing was requested since the server started.
    Unknown,
    /// The channel's clock and the server's differ by more than a minute.
    ClockSkewed,
    /// The last request failed.
    Failing,
    /// Switched off, because its configuration is wrong.
    Off,
}

impl ChannelState {
    /// The word in `/health`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Unknown => "unknown",
            Self::ClockSkewed => "clock-skewed",
            Self::Failing => "failing",
            Self::Off => "off",
        }
    }
}

/// A merchant at a channel, and how the channel answered it since the server started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStatus {
    pub channel: Tender,
    /// Whether new payments go through this merchant; a former one only refunds and answers.
    pub current: bool,
    pub state: ChannelState,
    /// The merchant number; empty while it is switched off.
    pub merchant: String,
    /// The configuration key that is wrong, and what is wrong with it.
    pub fault: Option<(String, String)>,
    pub succeeded_at: Option<Timestamp>,
    /// The last failure, and what the channel or the client said about it, untranslated.
    pub failed: Option<(Timestamp, ChannelFailure, String)>,
    /// The channel's clock less the server's, s.
    pub skew_s: Option<i64>,
    pub notified_at: Option<Timestamp>,
    /// Notifications with an invalid signature.
    pub forged: u64,
    /// The channel's own tests with an invalid signature.
    pub probes: u64,
    /// Notifications with a valid signature and an invalid content.
    pub invalid: u64,
    /// What was refused unread: another content type, or too long a body.
    pub unread: u64,
}

#[async_trait]
pub trait ChannelsPort: Send + Sync {
    async fn channels(&self, who: &Who) -> Result<Vec<ChannelStatus>, AppError>;
    /// Asks the channel about the payments of an order at once, and settles its answers.
    async fn ask_channel(&self, who: &Who, order: OrderId) -> Result<(), AppError>;
    /// The worst of the current and of the former merchants of each configured channel, for supervisors.
    fn summary(&self) -> Vec<ChannelStatus>;
}

/// Asks the channel about the payments of an order at once.
#[server(name = AskChannel, prefix = "/api", endpoint = "operator/ask-channel")]
pub async fn ask_channel(order: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = format!("/refunds/of/{order}");
    let done = async { ports.channels.ask_channel(&who, parse(&order)?).await }.await;
    answer(done.map(|()| link::with(&back, "done", "asked")), &back)
}
