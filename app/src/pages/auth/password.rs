//! Changing one's password.

use leptos::prelude::*;

use super::AuthFrame;
use crate::i18n::auth::texts;
use crate::i18n::lang;
use crate::ui::notice::Notice;
use crate::ui::secret_field::SecretField;

/// Requires the old password, so that an unlocked phone is not enough.
#[component]
pub fn PasswordPage() -> impl IntoView {
    let t = texts(lang());
    let field = move |name: &str, label: &str, autocomplete: &str| {
        view! {
            <SecretField
                name=name.to_owned()
                label=label.to_owned()
                autocomplete=autocomplete.to_owned()
                show=t.show.to_owned()
                hide=t.hide.to_owned()
            />
        }
    };
    view! {
        <AuthFrame title=t.change_password>
            <Notice/>
            <form class="stack" method="post" action="/api/auth/password">
                {field("old", t.old_password, "current-password")}
                {field("new", t.new_password, "new-password")}
                <p class="hint">{t.password_rule}</p>
                <button class="primary">{t.change_password}</button>
            </form>
            <p><a href="/">{t.back}</a></p>
        </AuthFrame>
    }
}
