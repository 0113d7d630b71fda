//! The place tree and groups: scoped by the operator's buildings, and in force on the meter wall at once.

mod effect;

use std::collections::{HashMap, HashSet};

use app::api::places::PlacesPort;
use async_trait::async_trait;
use model::console::{
    PlaceChange, PlaceChangeEffect, PlaceCounts, PlaceGroupLine, PlaceGroupView, PlaceLine, PlaceTreeView, PlaceView,
};
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::ids::{PlaceGroupId, PlaceId, UserId};
use model::person::Who;
use model::place::PlaceKind;

use super::ConsoleService;
use super::room_names::{room_named, rooms_named};
use domain::place_tree::{MergeStep, Place, PlaceTree, checked_name, fits_below};
use domain::wall_layout::Scope;
use estate::place_groups::{self, PlaceGroup};
use estate::places;

/// The tree and the part of it that a person may see.
struct Estate {
    tree: PlaceTree,
    scope: Scope,
}

impl Estate {
    /// A place that the person may see.
    fn place(&self, id: PlaceId) -> Result<&Place, AppError> {
        self.tree.get(id).filter(|_| self.tree.is_within(&self.scope, id)).ok_or(AppError::NotFound)
    }

    /// The places of a kind that the person may see, by full name, in the order of the tree.
    fn of_kind(&self, kinds: &[PlaceKind]) -> Vec<&Place> {
        let Some(site) = self.tree.site() else { return Vec::new() };
        let below = self.tree.below(site.id);
        let mut found: Vec<&Place> =
            below.into_iter().filter(|place| kinds.contains(&place.kind) && self.tree.is_within(&self.scope, place.id)).collect();
        found.sort_by_key(|place| self.tree.path(place.id).iter().map(|one| one.sort).collect::<Vec<_>>());
        found
    }

    fn named(&self, places: impl IntoIterator<Item = PlaceId>) -> Vec<(PlaceId, String)> {
        places.into_iter().map(|id| (id, self.tree.full_name(id))).collect()
    }

    fn line(&self, place: &Place) -> PlaceLine {
        PlaceLine { id: place.id, kind: place.kind, name: place.name.clone(), counts: self.tree.counts(place.id) }
    }

    /// Where a place may go.
    fn parents(&self, place: &Place) -> Vec<(PlaceId, String)> {
        let kinds: Vec<PlaceKind> = PlaceKind::ALL.into_iter().filter(|kind| fits_below(place.kind, *kind)).collect();
        if place.kind == PlaceKind::Building {
            return Vec::new();
        }
        self.named(self.of_kind(&kinds).into_iter().map(|one| one.id).filter(|id| Some(*id) != place.parent))
    }

    /// With what a place may be merged: buildings, floors, and the other rooms beside a room.
    fn peers(&self, place: &Place) -> Vec<(PlaceId, String)> {
        let others = match place.kind {
            PlaceKind::Site => Vec::new(),
            PlaceKind::Room if place.had_account => Vec::new(),
            PlaceKind::Room => {
                let beside = place.parent.into_iter().flat_map(|parent| self.tree.children(parent));
                beside.filter(|one| one.kind == PlaceKind::Room).collect()
            }
            kind => self.of_kind(&[kind]),
        };
        self.named(others.into_iter().map(|one| one.id).filter(|id| *id != place.id))
    }
}

/// Who is limited to a building.
struct Assigned(Vec<(PlaceId, UserId, String)>);

impl Assigned {
    fn to(&self, building: Option<PlaceId>) -> impl Iterator<Item = (UserId, &String)> {
        self.0.iter().filter(move |(place, ..)| Some(*place) == building).map(|(_, user, name)| (*user, name))
    }

    /// The names of those who are limited to one building and not to the other.
    fn only(&self, building: Option<PlaceId>, not: Option<PlaceId>) -> Vec<String> {
        let others: HashSet<UserId> = self.to(not).map(|(user, _)| user).collect();
        self.to(building).filter(|(user, _)| !others.contains(user)).map(|(_, name)| name.clone()).collect()
    }
}

