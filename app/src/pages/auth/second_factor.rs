//! Setting up a second factor, and the recovery codes.

use leptos::prelude::*;

use super::AuthFrame;
use crate::api::auth::{BETWEEN_CODES, SecondFactorSetup};
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ports::{anyone, ports, reply, visit};
use crate::ui::load::load;
use crate::ui::notice::Notice;

/// Characters of a recovery code, dashes included.
const CODE_LENGTH: usize = 19;

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
                    <p><a class="tap" href=address>{t.open_app}</a></p>
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
            <p><a class="tap" href="/password">{t.back}</a></p>
        </AuthFrame>
    }
}

/// The recovery codes that the request before left; none where it left something else, or nothing.
fn recovery_codes_of(once: &str) -> Vec<String> {
    let codes = once.split(BETWEEN_CODES).filter(|code| !code.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    if codes.iter().all(|code| code.len() == CODE_LENGTH) { codes } else { Vec::new() }
}

/// Shows new recovery codes, once. Loaded again it shows none.
#[component]
pub fn RecoveryCodesPage() -> impl IntoView {
    let read = async move {
        let (_, codes) = (anyone()?, recovery_codes_of(&visit().once));
        if !codes.is_empty() {
            reply()?.once("");
        }
        Ok(codes)
    };
    load(read, move |codes| view! { <Codes codes /> }.into_any())
}

#[component]
fn Codes(codes: Vec<String>) -> impl IntoView {
    let t = texts(lang());
    if codes.is_empty() {
        return view! {
            <AuthFrame title=t.recovery_codes>
                <p>{t.codes_gone}</p>
                <p><a class="tap" href="/password">{t.back}</a></p>
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recovery_codes_are_shown_as_such() {
        let codes = ["ABCD-2345-WXYZ-7777", "ABCD-2345-WXYZ-6666"];
        assert_eq!(recovery_codes_of(&codes.join(BETWEEN_CODES)), codes);
        assert!(recovery_codes_of("").is_empty());
        // A link for another operator was made, and its page was not opened.
        assert!(recovery_codes_of("q3Jc1yYp0p0dO3b7e1Zf7w9sQ2rT5uVxWyZaBcDeFgH").is_empty());
    }
}
