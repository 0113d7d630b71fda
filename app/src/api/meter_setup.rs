//! Adding, changing and retiring one meter.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, reason_of};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::console::{MeterForm, MeterSetup};
use model::error::AppError;
use model::ids::MeterId;

#[async_trait]
pub trait MeterSetupPort: Send + Sync {
    /// What a meter is, and what it can be; without a meter, what a new one can be.
    async fn meter_setup(&self, who: &Who, meter: Option<MeterId>) -> Result<MeterSetup, AppError>;
    async fn add_meter(&self, who: &Who, form: &MeterForm) -> Result<MeterId, AppError>;
    /// Changes a meter; its serial number stays.
    async fn change_meter(&self, who: &Who, meter: MeterId, form: &MeterForm) -> Result<(), AppError>;
    /// Takes a meter without an account out of service.
    async fn retire_meter(&self, who: &Who, meter: MeterId, reason: &str) -> Result<(), AppError>;
}

/// The address of the form with its values, so that an error loses none.
fn form_page(page: &str, form: &MeterForm) -> String {
    let fields = [
        ("room", &form.room),
        ("gateway", &form.gateway),
        ("unit", &form.unit),
        ("serial", &form.serial),
        ("profile", &form.profile),
        ("wallet", &form.wallet),
    ];
    fields.iter().fold(page.to_owned(), |page, (name, value)| link::with(&page, name, value))
}

#[server(name = RegisterMeter, prefix = "/api", endpoint = "operator/meters/add")]
pub async fn register_meter(form: MeterForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.meter_setup.add_meter(&who, &form).await;
    answer(done.map(|id| link::with(&format!("/meters/{id}/edit"), "done", "added")), &form_page("/meters/new", &form))
}

#[server(name = ChangeMeter, prefix = "/api", endpoint = "operator/meters/change")]
pub async fn change_meter(meter: String, form: MeterForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = format!("/meters/{meter}/edit");
    let done = async { ports.meter_setup.change_meter(&who, parse(&meter)?, &form).await };
    answer(done.await.map(|()| link::with(&page, "done", "changed")), &form_page(&page, &form))
}

#[server(name = RetireMeter, prefix = "/api", endpoint = "operator/meters/retire")]
pub async fn retire_meter(meter: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.meter_setup.retire_meter(&who, parse(&meter)?, &reason_of(&reason)?).await };
    answer(done.await.map(|()| link::with("/meters", "done", "retired")), &format!("/meters/{meter}/edit"))
}
