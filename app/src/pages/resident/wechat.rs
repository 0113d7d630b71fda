//! The WeChat account by which the resident logs in.

use leptos::prelude::*;

use super::frame::{Frame, Tab, load};
use crate::api::wechat_log_in::{self as api, WechatBinding};
use crate::i18n::personal::{WechatSince, texts};
use crate::i18n::{alerts, common, installed, lang};
use crate::ports::{now, visit};
use crate::ui::callout::{self, Callout, Tone};
use crate::ui::field::Field;
use crate::ui::notice::Notice;

/// The page: `/me/wechat`.
#[component]
pub fn WechatPage() -> impl IntoView {
    load(Tab::Me, api::wechat_binding(), |binding| view! { <Body binding /> }.into_any())
}

#[component]
fn Body(binding: WechatBinding) -> impl IntoView {
    let (lang, t) = (lang(), texts(lang()));
    let bound = binding.bound_at.map(|at| {
        let day = common::calendar_day(at.date(), now().date(), lang);
        view! {
            <section class="card stack-tight">
                <p class="line">{WechatSince { day }.text(lang)}</p>
                <form method="post" action="/api/resident/wechat/unbind">
                    <button class="wide">{installed::texts(lang).wechat_remove}</button>
                </form>
            </section>
        }
    });
    view! {
        <Frame title=t.wechat tab=Tab::Me>
            <p class="muted">{t.wechat_lead}</p>
            <Notice />
            {outcome()}
            {bound}
            {bind(binding)}
        </Frame>
    }
}

/// The outcome of the last form, or of the sign-in, from the address.
fn outcome() -> Option<AnyView> {
    let t = texts(lang());
    callout::outcome(|done| match done {
        "bound" => Some((Tone::Good, t.wechat_linked)),
        "unbound" => Some((Tone::Good, t.wechat_unlinked)),
        "taken" => Some((Tone::Bad, t.wechat_taken)),
        "ended" => Some((Tone::Bad, t.wechat_ended)),
        _ => None,
    })
}

fn bind(binding: WechatBinding) -> AnyView {
    let (t, alerts, installed) = (texts(lang()), alerts::texts(lang()), installed::texts(lang()));
    if !binding.is_offered {
        return view! { <Callout><p>{t.wechat_not_offered}</p></Callout> }.into_any();
    }
    if !visit().is_in_wechat() {
        return view! { <p>{installed.wechat_elsewhere}</p> }.into_any();
    }
    let label = if binding.bound_at.is_some() { t.wechat_replace } else { installed.wechat_bind };
    view! {
        <section class="card stack-tight">
            <form class="stack-tight" method="post" action="/api/resident/wechat/bind">
                <Field name="password" label=alerts.password kind="password" autocomplete="current-password"
                    hint=t.wechat_password />
                <button class="primary wide">{label}</button>
            </form>
        </section>
    }
    .into_any()
}
