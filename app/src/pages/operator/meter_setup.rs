//! One meter: adding it, changing what may be changed, and taking it out of service.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Section};
use super::parts::param;
use super::room::account_lifecycle::reason;
use crate::i18n::meter_setup::texts;
use crate::i18n::{lang, meter_states, operator};
use crate::ports::{self, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::console::{MeterForm, MeterSetup};
use model::error::AppError;
use model::ids::MeterId;
use model::meter::Wallet;

/// The page: `/meters/new?room=3号楼 301`.
#[component]
pub fn NewMeterPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, ports::operator()?);
        ports.meter_setup.meter_setup(&who, None).await
    };
    load(read, |setup| view! { <Body setup meter=None /> }.into_any())
}

/// The page: `/meters/:id/edit`.
#[component]
pub fn EditMeterPage() -> impl IntoView {
    let meter = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, ports::operator()?);
        let meter: MeterId = meter.parse().map_err(|_| AppError::NotFound)?;
        Ok((ports.meter_setup.meter_setup(&who, Some(meter)).await?, meter))
    };
    load(read, |(setup, meter)| view! { <Body setup meter=Some(meter) /> }.into_any())
}

/// What was sent before an error wins over what is stored.
fn submitted(stored: &MeterForm) -> MeterForm {
    let value = |name: &str, stored: &String| {
        let sent = param(name);
        if sent.is_empty() { stored.clone() } else { sent }
    };
    MeterForm {
        room: value("room", &stored.room),
        gateway: value("gateway", &stored.gateway),
        unit: value("unit", &stored.unit),
        serial: value("serial", &stored.serial),
        profile: value("profile", &stored.profile),
        wallet: value("wallet", &stored.wallet),
    }
}

#[component]
fn Body(setup: MeterSetup, meter: Option<MeterId>) -> impl IntoView {
    let t = texts(lang());
    let title = if meter.is_some() { t.edit } else { t.add };
    let done = match param("done").as_str() {
        "added" => Some(t.added),
        "changed" => Some(t.changed),
        _ => None,
    };
    let links = meter.map(|meter| {
        view! {
            <p class="small">
                <a href=format!("/rooms/{meter}")>{setup.form.room.clone()}</a>" · "
                <a href=format!("/meters/{meter}/readings")>{crate::i18n::history::texts(lang()).title}</a>
            </p>
        }
    });
    view! {
        <Frame title section=Section::Meters>
            <div class="stack-tight">{links}<h1>{title}</h1></div>
            <Notice />
            {done.map(|says| view! { <Callout tone=Tone::Good><p>{says}</p></Callout> })}
            {setup.in_use.then(|| view! { <Callout tone=Tone::Warn><p>{t.in_use}</p></Callout> })}
            <div class="form-columns">
                {form(&setup, meter)}
                {meter.map(|meter| retire(meter, setup.in_use))}
            </div>
        </Frame>
    }
}

fn form(setup: &MeterSetup, meter: Option<MeterId>) -> impl IntoView + use<> {
    let (t, o) = (texts(lang()), operator::texts(lang()));
    let form = submitted(&setup.form);
    let action = if meter.is_some() { "/api/operator/meters/change" } else { "/api/operator/meters/add" };
    let fixed = setup.in_use;
    let gateways = setup.gateways.iter().map(|name| {
        let selected = *name == form.gateway;
        view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
    });
    let profiles = setup.profiles.iter().map(|(name, title, _)| {
        let selected = *name == form.profile;
        view! { <option value=name.clone() selected=selected>{format!("{name} · {title}")}</option> }
    });
    let wallets = Wallet::ALL.map(|one| {
        let selected = one.as_str() == form.wallet;
        view! { <option value=one.as_str() selected=selected>{meter_states::wallet(one, lang())}</option> }
    });
    let id = meter.map(|meter| view! { <input type="hidden" name="meter" value=meter.to_string() /> });
    // What an account forbids to change is sent as it is.
    let kept = fixed.then(|| {
        view! {
            <input type="hidden" name="form[profile]" value=form.profile.clone() />
            <input type="hidden" name="form[wallet]" value=form.wallet.clone() />
        }
    });
    view! {
        <form class="card stack-tight narrow-form" method="post" action=action>
            {id}
            {kept}
            <label class="field">
                <span>{o.serial}</span>
                <input class="input" name="form[serial]" required inputmode="numeric" minlength="12" maxlength="12"
                    pattern="[0-9０-９]{12}" autocomplete="off" readonly=meter.is_some() value=form.serial.clone() />
                <span class="hint">{if meter.is_some() { t.serial_stays } else { t.serial_hint }}</span>
            </label>
            <label class="field">
                <span>{o.room}</span>
                <input class="input" name="form[room]" required maxlength="130" autocomplete="off" readonly=fixed
                    value=form.room.clone() />
                <span class="hint">{t.room_hint}</span>
            </label>
            <label class="field">
                <span>{o.gateway}</span>
                <select class="input" name="form[gateway]" required>{gateways.collect_view()}</select>
            </label>
            <label class="field">
                <span>{o.unit}</span>
                <input class="input" name="form[unit]" inputmode="numeric" maxlength="3" pattern="[0-9０-９]{1,3}"
                    autocomplete="off" value=form.unit.clone() />
                <span class="hint">{t.unit_hint}</span>
            </label>
            <label class="field">
                <span>{o.profile}</span>
                <select class="input" name=(!fixed).then_some("form[profile]") disabled=fixed>{profiles.collect_view()}</select>
            </label>
            <label class="field">
                <span>{t.wallet}</span>
                <select class="input" name=(!fixed).then_some("form[wallet]") disabled=fixed>
                    <option value="">{t.as_profile}</option>
                    {wallets}
                </select>
                <span class="hint">{t.wallet_hint}</span>
            </label>
            <button class="primary">{t.save}</button>
        </form>
    }
}

fn retire(meter: MeterId, in_use: bool) -> impl IntoView {
    let t = texts(lang());
    let form = (!in_use).then(|| {
        view! {
            <input type="hidden" name="meter" value=meter.to_string() />
            {reason()}
            <button class="danger">{t.retire}</button>
        }
    });
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/meters/retire">
            <h2>{t.retire}</h2>
            <p class="hint">{if in_use { t.cannot_retire } else { t.retire_hint }}</p>
            {form}
        </form>
    }
}
