//! Logging in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::AuthFrame;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use crate::ui::secret_field::SecretField;

/// The login page of residents and operators. Wrong credentials return here with `?e=`.
#[component]
pub fn LoginPage() -> impl IntoView {
    let t = texts(lang());
    let chosen = use_query_map().with_untracked(|query| query.get("done")).is_some_and(|done| done == "chosen");
    let next = use_query_map().with_untracked(|query| query.get("next"));
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
            {chosen.then(|| view! { <Callout tone=Tone::Good><p>{t.chosen}</p></Callout> })}
            {form}
            <form class="stack" method="post" action="/api/auth/log-in">
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <label class="field">
                    <span>{t.login}</span>
                    <input name="login" autocomplete="username" autocapitalize="off" spellcheck="false" required/>
                </label>
                <SecretField
                    name="password".to_owned()
                    label=t.password.to_owned()
                    autocomplete="current-password".to_owned()
                    show=t.show.to_owned()
                    hide=t.hide.to_owned()
                />
                <button class="primary">{t.log_in}</button>
            </form>
            <p class="hint">{t.forgot}</p>
        </AuthFrame>
    }
}
