//! The form of a gateway: a new one, changed settings, or other hardware in its place.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::form::parse;
use crate::i18n::gateways::{framing, texts, wrong_field};
use crate::i18n::lang;
use crate::ports::{form_key, operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::error::AppError;
use model::gateway::form::{DIAL_IN, DIALLED};
use model::gateway::{FormField, Framing, GatewayForm, Timing};
use model::ids::GatewayId;

/// What a form is for.
enum Purpose {
    /// With the form's key.
    Add(String),
    Change(String),
    Replace(String),
}

/// The page: `/gateways/new`. What was typed before comes back in the query.
#[component]
pub fn NewGatewayPage() -> impl IntoView {
    let typed = typed();
    let read = async move { Ok(form_key()?.to_string()) };
    load(read, move |key| {
        let form = typed.unwrap_or_else(|| {
            GatewayForm::read(|field| {
                match field {
                    FormField::Transport => DIALLED,
                    FormField::Port => "502",
                    FormField::Framing => Framing::ModbusTcp.as_str(),
                    _ => "",
                }
                .to_owned()
            })
        });
        page(&Purpose::Add(key), texts(lang()).add.to_owned(), &form).into_any()
    })
}

/// The page: `/gateways/:id/edit`, with `?do=replace` for other hardware.
#[component]
pub fn EditGatewayPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let (typed, replace) = (typed(), param("do") == "replace");
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let gateway = ports.gateways.gateway(&who, parse::<GatewayId>(&id).map_err(|_| AppError::NotFound)?).await?;
        if gateway.retired_at.is_some() { Err(AppError::NotFound) } else { Ok(gateway) }
    };
    load(read, move |gateway| {
        let (t, id) = (texts(lang()), gateway.id.to_string());
        let (purpose, verb) = if replace { (Purpose::Replace(id), t.replace) } else { (Purpose::Change(id), t.edit) };
        page(&purpose, format!("{verb}: {}", gateway.name), &typed.unwrap_or(gateway.form)).into_any()
    })
}

/// The fields of an earlier attempt, from the query.
fn typed() -> Option<GatewayForm> {
    use_query_map().with_untracked(|query| {
        query.get_str(FormField::Transport.as_str())?;
        Some(GatewayForm::read(|field| query.get_str(field.as_str()).unwrap_or_default().chars().take(400).collect()))
    })
}

fn page(purpose: &Purpose, title: String, form: &GatewayForm) -> impl IntoView + use<> {
    let t = texts(lang());
    let wrong = FormField::parse(&param("wrong"));
    let said = wrong.map(|field| view! { <p class="notice bad" role="alert">{wrong_field(field, lang())}</p> });
    let (action, submit, back) = match purpose {
        Purpose::Add(_) => ("/api/operator/gateways/add", t.add, "/gateways".to_owned()),
        Purpose::Change(id) => ("/api/operator/gateways/change", t.save, format!("/gateways/{id}")),
        Purpose::Replace(id) => ("/api/operator/gateways/change", t.replace, format!("/gateways/{id}")),
    };
    let hidden = match purpose {
        Purpose::Add(key) => view! { <input type="hidden" name="key" value=key.clone() /> }.into_any(),
        Purpose::Change(id) => view! { <input type="hidden" name="gateway" value=id.clone() /> }.into_any(),
        Purpose::Replace(id) => view! {
            <input type="hidden" name="gateway" value=id.clone() />
            <input type="hidden" name="edit" value="replace" />
            <p class="hint">{t.replace_hint}</p>
            <label class="field">
                <span>{t.reason}</span>
                <input class="input" name="reason" required maxlength="200" autocomplete="off" />
            </label>
        }
        .into_any(),
    };
    let fields = view! {
        <form class="card stack-tight" method="post" action=action>
            {hidden}
            <div class="pair">
                {field(form, wrong, FormField::Name, true)}
                {field(form, wrong, FormField::Code, false)}
            </div>
            <p class="hint">{t.reach_hint}</p>
            {transport(form)}
            {framings(form)}
            <fieldset class="group">
                <legend>{t.dialled}</legend>
                <div class="pair">
                    {field(form, wrong, FormField::Host, false)}
                    {field(form, wrong, FormField::Port, false)}
                </div>
            </fieldset>
            {dial_in_fields(form, wrong)}
            <fieldset class="group">
                <legend>{t.times}</legend>
                <p class="hint">{t.times_hint}</p>
                {bauds(form)}
                <div class="pair">
                    {field(form, wrong, FormField::RequestTimeout, false)}
                    {field(form, wrong, FormField::ConnectTimeout, false)}
                    {field(form, wrong, FormField::Gap, false)}
                    {field(form, wrong, FormField::Interval, false)}
                </div>
            </fieldset>
            <div class="buttons">
                <button class="primary">{submit}</button>
                <a class="button" href=back>{t.cancel}</a>
            </div>
        </form>
    };
    view! {
        <Frame title=title.clone() section=Section::Gateways>
            <h1>{title}</h1>
            <Notice />
            {said}
            {fields}
        </Frame>
    }
}

