//! A person's own account: password, second factor, sessions.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{AuthFrame, password_field};
use crate::access::start;
use crate::api::auth::{OwnAccount, OwnSession};
use crate::i18n::auth::{self as words, texts};
use crate::i18n::lang;
use crate::ports::{anyone, ports, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::{Ago, At};

/// Changing the password requires the old one, so that an unlocked phone is not enough. As long as it has to be
/// changed, there is nothing else here.
#[component]
pub fn PasswordPage() -> impl IntoView {
    let read = async move { ports()?.auth.account(&anyone()?, &visit()).await };
    load(read, move |account| view! { <Account account /> }.into_any())
}

#[component]
fn Account(account: OwnAccount) -> impl IntoView {
    let t = texts(lang());
    let who = anyone();
    let home = who.as_ref().map_or("/", |who| start(who.role));
    let rule = if account.password_only { t.rule_password_only } else { t.rule };
    let title = if account.password_due { t.choose_password } else { t.own_account };
    let is_changed = use_query_map().with_untracked(|query| query.get_str("done") == Some("changed"));
    let rest = (!account.password_due).then(|| {
        view! {
            <section class="own-part" aria-labelledby="second-factor">
                <h2 id="second-factor">{t.second_factor}</h2>
                {second_factor(&account)}
            </section>
            <section class="own-part" aria-labelledby="sessions">
                <h2 id="sessions">{t.sessions}</h2>
                {sessions(&account.sessions)}
            </section>
            <p><a class="tap" href=home>{t.back}</a></p>
        }
    });
    view! {
        <AuthFrame title=title>
            <Notice/>
            {is_changed.then(|| view! { <Callout tone=Tone::Good><p>{t.password_changed}</p></Callout> })}
            {who.ok().map(|who| view! { <p class="muted">{who.name}</p> })}
            {account.password_due.then(|| view! { <p class="notice">{t.due_note}</p> })}
            <section class="own-part" aria-labelledby="own-password">
                <h2 id="own-password">{t.change_password}</h2>
                <form class="stack" method="post" action="/api/auth/password">
                    {password_field("old", t.old_password, "current-password")}
                    {password_field("new", t.new_password, "new-password")}
                    <p class="hint">{rule}" "{t.rule_more}" "{t.change_ends}</p>
                    <button class="primary">{t.change_password}</button>
                </form>
            </section>
            {rest}
            <form method="post" action="/api/auth/log-out"><button class="quiet">{t.log_out}</button></form>
        </AuthFrame>
    }
}

fn second_factor(account: &OwnAccount) -> impl IntoView + use<> {
    let t = texts(lang());
    if !account.has_second_factor {
        return view! {
            <p>{t.second_factor_off}</p>
            <form class="stack" method="post" action="/api/auth/prepare-second-factor">
                {password_field("password", t.password, "current-password")}
                <button>{t.set_up}</button>
            </form>
        }
        .into_any();
    }
    let left = words::CodesLeft { count: account.recovery_codes }.text(lang());
    view! {
        <p><strong>{t.second_factor_on}</strong>" "{left}</p>
        <details>
            <summary>{t.renew_codes}</summary>
            <form class="stack" method="post" action="/api/auth/renew-recovery-codes">
                <p class="hint">{t.renew_hint}</p>
                {password_field("password", t.password, "current-password")}
                <button>{t.renew_codes}</button>
            </form>
        </details>
        <details>
            <summary>{t.turn_off}</summary>
            <form class="stack" method="post" action="/api/auth/turn-off-second-factor">
                <p class="hint">{t.turn_off_hint}</p>
                {password_field("password", t.password, "current-password")}
                <button>{t.turn_off}</button>
            </form>
        </details>
    }
    .into_any()
}

fn sessions(all: &[OwnSession]) -> impl IntoView + use<> {
    let t = texts(lang());
    let items = all.iter().map(|one| {
        let end = (!one.is_this).then(|| {
            view! {
                <form method="post" action="/api/auth/end-session">
                    <input type="hidden" name="id" value=one.id.clone()/>
                    <button class="quiet">{t.end_session}</button>
                </form>
            }
        });
        let (created, seen) = (one.created_at, one.seen_at);
        view! {
            <li>
                <div>
                    <strong title=one.agent.clone()>{words::device(&one.agent, lang())}</strong>
                    {one.is_this.then(|| view! { " "<span class="state open">{t.this_session}</span> })}
                    <p class="muted small">
                        {words::log_in(one.log_in, lang())}" · "
                        <span class="num">{one.ip.clone()}</span>" · "{t.since}" "<At at=created/>
                        " · "{t.last_used}" "<Ago at=seen/>
                    </p>
                </div>
                {end}
            </li>
        }
    });
    let others = (all.len() > 1).then(|| {
        view! { <form method="post" action="/api/auth/end-other-sessions"><button>{t.end_others}</button></form> }
    });
    view! { <ul class="own-sessions">{items.collect_view()}</ul>{others} }
}
