//! What a report is about: a place, a group, a room or an account, within the operator's buildings.

use std::result::Result as StdResult;

use model::ids::{AccountId, PlaceGroupId, PlaceId, UserId, Uuid};
use model::report::{RangeProblem, ReportKind, ReportQuery};
use model::search_text::without_suffix;
use sqlx::FromRow;

use crate::tree::Tree;
use store::console::{Name, above, like, names, text_matches, within};
use store::{Db, Result, Tx, on, read};

/// Rooms that a text may mean, of which one has that very name.
const CANDIDATES: i64 = 50;

/// What a report is about, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub extent: Extent,
    /// Its name; empty for everything.
    pub name: String,
}

/// Which meters count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything that the operator may see: the uppermost places of it.
    All(Vec<PlaceId>),
    /// A place above rooms.
    Place(PlaceId),
    /// Of the members of a group: those above rooms, without what is below another member, and the rooms.
    Group {
        places: Vec<PlaceId>,
        rooms: Vec<PlaceId>,
    },
    Room(PlaceId),
    Account(AccountId),
}

impl Extent {
    /// The places and rooms that it is about, none below another; an account has none.
    pub(crate) fn tops(&self) -> Vec<PlaceId> {
        match self {
            Self::All(places) => places.clone(),
            Self::Place(place) | Self::Room(place) => vec![*place],
            Self::Group { places, rooms } => places.iter().chain(rooms).copied().collect(),
            Self::Account(_) => Vec::new(),
        }
    }
}

impl Subject {
    /// What a query asks about, or why there is no such place or room. A room that is typed goes before a place that is chosen.
    pub async fn find(db: &Db, operator: UserId, kind: ReportKind, query: &ReportQuery) -> Result<StdResult<Self, RangeProblem>> {
        if !query.room.is_empty() {
            return find_room(db, operator, &query.room).await;
        }
        if kind.is_of_one_account() {
            return Ok(Err(RangeProblem::RoomMissing));
        }
        let tree = Tree::read(db, operator).await?;
        if query.place.is_empty() {
            return Ok(Ok(Self { extent: Extent::All(tree.uppermost(|_| true)), name: String::new() }));
        }
        let Ok(id) = Uuid::parse_str(&query.place) else { return Ok(Err(RangeProblem::UnknownPlace)) };
        if let Some(place) = tree.get(PlaceId(id)) {
            return Ok(Ok(Self { extent: Extent::Place(place.id), name: tree.full_name(place.id) }));
        }
        match groups(db).await?.into_iter().find(|(group, _)| group.0 == id && kind.is_of_rooms()) {
            Some((group, name)) => Ok(Ok(Self { extent: group_extent(db, operator, &tree, group).await?, name })),
            None => Ok(Err(RangeProblem::UnknownPlace)),
        }
    }
}

impl Subject {
    /// The place of a report that is not about rooms and groups; `None`: what the operator may see is the bound.
    #[must_use]
    pub const fn place(&self) -> Option<PlaceId> {
        match self.extent {
            Extent::Place(place) => Some(place),
            _ => None,
        }
    }
}

/// Whether the operator sees every building.
pub async fn sees_all(tx: &mut Tx, operator: UserId) -> Result<bool> {
    let all: Option<(bool,)> =
        on!(tx, |c| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1").bind(operator).fetch_optional(c).await)?;
    Ok(all == Some((true,)))
}

/// The places above rooms that the operator may ask about, each named from the root on.
pub async fn places(db: &Db, operator: UserId) -> Result<Vec<(PlaceId, String)>> {
    let tree = Tree::read(db, operator).await?;
    Ok(tree.visible().into_iter().map(|node| (node.id, tree.full_name(node.id))).collect())
}

/// All groups by name. Everybody sees the names; a report about a group has only the buildings of its operator.
pub async fn groups(db: &Db) -> Result<Vec<(PlaceGroupId, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, name FROM place_groups ORDER BY name").fetch_all(pool).await)
}

async fn group_extent(db: &Db, operator: UserId, tree: &Tree, group: PlaceGroupId) -> Result<Extent> {
    let members: Vec<(PlaceId,)> =
        read!(db, |pool| sqlx::query_as("SELECT place_id FROM place_group_members WHERE group_id = $1")
            .bind(group)
            .fetch_all(pool)
            .await)?;
    let places = tree.uppermost(|place| members.contains(&(place,)));
    let rooms: Vec<(PlaceId, Option<PlaceId>)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT r.id, r.parent_id FROM place_group_members g JOIN places r ON r.id = g.place_id AND r.kind = 'room'",
        above!(),
        "WHERE g.group_id = $2 AND",
        within!(),
        "ORDER BY r.sort, r.name, r.id"
    ))
    .bind(operator)
    .bind(group)
    .fetch_all(pool)
    .await)?;
    let is_counted = |parent: PlaceId| tree.path(parent).any(|above| places.contains(&above.id));
    let rooms = rooms.into_iter().filter(|(_, parent)| !parent.is_some_and(is_counted)).map(|(room, _)| room);
    Ok(Extent::Group { rooms: rooms.collect(), places })
}

