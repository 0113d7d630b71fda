//! A group and its places.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use super::done;
use crate::i18n::lang;
use crate::i18n::places::texts;
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::PlaceGroupView;
use model::error::AppError;
use model::ids::PlaceGroupId;

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
        view! { <Callout tone=Tone::Warn><p>{t.unknown}": "{unknown}</p></Callout> }
    });
    let rows = group.places.iter().map(|(place, name, meters)| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/places/{place}")>{name.clone()}</a></th>
                <td class="number">{*meters}</td>
                <td>
                    <form method="post" action="/api/operator/places/remove-from-group">
                        <input type="hidden" name="group" value=id.clone() />
                        <input type="hidden" name="place" value=place.to_string() />
                        <button>{t.take_out}</button>
                    </form>
                </td>
            </tr>
        }
    });
    let rows = rows.collect_view();
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
            {group.places.is_empty().then(|| view! { <p class="empty">{t.no_members}</p> })}
            <div class="form-columns">{add(&group)} {maintain(&group)}</div>
        </Frame>
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
    if !group.is_own {
        return view! { <p class="hint">{t.not_own_group}</p> }.into_any();
    }
    let id = group.id.to_string();
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/change-group">
            <h2>{t.rename}</h2>
            <input type="hidden" name="group" value=id.clone() />
            <input type="hidden" name="remove" value="" />
            <label class="field">
                <span>{t.new_name}</span>
                <input class="input" name="name" required maxlength="40" autocomplete="off" value=group.name.clone() />
            </label>
            <button>{t.rename}</button>
        </form>
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/change-group">
            <h2>{t.remove_group}</h2>
            <p class="hint">{t.remove_group_hint}</p>
            <input type="hidden" name="group" value=id />
            <input type="hidden" name="name" value="" />
            <input type="hidden" name="remove" value="1" />
            <button class="danger">{t.remove_group}</button>
        </form>
    }
    .into_any()
}
