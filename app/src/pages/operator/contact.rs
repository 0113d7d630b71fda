//! The number that residents are told to call, and who signs text messages, on the page of default parameters.

use leptos::prelude::*;

use crate::api::settings::{ContactSettings, PlaceSettings};
use crate::i18n::lang;
use crate::i18n::settings::{Inherited, texts};

/// The own values of a place or group, with what applies where a field is empty.
pub fn contact_card(settings: &PlaceSettings) -> impl IntoView + use<> {
    let (t, of) = (texts(lang()), settings.of.to_string());
    let ContactSettings { phone, signature, inherited_phone, inherited_signature } = settings.contact.clone();
    view! {
        <section class="card stack-tight">
            <h2>{t.contact_title}</h2>
            <p class="hint">{t.contact_hint}</p>
            <form class="stack-tight" method="post" action="/api/operator/settings/contact">
                <input type="hidden" name="of" value=of />
                {field(("contact", t.contact, "tel", "30"), phone, inherited_phone)}
                {field(("signature", t.signature, "text", "20"), signature, inherited_signature)}
                <div class="buttons"><button>{t.save}</button></div>
            </form>
        </section>
    }
}

fn field(
    (name, label, kind, longest): (&'static str, &'static str, &'static str, &'static str),
    own: String,
    inherited: String,
) -> impl IntoView {
    let hint_id = format!("{name}-hint");
    let described = hint_id.clone();
    let hint =
        if inherited.is_empty() { texts(lang()).set_nowhere.to_owned() } else { Inherited { value: inherited }.text(lang()) };
    let hint = if own.is_empty() { hint } else { texts(lang()).set_here.to_owned() };
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <input class="input" id=name name=name type=kind maxlength=longest autocomplete="off" value=own
                aria-describedby=described />
            <p class="hint" id=hint_id>{hint}</p>
        </div>
    }
}