#[async_trait]
impl PlacesPort for ConsoleService {
    async fn place_tree(&self, who: &Who) -> Result<PlaceTreeView, AppError> {
        let estate = self.estate(who).await?;
        let Some(site) = estate.tree.site() else {
            return Ok(PlaceTreeView { whole_site: estate.scope == Scope::All, ..PlaceTreeView::default() });
        };
        let mut buildings = Vec::new();
        let mut total = PlaceCounts::default();
        for building in estate.tree.children(site.id).filter(|one| estate.tree.is_within(&estate.scope, one.id)) {
            let line = estate.line(building);
            let floors = estate.tree.children(building.id).filter(|place| place.kind == PlaceKind::Unit);
            let floors = floors.map(|floor| estate.line(floor)).collect();
            let PlaceCounts { buildings: houses, floors: levels, rooms, meters, accounts } = line.counts;
            total.buildings += houses;
            total.floors += levels;
            total.rooms += rooms;
            total.meters += meters;
            total.accounts += accounts;
            buildings.push((line, floors));
        }
        let whole_site = estate.scope == Scope::All;
        Ok(PlaceTreeView { site: Some((site.id, site.name.clone())), total, buildings, whole_site })
    }

    async fn place(&self, who: &Who, id: PlaceId) -> Result<PlaceView, AppError> {
        let estate = self.estate(who).await?;
        let place = estate.place(id)?;
        let above = estate.tree.path(id).into_iter().filter(|one| one.id != id && one.kind != PlaceKind::Site);
        let groups = place_groups::all(&self.context.db).await?;
        let assigned = Assigned(places::assigned(&self.context.db).await?);
        Ok(PlaceView {
            id,
            kind: place.kind,
            name: place.name.clone(),
            above: above.map(|one| (one.id, one.name.clone())).collect(),
            counts: estate.tree.counts(id),
            children: estate.tree.children(id).map(|one| estate.line(one)).collect(),
            meters: places::meters(&self.context.db, id).await?,
            operators: assigned.to(estate.tree.building(id)).map(|(_, name)| name.clone()).collect(),
            plan: self.plan_of(id).await?,
            parents: estate.parents(place),
            peers: estate.peers(place),
            removable: estate.tree.check_remove(id).is_ok() && place.kind != PlaceKind::Site,
            groups: groups.into_iter().filter(|group| group.places.contains(&id)).map(|group| (group.id, group.name)).collect(),
        })
    }

    async fn place_effect(&self, who: &Who, id: PlaceId, change: &PlaceChange) -> Result<PlaceChangeEffect, AppError> {
        let estate = self.estate(who).await?;
        let (tree, place) = (&estate.tree, estate.place(id)?);
        if let PlaceChange::Move(to) | PlaceChange::Merge(to) = change {
            estate.place(*to)?;
        }
        let assigned = Assigned(places::assigned(&self.context.db).await?);
        let plan = self.plan_of(id).await?;
        let mut effect = PlaceChangeEffect {
            before: tree.full_name(id),
            after: tree.full_name(id),
            counts: tree.counts(id),
            losing: Vec::new(),
            gaining: Vec::new(),
            plans: (plan.clone(), plan),
            own_rules_end: false,
            defaults_end: Vec::new(),
            clashes: Vec::new(),
            repriced: Vec::new(),
            refusal: self.refusal(who, place, change).await?,
        };
        match change {
            PlaceChange::Rename(name) => {
                let parent = place.parent.filter(|_| place.kind != PlaceKind::Building).map(|parent| tree.full_name(parent));
                effect.after = parent.map_or_else(|| name.clone(), |parent| format!("{parent} {name}"));
            }
            PlaceChange::Move(to) => {
                effect.after = format!("{} {}", tree.full_name(*to), place.name);
                let (from, into) = (tree.building(id), tree.building(*to));
                effect.losing = assigned.only(from, into);
                effect.gaining = assigned.only(into, from);
                effect.plans.1 = self.plan_below(id, *to).await?;
                effect.repriced = self.repriced(tree, id, &[MergeStep::Place { place: id, parent: *to }]).await?;
            }
            PlaceChange::Merge(into) => {
                effect.clashes = tree.clashes(id, *into);
                effect.after = tree.full_name(*into);
                let (from, to) = (tree.building(id), tree.building(*into));
                effect.gaining = assigned.only(to, from);
                if place.kind == PlaceKind::Building {
                    // Who was limited to it is limited to the other afterwards, and sees both.
                    effect.gaining.extend(assigned.only(from, to));
                } else {
                    effect.losing = assigned.only(from, to);
                }
                effect.plans.1 = self.plan_of(*into).await?;
                let steps = tree.merge(id, *into).unwrap_or_default();
                effect.repriced = self.repriced(tree, id, &steps).await?;
                let absorbed = steps.into_iter().filter_map(|step| match step {
                    MergeStep::Absorb { from, .. } => Some(from),
                    MergeStep::Place { .. } => None,
                });
                self.ends_with(tree, &absorbed.collect::<Vec<_>>(), &mut effect).await?;
            }
            PlaceChange::Remove => self.ends_with(tree, &[id], &mut effect).await?,
        }
        Ok(effect)
    }

