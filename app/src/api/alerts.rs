//! What a resident is told, and where: always their own.

use async_trait::async_trait;
use leptos::prelude::*;

use super::auth::ProvedPassword;
use super::form::{at, fits, parse, yuan};
use super::{ApiError, answer};
use crate::i18n::alerts::{ReminderRange, texts as alerts_texts};
use crate::i18n::resident::sentences;
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports::{Visit, Who, ports, reply, resident, visit};
use model::error::AppError;
use model::money::Fen;
use model::notification::{AlertPreferences, NotificationChannel, NotificationKind, QuietHours};
use model::typed::typed;

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
    /// Those of the site whose addresses are typed in.
    pub channels: Vec<AlertChannel>,
    /// `None` where the site sends nothing to devices.
    pub push: Option<PushDevices>,
    /// Whether the person's WeChat is bound; `None` where the site sends nothing there.
    pub wechat: Option<bool>,
    pub preferences: AlertPreferences,
    /// The balance below which the person is reminded to top up.
    pub reminder: Option<Fen>,
}

/// The devices of a resident that are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushDevices {
    /// The server's public key, with which browsers subscribe.
    pub key: String,
    /// The addresses that their push services have for them.
    pub endpoints: Vec<String>,
}

/// A browser's subscription, as its script reports it.
#[derive(Clone, Debug)]
pub struct DeviceKeys {
    pub endpoint: String,
    pub public_key: String,
    pub secret: String,
}

/// The outcome of a code that was typed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeResult {
    Confirmed,
    Wrong,
    /// Too old, tried too often, or none was sent.
    Ended,
}

impl CodeResult {
    /// The word for it in the address of the page that follows.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Wrong => "wrong",
            Self::Ended => "ended",
        }
    }
}

#[async_trait]
pub trait AlertsPort: Send + Sync {
    async fn alerts(&self, who: &Who) -> Result<Alerts, AppError>;
    async fn set_alerts(&self, who: &Who, preferences: &AlertPreferences, lang: Lang) -> Result<(), AppError>;
    /// Sets the balance below which the person is reminded to top up, or ends reminders.
    async fn set_reminder(&self, who: &Who, below: Option<Fen>) -> Result<(), AppError>;
    /// Sends a code to an address in the form of its channel, which some channels ask the password for.
    async fn send_code(
        &self,
        who: &Who,
        address: (NotificationChannel, &str),
        proved: Option<&ProvedPassword>,
        lang: Lang,
    ) -> Result<(), AppError>;
    async fn confirm_code(&self, who: &Who, channel: NotificationChannel, code: &str, lang: Lang)
    -> Result<CodeResult, AppError>;
    async fn remove_address(&self, who: &Who, channel: NotificationChannel) -> Result<(), AppError>;
    /// Sends the resident's alerts to this device, until they log out here.
    async fn add_device(&self, who: &Who, visit: &Visit, device: &DeviceKeys, lang: Lang) -> Result<(), AppError>;
    async fn remove_device(&self, who: &Who, device: &DeviceKeys) -> Result<(), AppError>;
    /// The address of WeChat's sign-in, with a state that is valid once.
    async fn wechat_sign_in(&self, who: &Who) -> Result<String, AppError>;
    /// Handles the return from there.
    async fn bind_wechat(&self, who: &Who, state: &str, code: &str, lang: Lang) -> Result<(), AppError>;
}

const PAGE: &str = "/me/alerts";

/// The balances at which a resident can be reminded.
pub const REMINDER_RANGE: (Fen, Fen) = (Fen(100), Fen(100_000));

fn done(what: &str) -> String {
    link::with(PAGE, "done", what)
}

pub(super) fn typed_in(channel: &str) -> Result<NotificationChannel, AppError> {
    NotificationChannel::parse(channel).filter(|channel| channel.is_typed_in()).ok_or(AppError::Invalid)
}

