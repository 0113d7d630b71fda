//! The people who work with the console: the list of them, an invitation, and the one-time link.

pub mod one;
pub mod roles;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::frame::{Frame, Section};
use super::parts::{page_param, pager, param};
use crate::api::form::parse;
use crate::i18n::lang;
use crate::i18n::operators::{role, role_hint, role_of, state, texts};
use crate::ports::{operator, ports, reply, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::Page;
use model::error::AppError;
use model::ids::{PlaceId, UserId};
use model::operator::{OperatorChoices, OperatorLine, OperatorState, RoleChoice};

/// The page: `/operators?page=2`.
#[component]
pub fn OperatorsPage() -> impl IntoView {
    let number = page_param();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.operators.operators(&who, number).await
    };
    load(read, move |page| view! { <List page number /> }.into_any())
}

#[component]
fn List(page: Page<OperatorLine>, number: i64) -> impl IntoView {
    let t = texts(lang());
    let rows = page.lines.iter().map(row).collect_view();
    view! {
        <Frame title=t.operators section=Section::Operators>
            <div class="page-head">
                <h1>{t.operators}</h1>
                <div class="buttons">
                    <a class="button" href="/roles">{t.roles}</a>
                    <a class="button primary" href="/operators/new">{t.invite}</a>
                </div>
            </div>
            <Notice />
            <p class="hint">{t.operators_hint}</p>
            <TableScroll label=t.operators>
                <table class="table sticky stacked">
                    <caption class="visually-hidden">{t.operators}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col">{t.login}</th>
                            <th scope="col">{t.role}</th>
                            <th scope="col">{t.buildings}</th>
                            <th scope="col">{t.state}</th>
                            <th scope="col">{t.logged_in}</th>
                            <th scope="col" class="number">{t.sessions}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {pager(&page, number, "/operators")}
        </Frame>
    }
}

fn row(line: &OperatorLine) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <tr>
            <th scope="row"><a href=format!("/operators/{}", line.id)>{line.name.clone()}</a></th>
            <td class="num" data-label=t.login>{line.login.clone()}</td>
            <td data-label=t.role>{role_of(line, lang())}</td>
            <td class="long" data-label=t.buildings>{buildings(line)}</td>
            <td data-label=t.state>{state_mark(line)}</td>
            <td data-label=t.logged_in>{logged_in(line)}</td>
            <td class="number" data-label=t.sessions>{line.sessions}</td>
        </tr>
    }
}

/// The buildings in words; none is said, because it means that the person sees no room.
fn buildings(line: &OperatorLine) -> String {
    let t = texts(lang());
    match &line.buildings {
        None => t.all_buildings.to_owned(),
        Some(none) if none.is_empty() => t.no_buildings.to_owned(),
        Some(some) => some.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "),
    }
}

fn state_mark(line: &OperatorLine) -> impl IntoView + use<> {
    let class = match line.state() {
        OperatorState::Active => "state open",
        OperatorState::Invited => "state accent",
        OperatorState::InvitationEnded => "state alarm1",
        OperatorState::Disabled => "state quiet",
    };
    view! { <span class=class>{state(line.state(), lang())}</span> }
}

fn logged_in(line: &OperatorLine) -> AnyView {
    match line.logged_in_at {
        Some(at) => view! { <At at /> }.into_any(),
        None => view! { <span class="muted">{texts(lang()).never}</span> }.into_any(),
    }
}

/// The page: `/operators/new`.
#[component]
pub fn InvitePage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.operators.choices(&who).await
    };
    load(read, move |choices| view! { <Invite choices /> }.into_any())
}

