//! The place tree: the site with its buildings and floors.

mod change;
pub mod group;
pub mod groups;
pub mod place;

use leptos::prelude::*;

use super::frame::{Frame, Section};
use super::parts::param;
use crate::i18n::lang;
use crate::i18n::places::{AddedPlaces, JoinedPlaces, counts, texts};
use crate::ports::{operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::table_scroll::TableScroll;
use model::console::{PlaceLine, PlaceTreeView};
use model::ids::PlaceId;
use model::place::PlaceKind;

/// The page: `/places`.
#[component]
pub fn PlacesPage() -> impl IntoView {
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        ports.places.place_tree(&who).await
    };
    load(read, |tree| view! { <Tree tree /> }.into_any())
}

/// What was done before this page, from `?done=`.
pub(super) fn done() -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let count: usize = param("count").parse().unwrap_or_default();
    let says = match param("done").as_str() {
        "added" => Some(AddedPlaces { count }.text(lang)),
        "renamed" => Some(t.renamed.to_owned()),
        "moved" => Some(t.moved.to_owned()),
        "merged" => Some(t.merged.to_owned()),
        "removed" => Some(t.removed.to_owned()),
        "group-renamed" => Some(t.group_renamed.to_owned()),
        "group-removed" => Some(t.group_removed.to_owned()),
        "joined" => Some(JoinedPlaces { count }.text(lang)),
        "left" => Some(t.left_group.to_owned()),
        _ => None,
    };
    says.map(|says| view! { <Callout tone=Tone::Good><p>{says}</p></Callout> })
}

#[component]
fn Tree(tree: PlaceTreeView) -> impl IntoView {
    let t = texts(lang());
    let Some((site, name)) = tree.site.clone() else {
        let form = tree.whole_site.then(create_site);
        return view! {
            <Frame title=t.title section=Section::Places>
                <h1>{t.title}</h1>
                <Notice />
                <p class="empty">{t.none}</p>
                {form}
            </Frame>
        }
        .into_any();
    };
    let rows = tree.buildings.iter().map(|(building, floors)| rows(building, floors)).collect_view();
    let none = if tree.whole_site { t.none_yet } else { t.none_seen };
    view! {
        <Frame title=t.title section=Section::Places>
            <div class="page-head">
                <h1>{name}</h1>
                <div class="buttons">
                    {tree.whole_site.then(|| view! { <a class="button" href=format!("/places/{site}")>{t.rename}</a> })}
                    <a class="button" href="/places/groups">{t.groups}</a>
                </div>
            </div>
            <p class="hint">{t.lead}</p>
            <Notice />
            {done()}
            <TableScroll label=t.title>
                <table class="table sticky">
                    <caption class="visually-hidden">{t.title}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t.name}</th>
                            <th scope="col" class="number">{t.floors}</th>
                            <th scope="col" class="number">{t.rooms}</th>
                            <th scope="col" class="number">{t.meters}</th>
                            <th scope="col" class="number">{t.accounts}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row">{t.buildings}" "<span class="num">{tree.total.buildings}</span></th>
                            <td class="number">{tree.total.floors}</td>
                            <td class="number">{tree.total.rooms}</td>
                            <td class="number">{tree.total.meters}</td>
                            <td class="number">{tree.total.accounts}</td>
                        </tr>
                    </tfoot>
                </table>
            </TableScroll>
            {tree.buildings.is_empty().then(|| view! { <p class="empty">{none}</p> })}
            {tree.whole_site.then(|| add_form(Some(site), &[PlaceKind::Building], t.add_buildings))}
        </Frame>
    }
    .into_any()
}

/// A building and its floors, which stand below it.
fn rows(building: &PlaceLine, floors: &[PlaceLine]) -> impl IntoView + use<> {
    (row(building, false), floors.iter().map(|floor| row(floor, true)).collect_view())
}

fn row(line: &PlaceLine, inner: bool) -> impl IntoView + use<> {
    let numbers = [line.counts.floors, line.counts.rooms, line.counts.meters, line.counts.accounts];
    let first = if inner { 1 } else { 0 };
    let cells = numbers.into_iter().enumerate().map(|(index, n)| {
        let shown = (index >= first).then_some(n);
        view! { <td class="number">{shown}</td> }
    });
    let class = if inner { "place inner" } else { "place" };
    view! {
        <tr class=class>
            <th scope="row"><a href=format!("/places/{}", line.id)>{line.name.clone()}</a></th>
            {cells.collect_view()}
        </tr>
    }
}

fn create_site() -> impl IntoView {
    let t = texts(lang());
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/add">
            <input type="hidden" name="parent" value="" />
            <input type="hidden" name="kind" value=PlaceKind::Site.as_str() />
            <label class="field">
                <span>{t.site_name}</span>
                <input class="input" name="names" required maxlength="40" autocomplete="off" />
            </label>
            <button class="primary">{t.create_site}</button>
        </form>
    }
}

/// Adds places of one of the kinds below a place.
fn add_form(parent: Option<PlaceId>, kinds: &[PlaceKind], title: &'static str) -> impl IntoView + use<> {
    let t = texts(lang());
    let kind = match kinds {
        [one] => view! { <input type="hidden" name="kind" value=one.as_str() /> }.into_any(),
        several => {
            let options = several.iter().map(|one| {
                view! { <option value=one.as_str()>{crate::i18n::places::kind(*one, lang())}</option> }
            });
            view! {
                <label class="field">
                    <span>{t.kind}</span>
                    <select class="input" name="kind">{options.collect_view()}</select>
                </label>
            }
            .into_any()
        }
    };
    view! {
        <form class="card stack-tight narrow-form" method="post" action="/api/operator/places/add">
            <h2>{title}</h2>
            <input type="hidden" name="parent" value=parent.map(|parent| parent.to_string()) />
            {kind}
            <label class="field">
                <span>{t.names}</span>
                <textarea class="input" name="names" rows="4" required maxlength="9000"></textarea>
                <span class="hint">{t.names_hint}</span>
            </label>
            <button>{t.add}</button>
        </form>
    }
}

/// A place in words, with what is in it.
fn summary(line: &PlaceLine) -> String {
    counts(&line.counts, lang())
}
