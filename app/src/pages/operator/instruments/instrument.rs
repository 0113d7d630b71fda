//! One instrument: its state and circuits, and for those who may, its settings.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form::{select, settings, text};
use super::{label, state};
use crate::i18n::instruments::{texts, trouble};
use crate::i18n::{lang, room};
use crate::pages::operator::frame::{Frame, Section};
use crate::pages::operator::parts::param;
use crate::pages::operator::room::account_lifecycle::reason;
use crate::ports::{allowed, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::data_table::{Column, DataTable};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::error::AppError;
use model::ids::InstrumentId;
use model::instrument::{CircuitForm, CircuitView, InstrumentChoices, InstrumentField, InstrumentTrouble, InstrumentView};

/// The page: `/instruments/:id`.
#[component]
pub fn InstrumentPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: InstrumentId = id.parse().map_err(|_| AppError::NotFound)?;
        Ok((ports.instruments.instrument(&who, id).await?, ports.instruments.instrument_choices(&who).await?))
    };
    load(read, |(view, choices)| view! { <Body view choices /> }.into_any())
}

#[component]
fn Body(view: InstrumentView, choices: InstrumentChoices) -> impl IntoView {
    let t = texts(lang());
    let InstrumentView { line, form, circuits } = view;
    let id = line.id;
    let may_change = allowed("/instruments/new");
    let read_now = may_change.then(|| {
        view! {
            <form method="post" action="/api/operator/instruments/read">
                <input type="hidden" name="instrument" value=id.to_string() />
                <button>{t.read_now}</button>
            </form>
        }
    });
    let forms = may_change.then(|| {
        view! { <div class="form-columns">{settings(&choices, &form, Some(id))}{retire(id)}</div> }
    });
    let profile = choices.profiles.iter().find(|one| one.name == form.profile);
    let positions = profile.map_or(0, |profile| profile.circuits);
    // One form at a time: each has all circuits and places of the site as its choices.
    let edited =
        param("circuit").parse::<u8>().ok().filter(|position| may_change && is_position(*position, &circuits, positions));
    let edit = edited.map(|position| circuit_form(id, position, &circuits, &choices));
    view! {
        <Frame title=line.name.clone() section=Section::Instruments>
            <div class="page-head"><h1>{line.name.clone()}</h1>{read_now}</div>
            <p>{line.place.clone()}" · "<span class="num">{line.number.clone()}</span></p>
            <Notice />
            {what_was_done()}
            <p>{state(&line)}</p>
            <section class="stack-tight">
                <h2>{t.circuits}</h2>
                <p class="hint">{t.circuits_hint}</p>
                {readings(id, &circuits, may_change.then_some(positions))}
                {edit}
            </section>
            {forms}
        </Frame>
    }
}

/// Whether an instrument has a circuit, or its profile has room for one.
fn is_position(position: u8, circuits: &[CircuitView], most: u8) -> bool {
    (1..=most).contains(&position) || circuits.iter().any(|circuit| circuit.form.position == position.to_string())
}

/// What was done, as the address says.
fn what_was_done() -> Option<AnyView> {
    let t = texts(lang());
    let (tone, text) = match (param("done").as_str(), param("test").as_str()) {
        ("added", _) => (Tone::Good, t.added),
        ("changed", _) => (Tone::Good, t.changed),
        ("counter", _) => (Tone::Good, t.counter_begun),
        (_, "read") => (Tone::Good, t.read),
        (_, found) => (Tone::Bad, trouble(InstrumentTrouble::parse(found)?, lang())),
    };
    Some(view! { <Callout tone><p>{text}</p></Callout> }.into_any())
}

