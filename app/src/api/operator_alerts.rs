//! The alerts that an operator gets personally, and where: always their own.

use async_trait::async_trait;
use leptos::prelude::*;

use super::alerts::{AlertChannel, CodeResult, address_of, typed_in};
use super::form::{at, parse};
use super::{ApiError, answer};
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::notification::{AlertDelivery, NotificationKind, OperatorAlerts, QuietHours};

/// An operator's alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAlerts {
    /// Those of the site that reach a person.
    pub channels: Vec<AlertChannel>,
    pub alerts: OperatorAlerts,
}

#[async_trait]
pub trait OperatorAlertsPort: Send + Sync {
    async fn own_alerts(&self, who: &Who) -> Result<OwnAlerts, AppError>;
    async fn set_own_alerts(&self, who: &Who, alerts: &OperatorAlerts, lang: Lang) -> Result<(), AppError>;
}

const PAGE: &str = "/my-alerts";

fn done(what: &str) -> String {
    link::with(PAGE, "done", what)
}

/// The operator's alerts.
pub async fn own_alerts() -> Result<OwnAlerts, AppError> {
    let (ports, who) = (ports()?, operator()?);
    ports.operator_alerts.own_alerts(&who).await
}

/// A choice of the form, as [`save_own_alerts`] takes it.
#[must_use]
pub fn choice(kind: NotificationKind, delivery: AlertDelivery) -> String {
    format!("{}:{}", kind.as_str(), delivery.as_str())
}

/// Sets what is told, how, and when not; the language of the page is the language of the messages.
#[server(name = SaveOwnAlerts, prefix = "/api", endpoint = "operator/own-alerts/save")]
pub async fn save_own_alerts(
    #[server(default)] kinds: Vec<String>,
    digest_hour: String,
    from: String,
    until: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let saved = async {
        let quiet = QuietHours::new(at("from", parse(&from))?, at("until", parse(&until))?).ok_or(AppError::Invalid)?;
        let digest_hour: u8 = at("digest_hour", parse(&digest_hour))?;
        let mut alerts = OperatorAlerts { digest_hour, quiet, ..OperatorAlerts::default() };
        for kind in NotificationKind::OF_OPERATORS {
            let is_chosen = |delivery: &AlertDelivery| kinds.contains(&choice(kind, *delivery));
            let chosen = AlertDelivery::ALL.into_iter().find(is_chosen).ok_or(AppError::Invalid)?;
            alerts = alerts.with(kind, chosen);
        }
        if digest_hour > 23 {
            return Err(AppError::Invalid);
        }
        ports.operator_alerts.set_own_alerts(&who, &alerts, lang()).await
    };
    answer(saved.await.map(|()| done("saved")), PAGE)
}

/// Sends a code to an address, which counts when the code was typed in.
#[server(name = SendOperatorCode, prefix = "/api", endpoint = "operator/own-alerts/send-code")]
pub async fn send_operator_code(channel: String, address: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let sent = async {
        let channel = typed_in(&channel)?;
        let address = address_of(channel, &address)?;
        ports.alerts.send_code(&who, (channel, address.as_str()), None, lang()).await
    };
    answer(sent.await.map(|()| done("sent")), PAGE)
}

/// Confirms an address by its code.
#[server(name = ConfirmOperatorAddress, prefix = "/api", endpoint = "operator/own-alerts/confirm")]
pub async fn confirm_operator_address(channel: String, code: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let confirmed = async { ports.alerts.confirm_code(&who, typed_in(&channel)?, code.trim(), lang()).await };
    answer(confirmed.await.map(|result: CodeResult| done(result.word())), PAGE)
}

/// Removes an address, which gets nothing more.
#[server(name = RemoveOperatorAddress, prefix = "/api", endpoint = "operator/own-alerts/remove")]
pub async fn remove_operator_address(channel: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let removed = async { ports.alerts.remove_address(&who, typed_in(&channel)?).await };
    answer(removed.await.map(|()| done("removed")), PAGE)
}
