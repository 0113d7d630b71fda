//! The first start: the page on which the first administrator is made.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{AuthFrame, password_field};
use crate::i18n::lang;
use crate::i18n::setup::texts;
use crate::i18n::{auth, errors, settings};
use crate::ports::{ports, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::default_field::default_field;
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use model::defaults::DefaultKind;
use model::error::AppError;

fn given(name: &str) -> String {
    use_query_map().with_untracked(|query| query.get(name)).unwrap_or_default()
}

/// The page: `/setup?token=...`, as the server printed it. There is no such page once somebody can log in.
#[component]
pub fn SetupPage() -> impl IntoView {
    let token = given("token");
    let read = async move {
        let ports = ports()?;
        if token.is_empty() {
            let is_open = ports.setup.is_open().await?;
            return if is_open { Ok((token, None)) } else { Err(AppError::NotFound) };
        }
        match ports.setup.check_token(&token, &visit()).await {
            Ok(()) => Ok((token, Some(Ok(())))),
            Err(error @ (AppError::Forbidden | AppError::RateLimited)) => Ok((token, Some(Err(error)))),
            Err(error) => Err(error),
        }
    };
    load(read, |(token, checked)| match checked {
        Some(Ok(())) => view! { <SiteForm token /> }.into_any(),
        refused => view! { <TokenForm refused=refused.and_then(Result::err) /> }.into_any(),
    })
}

/// Asks for the token.
#[component]
fn TokenForm(refused: Option<AppError>) -> impl IntoView {
    let t = texts(lang());
    let refused = refused.map(|error| {
        let said = if error == AppError::Forbidden { t.wrong_token } else { errors::message(error, lang()) };
        view! { <Callout tone=Tone::Bad><p>{said}</p></Callout> }
    });
    view! {
        <AuthFrame title=t.title>
            {refused}
            <p>{t.lead}</p>
            <p class="hint">{t.need_token}</p>
            <form class="stack" action="/setup">
                <Field name="token" label=t.token />
                <button class="primary">{t.go_on}</button>
            </form>
        </AuthFrame>
    }
}

#[component]
fn SiteForm(token: String) -> impl IntoView {
    let (t, a) = (texts(lang()), auth::texts(lang()));
    let defaults =
        DefaultKind::ALL.map(|kind| default_field(kind, kind.read(&given(kind.as_str())).ok().flatten(), String::new()));
    let defaults = defaults.collect_view();
    view! {
        <AuthFrame title=t.title>
            <Notice />
            <p>{t.lead}</p>
            <form class="stack" method="post" action="/api/setup/site">
                <input type="hidden" name="token" value=token />
                <fieldset class="stack">
                    <legend>{t.administrator}</legend>
                    <Field
                        name="login"
                        label=a.login
                        autocomplete="username"
                        value=given("login")
                        hint=t.login_hint
                    />
                    <Field name="name" label=t.name autocomplete="name" value=given("name") />
                    {password_field("password", a.password, "new-password")}
                    <p class="hint">{t.password_rule}</p>
                </fieldset>
                <fieldset class="stack">
                    <legend>{t.site}</legend>
                    <Field name="site" label=t.site_name value=given("site") hint=t.site_name_hint />
                    <dl class="said">
                        <dt>{t.time_zone}</dt>
                        <dd>{t.time_zone_value}</dd>
                    </dl>
                    <p class="hint">{t.time_zone_hint}</p>
                </fieldset>
                <fieldset class="stack">
                    <legend>{settings::texts(lang()).defaults}</legend>
                    <p class="hint">{t.defaults_hint}</p>
                    <div class="field-grid">{defaults}</div>
                </fieldset>
                <button class="primary">{t.create}</button>
            </form>
        </AuthFrame>
    }
}
