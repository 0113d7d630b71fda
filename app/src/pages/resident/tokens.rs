//! The resident's tokens for programs. All of it plain forms.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::frame::{Frame, Tab, load, shown_once};
use crate::api::personal as api;
use crate::i18n::lang;
use crate::i18n::personal::{DaysOf, texts};
use crate::ports::now;
use crate::ui::callout::{Callout, Tone};
use crate::ui::notice::Notice;
use crate::ui::time::{Ago, At};
use model::error::AppError;
use model::personal::{ApiScope, ApiToken, TOKEN_DAYS, TOKEN_PREFIX};

/// The page: `/me/tokens`. Right after one was made it shows the token, once.
#[component]
pub fn TokensPage() -> impl IntoView {
    let read = async move {
        let made = shown_once(TOKEN_PREFIX)?;
        Ok::<_, AppError>((api::tokens().await?, made))
    };
    load(Tab::Me, read, |(tokens, made)| view! { <Body tokens made /> }.into_any())
}

#[component]
fn Body(tokens: Vec<ApiToken>, made: Option<String>) -> impl IntoView {
    let t = texts(lang());
    let revoked = use_query_map().with_untracked(|query| query.get_str("done") == Some("revoked"));
    let made = made.map(|token| {
        view! {
            <Callout tone=Tone::Good>
                <p><strong>{t.token_made}</strong></p>
                <p><code class="secret-text">{token}</code></p>
                <p>{t.token_once}</p>
            </Callout>
        }
    });
    let none = tokens.is_empty().then(|| view! { <p class="muted">{t.no_tokens}</p> });
    let lines = tokens.iter().map(line).collect_view();
    view! {
        <Frame title=t.tokens tab=Tab::Me>
            <p class="muted">{t.tokens_lead}" "<a href="/help/api">{t.how}</a></p>
            <Notice />
            {revoked.then(|| view! { <Callout tone=Tone::Good><p>{t.token_revoked}</p></Callout> })}
            {made}
            <section class="card stack-tight" aria-labelledby="own-tokens">
                <h2 id="own-tokens">{t.own_tokens}</h2>
                {none}
                <ul class="own-sessions">{lines}</ul>
            </section>
            {form()}
        </Frame>
    }
}

fn line(token: &ApiToken) -> impl IntoView + use<> {
    let t = texts(lang());
    let is_over = token.revoked_at.is_some() || token.expires_at <= now();
    let state = match token.revoked_at {
        Some(_) => Some(t.revoked),
        None if is_over => Some(t.expired),
        None => None,
    };
    let scopes = [(token.reads_use, t.scope_use), (token.reads_records, t.scope_records)];
    let scopes = scopes.into_iter().filter_map(|(has, word)| has.then_some(word)).collect::<Vec<_>>().join(" · ");
    let used = match token.used_at {
        Some(at) => view! { {t.last_used}" "<Ago at /> }.into_any(),
        None => t.never_used.into_any(),
    };
    let (until, id) = (token.expires_at, token.id.to_string());
    let revoke = (!is_over).then(|| {
        view! {
            <form method="post" action="/api/resident/tokens/revoke">
                <input type="hidden" name="id" value=id />
                <button>{t.revoke}</button>
            </form>
        }
    });
    view! {
        <li>
            <div>
                <strong>{token.name.clone()}</strong>
                {state.map(|state| view! { " "<span class="state quiet">{state}</span> })}
                <p class="muted small">{scopes}</p>
                <p class="muted small">{t.valid_until}" "<At at=until />" · "{used}</p>
            </div>
            {revoke}
        </li>
    }
}

fn form() -> impl IntoView {
    let t = texts(lang());
    let scope = |scope: ApiScope, word: &'static str| {
        view! {
            <label class="check">
                <input type="checkbox" name="scopes[]" value=scope.as_str() checked=true />
                {word}
            </label>
        }
    };
    let days = TOKEN_DAYS.map(|count| {
        view! { <option value=count.to_string() selected=count == 90>{DaysOf { count }.text(lang())}</option> }
    });
    view! {
        <form class="card stack-tight" method="post" action="/api/resident/tokens/create">
            <h2>{t.new_token}</h2>
            <div class="field">
                <label for="token-name">{t.token_name}</label>
                <input class="input" id="token-name" name="name" required maxlength="40" autocomplete="off" />
                <p class="hint">{t.token_name_hint}</p>
            </div>
            <fieldset class="stack-tight">
                <legend>{t.scopes}</legend>
                {scope(ApiScope::Use, t.scope_use)}
                {scope(ApiScope::Records, t.scope_records)}
            </fieldset>
            <div class="field">
                <label for="token-days">{t.valid_for}</label>
                <select class="input" id="token-days" name="days">{days.collect_view()}</select>
            </div>
            <button class="primary wide">{t.make_token}</button>
        </form>
    }
}
