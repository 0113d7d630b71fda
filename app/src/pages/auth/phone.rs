//! Logging in, or choosing another password, by a code on the phone.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{AuthFrame, password_field};
use crate::api::phone_log_in::PHONE;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ports::{ports, reply, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;

/// Asks for the number.
#[component]
pub fn PhonePage() -> impl IntoView {
    let t = texts(lang());
    let has_phones = ports().is_ok_and(|ports| ports.phone_log_in.has_phones());
    let ended = use_query_map().with_untracked(|query| query.get_str("done") == Some("ended"));
    let form = if has_phones {
        view! {
            <form class="stack" method="post" action="/api/auth/phone-code">
                <Field name="phone" label=t.phone kind="tel" autocomplete="tel" inputmode="tel" />
                <button class="primary">{t.phone_send}</button>
            </form>
        }
        .into_any()
    } else {
        view! { <Callout tone=Tone::Warn><p>{t.phone_unavailable}</p></Callout> }.into_any()
    };
    view! {
        <AuthFrame title=t.phone_log_in>
            <Notice/>
            {ended.then(|| view! { <Callout tone=Tone::Warn><p>{t.phone_ended}</p></Callout> })}
            <p>{t.phone_lead}</p>
            {form}
            <p><a href="/login">{t.back}</a></p>
        </AuthFrame>
    }
}

/// Asks for the code. Without a log-in that waits for one it leads back to the number.
#[component]
pub fn PhoneCodePage() -> impl IntoView {
    let read = async move {
        let waits = ports()?.phone_log_in.waits_for_phone_code(&visit()).await?;
        if !waits {
            reply()?.redirect(&format!("{PHONE}?done=ended"));
        }
        Ok(())
    };
    load(read, move |()| view! { <CodeForms/> }.into_any())
}

fn code(id: &'static str) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>{texts(lang()).phone_code}</label>
            <input class="input num" id=id name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
                pattern="[0-9０-９]{6}" required/>
        </div>
    }
}

#[component]
fn CodeForms() -> impl IntoView {
    let t = texts(lang());
    view! {
        <AuthFrame title=t.phone_log_in>
            <Notice/>
            <Callout><p>{t.phone_sent}</p></Callout>
            <form class="stack" method="post" action="/api/auth/phone-log-in">
                {code("code")}
                <button class="primary">{t.log_in}</button>
            </form>
            <h2>{t.phone_or_password}</h2>
            <form class="stack" method="post" action="/api/auth/phone-password">
                {code("password-code")}
                {password_field("password", t.new_password, "new-password")}
                <p class="hint">{t.rule}" "{t.rule_more}" "{t.phone_password_ends}</p>
                <button>{t.change_password}</button>
            </form>
            <p><a href=PHONE>{t.phone_again}</a></p>
        </AuthFrame>
    }
}
