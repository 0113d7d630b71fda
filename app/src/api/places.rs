//! The place tree and groups.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, fits, parse};
use super::{ApiError, answer, refuse};
use crate::i18n::lang;
use crate::i18n::places::texts;
use crate::link;
use crate::ports::{Ports, Who, operator, ports};
use model::console::{
    NEW_PLACES_MAX, PlaceChange, PlaceChangeEffect, PlaceGroupLine, PlaceGroupView, PlaceTreeView, PlaceView, ROOM_LINES_MAX,
};
use model::error::AppError;
use model::ids::{PlaceGroupId, PlaceId};
use model::place::PlaceKind;
use model::typed;

/// Lines without a match that a page repeats.
const UNKNOWN_SHOWN: usize = 20;

#[async_trait]
pub trait PlacesPort: Send + Sync {
    /// Buildings and floors.
    async fn place_tree(&self, who: &Who) -> Result<PlaceTreeView, AppError>;
    /// A place with what is directly below it.
    async fn place(&self, who: &Who, id: PlaceId) -> Result<PlaceView, AppError>;
    /// What a change would do; also where it would be refused.
    async fn place_effect(&self, who: &Who, id: PlaceId, change: &PlaceChange) -> Result<PlaceChangeEffect, AppError>;
    /// Adds places of a kind below a place; without one, the site itself. Gives the first.
    async fn add_places(
        &self,
        who: &Who,
        parent: Option<PlaceId>,
        kind: PlaceKind,
        names: &[String],
    ) -> Result<PlaceId, AppError>;
    /// Changes a place. Gives the place to show afterwards; `None` for the tree.
    async fn change_place(&self, who: &Who, id: PlaceId, change: &PlaceChange) -> Result<Option<PlaceId>, AppError>;
    /// The room of that name, with as much of floor and building before it as it takes to tell it apart.
    async fn room_named(&self, who: &Who, name: &str) -> Result<PlaceId, AppError>;
    async fn groups(&self, who: &Who) -> Result<Vec<PlaceGroupLine>, AppError>;
    async fn group(&self, who: &Who, id: PlaceGroupId) -> Result<PlaceGroupView, AppError>;
    async fn add_group(&self, who: &Who, name: &str) -> Result<PlaceGroupId, AppError>;
    async fn rename_group(&self, who: &Who, id: PlaceGroupId, name: &str) -> Result<(), AppError>;
    async fn remove_group(&self, who: &Who, id: PlaceGroupId) -> Result<(), AppError>;
    /// Adds places, and rooms by their names. Gives the lines that name no room or several; then nothing was added.
    async fn add_to_group(
        &self,
        who: &Who,
        id: PlaceGroupId,
        places: &[PlaceId],
        rooms: &[String],
    ) -> Result<Vec<String>, AppError>;
    async fn remove_from_group(&self, who: &Who, id: PlaceGroupId, place: PlaceId) -> Result<(), AppError>;
}

/// The place that a form means: the room that was typed, or else the place that was chosen.
pub(super) async fn place_or_room(ports: &Ports, who: &Who, place: &str, room: Option<String>) -> Result<PlaceId, AppError> {
    let room = typed::name(&room.unwrap_or_default()).split_whitespace().collect::<Vec<_>>().join(" ");
    if room.is_empty() { at("place", parse(place)) } else { at("room", ports.places.room_named(who, &room).await) }
}

/// The page of a place; of the tree without one.
fn page(place: Option<PlaceId>) -> String {
    place.map_or_else(|| "/places".to_owned(), |place| format!("/places/{place}"))
}

fn group_page(id: &str) -> String {
    format!("/places/groups/{id}")
}

/// The page with what was done to how many places.
fn counted(page: &str, done: &str, count: usize) -> String {
    link::with(&link::with(page, "done", done), "count", &count.to_string())
}

/// Adds places below another, one a line; an empty `parent` for the site itself.
#[server(name = AddPlaces, prefix = "/api", endpoint = "operator/places/add")]
pub async fn add_places(parent: String, kind: PlaceKind, names: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let above: Option<PlaceId> = parent.parse().ok();
    let done = async {
        let names: Vec<String> = names.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
        if names.len() > NEW_PLACES_MAX {
            return Err(AppError::ListTooLong);
        }
        at("names", ports.places.add_places(&who, above, kind, &names).await)?;
        Ok(counted(&page(above), "added", names.len()))
    };
    answer(done.await, &page(above))
}

