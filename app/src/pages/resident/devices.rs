//! Where a resident gets alerts besides addresses that are typed in: this device, and WeChat.

use leptos::nonce::use_nonce;
use leptos::prelude::*;

use crate::api::alerts::PushDevices;
use crate::i18n::installed::{Devices, texts};
use crate::i18n::lang;
use crate::ports::visit;

/// The section of this device; what its script cannot do, it says.
pub fn push_section(push: &PushDevices) -> impl IntoView + use<> {
    let (t, lang) = (texts(lang()), lang());
    let endpoints = serde_json::to_string(&push.endpoints).unwrap_or_default();
    let count = push.endpoints.len();
    let all = (count > 0).then(|| {
        view! {
            <p class="line">{Devices { count }.text(lang)}</p>
            <form method="post" action="/api/resident/alerts/remove">
                <input type="hidden" name="channel" value="push" />
                <button class="quiet">{t.remove_all}</button>
            </form>
        }
    });
    view! {
        <section class="card stack-tight" id="push" aria-labelledby="push-heading" data-key=push.key.clone()
            data-endpoints=endpoints>
            <h2 id="push-heading">{t.push}</h2>
            <p class="hint">{t.push_hint}</p>
            <p id="push-impossible">{t.push_impossible}</p>
            <p id="push-refused" class="bad-text" role="status" hidden>{t.push_refused}</p>
            <p id="push-failed" class="bad-text" role="status" hidden>{t.push_failed}</p>
            {device_form("push-add", "/api/resident/alerts/add-device", "primary wide", t.push_add)}
            {device_form("push-remove", "/api/resident/alerts/remove-device", "wide", t.push_remove)}
            {all}
        </section>
        <script type="module" nonce=use_nonce()>{include_str!("push.js")}</script>
    }
}

/// A form that the script fills in with the browser's subscription.
fn device_form(id: &'static str, action: &'static str, class: &'static str, word: &'static str) -> impl IntoView {
    view! {
        <form id=id method="post" action=action hidden>
            <input type="hidden" name="endpoint" />
            <input type="hidden" name="public_key" />
            <input type="hidden" name="secret" />
            <button class=class>{word}</button>
        </form>
    }
}

/// The section of WeChat.
pub fn wechat_section(is_bound: bool) -> impl IntoView {
    let t = texts(lang());
    let action = if is_bound {
        view! {
            <p class="line">{t.wechat_bound}</p>
            <form method="post" action="/api/resident/alerts/remove">
                <input type="hidden" name="channel" value="wechat" />
                <button>{t.wechat_remove}</button>
            </form>
        }
        .into_any()
    } else if visit().is_in_wechat() {
        view! {
            <form method="post" action="/api/resident/alerts/bind-wechat">
                <button class="primary wide">{t.wechat_bind}</button>
            </form>
        }
        .into_any()
    } else {
        view! { <p>{t.wechat_elsewhere}</p> }.into_any()
    };
    view! {
        <section class="card stack-tight" aria-labelledby="wechat-heading">
            <h2 id="wechat-heading">{t.wechat}</h2>
            <p class="hint">{t.wechat_hint}</p>
            {action}
        </section>
    }
}
