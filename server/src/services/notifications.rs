//! Messages to people: what residents choose, what operators see, and what is handed to channels.

mod collect;
mod residents;
mod send;

use std::sync::Arc;

use app::api::notifications::NotificationsPort;
use async_trait::async_trait;
use model::console::Page;
use model::error::AppError;
use model::ids::NotificationId;
use model::language::Lang;
use model::money::Money;
use model::notification::{ChannelLine, NotificationChannel, NotificationLine, NotificationQuery};
use model::person::Who;
use model::time::Date;
use notify::Channels;
use notify::queue::{self, Trial};
use tokio::sync::Notify;

pub use send::SendResult;

use super::Context;

/// Cheap to clone.
#[derive(Clone)]
pub struct NotificationsService {
    context: Context,
    channels: Channels,
    /// The language of operators' groups and other systems.
    language: Lang,
    /// Of each channel that is set up, in their order: somebody waits for a message.
    requests: Arc<[(NotificationChannel, Arc<Notify>)]>,
}

impl NotificationsService {
    #[must_use]
    pub fn new(context: Context, channels: Channels, language: Lang) -> Self {
        let requests = channels.iter().map(|channel| (channel.channel(), Arc::default())).collect();
        Self { context, channels, language, requests }
    }

    #[must_use]
    pub const fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Is signalled when somebody waits for a message through that channel.
    #[must_use]
    pub fn requests(&self, channel: NotificationChannel) -> Arc<Notify> {
        let found = self.requests.iter().find(|(of, _)| *of == channel);
        found.map(|(_, signal)| signal.clone()).unwrap_or_default()
    }

    fn require(&self, channel: NotificationChannel) -> Result<(), AppError> {
        if self.channels.has(channel) { Ok(()) } else { Err(AppError::Unavailable) }
    }
}

#[async_trait]
impl NotificationsPort for NotificationsService {
    async fn notifications(&self, who: &Who, query: &NotificationQuery) -> Result<Page<NotificationLine>, AppError> {
        Ok(queries::notifications(&self.context.db, who.user, query).await?)
    }

    async fn notification_channels(&self, who: &Who) -> Result<Vec<ChannelLine>, AppError> {
        let today = self.context.now().date();
        let (year, month, _) = today.ymd();
        let first = Date::from_ymd(year, month, 1).unwrap_or(today);
        let used = queries::notification_channels(&self.context.db, who.user, today.start(), first.start()).await?;
        let line = |channel: NotificationChannel| {
            let unused = || ChannelLine {
                channel,
                is_set_up: false,
                waiting: 0,
                sent_today: 0,
                failed_today: 0,
                cost_of_month: Money::ZERO,
                trouble: None,
            };
            let line = used.iter().find(|line| line.channel == channel).cloned();
            ChannelLine { is_set_up: self.channels.has(channel), ..line.unwrap_or_else(unused) }
        };
        Ok(NotificationChannel::ALL.into_iter().map(line).collect())
    }

    async fn send_again(&self, who: &Who, id: NotificationId) -> Result<(), AppError> {
        let channel = queue::send_again(&self.context.db, self.context.now(), who, id).await?;
        self.requests(channel).notify_one();
        Ok(())
    }

    async fn test_channel(&self, who: &Who, channel: NotificationChannel, address: &str, lang: Lang) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        self.require(channel)?;
        let Context { db, rng, .. } = &self.context;
        queue::test(db, rng, self.context.now(), who, &Trial { channel, address, language: lang }).await?;
        self.requests(channel).notify_one();
        Ok(())
    }
}
