//! What a phone shows that scanned the QR code of a query machine: its resident confirms that they stand there.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::i18n::kiosk::{ConfirmAt, texts};
use crate::i18n::{errors, lang};
use crate::pages::resident::frame::{Frame, Tab, load};
use crate::ports::{ports, reply, resident};
use crate::ui::callout::{Callout, Tone};
use model::error::AppError;

/// The page: `/kiosk/confirm?code=...`.
#[component]
pub fn ConfirmPage() -> impl IntoView {
    let (code, is_done) =
        use_query_map().with_untracked(|query| (query.get("code").unwrap_or_default(), query.get_str("done").is_some()));
    load(
        Tab::Me,
        async move {
            let (ports, who) = (ports()?, resident()?);
            if is_done {
                return Ok((code, None));
            }
            match ports.kiosks.machine(&who, &code).await {
                Ok(machine) => Ok((code, Some(Ok(machine)))),
                Err(AppError::LinkEnded) => Ok((code, Some(Err(AppError::LinkEnded)))),
                Err(error) => Err(error),
            }
        },
        |(code, found)| view! { <Body code found /> }.into_any(),
    )
}

#[component]
fn Body(code: String, found: Option<Result<String, AppError>>) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let body = match found {
        None => view! { <Callout tone=Tone::Good><p>{t.confirmed}</p></Callout> }.into_any(),
        Some(Err(error)) => {
            if let Ok(reply) = reply() {
                reply.status(error.status());
            }
            view! { <Callout tone=Tone::Warn><p>{errors::message(error, lang)}</p></Callout> }.into_any()
        }
        Some(Ok(machine)) => view! {
            <p>{ConfirmAt { machine }.text(lang)}</p>
            <form method="post" action="/api/resident/confirm-kiosk">
                <input type="hidden" name="code" value=code />
                <button class="primary wide tall">{t.confirm}</button>
            </form>
            <a class="button wide" href="/home">{t.cancel}</a>
        }
        .into_any(),
    };
    view! { <Frame title=t.confirm_title tab=Tab::Me>{body}</Frame> }
}