fn dial_in_fields(form: &GatewayForm, wrong: Option<FormField>) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <fieldset class="group">
            <legend>{t.dial_in}</legend>
            <p class="hint">{t.dial_in_hint}</p>
            {field(form, wrong, FormField::Registration, false)}
            <div class="pair">
                {field(form, wrong, FormField::Heartbeat, false)}
                {field(form, wrong, FormField::HeartbeatAnswer, false)}
            </div>
        </fieldset>
    }
}

/// A field of the form, marked where it is wrong.
fn field(form: &GatewayForm, wrong: Option<FormField>, of: FormField, required: bool) -> impl IntoView + use<> {
    let name = of.as_str();
    let label = texts(lang()).field.get(name).unwrap_or(name);
    let invalid = (wrong == Some(of)).then_some("true");
    let mode = match of {
        FormField::Port | FormField::RequestTimeout | FormField::ConnectTimeout | FormField::Gap | FormField::Interval => {
            "numeric"
        }
        _ => "text",
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" name=format!("form[{name}]") value=form.get(of).to_owned() required=required inputmode=mode
                maxlength="300" autocomplete="off" spellcheck="false" aria-invalid=invalid />
        </label>
    }
}

fn transport(form: &GatewayForm) -> impl IntoView + use<> {
    let (t, chosen) = (texts(lang()), form.get(FormField::Transport).to_owned());
    let choices = [(DIALLED, t.dialled), (DIAL_IN, t.dial_in)].map(|(value, word)| {
        view! {
            <label class="choice">
                <input type="radio" name="form[transport]" value=value checked=value == chosen />
                <span class="face">{word}</span>
            </label>
        }
    });
    view! { <fieldset class="choices"><legend class="visually-hidden">{t.transport}</legend>{choices}</fieldset> }
}

fn framings(form: &GatewayForm) -> impl IntoView + use<> {
    let (t, chosen) = (texts(lang()), form.get(FormField::Framing).to_owned());
    let options = Framing::ALL.map(|one| {
        view! { <option value=one.as_str() selected=one.as_str() == chosen>{framing(one, lang())}</option> }
    });
    view! {
        <label class="field">
            <span>{t.framing}</span>
            <select class="input" name="form[framing]">{options}</select>
            <span class="hint">{t.framing_hint}</span>
        </label>
    }
}

fn bauds(form: &GatewayForm) -> impl IntoView + use<> {
    let (t, chosen) = (texts(lang()), form.get(FormField::Baud).to_owned());
    let options = Timing::BAUDS.map(|baud| {
        let value = baud.to_string();
        view! { <option value=value.clone() selected=value == chosen>{value.clone()}</option> }
    });
    view! {
        <label class="field">
            <span>{t.field.baud}</span>
            <select class="input" name="form[baud]">
                <option value="" selected=chosen.is_empty()>{t.as_configured}</option>
                {options}
                <option value="0" selected=chosen == "0">{t.baud_none}</option>
            </select>
        </label>
    }
}
