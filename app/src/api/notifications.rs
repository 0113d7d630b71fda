//! Messages to people, for operators: what became of them, and how their channels do.

use async_trait::async_trait;
use leptos::prelude::*;

use super::alerts::address_of;
use super::form::parse;
use super::{ApiError, answer};
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::Page;
use model::error::AppError;
use model::ids::NotificationId;
use model::modem::ModemState;
use model::notification::{ChannelLine, NotificationChannel, NotificationLine, NotificationQuery};
use model::text_request::ModemLine;

#[async_trait]
pub trait NotificationsPort: Send + Sync {
    async fn notifications(&self, who: &Who, query: &NotificationQuery) -> Result<Page<NotificationLine>, AppError>;
    /// All channels, also those that are not set up.
    async fn notification_channels(&self, who: &Who) -> Result<Vec<ChannelLine>, AppError>;
    /// `None` where text messages go through no modem.
    fn modem_state(&self) -> Option<ModemState>;
    /// The modem with what it received today.
    async fn modem(&self, who: &Who) -> Result<Option<ModemLine>, AppError>;
    async fn send_again(&self, who: &Who, id: NotificationId) -> Result<(), AppError>;
    /// Asks for a test message; `address` is in the form of the channel, and empty for a group or another system.
    async fn test_channel(&self, who: &Who, channel: NotificationChannel, address: &str, lang: Lang) -> Result<(), AppError>;
}

/// Sends a message again; `back` is the address of the list that the form is on.
#[server(name = SendNotificationAgain, prefix = "/api", endpoint = "operator/messages/again")]
pub async fn send_notification_again(id: String, back: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let list = Some(link::local(&back)).filter(|path| path.starts_with("/messages")).unwrap_or("/messages").to_owned();
    let done = async { ports.notifications.send_again(&who, parse(&id)?).await };
    answer(done.await.map(|()| link::with(&list, "done", "again")), &list)
}

/// Sends a test message through a channel.
#[server(name = TestNotificationChannel, prefix = "/api", endpoint = "operator/messages/test")]
pub async fn test_notification_channel(channel: String, address: Option<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let channel = NotificationChannel::parse(&channel).ok_or(AppError::Invalid)?;
        let address = if channel.is_personal() { address_of(channel, &address.unwrap_or_default())? } else { String::new() };
        ports.notifications.test_channel(&who, channel, &address, lang()).await
    };
    answer(done.await.map(|()| "/messages?done=test".to_owned()), "/messages")
}