    async fn add_places(
        &self,
        who: &Who,
        parent: Option<PlaceId>,
        kind: PlaceKind,
        names: &[String],
    ) -> Result<PlaceId, AppError> {
        let estate = self.estate(who).await?;
        match parent {
            Some(parent) => drop(estate.place(parent)?),
            None => self.context.require_whole_site(who).await?,
        }
        let names = names.iter().map(|name| checked_name(name)).collect::<Result<Vec<_>, _>>()?;
        let (db, rng) = (&self.context.db, &self.context.rng);
        Ok(places::create(db, rng, self.context.now(), who, parent, (kind, &names)).await?)
    }

    async fn change_place(&self, who: &Who, id: PlaceId, change: &PlaceChange) -> Result<Option<PlaceId>, AppError> {
        let estate = self.estate(who).await?;
        let place = estate.place(id)?;
        let (db, at) = (&self.context.db, self.context.now());
        let after = match change {
            PlaceChange::Rename(name) => {
                places::rename(db, at, who, id, &checked_name(name)?).await?;
                Some(id)
            }
            PlaceChange::Move(to) => {
                estate.place(*to)?;
                places::relocate(db, at, who, id, *to).await?;
                Some(id)
            }
            PlaceChange::Merge(into) => {
                estate.place(*into)?;
                places::merge(db, at, who, id, *into).await?;
                Some(*into)
            }
            PlaceChange::Remove if place.kind == PlaceKind::Site => return Err(AppError::PlaceNotEmpty),
            PlaceChange::Remove => {
                places::remove(db, at, who, id).await?;
                place.parent.filter(|parent| estate.tree.get(*parent).is_some_and(|one| one.kind != PlaceKind::Site))
            }
        };
        self.context.live.reload(db).await?;
        Ok(after)
    }

