//! A place: what is in it, and what may be done with it.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::{address, page_param, pager, param};
use super::change::Confirm;
use super::{add_form, done, summary};
use crate::api::places::parse_change;
use crate::i18n::places::{counts, kind, texts};
use crate::i18n::{lang, meter_setup};
use crate::ports::{operator, ports};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::{Page, PlaceChange, PlaceChangeEffect, PlaceView};
use model::error::AppError;
use model::ids::PlaceId;
use model::place::PlaceKind;

/// What the page shows.
enum Shown {
    Place(Box<PlaceView>),
    /// The confirmation of a change.
    Change(PlaceId, PlaceChange, Box<PlaceChangeEffect>),
}

/// The page: `/places/:id`, and with `?do=move&to=...` the confirmation of a change.
#[component]
pub fn PlacePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let (what, name, to, number) = (param("do"), param("name"), param("to"), page_param());
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let id: PlaceId = id.parse().map_err(|_| AppError::NotFound)?;
        if what.is_empty() {
            return Ok(Shown::Place(Box::new(ports.places.place(&who, id).await?)));
        }
        let change = parse_change(&what, &name, &to)?;
        let effect = ports.places.place_effect(&who, id, &change).await?;
        Ok(Shown::Change(id, change, Box::new(effect)))
    };
    load(read, move |shown| match shown {
        Shown::Place(place) => view! { <Body place=*place number /> }.into_any(),
        Shown::Change(id, change, effect) => view! { <Confirm id change effect=*effect /> }.into_any(),
    })
}

#[component]
fn Body(place: PlaceView, number: i64) -> impl IntoView {
    let t = texts(lang());
    let above = place.above.iter().map(|(id, name)| view! { " / "<a href=format!("/places/{id}")>{name.clone()}</a> });
    let above = above.collect_view();
    let below: &[PlaceKind] = match place.kind {
        PlaceKind::Site => &[PlaceKind::Building],
        PlaceKind::Building => &[PlaceKind::Unit, PlaceKind::Room],
        PlaceKind::Unit => &[PlaceKind::Room],
        PlaceKind::Room => &[],
    };
    let in_groups = place
        .groups
        .iter()
        .map(|(id, name)| {
            view! { <li><a href=format!("/places/groups/{id}")>{name.clone()}</a></li> }
        })
        .collect_view();
    let in_groups =
        (!place.groups.is_empty()).then(|| view! { <dt>{t.in_groups}</dt><dd><ul class="plain-list">{in_groups}</ul></dd> });
    let operators = if place.operators.is_empty() { t.no_operators.to_owned() } else { place.operators.join(", ") };
    let said = counts(&place.counts, lang());
    view! {
        <Frame title=place.name.clone() section=Section::Places>
            <div class="stack-tight">
                <p class="small"><a href="/places">{t.title}</a>{above}</p>
                <h1>{kind(place.kind, lang())}" "{place.name.clone()}</h1>
            </div>
            <Notice />
            {done()}
            <dl class="facts card">
                <dt>{t.concerns}</dt>
                <dd class="num">{if said.is_empty() { "—".to_owned() } else { said }}</dd>
                <dt>{t.plan}</dt>
                <dd>{place.plan.clone().unwrap_or_else(|| t.no_plan.to_owned())}</dd>
                {(place.kind != PlaceKind::Site).then(|| view! { <dt>{t.operators}</dt><dd>{operators}</dd> })}
                {in_groups}
            </dl>
            {(place.kind == PlaceKind::Room).then(|| meters(&place))}
            {(place.kind == PlaceKind::Room).then(|| add_meter(&place))}
            {(place.kind != PlaceKind::Room).then(|| children(&place, number))}
            <div class="form-columns">
                {(!below.is_empty()).then(|| add_form(Some(place.id), below, t.add_below))}
                {rename(&place)}
                {(!place.parents.is_empty()).then(|| {
                    target(place.id, "move", t.move_to, t.move_hint, t.move_target, &place.parents)
                })}
                {(!place.peers.is_empty()).then(|| {
                    target(place.id, "merge", t.merge, t.merge_hint, t.merge_target, &place.peers)
                })}
                {(place.kind != PlaceKind::Site).then(|| remove(&place))}
            </div>
        </Frame>
    }
}

