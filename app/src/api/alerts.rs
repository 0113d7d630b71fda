//! What a resident is told, and where: always their own.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse};
use super::{ApiError, answer};
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports::{Who, ports, resident};
use model::error::AppError;
use model::notification::{AlertPreferences, NotificationChannel, NotificationKind, QuietHours};

/// Where a resident is told through a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChannel {
    pub channel: NotificationChannel,
    /// The address that counts.
    pub confirmed: Option<String>,
    /// The address whose code is still to be typed in.
    pub waits: Option<String>,
}

/// A resident's alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Those of the site that reach a person.
    pub channels: Vec<AlertChannel>,
    pub preferences: AlertPreferences,
}

/// What a code that was typed in came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeResult {
    Confirmed,
    Wrong,
    /// Too old, tried too often, or none was sent.
    Ended,
}

#[async_trait]
pub trait AlertsPort: Send + Sync {
    async fn alerts(&self, who: &Who) -> Result<Alerts, AppError>;
    async fn set_alerts(&self, who: &Who, preferences: &AlertPreferences, lang: Lang) -> Result<(), AppError>;
    /// Sends a code to an address in the form of its channel.
    async fn send_code(&self, who: &Who, channel: NotificationChannel, address: &str, lang: Lang) -> Result<(), AppError>;
    async fn confirm_code(&self, who: &Who, channel: NotificationChannel, code: &str, lang: Lang)
    -> Result<CodeResult, AppError>;
    async fn remove_address(&self, who: &Who, channel: NotificationChannel) -> Result<(), AppError>;
}

const PAGE: &str = "/me/alerts";

fn done(what: &str) -> String {
    link::with(PAGE, "done", what)
}

fn personal(channel: &str) -> Result<NotificationChannel, AppError> {
    NotificationChannel::parse(channel).filter(|channel| channel.is_personal()).ok_or(AppError::Invalid)
}

/// The resident's alerts.
pub async fn alerts() -> Result<Alerts, AppError> {
    let (ports, who) = (ports()?, resident()?);
    ports.alerts.alerts(&who).await
}

/// Sets what is told, and when not; the language of the page is the language of the messages.
#[server(name = SaveAlerts, prefix = "/api", endpoint = "resident/alerts/save")]
pub async fn save_alerts(
    #[server(default)] wanted: Vec<String>,
    #[server(default)] off: Option<String>,
    from: String,
    until: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let saved = async {
        let quiet = QuietHours::new(at("from", parse(&from))?, at("until", parse(&until))?);
        let wants = |kind: NotificationKind| wanted.iter().any(|word| word == kind.as_str());
        let preferences = AlertPreferences {
            is_off: off.is_some(),
            alarm1: wants(NotificationKind::Alarm1),
            alarm2: wants(NotificationKind::Alarm2),
            tonight: wants(NotificationKind::EmptyTonight),
            recharge: wants(NotificationKind::Recharge),
            quiet: quiet.ok_or(AppError::Invalid)?,
        };
        ports.alerts.set_alerts(&who, &preferences, lang()).await
    };
    answer(saved.await.map(|()| done("saved")), PAGE)
}

/// Sends a code to an address, which counts when the code was typed in.
#[server(name = SendAddressCode, prefix = "/api", endpoint = "resident/alerts/send-code")]
pub async fn send_address_code(channel: String, address: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let sent = async {
        let channel = personal(&channel)?;
        let address = at(channel.as_str(), channel.address(&address).ok_or(AppError::Invalid))?;
        ports.alerts.send_code(&who, channel, &address, lang()).await
    };
    answer(sent.await.map(|()| done("sent")), PAGE)
}

/// Confirms an address by its code.
#[server(name = ConfirmAddress, prefix = "/api", endpoint = "resident/alerts/confirm")]
pub async fn confirm_address(channel: String, code: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let confirmed = async { ports.alerts.confirm_code(&who, personal(&channel)?, code.trim(), lang()).await };
    let page = |result| match result {
        CodeResult::Confirmed => done("confirmed"),
        CodeResult::Wrong => done("wrong"),
        CodeResult::Ended => done("ended"),
    };
    answer(confirmed.await.map(page), PAGE)
}

/// Removes an address, which gets nothing more.
#[server(name = RemoveAddress, prefix = "/api", endpoint = "resident/alerts/remove")]
pub async fn remove_address(channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let removed = async { ports.alerts.remove_address(&who, personal(&channel)?).await };
    answer(removed.await.map(|()| done("removed")), PAGE)
}