    async fn room_named(&self, who: &Who, name: &str) -> Result<PlaceId, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        let (room, _) = room_named(&places::tree(&self.context.db).await?, &scope, name)?;
        Ok(room)
    }

    async fn groups(&self, who: &Who) -> Result<Vec<PlaceGroupLine>, AppError> {
        let estate = self.estate(who).await?;
        let groups = place_groups::all(&self.context.db).await?;
        let line = |group: PlaceGroup| {
            let visible: Vec<PlaceId> =
                group.places.iter().copied().filter(|place| estate.tree.is_within(&estate.scope, *place)).collect();
            // A place below another one of the group counts once.
            let mut below: HashMap<PlaceId, u32> = HashMap::new();
            for place in visible.iter().flat_map(|place| estate.tree.below(*place)) {
                below.insert(place.id, place.meters);
            }
            let count = |places: usize| u32::try_from(places).unwrap_or(u32::MAX);
            let (places, elsewhere) = (count(visible.len()), count(group.places.len() - visible.len()));
            PlaceGroupLine { id: group.id, name: group.name, places, elsewhere, meters: below.values().sum() }
        };
        Ok(groups.into_iter().map(line).collect())
    }

    async fn group(&self, who: &Who, id: PlaceGroupId) -> Result<PlaceGroupView, AppError> {
        let estate = self.estate(who).await?;
        let group = self.group_of(id).await?;
        let all = group.places.len();
        let visible = group.places.into_iter().filter(|place| estate.tree.is_within(&estate.scope, *place));
        let mut places: Vec<(PlaceId, String, u32)> =
            visible.map(|place| (place, estate.tree.full_name(place), estate.tree.counts(place).meters)).collect();
        places.sort_by(|a, b| a.1.cmp(&b.1));
        let choices = estate.of_kind(&[PlaceKind::Building, PlaceKind::Unit]).into_iter().map(|place| place.id);
        let elsewhere = u32::try_from(all - places.len()).unwrap_or(u32::MAX);
        let plan = self.own_plan(DefaultsOf::Group(id)).await?;
        let keeps_places = place_groups::keeps_places(&self.context.db, self.context.now(), id).await?;
        let has_settings = place_groups::has_settings(&self.context.db, id).await?;
        Ok(PlaceGroupView {
            id,
            name: group.name,
            places,
            elsewhere,
            plan,
            keeps_places,
            is_locked: has_settings && !self.context.answers_for_site(who).await?,
            choices: estate.named(choices),
        })
    }

    async fn add_group(&self, who: &Who, name: &str) -> Result<PlaceGroupId, AppError> {
        let name = checked_name(name)?;
        // A group without members does not show on the wall yet.
        Ok(place_groups::create(&self.context.db, &self.context.rng, self.context.now(), who, &name).await?)
    }

    async fn rename_group(&self, who: &Who, id: PlaceGroupId, name: &str) -> Result<(), AppError> {
        self.require_own_group(who, id).await?;
        place_groups::rename(&self.context.db, self.context.now(), who, id, &checked_name(name)?).await?;
        Ok(self.context.live.reload(&self.context.db).await?)
    }

    async fn remove_group(&self, who: &Who, id: PlaceGroupId) -> Result<(), AppError> {
        self.require_own_group(who, id).await?;
        place_groups::remove(&self.context.db, self.context.now(), who, id).await?;
        Ok(self.context.live.reload(&self.context.db).await?)
    }

    async fn add_to_group(
        &self,
        who: &Who,
        id: PlaceGroupId,
        places: &[PlaceId],
        rooms: &[String],
    ) -> Result<Vec<String>, AppError> {
        let estate = self.estate(who).await?;
        let mut added = Vec::with_capacity(places.len() + rooms.len());
        for place in places {
            added.push(estate.place(*place)?.id);
        }
        let names: Vec<_> = estate
            .of_kind(&[PlaceKind::Room])
            .into_iter()
            .filter_map(|room| Some((room.id, estate.tree.room_name(room.id)?)))
            .collect();
        let mut unknown = Vec::new();
        for line in rooms {
            match rooms_named(line, &names)[..] {
                [(room, _)] => added.push(*room),
                _ => unknown.push(line.clone()),
            }
        }
        if unknown.is_empty() {
            place_groups::change(&self.context.db, self.context.now(), who, id, &added, &[]).await?;
            self.context.live.reload(&self.context.db).await?;
        }
        Ok(unknown)
    }

    async fn remove_from_group(&self, who: &Who, id: PlaceGroupId, place: PlaceId) -> Result<(), AppError> {
        self.estate(who).await?.place(place)?;
        place_groups::change(&self.context.db, self.context.now(), who, id, &[], &[place]).await?;
        Ok(self.context.live.reload(&self.context.db).await?)
    }
}

impl ConsoleService {
    async fn estate(&self, who: &Who) -> Result<Estate, AppError> {
        let scope = queries::scope(&self.context.db, who.user).await?;
        Ok(Estate { tree: places::tree(&self.context.db).await?, scope })
    }

    async fn group_of(&self, id: PlaceGroupId) -> Result<PlaceGroup, AppError> {
        let groups = place_groups::all(&self.context.db).await?;
        groups.into_iter().find(|group| group.id == id).ok_or(AppError::NotFound)
    }

    /// Refuses a group that names places of other buildings than the operator's.
    async fn require_own_group(&self, who: &Who, id: PlaceGroupId) -> Result<(), AppError> {
        let (estate, group) = (self.estate(who).await?, self.group_of(id).await?);
        let own = group.places.iter().all(|place| estate.tree.is_within(&estate.scope, *place));
        if own { Ok(()) } else { Err(AppError::Forbidden) }
    }

    /// The name of the price plan in force at a place.
    async fn plan_of(&self, place: PlaceId) -> Result<Option<String>, AppError> {
        Ok(self.plan_at(place).await?.map(|(plan, _)| plan))
    }
}