/// Changes a place as its confirmation page says. `to` is the new parent, or the place to merge into.
#[server(name = ChangePlace, prefix = "/api", endpoint = "operator/places/change")]
pub async fn change_place(place: String, what: String, name: String, to: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let change = parse_change(&what, &name, &to)?;
        let after = ports.places.change_place(&who, parse(&place)?, &change).await?;
        let done = match change {
            PlaceChange::Rename(_) => "renamed",
            PlaceChange::Move(_) => "moved",
            PlaceChange::Merge(_) => "merged",
            PlaceChange::Remove => "removed",
        };
        Ok(link::with(&page(after), "done", done))
    };
    answer(done.await, &page(place.parse().ok()))
}

/// The change that a form means: `rename`, `move`, `merge` or `remove`.
///
/// # Errors
/// [`AppError::Invalid`] for another word, or a place that is none.
pub fn parse_change(what: &str, name: &str, to: &str) -> Result<PlaceChange, AppError> {
    Ok(match what {
        "rename" => PlaceChange::Rename(typed::name(name)),
        "move" => PlaceChange::Move(parse(to)?),
        "merge" => PlaceChange::Merge(parse(to)?),
        "remove" => PlaceChange::Remove,
        _ => return Err(AppError::Invalid),
    })
}

#[server(name = AddGroup, prefix = "/api", endpoint = "operator/places/add-group")]
pub async fn add_group(name: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = ports.places.add_group(&who, &name).await;
    answer(done.map(|id| group_page(&id.to_string())), "/places/groups")
}

/// Renames a group; an empty name deletes it where `remove` is `1`.
#[server(name = ChangeGroup, prefix = "/api", endpoint = "operator/places/change-group")]
pub async fn change_group(group: String, name: String, remove: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let id = parse(&group)?;
        if remove == "1" {
            ports.places.remove_group(&who, id).await?;
            return Ok(link::with("/places/groups", "done", "group-removed"));
        }
        ports.places.rename_group(&who, id, &name).await?;
        Ok(link::with(&group_page(&group), "done", "group-renamed"))
    };
    answer(done.await, &group_page(&group))
}

/// Adds places and rooms to a group: `places` are ids, `rooms` names, one a line.
#[server(name = AddToGroup, prefix = "/api", endpoint = "operator/places/add-to-group")]
pub async fn add_to_group(group: String, rooms: String, #[server(default)] places: Vec<String>) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = group_page(&group);
    let done: Result<String, AppError> = async {
        let id = parse(&group)?;
        let places = places.iter().map(|place| parse(place)).collect::<Result<Vec<PlaceId>, _>>()?;
        let rooms: Vec<String> = rooms.lines().map(typed::name).filter(|line| !line.is_empty()).collect();
        if rooms.len() > ROOM_LINES_MAX || places.len() > ROOM_LINES_MAX {
            return Err(AppError::ListTooLong);
        }
        if rooms.is_empty() && places.is_empty() {
            let t = texts(lang());
            return fits("rooms", (t.room_lines, t.room_lines_hint), Err(AppError::Invalid));
        }
        let unknown = ports.places.add_to_group(&who, id, &places, &rooms).await?;
        if unknown.is_empty() {
            return Ok(counted(&back, "joined", places.len() + rooms.len()));
        }
        let shown: Vec<String> = unknown.into_iter().take(UNKNOWN_SHOWN).collect();
        Ok(link::with(&back, "unknown", &shown.join(" · ")))
    }
    .await;
    match done {
        Ok(page) if page.contains("unknown=") => refuse(&page),
        done => answer(done, &back),
    }
}

#[server(name = RemoveFromGroup, prefix = "/api", endpoint = "operator/places/remove-from-group")]
pub async fn remove_from_group(group: String, place: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = group_page(&group);
    let done = async { ports.places.remove_from_group(&who, parse(&group)?, parse(&place)?).await };
    answer(done.await.map(|()| link::with(&back, "done", "left")), &back)
}
