//! One operator: role and buildings, one-time link, sessions, and whether they can log in.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::{access_fields, buildings, logged_in, state_mark};
use crate::api::form::parse;
use crate::i18n::lang;
use crate::i18n::operators::{AccessSaved, role_of, texts};
use crate::ports::{Who, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::time::At;
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::operator::{OperatorChoices, OperatorLine, OperatorState};

/// The page: `/operators/:id`; `?do=disable` and the like ask for a confirmation.
#[component]
pub fn OperatorPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let line = ports.operators.operator(&who, parse::<UserId>(&id).map_err(|_| AppError::NotFound)?).await?;
        Ok((line, ports.operators.choices(&who).await?, who))
    };
    load(read, move |(line, choices, who)| view! { <Body line choices who /> }.into_any())
}

#[component]
fn Body(line: OperatorLine, choices: OperatorChoices, who: Who) -> impl IntoView {
    let t = texts(lang());
    let done = match param("done").as_str() {
        "access" => {
            let role = role_of(&line, lang());
            Some(AccessSaved { name: &line.name, role, buildings: buildings(&line) }.text(lang()))
        }
        "ended" => Some(t.ended.to_owned()),
        "disabled" => Some(t.disabled.to_owned()),
        "enabled" => Some(t.enabled.to_owned()),
        _ => None,
    };
    let own: Vec<PlaceId> = line.buildings.iter().flatten().map(|(id, _)| *id).collect();
    let within = choices.all_buildings
        || (line.buildings.is_some() && own.iter().all(|id| choices.buildings.iter().any(|(one, _)| one == id)));
    let may_change = who.permissions.covers(line.permissions) && within;
    let confirm = confirm(&line);
    let forms = match (may_change, confirm.is_some()) {
        (true, false) => Some(view! { {access(&line, &choices, &own)} {actions(&line)} }.into_any()),
        (true, true) => None,
        (false, _) => Some(view! { <Callout tone=Tone::Warn><p>{t.more_than_you}</p></Callout> }.into_any()),
    };
    view! {
        <Frame title=line.name.clone() section=Section::Operators>
            <div class="page-head">
                <h1>{line.name.clone()}</h1>
                {state_mark(&line)}
            </div>
            <Notice />
            {done.map(|says| view! { <Callout tone=Tone::Good><p>{says}</p></Callout> })}
            {(line.id == who.user).then(|| view! { <p class="hint">{t.yourself}</p> })}
            <section class="card">
                <dl class="facts">
                    <dt>{t.login}</dt>
                    <dd class="num">{line.login.clone()}</dd>
                    <dt>{t.role}</dt>
                    <dd>{role_of(&line, lang())}</dd>
                    <dt>{t.buildings}</dt>
                    <dd>{buildings(&line)}</dd>
                    <dt>{t.logged_in}</dt>
                    <dd>{logged_in(&line)}</dd>
                    <dt>{t.sessions}</dt>
                    <dd class="num">{line.sessions}</dd>
                    {line.link_until.map(|at| view! { <dt>{t.link_until}</dt><dd><At at /></dd> })}
                </dl>
            </section>
            {may_change.then_some(confirm)}
            {forms}
            <div class="buttons"><a class="button" href="/operators">{t.back}</a></div>
        </Frame>
    }
}

fn access(line: &OperatorLine, choices: &OperatorChoices, own: &[PlaceId]) -> impl IntoView + use<> {
    let t = texts(lang());
    let fields = access_fields(choices, line.role, line.buildings.is_none(), own);
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/operators/access">
            <h2>{t.access_title}</h2>
            <p class="hint">{t.access_hint}</p>
            <input type="hidden" name="id" value=line.id.to_string() />
            {fields}
            <button class="primary">{t.save}</button>
        </form>
    }
}

/// What it says, its button, and what it does.
struct Action {
    title: &'static str,
    hint: &'static str,
    button: &'static str,
    word: &'static str,
    path: &'static str,
}

/// The actions on this operator as they are now.
fn offered(line: &OperatorLine) -> Vec<Action> {
    let t = texts(lang());
    let state = line.state();
    let link = if line.is_accepted { (t.reset_hint, t.reset) } else { (t.invite_again_hint, t.invite_again) };
    let link = Action { title: t.link_title, hint: link.0, button: link.1, word: "link", path: "/api/operator/operators/link" };
    let end =
        Action { title: t.end_title, hint: t.end_hint, button: t.end, word: "end", path: "/api/operator/operators/end-sessions" };
    let disable = Action {
        title: t.disable_title,
        hint: t.disable_hint,
        button: t.disable,
        word: "disable",
        path: "/api/operator/operators/disable",
    };
    let enable = Action {
        title: t.enable_title,
        hint: t.enable_hint,
        button: t.enable,
        word: "enable",
        path: "/api/operator/operators/enable",
    };
    match state {
        OperatorState::Disabled => vec![enable],
        OperatorState::Active => vec![link, end, disable],
        OperatorState::Invited | OperatorState::InvitationEnded => vec![link, disable],
    }
}

fn actions(line: &OperatorLine) -> impl IntoView + use<> {
    let page = format!("/operators/{}", line.id);
    let cards = offered(line).into_iter().map(|action| {
        view! {
            <section class="card stack-tight">
                <h2>{action.title}</h2>
                <p class="hint">{action.hint}</p>
                <p><a class="button" href=format!("{page}?do={}", action.word)>{action.button}</a></p>
            </section>
        }
    });
    cards.collect_view()
}

/// The confirmation that the address asks for: what will happen to whom.
fn confirm(line: &OperatorLine) -> Option<AnyView> {
    let (t, asked) = (texts(lang()), param("do"));
    let action = offered(line).into_iter().find(|action| action.word == asked)?;
    let whom = format!("{} ({})", line.name, line.login);
    let class = if action.word == "disable" { "danger" } else { "primary" };
    Some(
        view! {
            <form class="card confirm" method="post" action=action.path>
                <p><strong>{action.button}": "{whom}</strong></p>
                <p>{action.hint}</p>
                <input type="hidden" name="id" value=line.id.to_string() />
                <div class="buttons">
                    <button class=class autofocus>{t.confirm}</button>
                    <a class="button" href=format!("/operators/{}", line.id)>{crate::i18n::room::texts(lang()).back}</a>
                </div>
            </form>
        }
        .into_any(),
    )
}
