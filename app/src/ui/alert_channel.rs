//! The addresses at which a person gets alerts, as residents and operators set them up.

use leptos::prelude::*;

use crate::api::alerts::AlertChannel;
use crate::i18n::alerts::{CodeFor, Hour, texts};
use crate::i18n::{installed, lang};
use crate::ui::callout::{self, Tone};
use crate::ui::field::Field;
use model::notification::NotificationChannel;

/// The outcome of the last form, from the address.
#[must_use]
pub fn outcome() -> Option<AnyView> {
    let t = texts(lang());
    callout::outcome(|done| match done {
        "sent" => Some((Tone::Good, t.code_sent)),
        "confirmed" => Some((Tone::Good, t.added)),
        "saved" => Some((Tone::Good, t.saved)),
        "removed" => Some((Tone::Good, t.removed)),
        "wrong" => Some((Tone::Bad, t.code_wrong)),
        "ended" => Some((Tone::Bad, t.code_ended)),
        "device" => Some((Tone::Good, installed::texts(lang()).device_added)),
        "wechat" => Some((Tone::Good, installed::texts(lang()).wechat_added)),
        _ => None,
    })
}

/// The address of a channel: adding, confirming and removing it. `area` begins the addresses of its forms; a number by which
/// its resident may log in (`is_way_in`) takes the password.
pub fn alert_channel(one: &AlertChannel, area: &'static str, is_way_in: bool) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let word = one.channel.as_str();
    let is_phone = one.channel == NotificationChannel::Sms;
    let password = (is_phone && is_way_in).then(|| {
        let (kind, autocomplete) = ("password", "current-password");
        view! { <Field name="password" label=t.password kind autocomplete hint=t.password_hint /> }
    });
    let (label, name, kind, autocomplete) =
        if is_phone { (t.sms, "sms", "tel", "tel") } else { (t.mail, "mail", "email", "email") };
    let heading = format!("{name}-heading");
    let labelled_by = heading.clone();
    let confirmed = one.confirmed.clone().map(|address| {
        view! {
            <p class="line"><span class="num">{address}</span>" · "{t.confirmed}</p>
            <form method="post" action=format!("{area}/remove")>
                <input type="hidden" name="channel" value=word />
                <button>{t.remove}</button>
            </form>
        }
    });
    let code = one.waits.clone().map(|address| {
        let id = format!("{name}-code");
        view! {
            <form class="stack-tight" method="post" action=format!("{area}/confirm")>
                <input type="hidden" name="channel" value=word />
                <div class="field">
                    <label for=id.clone()>{CodeFor { address }.text(lang)}</label>
                    <input class="input" id=id name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
                        pattern="[0-9０-９]{6}" required />
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
            <form class="stack-tight" method="post" action=format!("{area}/send-code")>
                <input type="hidden" name="channel" value=word />
                <div class="field">
                    <label for=name>{label}</label>
                    <input class="input" id=name name="address" type=kind autocomplete=autocomplete maxlength="254" required />
                </div>
                {password}
                <button>{t.send_code}</button>
            </form>
        </section>
    }
}

/// A choice of an hour of the day.
pub fn hours(name: &'static str, label: &'static str, chosen: u8) -> impl IntoView {
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
