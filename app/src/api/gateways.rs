//! Gateways and meters: the lists, the settings of gateways, how often meters are read, and gateway certificates.

use std::num::NonZeroU16;

use async_trait::async_trait;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::form::{at, parse, room_page};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{GatewayLine, GatewayView, MeterLine, MeterQuery, Page};
use model::error::AppError;
use model::gateway::{
    FormField, GatewayForm, GatewaySettings, GatewayTest, PortState, Sweep, SweepInterval, Trust, UnknownCaller,
};
use model::ids::{GatewayId, Uuid};
use model::time::Timestamp;
use model::typed;

#[async_trait]
pub trait GatewaysPort: Send + Sync {
    async fn meters(&self, who: &Who, query: &MeterQuery) -> Result<Page<MeterLine>, AppError>;
    async fn gateways(&self, who: &Who) -> Result<Vec<GatewayLine>, AppError>;
    /// One gateway with its meters and its history.
    async fn gateway(&self, who: &Who, gateway: GatewayId) -> Result<GatewayView, AppError>;
    /// Gateways that are retired: id, name and since when; for operators of the whole site.
    async fn retired_gateways(&self, who: &Who) -> Result<Vec<(GatewayId, String, Timestamp)>, AppError>;
    /// What dialled in and is no gateway; for those who may change gateways.
    async fn unknown_callers(&self, who: &Who) -> Result<Vec<UnknownCaller>, AppError>;
    /// The port where gateways dial in, besides those of the configuration, and how it does where that is known.
    async fn dial_in_port(&self) -> Result<Option<(u16, Option<PortState>)>, AppError>;
    /// Sets it, or removes it.
    async fn set_dial_in_port(&self, who: &Who, port: Option<NonZeroU16>) -> Result<(), AppError>;
    /// Whether the operator may change gateways: the permission, and the whole site.
    async fn may_change(&self, who: &Who) -> Result<bool, AppError>;
    /// Adds a gateway, once for a form's key.
    async fn add_gateway(&self, who: &Who, key: Uuid, settings: &GatewaySettings) -> Result<GatewayId, AppError>;
    /// Changes a gateway; with a reason it is replaced.
    async fn change_gateway(
        &self,
        who: &Who,
        gateway: GatewayId,
        settings: &GatewaySettings,
        replaced: Option<&str>,
    ) -> Result<(), AppError>;
    /// Takes a gateway out of service with the meters behind it.
    async fn retire_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    /// Connects to a gateway and reads a meter behind it.
    async fn test_gateway(&self, who: &Who, gateway: GatewayId) -> Result<GatewayTest, AppError>;
    /// Connects to a gateway at once instead of at its next attempt.
    async fn retry_gateway(&self, who: &Who, gateway: GatewayId) -> Result<(), AppError>;
    /// Sets how often something is read; `None` leaves it to the level above. The site and gateways are for administrators.
    async fn set_sweep(&self, who: &Who, of: Sweep, interval: Option<SweepInterval>) -> Result<(), AppError>;
    /// Sets which certificate a gateway that speaks TLS must present. For administrators.
    async fn set_trust(&self, who: &Who, gateway: GatewayId, trust: &Trust) -> Result<(), AppError>;
}

const LIST: &str = "/gateways";

/// The page of a gateway.
fn page(gateway: &str) -> String {
    format!("{LIST}/{gateway}")
}

/// The form with what was typed, so that nothing is lost where a field is wrong.
fn again(path: &str, form: &GatewayForm, wrong: &str) -> String {
    let fields = FormField::ALL.into_iter().map(|field| (field.as_str(), form.get(field)));
    fields.chain([("wrong", wrong)]).fold(path.to_owned(), |link, (key, value)| link::with(&link, key, value))
}

/// The settings of a gateway as a form sends them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GatewayFields {
    pub name: String,
    pub code: String,
    pub transport: String,
    pub host: String,
    pub port: String,
    pub registration: String,
    pub heartbeat: String,
    pub heartbeat_answer: String,
    pub framing: String,
    pub baud: String,
    pub request_timeout_ms: String,
    pub connect_timeout_ms: String,
    pub gap_ms: String,
    pub interval_s: String,
}

impl GatewayFields {
    fn form(&self) -> GatewayForm {
        GatewayForm::read(|field| {
            let text = match field {
                FormField::Name => &self.name,
                FormField::Code => &self.code,
                FormField::Transport => &self.transport,
                FormField::Host => &self.host,
                FormField::Port => &self.port,
                FormField::Registration => &self.registration,
                FormField::Heartbeat => &self.heartbeat,
                FormField::HeartbeatAnswer => &self.heartbeat_answer,
                FormField::Framing => &self.framing,
                FormField::Baud => &self.baud,
                FormField::RequestTimeout => &self.request_timeout_ms,
                FormField::ConnectTimeout => &self.connect_timeout_ms,
                FormField::Gap => &self.gap_ms,
                FormField::Interval => &self.interval_s,
            };
            // More than any field may have; what is cut is refused.
            text.chars().take(400).collect()
        })
    }
}

