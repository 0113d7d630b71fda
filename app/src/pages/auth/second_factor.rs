//! Setting up a second factor, and the recovery codes.

use leptos::prelude::*;

use super::AuthFrame;
use crate::api::auth::SecondFactorSetup;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ports::{anyone, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;

/// Shows the secret as a QR code and as text, and asks for a first code.
#[component]
pub fn SecondFactorPage() -> impl IntoView {
    let read = async move { ports()?.auth.second_factor_setup(&anyone()?).await };
    load(read, move |setup| view! { <Setup setup /> }.into_any())
}

#[component]
fn Setup(setup: SecondFactorSetup) -> impl IntoView {
    let t = texts(lang());
    let SecondFactorSetup { typed, address, size, path } = setup;
    view! {
        <AuthFrame title=t.set_up_second_factor>
            <Notice/>
            <ol class="steps-to-do">
                <li>
                    <p>{t.scan_step}</p>
                    <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=t.qr_label><path d=path /></svg>
                    <p class="hint">{t.type_step}</p>
                    <p><code class="secret-text">{typed}</code></p>
                    <p><a href=address>{t.open_app}</a></p>
                </li>
                <li>
                    <form class="stack" method="post" action="/api/auth/confirm-second-factor">
                        <label class="field">
                            <span>{t.confirm_step}</span>
                            <input name="code" class="num" inputmode="numeric" autocomplete="one-time-code" maxlength="10"
                                required/>
                        </label>
                        <button class="primary">{t.turn_on}</button>
                    </form>
                </li>
            </ol>
            <p><a href="/password">{t.back}</a></p>
        </AuthFrame>
    }
}

/// Shows new recovery codes, once.
#[component]
pub fn RecoveryCodesPage() -> impl IntoView {
    let read = async move { ports()?.auth.new_recovery_codes(&anyone()?).await };
    load(read, move |codes| view! { <Codes codes /> }.into_any())
}

#[component]
fn Codes(codes: Vec<String>) -> impl IntoView {
    let t = texts(lang());
    if codes.is_empty() {
        return view! {
            <AuthFrame title=t.recovery_codes>
                <p>{t.codes_gone}</p>
                <p><a href="/password">{t.back}</a></p>
            </AuthFrame>
        }
        .into_any();
    }
    let list = codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view();
    view! {
        <AuthFrame title=t.recovery_codes>
            <p class="notice warn">{t.codes_once}</p>
            <ul class="recovery-codes">{list}</ul>
            <p class="hint">{t.codes_hint}</p>
            <p><a class="button primary" href="/password">{t.codes_kept}</a></p>
        </AuthFrame>
    }
    .into_any()
}
