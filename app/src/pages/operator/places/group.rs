//! A group and its places.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::done;
use crate::i18n::commands::Labelled;
use crate::i18n::places::texts;
use crate::i18n::{lang, prices, settings};
use crate::ports::{allowed, operator, ports, visit};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use crate::ui::time::At;
use model::console::PlaceGroupView;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{PlaceGroupId, PlaceId};

/// The page: `/places/groups/:id`.
#[component]
pub fn GroupPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: PlaceGroupId = id.parse().map_err(|_| AppError::NotFound)?;
        ports.places.group(&who, id).await
    };
    load(read, |group| view! { <Body group /> }.into_any())
}

#[component]
fn Body(group: PlaceGroupView) -> impl IntoView {
    let t = texts(lang());
    let id = group.id.to_string();
    let unknown = param("unknown");
    let unknown = (!unknown.is_empty()).then(|| {
        view! { <Callout tone=Tone::Warn><p>{Labelled { label: t.unknown, value: unknown }.text(lang())}</p></Callout> }
    });
    let take_out = |place: &PlaceId| {
        view! {
            <form method="post" action="/api/operator/places/remove-from-group">
                <input type="hidden" name="group" value=id.clone() />
                <input type="hidden" name="place" value=place.to_string() />
                <button>{t.take_out}</button>
            </form>
        }
    };
    let may_change = !group.keeps_places && !group.is_locked;
    let rows = group.places.iter().map(|(place, name, meters)| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/places/{place}")>{name.clone()}</a></th>
                <td class="number">{*meters}</td>
                <td>{may_change.then(|| take_out(place))}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    let none = match (group.places.is_empty(), group.elsewhere) {
        (false, _) => None,
        (true, 0) => Some(t.no_members),
        (true, _) => Some(t.none_here),
    };
    let elsewhere =
        (group.elsewhere > 0).then(|| view! { <p class="muted">{t.elsewhere}" "<span class="num">{group.elsewhere}</span></p> });
    view! {
        <Frame title=group.name.clone() section=Section::Places>
            <div class="stack-tight">
                <p class="small"><a href="/places">{t.title}</a>" / "<a href="/places/groups">{t.groups}</a></p>
                <h1>{group.name.clone()}</h1>
            </div>
            <Notice />
            {done()}
            {unknown}
            <TableScroll label=t.members>
                <table class="table">
                    <caption class="visually-hidden">{t.members}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col"><span class="visually-hidden">{t.take_out}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableScroll>
            {none.map(|words| view! { <p class="empty">{words}</p> })}
            {elsewhere}
            {plan(&group)}
            <div class="form-columns">{may_change.then(|| add(&group))} {maintain(&group)}</div>
        </Frame>
    }
}

/// The price plan of the group, with a button to take it away for those who may give plans.
fn plan(group: &PlaceGroupView) -> impl IntoView + use<> {
    let (t, s) = (texts(lang()), settings::texts(lang()));
    let of = DefaultsOf::Group(group.id).to_string();
    let given = group.plan.clone().map(|(plan, since)| {
        let may_end = visit().whole_site && allowed("/api/operator/assign-prices");
        let end = may_end.then(|| {
            view! {
                <form method="post" action="/api/operator/assign-prices">
                    <input type="hidden" name="place" value=of.clone() />
                    <input type="hidden" name="plan" value="" />
                    <button>{t.take_plan}</button>
                </form>
            }
        });
        view! { <p>{plan}" · "<At at=since /></p>{end} }
    });
    let bound = !visit().whole_site && allowed("/api/operator/assign-prices");
    let empty = group.plan.is_none().then(|| view! { <p class="empty">{s.by_place}</p> });
    view! {
        <section class="card stack-tight">
            <h2>{t.plan}</h2>
            {given}
            {empty}
            {group.keeps_places.then(|| view! { <p class="hint">{t.priced_hint}</p> })}
            {bound.then(|| view! { <p class="hint">{prices::texts(lang()).group_only_all}</p> })}
            <p class="small"><a href="/prices">{s.to_prices}</a></p>
        </section>
    }
}

fn add(group: &PlaceGroupView) -> impl IntoView + use<> {
    let t = texts(lang());
    let boxes = group.choices.iter().filter(|(id, _)| group.places.iter().all(|(place, ..)| place != id)).map(|(id, name)| {
        view! {
            <label class="check">
                <input type="checkbox" name="places[]" value=id.to_string() />
                <span>{name.clone()}</span>
            </label>
        }
    });
    view! {
        <form class="card stack-tight" method="post" action="/api/operator/places/add-to-group">
            <h2>{t.add_members}</h2>
            <input type="hidden" name="group" value=group.id.to_string() />
            <details>
                <summary>{t.choose_places}</summary>
                <div class="place-tree">{boxes.collect_view()}</div>
            </details>
            <label class="field">
                <span>{t.room_lines}</span>
                <textarea class="input" name="rooms" rows="4" maxlength="20000">{param("rooms")}</textarea>
                <span class="hint">{t.room_lines_hint}</span>
            </label>
            <button>{t.add_members}</button>
        </form>
    }
}

fn maintain(group: &PlaceGroupView) -> impl IntoView + use<> {
    let t = texts(lang());
    if group.is_locked {
        return view! { <p class="hint">{t.locked_group}</p> }.into_any();
    }
    if group.elsewhere > 0 {
        return view! { <p class="hint">{t.not_own_group}</p> }.into_any();
    }
    let id = group.id.to_string();
    let remove = (!group.keeps_places).then(|| remove(id.clone()));
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/change-group">
            <h2>{t.rename}</h2>
            <input type="hidden" name="group" value=id />
            <input type="hidden" name="remove" value="" />
            <label class="field">
                <span>{t.new_name}</span>
                <input class="input" name="name" required maxlength="40" autocomplete="off" value=group.name.clone() />
            </label>
            <button>{t.rename}</button>
        </form>
        {remove}
    }
    .into_any()
}

fn remove(id: String) -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/change-group">
            <h2>{t.remove_group}</h2>
            <p class="hint">{t.remove_group_hint}</p>
            <input type="hidden" name="group" value=id />
            <input type="hidden" name="name" value="" />
            <input type="hidden" name="remove" value="1" />
            <button class="danger">{t.remove_group}</button>
        </form>
    }
}
