//! The roles: what each may do, and the form for those that the site makes for itself.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::i18n::operators::{RoleSaved, permission, permission_hint, role, role_hint, texts};
use crate::i18n::{common, lang};
use crate::ports::{Who, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::field::Field;
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::error::AppError;
use model::ids::RoleId;
use model::operator::OwnRole;
use model::permission::{Permission, Permissions};
use model::person::Role;

/// The page: `/roles`.
#[component]
pub fn RolesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        Ok((ports.operators.roles().await?, ports.operators.choices(&who).await?.all_buildings))
    };
    load(read, move |(own, may_change)| view! { <Matrix own may_change /> }.into_any())
}

#[component]
fn Matrix(own: Vec<OwnRole>, may_change: bool) -> impl IntoView {
    let t = texts(lang());
    let done = match param("done").as_str() {
        "saved" => {
            let saved = own.iter().find(|role| role.name == param("name")).and_then(|role| {
                let permissions = role.permissions.iter().map(|one| permission(one, lang()).to_owned());
                let permissions = common::list(permissions, lang())?;
                Some(RoleSaved { name: &role.name, permissions }.text(lang()))
            });
            Some(saved.unwrap_or_else(|| t.saved.to_owned()))
        }
        "removed" => Some(t.removed.to_owned()),
        _ => None,
    };
    let ready = Role::READY.map(|one| {
        view! { <th scope="col" title=role_hint(one, lang())>{role(one, lang())}</th> }
    });
    let named = own.iter().map(|one| {
        view! { <th scope="col"><a href=format!("/roles/{}", one.id)>{one.name.clone()}</a></th> }
    });
    let named = named.collect_view();
    let rows = Permission::ALL.map(|one| row(one, &own)).collect_view();
    view! {
        <Frame title=t.roles section=Section::Operators>
            <div class="page-head">
                <h1>{t.roles}</h1>
                <div class="buttons">
                    <a class="button" href="/operators">{t.operators}</a>
                    {may_change.then(|| view! { <a class="button primary" href="/roles/new">{t.new_role}</a> })}
                </div>
            </div>
            <Notice />
            {done.map(|says| view! { <Callout tone=Tone::Good><p>{says}</p></Callout> })}
            <p class="hint">{t.roles_hint}</p>
            {(!may_change).then(|| view! { <p class="hint">{t.roles_of_site}</p> })}
            <TableScroll label=t.roles>
                <table class="table sticky stacked role-matrix">
                    <caption class="visually-hidden">{t.roles}</caption>
                    <thead><tr><th scope="col">{t.permission}</th>{ready}{named}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {own_roles(&own)}
        </Frame>
    }
}

fn row(one: Permission, own: &[OwnRole]) -> impl IntoView + use<> {
    let t = texts(lang());
    let cell = |name: &str, has: bool| {
        let (mark, word, class) = if has { ("✓", t.yes, "mark") } else { ("", t.no, "mark not") };
        view! {
            <td class=class data-label=name.to_owned()>
                <span aria-hidden="true">{mark}</span><span class="visually-hidden">{word}</span>
            </td>
        }
    };
    let ready = Role::READY.map(|ready| cell(role(ready, lang()), Permissions::of(ready).has(one)));
    let own = own.iter().map(|own| cell(&own.name, own.permissions.has(one))).collect_view();
    view! {
        <tr>
            <th scope="row">{permission(one, lang())}<span class="hint">{permission_hint(one, lang())}</span></th>
            {ready}
            {own}
        </tr>
    }
}