/// The newest reading of each circuit; one that is held can be counted on from. Who may change circuits is led to their forms,
/// also to those of positions up to `most` that are not used.
fn readings(id: InstrumentId, circuits: &[CircuitView], most: Option<u8>) -> impl IntoView + use<> {
    let t = texts(lang());
    let may_change = most.is_some();
    let name = |position: &str, name: &str| {
        let name = view! { <span class="num">{position.to_owned()}</span>" "{name.to_owned()} };
        if may_change {
            view! { <a href=format!("/instruments/{id}?circuit={position}#circuit")>{name}</a> }.into_any()
        } else {
            name.into_any()
        }
    };
    let row = |circuit: &CircuitView| {
        let (at, counter, quality) = match circuit.reading {
            Some((at, counter, quality)) => (view! { <At at /> }.into_any(), counter.to_string(), room::quality(quality, lang())),
            None => ("—".into_any(), "—".to_owned(), t.waiting),
        };
        let is_held = may_change && circuit.reading.is_some_and(|(.., quality)| quality.is_held());
        let again = is_held.then(|| {
            view! {
                <form method="post" action="/api/operator/instruments/counter">
                    <input type="hidden" name="instrument" value=id.to_string() />
                    <input type="hidden" name="circuit" value=circuit.id.to_string() />
                    <button>{t.begin_again}</button>
                </form>
            }
        });
        view! {
            <tr>
                <th scope="row">{name(&circuit.form.position, &circuit.form.name)}</th>
                <td data-label=label(InstrumentField::Ct) class="number">{circuit.form.ct.clone()}</td>
                <td data-label=t.counter class="number">{counter}</td>
                <td data-label=t.newest class="number">{at}</td>
                <td data-label=t.quality>{quality}{again}</td>
            </tr>
        }
    };
    let has_held = circuits.iter().any(|circuit| circuit.reading.is_some_and(|(.., quality)| quality.is_held()));
    let hint = has_held.then(|| view! { <Callout tone=Tone::Warn><p>{t.begin_again_hint}</p></Callout> });
    let rows = circuits.iter().map(row).collect_view();
    let unused = (1..=most.unwrap_or(0)).map(|position| position.to_string());
    let unused = unused.filter(|position| !circuits.iter().any(|circuit| circuit.form.position == *position));
    let unused = unused.map(|position| {
        view! { <tr><th scope="row">{name(&position, t.no_circuit)}</th><td colspan="4"></td></tr> }
    });
    let unused = unused.collect_view();
    let columns = [
        Column::text(t.circuits),
        Column::number(label(InstrumentField::Ct)),
        Column::number(t.counter),
        Column::number(t.newest),
        Column::text(t.quality),
    ];
    view! { {hint}<DataTable label=t.circuits columns stacked=true>{rows}{unused}</DataTable> }
}

/// The settings of the circuit at a position, which there may not be yet.
fn circuit_form(id: InstrumentId, position: u8, circuits: &[CircuitView], choices: &InstrumentChoices) -> impl IntoView + use<> {
    use InstrumentField as F;
    let t = texts(lang());
    let number = position.to_string();
    let circuit = circuits.iter().find(|circuit| circuit.form.position == number);
    let form = circuit.map_or_else(CircuitForm::default, |circuit| circuit.form.clone());
    let own = circuit.map(|circuit| circuit.id);
    let masters = choices.circuits.iter().filter(|(master, _)| Some(*master) != own);
    let masters = masters.map(|(id, name)| (id.to_string(), name.clone())).collect();
    let places = choices.places.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let title = if form.name.is_empty() { t.no_circuit.to_owned() } else { form.name.clone() };
    view! {
        <form id="circuit" class="card stack-tight narrow-form" method="post" action="/api/operator/instruments/circuit">
            <h3><span class="num">{position}</span>" · "{title}</h3>
            <input type="hidden" name="instrument" value=id.to_string() />
            <input type="hidden" name="circuit[position]" value=number />
            {text("circuit[name]", F::Name, &form.name, 40, true)}
            {text("circuit[ct]", F::Ct, &form.ct, 11, false)}
            {select("circuit[parent]", F::Parent, Some(t.no_parent), masters, &form.parent)}
            {select("circuit[feeds]", F::Feeds, Some(t.no_place), places, &form.feeds)}
            <button class="primary">{t.save}</button>
        </form>
    }
}

fn retire(id: InstrumentId) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/instruments/retire">
            <h2>{t.retire}</h2>
            <p class="hint">{t.retire_hint}</p>
            <input type="hidden" name="instrument" value=id.to_string() />
            {reason()}
            <button class="danger">{t.retire}</button>
        </form>
    }
}