#[component]
fn Invite(choices: OperatorChoices) -> impl IntoView {
    let t = texts(lang());
    let chosen = param("role").parse().unwrap_or(RoleChoice::Ready(model::person::Role::ReadOnly));
    let access = access_fields(&choices, chosen, false, &[]);
    view! {
        <Frame title=t.invite section=Section::Operators>
            <h1>{t.invite}</h1>
            <Notice />
            <p class="hint">{t.invite_hint}</p>
            <form class="card stack-tight" method="post" action="/api/operator/operators/invite">
                <Field name="login" label=t.login value=param("login") hint=t.login_hint />
                <Field name="name" label=t.name value=param("name") hint=t.name_hint optional=true />
                {access}
                <div class="buttons">
                    <button class="primary">{t.invite}</button>
                    <a class="button" href="/operators">{t.back}</a>
                </div>
            </form>
        </Frame>
    }
}

/// The fields for role and buildings, as far as this person may give them.
fn access_fields(choices: &OperatorChoices, chosen: RoleChoice, all: bool, some: &[PlaceId]) -> impl IntoView + use<> {
    let t = texts(lang());
    let option = |choice: RoleChoice, name: String, hint: String| {
        let checked = choice == chosen;
        view! {
            <label class="check role-choice">
                <input type="radio" name="role" value=choice.to_string() checked=checked required />
                <span><strong>{name}</strong>" "<span class="muted">{hint}</span></span>
            </label>
        }
    };
    let ready = choices
        .ready
        .iter()
        .map(|&one| option(RoleChoice::Ready(one), role(one, lang()).to_owned(), role_hint(one, lang()).to_owned()))
        .collect_view();
    let own = choices.own.iter().map(|one| option(RoleChoice::Own(one.id), one.name.clone(), String::new())).collect_view();
    let boxes = choices
        .buildings
        .iter()
        .map(|(id, name)| {
            view! {
                <label class="check">
                    <input type="checkbox" name="buildings[]" value=id.to_string() checked=some.contains(id) />
                    {name.clone()}
                </label>
            }
        })
        .collect_view();
    let every = choices.all_buildings.then(|| {
        view! {
            <label class="check">
                <input type="checkbox" name="all" value="on" checked=all />
                {t.all_buildings}
            </label>
        }
    });
    view! {
        <fieldset class="group">
            <legend>{t.role}</legend>
            {ready}
            {own}
        </fieldset>
        <fieldset class="group">
            <legend>{t.buildings}</legend>
            {every}
            <div class="building-choices">{boxes}</div>
            {choices.buildings.is_empty().then(|| view! {
                <p class="hint">{t.none_on_site}" "<a href="/places">{t.add_buildings}</a></p>
            })}
            <p class="hint">{t.buildings_hint}</p>
        </fieldset>
    }
}

/// The page: `/operators/:id/link`, right after the link was made. Loaded again it shows no link.
#[component]
pub fn LinkPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who, reply) = (ports()?, operator()?, reply()?);
        let line = ports.operators.operator(&who, parse::<UserId>(&id).map_err(|_| AppError::NotFound)?).await?;
        let code = visit().once;
        if code.is_empty() {
            return Ok((line, None));
        }
        reply.once("");
        Ok((line, Some(format!("{}/invitations/{code}", reply.own_address()))))
    };
    load(read, move |(line, address)| view! { <Link line address /> }.into_any())
}

#[component]
fn Link(line: OperatorLine, address: Option<String>) -> impl IntoView {
    let t = texts(lang());
    let body = match address {
        Some(address) => view! {
            <section class="card stack-tight">
                <p>{t.link_for}" "<strong>{line.name.clone()}</strong>" ("<span class="num">{line.login.clone()}</span>")"</p>
                <p class="one-time-link"><code>{address}</code></p>
                <p class="hint">{t.link_once}</p>
                {line.link_until.map(|at| view! { <p class="muted">{t.link_until}" "<At at /></p> })}
            </section>
        }
        .into_any(),
        None => view! { <Callout tone=Tone::Warn><p>{t.link_gone}</p></Callout> }.into_any(),
    };
    view! {
        <Frame title=t.link_page section=Section::Operators>
            <h1>{t.link_page}</h1>
            {body}
            <div class="buttons"><a class="button" href=format!("/operators/{}", line.id)>{t.to_person}</a></div>
        </Frame>
    }
}
