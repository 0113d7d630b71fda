//! Messages to people: what residents choose, what operators see, and what is handed to channels.

mod collect;
mod operators;
mod residents;
mod send;
mod texts;

use std::sync::Arc;

use app::api::notifications::NotificationsPort;
use async_trait::async_trait;
use model::alarm::AlarmChannel;
use model::console::Page;
use model::error::AppError;
use model::ids::NotificationId;
use model::language::Lang;
use model::modem::ModemState;
use model::money::Money;
use model::notification::{ChannelLine, NotificationChannel, NotificationLine, NotificationQuery};
use model::person::Who;
use model::text_request::ModemLine;
use model::time::Date;
use notify::queue::{self, Trial};
use notify::{Channels, ReceiptError, delivery_reports, received_texts};
use tokio::sync::Notify;

pub use notify::sending::SendResult;

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

    /// Stores delivery reports that came over HTTP with a key; gives how many are about messages that are known.
    pub async fn keep_receipts(&self, key: &str, body: &[u8]) -> store::Result<Result<u64, ReceiptError>> {
        let mut refused = ReceiptError::NotSetUp;
        for channel in self.channels.iter() {
            match channel.receipts(key, body) {
                Ok(receipts) => {
                    let now = self.context.now();
                    return delivery_reports::keep_receipts(&self.context.db, now, &receipts).await.map(Ok);
                }
                Err(ReceiptError::NotSetUp) => {}
                Err(error) => refused = error,
            }
        }
        Ok(Err(refused))
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
        let down = alarms::channels_down(&self.context.db).await?;
        let line = |channel: NotificationChannel| {
            let unused = || ChannelLine {
                channel,
                is_set_up: false,
                waiting: 0,
                sent_today: 0,
                failed_today: 0,
                cost_of_month: Money::ZERO,
                trouble: None,
                down_since: None,
            };
            let line = used.iter().find(|line| line.channel == channel).cloned();
            let alarm = down.iter().find(|(of, _)| *of == AlarmChannel::Message(channel));
            let (is_set_up, down_since) = (self.channels.has(channel), alarm.map(|(_, since)| *since));
            ChannelLine { is_set_up, down_since, ..line.unwrap_or_else(unused) }
        };
        Ok(NotificationChannel::ALL.into_iter().map(line).collect())
    }

    fn modem_state(&self) -> Option<ModemState> {
        self.channels.modem().map(|link| link.modem.state())
    }

    async fn modem(&self, who: &Who) -> Result<Option<ModemLine>, AppError> {
        let Some(state) = self.modem_state() else { return Ok(None) };
        // People who have no room belong to no building.
        let received = match self.context.require_whole_site(who).await {
            Ok(()) => received_texts::received_since(&self.context.db, self.context.now().date().start()).await?,
            Err(AppError::Forbidden) => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Some(ModemLine { state, received }))
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
