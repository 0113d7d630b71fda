//! The code that a resident types in at a query machine.

use leptos::prelude::*;

use crate::i18n::kiosk::texts;
use crate::i18n::lang;
use crate::pages::resident::frame::{Frame, Tab};
use crate::ports::{reply, resident, visit};
use crate::ui::notice::Notice;

/// The page: `/me/kiosk`. Loaded again it shows no code.
#[component]
pub fn CodePage() -> impl IntoView {
    let t = texts(lang());
    let code = visit().once;
    // A secret for another page is left for that page.
    let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let code = (resident().is_ok() && is_code).then_some(code);
    if let (Some(_), Ok(reply)) = (&code, reply()) {
        reply.once("");
    }
    let shown = code.map(|code| {
        view! {
            <section class="card stack-tight" role="status">
                <p class="big num">{code}</p>
                <p class="hint">{t.code_hint}</p>
            </section>
        }
    });
    view! {
        <Frame title=t.code_title tab=Tab::Me>
            <Notice />
            <p class="muted">{t.code_lead}</p>
            {shown}
            <form method="post" action="/api/resident/kiosk-code">
                <button class="primary wide tall">{t.make_code}</button>
            </form>
        </Frame>
    }
}