/// An address in the form of its channel.
pub(super) fn address_of(channel: NotificationChannel, text: &str) -> Result<String, AppError> {
    let t = alerts_texts(lang());
    let words = if channel == NotificationChannel::Sms { (t.sms, t.sms_form) } else { (t.mail, t.mail_form) };
    fits("address", words, channel.address(text).ok_or(AppError::Invalid))
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

/// Sets the balance below which the person is reminded to top up; an empty field ends reminders.
#[server(name = SaveReminder, prefix = "/api", endpoint = "resident/alerts/reminder")]
pub async fn save_reminder(below: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let saved = async {
        let below = if below.trim().is_empty() { None } else { Some(at("below", yuan(&below))?) };
        if below.is_some_and(|below| below < REMINDER_RANGE.0 || below > REMINDER_RANGE.1) {
            let (least, most) = REMINDER_RANGE;
            let (least, most) = (sentences::whole(least), sentences::whole(most));
            let (t, range) = (alerts_texts(lang()), ReminderRange { least, most }.text(lang()));
            return fits("below", (t.below, &range), Err(AppError::Invalid));
        }
        ports.alerts.set_reminder(&who, below).await
    };
    answer(saved.await.map(|()| done("saved")), PAGE)
}

/// Sends a code to an address, which counts when the code was typed in. A number also lets its resident in and choose another
/// password, so somebody who finds an open session must not be able to add their own.
#[server(name = SendAddressCode, prefix = "/api", endpoint = "resident/alerts/send-code")]
pub async fn send_address_code(
    channel: String,
    address: String,
    #[server(default)] password: Option<String>,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let sent = async {
        let channel = typed_in(&channel)?;
        let address = address_of(channel, &address)?;
        let proved = if channel == NotificationChannel::Sms {
            Some(at("password", ports.auth.prove_password(&who, password.as_deref().unwrap_or_default()).await)?)
        } else {
            None
        };
        ports.alerts.send_code(&who, (channel, address.as_str()), proved.as_ref(), lang()).await
    };
    answer(sent.await.map(|()| done("sent")), PAGE)
}

/// Confirms an address by its code.
#[server(name = ConfirmAddress, prefix = "/api", endpoint = "resident/alerts/confirm")]
pub async fn confirm_address(channel: String, code: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let confirmed = async { ports.alerts.confirm_code(&who, typed_in(&channel)?, &typed(&code), lang()).await };
    answer(confirmed.await.map(|result: CodeResult| done(result.word())), PAGE)
}

/// Removes the person's addresses in a channel, which get nothing more.
#[server(name = RemoveAddress, prefix = "/api", endpoint = "resident/alerts/remove")]
pub async fn remove_address(channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let removed = async { ports.alerts.remove_address(&who, personal(&channel)?).await };
    answer(removed.await.map(|()| done("removed")), PAGE)
}

/// Sends the resident's alerts to this device, whose browser has given the keys.
#[server(name = AddDevice, prefix = "/api", endpoint = "resident/alerts/add-device")]
pub async fn add_device(endpoint: String, public_key: String, secret: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let device = DeviceKeys { endpoint, public_key, secret };
    answer(ports.alerts.add_device(&who, &visit(), &device, lang()).await.map(|()| done("device")), PAGE)
}

/// Sends no more alerts to this device.
#[server(name = RemoveDevice, prefix = "/api", endpoint = "resident/alerts/remove-device")]
pub async fn remove_device(endpoint: String, public_key: String, secret: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, resident()?);
    let device = DeviceKeys { endpoint, public_key, secret };
    answer(ports.alerts.remove_device(&who, &device).await.map(|()| done("removed")), PAGE)
}

/// Leads to WeChat's sign-in, which says who the person is there.
#[server(name = BindWechat, prefix = "/api", endpoint = "resident/alerts/bind-wechat")]
pub async fn bind_wechat() -> Result<(), ApiError> {
    let (ports, reply, who) = (ports()?, reply()?, resident()?);
    match ports.alerts.wechat_sign_in(&who).await {
        Ok(address) => {
            reply.leave(&address);
            Ok(())
        }
        Err(error) => answer(Err(error), PAGE),
    }
}
