//! The second step of a log-in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::AuthFrame;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ports::{ports, reply, visit};
use crate::ui::load::load;
use crate::ui::notice::Notice;

/// Asks for the code of the second factor, or for a recovery code. Without a log-in that waits it leads back to the first step.
#[component]
pub fn CodePage() -> impl IntoView {
    let next = use_query_map().with_untracked(|query| query.get("next"));
    let read = async move {
        let waits = ports()?.auth.waits_for_code(&visit()).await?;
        if !waits {
            reply()?.redirect("/login?e=not-logged-in");
        }
        Ok(())
    };
    load(read, move |()| view! { <CodeForm next=next.clone() /> }.into_any())
}

#[component]
fn CodeForm(next: Option<String>) -> impl IntoView {
    let t = texts(lang());
    view! {
        <AuthFrame title=t.second_step>
            <Notice/>
            <form class="stack" method="post" action="/api/auth/second-step">
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                <label class="field">
                    <span>{t.code}</span>
                    <input name="code" class="num" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false"
                        maxlength="40" required autofocus/>
                </label>
                <p class="hint">{t.code_hint}</p>
                <button class="primary">{t.log_in}</button>
            </form>
            <p><a class="tap" href="/login">{t.back}</a></p>
            <p class="hint">{t.lost_second_factor}</p>
        </AuthFrame>
    }
}
