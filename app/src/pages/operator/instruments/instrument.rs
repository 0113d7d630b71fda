//! One instrument: its state and circuits, and for those who may, its settings.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::form::settings;
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
    let edits =
        may_change.then(|| (1..=positions).map(|position| circuit_form(id, position, &circuits, &choices)).collect_view());
    view! {
        <Frame title=line.name.clone() section=Section::Instruments>
            <div class="page-head"><h1>{line.name.clone()}</h1>{read_now}</div>
            <p>{line.place.clone()}" · "<span class="num">{line.number.clone()}</span></p>
            <Notice />
            {said()}
            <p>{state(&line)}</p>
            <section class="stack-tight">
                <h2>{t.circuits}</h2>
                <p class="hint">{t.circuits_hint}</p>
                {readings(id, &circuits, may_change)}
                {edits}
            </section>
            {forms}
        </Frame>
    }
}

/// What was done, from the address.
fn said() -> Option<AnyView> {
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

/// The newest reading of each circuit; one that is held can be counted on from.
fn readings(id: InstrumentId, circuits: &[CircuitView], may_change: bool) -> impl IntoView + use<> {
    let t = texts(lang());
    let row = |circuit: &CircuitView| {
        let (at, counter, quality) = match circuit.reading {
            Some((at, counter, quality)) => (view! { <At at /> }.into_any(), counter.to_string(), room::quality(quality, lang())),
            None => ("—".into_any(), "—".to_owned(), t.waiting),
        };
        let is_held = may_change && circuit.reading.is_some_and(|(.., quality)| !quality.counts());
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
                <th scope="row"><span class="num">{circuit.form.position.clone()}</span>" "{circuit.form.name.clone()}</th>
                <td data-label=label(InstrumentField::Ct) class="number">{circuit.form.ct.clone()}</td>
                <td data-label=t.counter class="number">{counter}</td>
                <td data-label=t.newest class="number">{at}</td>
                <td data-label=t.quality>{quality}{again}</td>
            </tr>
        }
    };
    let has_held = circuits.iter().any(|circuit| circuit.reading.is_some_and(|(.., quality)| !quality.counts()));
    let hint = has_held.then(|| view! { <Callout tone=Tone::Warn><p>{t.begin_again_hint}</p></Callout> });
    let rows = circuits.iter().map(row).collect_view();
    let columns = [
        Column::text(t.circuits),
        Column::number(label(InstrumentField::Ct)),
        Column::number(t.counter),
        Column::number(t.newest),
        Column::text(t.quality),
    ];
    view! { {hint}<DataTable label=t.circuits columns stacked=true>{rows}</DataTable> }
}

/// The settings of the circuit at a position, which there may not be yet.
fn circuit_form(id: InstrumentId, position: u8, circuits: &[CircuitView], choices: &InstrumentChoices) -> impl IntoView + use<> {
    use InstrumentField as F;
    let t = texts(lang());
    let text = position.to_string();
    let known = circuits.iter().find(|circuit| circuit.form.position == text);
    let form = known.map_or_else(CircuitForm::default, |circuit| circuit.form.clone());
    let own = known.map(|circuit| circuit.id);
    let masters = choices.circuits.iter().filter(|(master, _)| Some(*master) != own);
    let masters = masters.map(|(id, name)| (id.to_string(), name.clone())).collect();
    let places = choices.places.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let summary = if form.name.is_empty() { t.no_circuit.to_owned() } else { form.name.clone() };
    view! {
        <details class="card">
            <summary><span class="num">{position}</span>" · "{summary}</summary>
            <form class="stack-tight narrow-form" method="post" action="/api/operator/instruments/circuit">
                <input type="hidden" name="instrument" value=id.to_string() />
                <input type="hidden" name="circuit[position]" value=text />
                {input("circuit[name]", F::Name, form.name, "40")}
                {input("circuit[ct]", F::Ct, form.ct, "11")}
                {choice("circuit[parent]", F::Parent, t.no_parent, masters, &form.parent)}
                {choice("circuit[feeds]", F::Feeds, t.no_place, places, &form.feeds)}
                <button class="primary">{t.save}</button>
            </form>
        </details>
    }
}

fn input(name: &'static str, of: InstrumentField, value: String, most: &'static str) -> impl IntoView {
    let (label, hint) = crate::i18n::instruments::field(of, lang());
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" name=name required maxlength=most autocomplete="off" value=value />
            <span class="hint">{hint}</span>
        </label>
    }
}

fn choice(
    name: &'static str,
    of: InstrumentField,
    none: &'static str,
    options: Vec<(String, String)>,
    chosen: &str,
) -> impl IntoView + use<> {
    let (label, hint) = crate::i18n::instruments::field(of, lang());
    let options = options.into_iter().map(|(value, word)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{word}</option> }
    });
    let options = options.collect_view();
    view! {
        <label class="field">
            <span>{label}</span>
            <select class="input" name=name><option value="">{none}</option>{options}</select>
            <span class="hint">{hint}</span>
        </label>
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
