//! What the resident is told, and where. All of it plain forms.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load};
use crate::api::alerts::{self as api, AlertChannel, Alerts};
use crate::i18n::alerts::{CodeFor, Hour, texts};
use crate::i18n::lang;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use model::notification::{NotificationChannel, NotificationKind};

/// The page: `/me/alerts`.
#[component]
pub fn AlertsPage() -> impl IntoView {
    load(Tab::Me, api::alerts(), |alerts| view! { <Body alerts /> }.into_any())
}

#[component]
fn Body(alerts: Alerts) -> impl IntoView {
    let t = texts(lang());
    let none = alerts.channels.is_empty().then(|| view! { <Callout><p>{t.none_set_up}</p></Callout> });
    let channels = alerts.channels.iter().map(channel).collect_view();
    view! {
        <Frame title=t.title tab=Tab::Me>
            <p class="muted">{t.lead}</p>
            <Notice />
            {outcome()}
            {none}
            {channels}
            {wanted(&alerts)}
        </Frame>
    }
}

/// What the last form came to, from the address.
fn outcome() -> Option<AnyView> {
    let t = texts(lang());
    let done = use_query_map().with_untracked(|query| query.get("done")).unwrap_or_default();
    let (tone, text) = match &*done {
        "sent" => (Tone::Good, t.code_sent),
        "confirmed" => (Tone::Good, t.added),
        "saved" => (Tone::Good, t.saved),
        "removed" => (Tone::Good, t.removed),
        "wrong" => (Tone::Bad, t.code_wrong),
        "ended" => (Tone::Bad, t.code_ended),
        _ => return None,
    };
    Some(view! { <Callout tone><p>{text}</p></Callout> }.into_any())
}

fn channel(one: &AlertChannel) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let word = one.channel.as_str();
    let is_phone = one.channel == NotificationChannel::Sms;
    let (label, name, kind, autocomplete) =
        if is_phone { (t.sms, "sms", "tel", "tel") } else { (t.mail, "mail", "email", "email") };
    let heading = format!("{name}-heading");
    let labelled_by = heading.clone();
    let confirmed = one.confirmed.clone().map(|address| {
        view! {
            <p class="line"><span class="num">{address}</span>" · "{t.confirmed}</p>
            <form method="post" action="/api/resident/alerts/remove">
                <input type="hidden" name="channel" value=word />
                <button>{t.remove}</button>
            </form>
        }
    });
    let code = one.waits.clone().map(|address| {
        let id = format!("{name}-code");
        view! {
            <form class="stack-tight" method="post" action="/api/resident/alerts/confirm">
                <input type="hidden" name="channel" value=word />
                <div class="field">
                    <label for=id.clone()>{CodeFor { address }.text(lang)}</label>
                    <input class="input" id=id name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
                        pattern="[0-9]{6}" required />
                    <p class="hint">{t.code_hint}</p>
                </div>
                <button class="primary">{t.confirm}</button>
            </form>
        }
    });
    view! {
        <section class="card stack-tight" aria-labelledby=labelled_by>
            <h2 id=heading>{label}</h2>
            {confirmed}
            {code}
            <form class="stack-tight" method="post" action="/api/resident/alerts/send-code">
                <input type="hidden" name="channel" value=word />
                <div class="field">
                    <label for=name>{label}</label>
                    <input class="input" id=name name="address" type=kind autocomplete=autocomplete maxlength="254" required />
                </div>
                <button>{t.send_code}</button>
            </form>
        </section>
    }
}

fn wanted(alerts: &Alerts) -> impl IntoView + use<> {
    let (t, chosen) = (texts(lang()), alerts.preferences);
    let tick = |kind: NotificationKind, checked: bool, label: &'static str| {
        view! {
            <label class="check">
                <input type="checkbox" name="wanted[]" value=kind.as_str() checked=checked />
                {label}
            </label>
        }
    };
    view! {
        <section class="card stack-tight" aria-labelledby="wanted">
            <h2 id="wanted">{t.wanted}</h2>
            <form class="stack-tight" method="post" action="/api/resident/alerts/save">
                {tick(NotificationKind::Alarm1, chosen.alarm1, t.alarm1)}
                {tick(NotificationKind::Alarm2, chosen.alarm2, t.alarm2)}
                {tick(NotificationKind::EmptyTonight, chosen.tonight, t.tonight)}
                {tick(NotificationKind::Recharge, chosen.recharge, t.recharge)}
                <p class="hint">{t.always}</p>
                <fieldset class="stack-tight">
                    <legend>{t.quiet}</legend>
                    {hours("from", t.from, chosen.quiet.from)}
                    {hours("until", t.until, chosen.quiet.until)}
                    <p class="hint">{t.quiet_hint}</p>
                </fieldset>
                <label class="check">
                    <input type="checkbox" name="off" value="on" checked=chosen.is_off />
                    {t.off}
                </label>
                <button class="primary wide">{t.save}</button>
            </form>
        </section>
    }
}

fn hours(name: &'static str, label: &'static str, chosen: u8) -> impl IntoView {
    let lang = lang();
    let options = (0..24_u8).map(move |hour| {
        view! { <option value=hour.to_string() selected=hour == chosen>{Hour { hour }.text(lang)}</option> }
    });
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="input" id=name name=name>{options.collect_view()}</select>
        </div>
    }
}
