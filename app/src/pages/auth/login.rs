//! Logging in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{AuthFrame, password_field};
use crate::api::phone_log_in::PHONE;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ports::{ports, visit};
use crate::ui::callout::{self, Tone};
use crate::ui::notice::Notice;

/// The login page of residents and operators. Wrong credentials return here with `?e=`.
#[component]
pub fn LoginPage() -> impl IntoView {
    let t = texts(lang());
    let next = use_query_map().with_untracked(|query| query.get("next"));
    let has_phones = ports().is_ok_and(|ports| ports.phone_log_in.has_phones());
    // A form was posted with a session that had ended: with scripts the browser has kept it.
    let was_form = use_query_map().with_untracked(|query| query.get_str("form") == Some("kept"));
    let form = was_form.then(|| {
        view! {
            <p class="notice when-alive">{t.form_kept}</p>
            <noscript><p class="notice">{t.form_lost}</p></noscript>
        }
    });
    view! {
        <AuthFrame title=t.log_in>
            <Notice/>
            {outcome()}
            {form}
            {wechat(next.clone())}
            <form class="stack" method="post" action="/api/auth/log-in">
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <label class="field">
                    <span>{t.login}</span>
                    <input name="login" autocomplete="username" autocapitalize="off" spellcheck="false" required/>
                </label>
                {password_field("password", t.password, "current-password")}
                <button class="primary">{t.log_in}</button>
            </form>
            {has_phones.then(|| view! { <p><a href=PHONE>{t.phone_log_in}</a></p> })}
            <p class="hint">{t.forgot}</p>
        </AuthFrame>
    }
}

/// Why the person came here, from the address.
fn outcome() -> Option<AnyView> {
    let t = texts(lang());
    callout::outcome(|done| match done {
        "chosen" => Some((Tone::Good, t.chosen)),
        "erased" => Some((Tone::Good, t.erased)),
        "wechat-unbound" => Some((Tone::Warn, t.wechat_unbound)),
        "wechat-ended" => Some((Tone::Warn, t.wechat_ended)),
        _ => None,
    })
}

/// The log-in with one tap. Only inside WeChat: no other browser can sign in there.
fn wechat(next: Option<String>) -> Option<AnyView> {
    let is_offered = visit().is_in_wechat() && ports().is_ok_and(|ports| ports.wechat_log_in.has_wechat());
    is_offered.then(|| {
        view! {
            <form class="stack" method="post" action="/api/auth/wechat-log-in">
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <button class="wide">{texts(lang()).wechat_log_in}</button>
            </form>
        }
        .into_any()
    })
}
