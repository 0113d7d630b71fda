//! The form of an instrument: a new one, or the settings of one that is there.

use leptos::prelude::*;

use super::label;
use crate::i18n::instruments::{field, texts};
use crate::i18n::lang;
use crate::pages::operator::frame::{Frame, Section};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::ids::InstrumentId;
use model::instrument::{InstrumentChoices, InstrumentField, InstrumentForm};

/// The page: `/instruments/new`.
#[component]
pub fn NewInstrumentPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.instruments.instrument_choices(&who).await
    };
    let shown = |choices: InstrumentChoices| {
        let t = texts(lang());
        view! {
            <Frame title=t.add section=Section::Instruments>
                <h1>{t.add}</h1>
                <Notice />
                {settings(&choices, &InstrumentForm::default(), None)}
            </Frame>
        }
        .into_any()
    };
    load(read, shown)
}

/// The fields of all settings. A new instrument also says its current transformers, which each circuit has later.
pub fn settings(choices: &InstrumentChoices, form: &InstrumentForm, id: Option<InstrumentId>) -> impl IntoView + use<> {
    use InstrumentField as F;
    let t = texts(lang());
    let action = if id.is_some() { "/api/operator/instruments/change" } else { "/api/operator/instruments/add" };
    let places = choices.places.iter().map(|(id, name)| (id.to_string(), name.clone()));
    let gateways = choices.gateways.iter().map(|(id, name)| (id.to_string(), name.clone()));
    let profiles = choices.profiles.iter().map(|one| {
        let circuits = if one.circuits > 1 { format!(" · {} × {}", one.circuits, t.circuits) } else { String::new() };
        (one.name.clone(), format!("{} · {}{circuits}", one.name, one.title))
    });
    let id_field = id.map(|id| view! { <input type="hidden" name="instrument" value=id.to_string() /> });
    let ct = id.is_none().then(|| text("ct", F::Ct, "", 11, false));
    view! {
        <form class="card stack-tight narrow-form" method="post" action=action>
            <h2>{t.settings}</h2>
            {id_field}
            {text("form[name]", F::Name, &form.name, 40, true)}
            {text("form[number]", F::Number, &form.number, 40, true)}
            {select("form[place]", F::Place, places.collect(), &form.place)}
            {select("form[gateway]", F::Gateway, gateways.collect(), &form.gateway)}
            {text("form[unit]", F::Unit, &form.unit, 3, true)}
            {select("form[profile]", F::Profile, profiles.collect(), &form.profile)}
            {text("form[start]", F::Start, &form.start, 6, false)}
            {text("form[step]", F::Step, &form.step, 11, false)}
            {ct}
            {text("form[pt]", F::Pt, &form.pt, 11, false)}
            {text("form[interval_s]", F::Interval, &form.interval_s, 5, false)}
            <button class="primary">{t.save}</button>
        </form>
    }
}

fn text(name: &'static str, of: InstrumentField, value: &str, most: u16, is_required: bool) -> impl IntoView + use<> {
    let (label, hint) = field(of, lang());
    let hint = (!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> });
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" name=name required=is_required maxlength=most autocomplete="off" value=value.to_owned() />
            {hint}
        </label>
    }
}

fn select(name: &'static str, of: InstrumentField, options: Vec<(String, String)>, chosen: &str) -> impl IntoView + use<> {
    let hint = field(of, lang()).1;
    let hint = (!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> });
    let options = options.into_iter().map(|(value, word)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{word}</option> }
    });
    let options = options.collect_view();
    view! {
        <label class="field">
            <span>{label(of)}</span>
            <select class="input" name=name required>{options}</select>
            {hint}
        </label>
    }
}
