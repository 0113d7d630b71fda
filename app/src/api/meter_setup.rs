//! Adding, changing and retiring one meter.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, reason_of};
use super::{ApiError, answer};
use crate::i18n::lang;
use crate::i18n::meter_setup::texts;
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::console::{MeterField, MeterForm, MeterFormError, MeterSetup};
use model::error::AppError;
use model::ids::MeterId;

#[async_trait]
pub trait MeterSetupPort: Send + Sync {
    /// What a meter is, and what it can be; without a meter, what a new one can be.
    async fn meter_setup(&self, who: &Who, meter: Option<MeterId>) -> Result<MeterSetup, AppError>;
    async fn add_meter(&self, who: &Who, form: &MeterForm) -> Result<MeterId, MeterFormError>;
    /// Changes a meter; its serial number stays.
    async fn change_meter(&self, who: &Who, meter: MeterId, form: &MeterForm) -> Result<(), MeterFormError>;
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

/// Names the wrong fields, each with what it takes.
fn refused(error: MeterFormError) -> AppError {
    let fields = match error {
        MeterFormError::Refused(error) => return error,
        MeterFormError::Wrong(fields) => fields,
    };
    let t = texts(lang());
    for field in fields {
        let says = match field {
            MeterField::Serial => t.wrong_serial,
            MeterField::Room => t.wrong_room,
            MeterField::Gateway => t.wrong_gateway,
            MeterField::Unit => t.wrong_unit,
            MeterField::Profile => t.wrong_profile,
            MeterField::Wallet => t.wrong_wallet,
        };
        if let Ok(reply) = reply() {
            reply.wrong_field(field.name(), Some(says.to_owned()));
        }
    }
    AppError::Invalid
}

#[server(name = RegisterMeter, prefix = "/api", endpoint = "operator/meters/add")]
pub async fn register_meter(form: MeterForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.meter_setup.add_meter(&who, &form).await.map_err(refused);
    answer(done.map(|id| link::with(&format!("/meters/{id}/edit"), "done", "added")), &form_page("/meters/new", &form))
}

#[server(name = ChangeMeter, prefix = "/api", endpoint = "operator/meters/change")]
pub async fn change_meter(meter: String, form: MeterForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let page = format!("/meters/{meter}/edit");
    let done = async { ports.meter_setup.change_meter(&who, parse(&meter)?, &form).await.map_err(refused) };
    answer(done.await.map(|()| link::with(&page, "done", "changed")), &form_page(&page, &form))
}

#[server(name = RetireMeter, prefix = "/api", endpoint = "operator/meters/retire")]
pub async fn retire_meter(meter: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.meter_setup.retire_meter(&who, parse(&meter)?, &reason_of(&reason)?).await };
    answer(done.await.map(|()| link::with("/meters", "done", "retired")), &format!("/meters/{meter}/edit"))
}
