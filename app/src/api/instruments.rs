//! Instruments: the list, setting them up, and reading one now.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, parse, reason_of, wrong};
use super::{ApiError, answer};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::{CircuitId, InstrumentId};
use model::instrument::{
    CircuitForm, CircuitSettings, InstrumentChoices, InstrumentField, InstrumentForm, InstrumentLine, InstrumentSettings,
    InstrumentTrouble, InstrumentView, Ratio,
};

/// What a form is refused for: one of its fields, or something else.
pub type Refused = (AppError, Option<InstrumentField>);

#[async_trait]
pub trait InstrumentsPort: Send + Sync {
    async fn instruments(&self, who: &Who) -> Result<Vec<InstrumentLine>, AppError>;
    async fn instrument(&self, who: &Who, id: InstrumentId) -> Result<InstrumentView, AppError>;
    /// What the fields of the forms may be.
    async fn instrument_choices(&self, who: &Who) -> Result<InstrumentChoices, AppError>;
    /// Adds an instrument with all circuits of its profile, each behind such a current transformer.
    async fn add_instrument(&self, who: &Who, settings: &InstrumentSettings, ct: Ratio) -> Result<InstrumentId, Refused>;
    async fn change_instrument(&self, who: &Who, id: InstrumentId, settings: &InstrumentSettings) -> Result<(), Refused>;
    async fn retire_instrument(&self, who: &Who, id: InstrumentId, reason: &str) -> Result<(), AppError>;
    async fn set_circuit(&self, who: &Who, id: InstrumentId, settings: &CircuitSettings) -> Result<(), Refused>;
    /// Counts on from the newest reading of a circuit, which was held.
    async fn begin_again(&self, who: &Who, id: InstrumentId, circuit: CircuitId) -> Result<(), AppError>;
    /// Reads an instrument now; gives why it could not be read.
    async fn read_instrument(&self, who: &Who, id: InstrumentId) -> Result<Option<InstrumentTrouble>, AppError>;
}

const NEW: &str = "/instruments/new";

fn page(instrument: &str) -> String {
    format!("/instruments/{instrument}")
}

/// Names the field that a form is refused for.
fn named<T>(result: Result<T, Refused>) -> Result<T, AppError> {
    result.map_err(|(error, field)| {
        if let Some(field) = field {
            wrong(field.as_str());
        }
        error
    })
}

fn parsed<T>(result: Result<T, InstrumentField>) -> Result<T, AppError> {
    named(result.map_err(|field| (AppError::Invalid, Some(field))))
}

#[server(name = AddInstrument, prefix = "/api", endpoint = "operator/instruments/add")]
pub async fn add_instrument(form: InstrumentForm, #[server(default)] ct: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let settings = parsed(form.parse())?;
        let ct = at(InstrumentField::Ct.as_str(), Ratio::parse(&ct).ok_or(AppError::Invalid))?;
        named(ports.instruments.add_instrument(&who, &settings, ct).await)
    };
    answer(done.await.map(|id| link::with(&page(&id.to_string()), "done", "added")), NEW)
}

#[server(name = ChangeInstrument, prefix = "/api", endpoint = "operator/instruments/change")]
pub async fn change_instrument(instrument: String, form: InstrumentForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let here = page(&instrument);
    let done = async {
        let settings = parsed(form.parse())?;
        named(ports.instruments.change_instrument(&who, parse(&instrument)?, &settings).await)
    };
    answer(done.await.map(|()| link::with(&here, "done", "changed")), &here)
}

#[server(name = RetireInstrument, prefix = "/api", endpoint = "operator/instruments/retire")]
pub async fn retire_instrument(instrument: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.instruments.retire_instrument(&who, parse(&instrument)?, &reason_of(&reason)?).await };
    answer(done.await.map(|()| link::with("/instruments", "done", "retired")), &page(&instrument))
}

#[server(name = SetCircuit, prefix = "/api", endpoint = "operator/instruments/circuit")]
pub async fn set_circuit(instrument: String, circuit: CircuitForm) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let here = page(&instrument);
    // With its form, which says what was wrong.
    let form = link::with(&here, "circuit", &circuit.position);
    let done = async {
        let settings = parsed(circuit.parse())?;
        named(ports.instruments.set_circuit(&who, parse(&instrument)?, &settings).await)
    };
    answer(done.await.map(|()| link::with(&here, "done", "changed")), &form)
}

/// Counts on from the newest reading of a circuit, which was held.
#[server(name = BeginCounterAgain, prefix = "/api", endpoint = "operator/instruments/counter")]
pub async fn begin_counter_again(instrument: String, circuit: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let here = page(&instrument);
    let done = async { ports.instruments.begin_again(&who, parse(&instrument)?, parse(&circuit)?).await };
    answer(done.await.map(|()| link::with(&here, "done", "counter")), &here)
}

/// Reads an instrument now; the page says what was found.
#[server(name = ReadInstrument, prefix = "/api", endpoint = "operator/instruments/read")]
pub async fn read_instrument(instrument: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let here = page(&instrument);
    let found = async { ports.instruments.read_instrument(&who, parse(&instrument)?).await };
    let outcome = |trouble: Option<InstrumentTrouble>| trouble.map_or("read", InstrumentTrouble::as_str);
    answer(found.await.map(|trouble| link::with(&here, "test", outcome(trouble))), &here)
}
