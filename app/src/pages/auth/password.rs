//! A person's own account: password, second factor, sessions.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{AuthFrame, password_field};
use crate::access::start;
use crate::api::auth::{OwnAccount, OwnSession};
use crate::i18n::auth::{self as words, texts};
use crate::i18n::{lang, personal};
use crate::ports::{Role, anyone, now, ports, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::{Ago, At};

/// Changing the password requires the old one, so that an unlocked phone is not enough. As long as it has to be
/// changed, there is nothing else here.
#[component]
pub fn PasswordPage() -> impl IntoView {
    let is_changed = use_query_map().with_untracked(|query| query.get_str("done") == Some("changed"));
    let read = async move {
        let (ports, who, visit, now) = (ports()?, anyone()?, visit(), now());
        let account = ports.auth.account(&who, &visit).await?;
        if !is_changed {
            return Ok((account, None));
        }
        if who.role != Role::Resident {
            return Ok((account, Some(KeptAccess::default())));
        }
        let tokens = ports.personal.tokens(&who).await?;
        let has_tokens = tokens.iter().any(|token| token.revoked_at.is_none() && token.expires_at > now);
        let has_wechat = ports.wechat_log_in.wechat_bound_at(&who).await?.is_some();
        Ok((account, Some(KeptAccess { has_tokens, has_wechat })))
    };
    load(read, move |(account, changed)| view! { <Account account changed /> }.into_any())
}

/// What a resident has made that a password they changed themselves does not end.
#[derive(Clone, Copy, Default)]
struct KeptAccess {
    has_tokens: bool,
    has_wechat: bool,
}

/// Says that the password was changed, and what goes on.
fn changed_notice(kept: KeptAccess) -> impl IntoView {
    let (t, p) = (texts(lang()), personal::texts(lang()));
    let still_open = (kept.has_tokens || kept.has_wechat).then(|| {
        view! {
            <p>{t.still_open}</p>
            <ul>
                {kept.has_tokens.then(|| view! { <li><a class="tap" href="/me/tokens">{p.tokens}</a></li> })}
                {kept.has_wechat.then(|| view! { <li><a class="tap" href="/me/wechat">{p.wechat}</a></li> })}
            </ul>
        }
    });
    view! { <Callout tone=Tone::Good><p>{t.password_changed}</p>{still_open}</Callout> }
}

#[component]
fn Account(account: OwnAccount, changed: Option<KeptAccess>) -> impl IntoView {
    let t = texts(lang());
    let who = anyone();
    let home = who.as_ref().map_or("/", |who| start(who.role));
    let rule = if account.password_only { t.rule_password_only } else { t.rule };
    let title = if account.password_due { t.choose_password } else { t.own_account };
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
            {changed.map(changed_notice)}
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