fn own_roles(own: &[OwnRole]) -> impl IntoView + use<> {
    let t = texts(lang());
    let rows = own.iter().map(|one| {
        view! {
            <tr>
                <th scope="row">{one.name.clone()}</th>
                <td class="number">{one.people}</td>
                <td><a class="button" href=format!("/roles/{}", one.id)>{t.edit}</a></td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let table = view! {
        <TableScroll label=t.own_roles>
            <table class="table">
                <caption class="visually-hidden">{t.own_roles}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.role}</th>
                        <th scope="col" class="number">{t.people}</th>
                        <th scope="col"><span class="visually-hidden">{t.edit}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
    };
    let empty = own.is_empty();
    view! {
        <section class="stack-tight">
            <h2>{t.own_roles}</h2>
            {if empty { view! { <p class="empty">{t.no_own_roles}</p> }.into_any() } else { table.into_any() }}
        </section>
    }
}

/// The page: `/roles/:id`, or `/roles/new?from=cashier`.
#[component]
pub fn RolePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let may_change = ports.operators.choices(&who).await?.all_buildings;
        if id == "new" {
            return Ok((None, who, may_change));
        }
        let id: RoleId = id.parse().map_err(|_| AppError::NotFound)?;
        let roles = ports.operators.roles().await?;
        Ok((Some(roles.into_iter().find(|role| role.id == id).ok_or(AppError::NotFound)?), who, may_change))
    };
    load(read, move |(role, who, may_change)| view! { <Form role who may_change /> }.into_any())
}

#[component]
fn Form(role: Option<OwnRole>, who: Who, may_change: bool) -> impl IntoView {
    let t = texts(lang());
    let from = Role::parse(&param("from")).filter(|role| Role::READY.contains(role));
    let has = role.as_ref().map_or_else(|| from.map(Permissions::of).unwrap_or_default(), |role| role.permissions);
    let typed = Some(param("name")).filter(|name| !name.is_empty());
    let name = typed.unwrap_or_else(|| role.as_ref().map(|role| role.name.clone()).unwrap_or_default());
    let title = role.as_ref().map_or_else(|| t.new_role.to_owned(), |role| role.name.clone());
    let id = role.as_ref().map(|role| role.id.to_string()).unwrap_or_default();
    let boxes = Permission::ALL.map(|one| permission_box(one, has.has(one), may_change && who.may(one))).collect_view();
    view! {
        <Frame title=title.clone() section=Section::Operators>
            <h1>{title}</h1>
            <Notice />
            {role.is_none().then(start_from)}
            <form class="card stack-tight" method="post" action="/api/operator/roles/save">
                <p class="hint">{t.role_hint}</p>
                <input type="hidden" name="id" value=id />
                <Field name="name" label=t.role_name value=name />
                <fieldset class="group">
                    <legend>{t.permission}</legend>
                    {boxes}
                </fieldset>
                {(!may_change).then(|| view! { <p class="hint">{t.roles_of_site}</p> })}
                <div class="buttons">
                    {may_change.then(|| view! { <button class="primary">{t.save}</button> })}
                    <a class="button" href="/roles">{crate::i18n::room::texts(lang()).back}</a>
                </div>
            </form>
            {role.as_ref().filter(|_| may_change).map(removal)}
        </Frame>
    }
}

/// A permission that this person has not is shown and cannot be ticked.
fn permission_box(one: Permission, has: bool, may_give: bool) -> impl IntoView {
    let t = texts(lang());
    view! {
        <label class="check role-choice">
            <input type="checkbox" name="permissions[]" value=one.as_str() checked=has disabled=!may_give />
            <span>
                <strong>{permission(one, lang())}</strong>" "<span class="muted">{permission_hint(one, lang())}</span>
                {(!may_give).then(|| view! { " "<span class="hint">{t.not_yours}</span> })}
            </span>
        </label>
    }
}

fn start_from() -> impl IntoView {
    let t = texts(lang());
    let links = Role::READY.map(|one| {
        view! { <a class="button" href=format!("/roles/new?from={}", one.as_str())>{role(one, lang())}</a> }
    });
    view! { <div class="filter"><span>{t.start_from}</span><div class="buttons">{links}</div></div> }
}

fn removal(role: &OwnRole) -> impl IntoView + use<> {
    let t = texts(lang());
    if role.people > 0 {
        return view! { <p class="hint">{t.in_use}": "{role.people}</p> }.into_any();
    }
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/roles/remove">
            <input type="hidden" name="id" value=role.id.to_string() />
            <p class="hint">{t.remove_hint}</p>
            <div class="buttons"><button class="danger">{t.remove}</button></div>
        </form>
    }
    .into_any()
}