#[derive(FromRow)]
struct RoomRow {
    id: PlaceId,
    #[sqlx(flatten)]
    name: Name,
    /// Whether the text is its name, from the site, the building or the floor on.
    is_whole: bool,
}

impl RoomRow {
    fn full(&self) -> String {
        format!("{} {} {}", self.name.building, self.name.floor, self.name.room)
    }

    fn shown(&self) -> String {
        self.full().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Names one after the other, without what separates them.
macro_rules! joined {
    ($names:literal) => {
        concat!("REPLACE(LOWER(", $names, "), ' ', '')")
    };
}

/// An account by its whole number, or the one room that the text names: whole, by its last word and parts of the others, or by a
/// meter's serial number or a resident's log-in.
async fn find_room(db: &Db, operator: UserId, text: &str) -> Result<StdResult<Subject, RangeProblem>> {
    let account: Option<(AccountId, String)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT a.id, a.number FROM accounts a JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE a.number = $2 AND",
        within!()
    ))
    .bind(operator)
    .bind(text)
    .fetch_optional(pool)
    .await)?;
    if let Some((account, number)) = account {
        return Ok(Ok(Subject { extent: Extent::Account(account), name: number }));
    }
    match &meant(db, operator, text).await?[..] {
        [] => Ok(Err(RangeProblem::UnknownRoom)),
        [room] => Ok(Ok(Subject { extent: Extent::Room(room.id), name: room.shown() })),
        _ => Ok(Err(RangeProblem::SeveralRooms)),
    }
}

/// The full names of the rooms that a text may mean, of which each means one: at most `most`, in alphabetical order.
pub async fn fitting_rooms(db: &Db, operator: UserId, text: &str, most: usize) -> Result<Vec<String>> {
    let mut names: Vec<String> = meant(db, operator, text).await?.iter().map(RoomRow::shown).collect();
    names.sort();
    names.dedup();
    names.truncate(most);
    Ok(names)
}

/// The rooms with that very name from the site on; without one those with it from another place on, else all that fit. `101室`
/// means `101` where no room has that name.
async fn meant(db: &Db, operator: UserId, mut text: &str) -> Result<Vec<RoomRow>> {
    let mut rooms = rooms_named(db, operator, text).await?;
    let bare = without_suffix(text);
    if rooms.is_empty() && bare != text {
        rooms = rooms_named(db, operator, bare).await?;
        if !rooms.is_empty() {
            text = bare;
        }
    }
    if rooms.is_empty() {
        rooms = rooms_of(db, operator, text).await?;
    }
    let is_full = |row: &RoomRow| without_spaces(&row.full()).eq_ignore_ascii_case(&without_spaces(text));
    if rooms.iter().any(is_full) {
        rooms.retain(is_full);
    } else if rooms.iter().any(|row| row.is_whole) {
        rooms.retain(|row| row.is_whole);
    }
    Ok(rooms)
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The rooms that a text names, those that it names whole first.
async fn rooms_named(db: &Db, operator: UserId, text: &str) -> Result<Vec<RoomRow>> {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT x.* FROM (SELECT r.id,",
        names!(),
        ", (LOWER($4) IN (",
        joined!("COALESCE(s.name, '') || COALESCE(t.name, '') || COALESCE(b.name, '') || r.name"),
        ", ",
        joined!("COALESCE(t.name, '') || COALESCE(b.name, '') || r.name"),
        ", ",
        joined!("COALESCE(t.name, '') || r.name"),
        ", ",
        joined!("COALESCE(b.name, '') || r.name"),
        ")) AS is_whole, (LOWER(r.name) = LOWER($3) AND",
        text_matches!("''"),
        ") AS is_part FROM places r",
        above!(),
        "LEFT JOIN places s ON s.id = t.parent_id WHERE r.kind = 'room' AND",
        within!(),
        ") AS x WHERE x.is_whole OR x.is_part ORDER BY x.is_whole DESC LIMIT $5"
    ))
    .bind(operator)
    .bind(like(text))
    .bind(last)
    .bind(without_spaces(text))
    .bind(CANDIDATES)
    .fetch_all(pool)
    .await)
}

/// The rooms of a meter in service by its serial number, or of a resident by their log-in.
async fn rooms_of(db: &Db, operator: UserId, text: &str) -> Result<Vec<RoomRow>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT r.id,",
        names!(),
        ", TRUE AS is_whole FROM places r",
        above!(),
        "WHERE r.kind = 'room' AND r.id IN (
             SELECT m.place_id FROM meters m WHERE m.serial = $2 AND m.retired_at IS NULL
             UNION SELECT a.place_id FROM users u JOIN account_residents o ON o.user_id = u.id AND o.to_at IS NULL
             JOIN accounts a ON a.id = o.account_id WHERE u.login = $2) AND",
        within!(),
        "LIMIT $3"
    ))
    .bind(operator)
    .bind(text)
    .bind(CANDIDATES)
    .fetch_all(pool)
    .await)
}
