//! The form of an instrument: a new one, or the settings of one that is there.

use leptos::prelude::*;

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
            {select("form[place]", F::Place, None, places.collect(), &form.place)}
            {select("form[gateway]", F::Gateway, None, gateways.collect(), &form.gateway)}
            {text("form[unit]", F::Unit, &form.unit, 3, true)}
            {select("form[profile]", F::Profile, None, profiles.collect(), &form.profile)}
            {text("form[start]", F::Start, &form.start, 6, false)}
            {text("form[step]", F::Step, &form.step, 11, false)}
            {ct}
            {text("form[pt]", F::Pt, &form.pt, 11, false)}
            {text("form[interval_s]", F::Interval, &form.interval_s, 5, false)}
            <button class="primary">{t.save}</button>
        </form>
    }
}

pub fn text(name: &'static str, of: InstrumentField, value: &str, most: u16, is_required: bool) -> impl IntoView + use<> {
    labelled(
        of,
        view! { <input class="input" name=name required=is_required maxlength=most autocomplete="off" value=value.to_owned() /> },
    )
}

/// A choice with one option chosen, which may be that of `none`. What is chosen and not among the choices, because it is out of
/// service or not this operator's to see, stays as it is.
pub fn select(
    name: &'static str,
    of: InstrumentField,
    none: Option<&'static str>,
    choices: Vec<(String, String)>,
    chosen: &str,
) -> impl IntoView + use<> {
    let is_there = chosen.is_empty() || choices.iter().any(|(value, _)| value == chosen);
    let kept = (!is_there).then(|| (chosen.to_owned(), texts(lang()).as_it_is.to_owned()));
    let option = |(value, word): (String, String)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{word}</option> }
    };
    let is_required = none.is_none();
    let none = none.map(|word| (String::new(), word.to_owned()));
    let options = none.into_iter().chain(kept).chain(choices).map(option).collect_view();
    labelled(of, view! { <select class="input" name=name required=is_required>{options}</select> })
}

/// An input with the name of its field, and a hint where it needs one.
fn labelled(of: InstrumentField, input: impl IntoView) -> impl IntoView {
    let (label, hint) = field(of, lang());
    let hint = (!hint.is_empty()).then(|| view! { <span class="hint">{hint}</span> });
    view! { <label class="field"><span>{label}</span>{input}{hint}</label> }
}
