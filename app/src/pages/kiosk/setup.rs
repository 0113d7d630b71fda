//! The page behind the one-time link that makes a browser a query machine. Looking at it does not use the link.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use crate::i18n::kiosk::texts;
use crate::i18n::lang;
use crate::pages::auth::AuthFrame;
use crate::ui::notice::Notice;

/// The page: `/kiosk/setup/:code`.
#[component]
pub fn SetupPage() -> impl IntoView {
    let t = texts(lang());
    let code = use_params_map().with_untracked(|params| params.get("code")).unwrap_or_default();
    view! {
        <AuthFrame title=t.set_up>
            <Notice />
            <p>{t.set_up_hint}</p>
            <form method="post" action="/api/kiosk/register">
                <input type="hidden" name="code" value=code />
                <button class="primary wide tall">{t.register}</button>
            </form>
        </AuthFrame>
    }
}