/// Leads to a new meter in this room.
fn add_meter(place: &PlaceView) -> impl IntoView + use<> {
    let above = place.above.iter().map(|(_, name)| name.as_str());
    let room = above.chain([place.name.as_str()]).collect::<Vec<_>>().join(" ");
    view! { <p><a class="button" href=address("/meters/new", &[("room", &room)])>{meter_setup::texts(lang()).add}</a></p> }
}

fn meters(place: &PlaceView) -> impl IntoView + use<> {
    let t = texts(lang());
    let lines = place.meters.iter().map(|(meter, serial)| {
        view! { <li>
            <a class="num" href=format!("/rooms/{meter}")>{serial.clone()}</a>" · "
            <a href=format!("/meters/{meter}/edit")>{meter_setup::texts(lang()).edit}</a>
        </li> }
    });
    (!place.meters.is_empty()).then(|| {
        view! {
            <section class="card stack-tight">
                <h2>{t.meters}</h2>
                <ul class="plain-list">{lines.collect_view()}</ul>
            </section>
        }
    })
}

fn children(place: &PlaceView, number: i64) -> impl IntoView + use<> {
    let t = texts(lang());
    let size = usize::try_from(Page::<()>::SIZE).unwrap_or(50);
    let skipped = usize::try_from(number).unwrap_or(0).saturating_mul(size);
    let lines = place.children.iter().skip(skipped).take(size).cloned().collect();
    let page = Page { lines, total: i64::try_from(place.children.len()).unwrap_or(i64::MAX) };
    let rows = page.lines.iter().map(|line| {
        view! {
            <tr>
                <th scope="row"><a href=format!("/places/{}", line.id)>{line.name.clone()}</a></th>
                <td>{kind(line.kind, lang())}</td>
                <td class="num long">{summary(line)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    if place.children.is_empty() {
        return view! { <p class="empty">{t.no_children}</p> }.into_any();
    }
    view! {
        <TableScroll label=t.concerns>
            <table class="table">
                <caption class="visually-hidden">{t.concerns}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t.name}</th>
                        <th scope="col">{t.kind}</th>
                        <th scope="col">{t.concerns}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </TableScroll>
        {pager(&page, number, &format!("/places/{}", place.id))}
    }
    .into_any()
}

fn rename(place: &PlaceView) -> impl IntoView + use<> {
    let t = texts(lang());
    view! {
        <form class="card stack-tight narrow-form" action=format!("/places/{}", place.id)>
            <h2>{t.rename}</h2>
            <input type="hidden" name="do" value="rename" />
            <label class="field">
                <span>{t.new_name}</span>
                <input class="input" name="name" required maxlength="40" autocomplete="off" value=place.name.clone() />
            </label>
            <button>{t.go_on}</button>
        </form>
    }
}

/// Chooses the place to move to or to merge into.
fn target(
    id: PlaceId,
    what: &'static str,
    title: &'static str,
    hint: &'static str,
    label: &'static str,
    choices: &[(PlaceId, String)],
) -> impl IntoView + use<> {
    let options = choices.iter().map(|(id, name)| view! { <option value=id.to_string()>{name.clone()}</option> });
    view! {
        <form class="card stack-tight narrow-form" action=format!("/places/{id}")>
            <h2>{title}</h2>
            <p class="hint">{hint}</p>
            <input type="hidden" name="do" value=what />
            <label class="field">
                <span>{label}</span>
                <select class="input" name="to" required>{options.collect_view()}</select>
            </label>
            <button>{texts(lang()).go_on}</button>
        </form>
    }
}

fn remove(place: &PlaceView) -> impl IntoView + use<> {
    let t = texts(lang());
    let form = place.removable.then(|| {
        view! {
            <input type="hidden" name="do" value="remove" />
            <button class="danger">{t.go_on}</button>
        }
    });
    view! {
        <form class="card stack-tight narrow-form" action=format!("/places/{}", place.id)>
            <h2>{t.remove}</h2>
            <p class="hint">{if place.removable { t.remove_hint } else { t.not_removable }}</p>
            {form}
        </form>
    }
}
