//! What a query machine shows while nobody is logged in. Other browsers are told that they are not registered.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::i18n::kiosk::{Machine, texts};
use crate::i18n::lang;
use crate::pages::auth::AuthFrame;
use crate::ports::{ports, reply, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::live::{BUSY, Live, without_script};
use crate::ui::notice::Notice;
use model::error::AppError;
use model::kiosk::KioskScreen;

/// The page: `/kiosk`, or `/kiosk?code=...` while a phone is awaited.
#[component]
pub fn ScreenPage() -> impl IntoView {
    let (code, is_wrong) = use_query_map().with_untracked(|query| (query.get("code"), query.get_str("wrong").is_some()));
    let code = code.filter(|code| !code.is_empty());
    Suspend::new(async move {
        let found = async {
            let (ports, reply, visit) = (ports()?, reply()?, visit());
            if visit.at_kiosk {
                reply.redirect("/home");
            }
            ports.kiosks.screen(&visit, &reply.own_address(), code.as_deref()).await
        };
        match found.await {
            Ok(KioskScreen::Start(name)) => {
                let trouble = is_wrong.then_some(texts(lang()).wrong);
                view! { <Start name trouble /> }.into_any()
            }
            Ok(screen) => view! { <Awaits screen code=code.unwrap_or_default() /> }.into_any(),
            Err(AppError::LinkEnded) => {
                let trouble = Some(texts(lang()).ended);
                view! { <Start name=String::new() trouble /> }.into_any()
            }
            Err(AppError::Forbidden) => view! { <NotRegistered /> }.into_any(),
            Err(error) => view! { <crate::pages::error::ErrorPage error /> }.into_any(),
        }
    })
}

/// The two ways to log in.
#[component]
fn Start(name: String, trouble: Option<&'static str>) -> impl IntoView {
    let t = texts(lang());
    let name = (!name.is_empty()).then(|| view! { <p class="muted small">{Machine { name }.text(lang())}</p> });
    let trouble = trouble.map(|words| view! { <Callout tone=Tone::Bad><p>{words}</p></Callout> });
    view! {
        <AuthFrame title=t.title>
            <div class="stack kiosk">
                <Notice />
                {trouble}
                <form method="post" action="/api/kiosk/begin">
                    <button class="primary wide tall">{t.by_phone}</button>
                </form>
                <form class="card stack-tight" method="post" action="/api/kiosk/enter-by-code">
                    <h2>{t.by_code}</h2>
                    <p class="hint">{t.by_code_hint}</p>
                    <Field name="room" label=t.room />
                    <Field name="code" label=t.code inputmode="numeric" autocomplete="one-time-code" />
                    <button class="wide tall">{t.log_in}</button>
                </form>
                {name}
            </div>
            <script nonce=use_nonce()>{include_str!("kiosk.js")}</script>
        </AuthFrame>
    }
}

/// Shows the QR code until the phone confirms, then goes on by itself, or by a button without a script.
#[component]
fn Awaits(screen: KioskScreen, code: String) -> impl IntoView {
    let t = texts(lang());
    let is_confirmed = screen == KioskScreen::Confirmed;
    let body = match screen {
        KioskScreen::Scan(size, path) => view! {
            <section class="card scan">
                <p>{t.scan}</p>
                <svg class="qr" viewBox=format!("0 0 {size} {size}") role="img" aria-label=t.scan_label>
                    <path d=path />
                </svg>
                <p class="muted small">{t.scan_hint}</p>
            </section>
        }
        .into_any(),
        KioskScreen::Start(_) | KioskScreen::Confirmed => view! {
            <form method="post" action="/api/kiosk/enter" id="kiosk-enter">
                <input type="hidden" name="code" value=code />
                <button class="primary wide tall">{t.go_on}</button>
            </form>
        }
        .into_any(),
    };
    view! {
        <AuthFrame title=t.title>
            <div class="stack kiosk">
                <Live id="kiosk-log-in" again=(!is_confirmed).then_some(BUSY)>{body}</Live>
                {without_script(is_confirmed)}
                <a class="button wide" href="/kiosk">{t.cancel}</a>
            </div>
            <script nonce=use_nonce()>{include_str!("kiosk.js")}</script>
        </AuthFrame>
    }
}

#[component]
fn NotRegistered() -> impl IntoView {
    let t = texts(lang());
    if let Ok(reply) = reply() {
        reply.status(AppError::NotFound.status());
    }
    let leave = (!visit().kiosk.is_empty()).then(|| {
        view! {
            <form method="post" action="/api/kiosk/leave">
                <button>{t.leave}</button>
            </form>
        }
    });
    view! {
        <AuthFrame title=t.title>
            <Callout tone=Tone::Warn><p>{t.not_registered}</p></Callout>
            {leave}
        </AuthFrame>
    }
}