/// Adds a gateway.
#[server(name = AddGateway, prefix = "/api", endpoint = "operator/gateways/add")]
pub async fn add_gateway(key: String, form: GatewayFields) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let (path, form) = ("/gateways/new", form.form());
    let settings = match form.parse() {
        Ok(settings) => settings,
        Err(field) => return answer(Ok(again(path, &form, field.as_str())), path),
    };
    let added = async { ports.gateways.add_gateway(&who, parse(&key)?, &settings).await }.await;
    answer(added.map(|id| link::with(&page(&id.to_string()), "done", "added")), &again(path, &form, ""))
}

/// Changes a gateway; with `edit` "replace" its hardware, for a reason.
#[server(name = ChangeGateway, prefix = "/api", endpoint = "operator/gateways/change")]
pub async fn change_gateway(
    gateway: String,
    form: GatewayFields,
    #[server(default)] edit: String,
    #[server(default)] reason: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let (path, form) = (format!("{}/edit", page(&gateway)), form.form());
    let is_replacement = edit == "replace";
    let path = if is_replacement { link::with(&path, "do", "replace") } else { path };
    let settings = match form.parse() {
        Ok(settings) => settings,
        Err(field) => return answer(Ok(again(&path, &form, field.as_str())), &path),
    };
    let reason = is_replacement.then_some(reason.trim());
    let changed = async {
        if reason.is_some_and(|reason| !(1..=200).contains(&reason.chars().count()) || reason.chars().any(char::is_control)) {
            return at("reason", Err(AppError::Invalid));
        }
        ports.gateways.change_gateway(&who, parse(&gateway)?, &settings, reason).await
    };
    let done = if is_replacement { "replaced" } else { "changed" };
    answer(changed.await.map(|()| link::with(&page(&gateway), "done", done)), &again(&path, &form, ""))
}

/// Takes a gateway out of service.
#[server(name = RetireGateway, prefix = "/api", endpoint = "operator/gateways/retire")]
pub async fn retire_gateway(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = link::with(&page(&gateway), "do", "retire");
    let done = async { ports.gateways.retire_gateway(&who, parse(&gateway)?).await }.await;
    answer(done.map(|()| link::with(&page(&gateway), "done", "retired")), &back)
}

/// Sets the port where gateways dial in; empty: only those of the configuration.
#[server(name = SetDialInPort, prefix = "/api", endpoint = "operator/gateways/port")]
pub async fn set_dial_in_port(port: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let port = match port.trim() {
            "" => None,
            given => Some(at("port", parse(given))?),
        };
        ports.gateways.set_dial_in_port(&who, port).await
    };
    answer(done.await.map(|()| link::with(LIST, "done", "port")), LIST)
}

/// Tests a gateway; the page says what was found.
#[server(name = TestGateway, prefix = "/api", endpoint = "operator/gateways/test")]
pub async fn test_gateway(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = page(&gateway);
    let found = async { ports.gateways.test_gateway(&who, parse(&gateway)?).await }.await;
    answer(found.map(|found| link::with(&back, "test", &found.code())), &back)
}

/// Connects to a gateway at once.
#[server(name = RetryGateway, prefix = "/api", endpoint = "operator/retry-gateway")]
pub async fn retry_gateway(gateway: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.gateways.retry_gateway(&who, parse::<GatewayId>(&gateway)?).await }.await;
    answer(done.map(|()| link::with(LIST, "done", "retry")), LIST)
}

/// Sets how often a gateway or a meter is read; empty `seconds` leave it to the level above.
#[server(name = SetSweep, prefix = "/api", endpoint = "operator/sweep-interval")]
pub async fn set_sweep(of: String, id: String, seconds: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = match of.as_str() {
        "meter" => room_page(&id),
        "gateway" => page(&id),
        _ => LIST.to_owned(),
    };
    let done = async {
        let of = match of.as_str() {
            "gateway" => Sweep::Gateway(parse(&id)?),
            "meter" => Sweep::Meter(parse(&id)?),
            _ => return Err(AppError::Invalid),
        };
        let interval = match seconds.trim() {
            "" => None,
            given => Some(at("seconds", typed::parse(given).ok().and_then(SweepInterval::new).ok_or(AppError::Invalid))?),
        };
        ports.gateways.set_sweep(&who, of, interval).await
    };
    answer(done.await.map(|()| link::with(&back, "done", "sweep")), &back)
}

/// Sets the name in a gateway's certificate and its fingerprint. Empty: the gateway's host,
/// and any certificate that a known authority signed.
#[server(name = SetTrust, prefix = "/api", endpoint = "operator/gateway-trust")]
pub async fn set_trust(gateway: String, name: String, pin: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = page(&gateway);
    let done = async {
        let trust = at(if pin.trim().is_empty() { "name" } else { "pin" }, Trust::parse(&name, &pin).ok_or(AppError::Invalid))?;
        ports.gateways.set_trust(&who, parse(&gateway)?, &trust).await
    };
    answer(done.await.map(|()| link::with(&back, "done", "trust")), &back)
}
