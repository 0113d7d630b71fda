//! What may be done with the places of a site: a building holds floors and rooms, a floor holds rooms.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use model::console::{PlaceCounts, RoomName};
use model::error::AppError;
use model::ids::PlaceId;
use model::place::PlaceKind;
use model::typed;

use crate::wall_layout::Scope;

/// Longest name of a place or group, characters; the site workbook has the same bound.
pub const NAME_MAX: usize = 40;
/// Most levels that are followed, so that a broken tree ends.
const LEVELS: usize = 16;

/// A place with what is directly in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: PlaceId,
    pub parent: Option<PlaceId>,
    pub kind: PlaceKind,
    pub name: String,
    /// Its order among its siblings.
    pub sort: i64,
    /// Meters in service.
    pub meters: u32,
    /// Accounts that are not closed.
    pub accounts: u32,
    /// Whether it has or had a meter.
    pub had_meter: bool,
    /// Whether it has or had an account.
    pub had_account: bool,
    /// Whether an account waits to be opened or closed there with others.
    pub in_batch: bool,
}

/// A step of a merge, in the order in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeStep {
    /// A place gets another parent.
    Place { place: PlaceId, parent: PlaceId },
    /// What is in `from` goes to `into`; `from`, which has no places below it any more, ends.
    Absorb { from: PlaceId, into: PlaceId },
}

/// The places of a site.
#[derive(Clone, Debug, Default)]
pub struct PlaceTree {
    places: HashMap<PlaceId, Place>,
    /// By parent, in their order.
    children: HashMap<Option<PlaceId>, Vec<PlaceId>>,
}

/// The name of a place or group, with digits and letters as they are looked for: without space around it, 1 to [`NAME_MAX`]
/// characters, no control characters.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn checked_name(text: &str) -> Result<String, AppError> {
    let name = typed::name(text);
    let fits = (1..=NAME_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(AppError::Invalid) }
}

/// Whether a place of a kind may be directly below a place of another.
#[must_use]
pub const fn fits_below(kind: PlaceKind, parent: PlaceKind) -> bool {
    match kind {
        PlaceKind::Site => false,
        PlaceKind::Building => matches!(parent, PlaceKind::Site),
        PlaceKind::Unit => matches!(parent, PlaceKind::Building),
        PlaceKind::Room => matches!(parent, PlaceKind::Building | PlaceKind::Unit),
    }
}

impl PlaceTree {
    #[must_use]
    pub fn new(mut places: Vec<Place>) -> Self {
        places.sort_by(|a, b| (a.sort, &a.name).cmp(&(b.sort, &b.name)));
        let mut children: HashMap<Option<PlaceId>, Vec<PlaceId>> = HashMap::new();
        for place in &places {
            children.entry(place.parent).or_default().push(place.id);
        }
        Self { places: places.into_iter().map(|place| (place.id, place)).collect(), children }
    }

    #[must_use]
    pub fn get(&self, place: PlaceId) -> Option<&Place> {
        self.places.get(&place)
    }

    /// The root of the tree.
    #[must_use]
    pub fn site(&self) -> Option<&Place> {
        self.below_parent(None).find(|place| place.kind == PlaceKind::Site)
    }

    /// The places directly below one, in their order.
    pub fn children(&self, place: PlaceId) -> impl Iterator<Item = &Place> {
        self.below_parent(Some(place))
    }

    fn below_parent(&self, parent: Option<PlaceId>) -> impl Iterator<Item = &Place> {
        self.children.get(&parent).into_iter().flatten().filter_map(|id| self.places.get(id))
    }

    /// From the root to the place.
    #[must_use]
    pub fn path(&self, place: PlaceId) -> Vec<&Place> {
        let mut path: Vec<&Place> =
            std::iter::successors(self.get(place), |place| place.parent.and_then(|id| self.get(id))).take(LEVELS).collect();
        path.reverse();
        path
    }

    /// The names from the building to the place, as people say them.
    #[must_use]
    pub fn full_name(&self, place: PlaceId) -> String {
        let path = self.path(place);
        let names = path.iter().filter(|one| one.kind != PlaceKind::Site || path.len() == 1).map(|one| one.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    }

    /// A room's names by level; `None` for another place.
    #[must_use]
    pub fn room_name(&self, place: PlaceId) -> Option<RoomName> {
        let path = self.path(place);
        let room = path.last().filter(|place| place.kind == PlaceKind::Room)?;
        let of = |kind| path.iter().find(|place| place.kind == kind).map(|place| place.name.clone()).unwrap_or_default();
        Some(RoomName { building: of(PlaceKind::Building), floor: of(PlaceKind::Unit), room: room.name.clone() })
    }

    /// The building of a place.
    #[must_use]
    pub fn building(&self, place: PlaceId) -> Option<PlaceId> {
        self.path(place).into_iter().find(|place| place.kind == PlaceKind::Building).map(|place| place.id)
    }

    /// Whether a person may see a place.
    #[must_use]
    pub fn is_within(&self, scope: &Scope, place: PlaceId) -> bool {
        match scope {
            Scope::All => self.get(place).is_some(),
            Scope::Buildings(_) => self.building(place).is_some_and(|building| scope.holds(building)),
        }
    }

    /// A place and everything below it, parents first.
    #[must_use]
    pub fn below(&self, place: PlaceId) -> Vec<&Place> {
        let mut found: Vec<&Place> = self.get(place).into_iter().collect();
        let mut next = 0;
        while let Some(one) = found.get(next) {
            found.extend(self.children(one.id));
            next += 1;
            // A broken tree must not go on for ever.
            if next > self.places.len() {
                break;
            }
        }
        found
    }

    /// What is in a place and below it; the place itself counts.
    #[must_use]
    pub fn counts(&self, place: PlaceId) -> PlaceCounts {
        let mut counts = PlaceCounts::default();
        for one in self.below(place) {
            match one.kind {
                PlaceKind::Site => {}
                PlaceKind::Building => counts.buildings += 1,
                PlaceKind::Unit => counts.floors += 1,
                PlaceKind::Room => counts.rooms += 1,
            }
            counts.meters += one.meters;
            counts.accounts += one.accounts;
        }
        counts
    }

    fn place(&self, place: PlaceId) -> Result<&Place, AppError> {
        self.get(place).ok_or(AppError::NotFound)
    }

    fn is_named(&self, parent: Option<PlaceId>, name: &str, except: Option<PlaceId>) -> bool {
        self.below_parent(parent).any(|place| place.name == name && Some(place.id) != except)
    }

    /// Whether places of a kind and these names may be added below a place; without one, the site itself.
    ///
    /// # Errors
    /// [`AppError::PlaceDoesNotFit`] for the kind, [`AppError::NameTaken`], [`AppError::NotFound`].
    pub fn check_add(&self, parent: Option<PlaceId>, kind: PlaceKind, names: &[String]) -> Result<(), AppError> {
        match parent {
            None if kind == PlaceKind::Site && self.site().is_none() && names.len() == 1 => {}
            None => return Err(AppError::PlaceDoesNotFit),
            Some(parent) if fits_below(kind, self.place(parent)?.kind) => {}
            Some(_) => return Err(AppError::PlaceDoesNotFit),
        }
        let repeated = names.iter().enumerate().any(|(index, name)| names.iter().take(index).any(|earlier| earlier == name));
        if repeated || names.iter().any(|name| self.is_named(parent, name, None)) {
            return Err(AppError::NameTaken);
        }
        Ok(())
    }

    /// Whether a place may have a name.
    ///
    /// # Errors
    /// [`AppError::NameTaken`], [`AppError::NotFound`].
    pub fn check_rename(&self, place: PlaceId, name: &str) -> Result<(), AppError> {
        let parent = self.place(place)?.parent;
        if self.is_named(parent, name, Some(place)) { Err(AppError::NameTaken) } else { Ok(()) }
    }

    /// Whether a place may go below another.
    ///
    /// # Errors
    /// [`AppError::PlaceDoesNotFit`], [`AppError::NameTaken`], [`AppError::NotFound`].
    pub fn check_move(&self, place: PlaceId, parent: PlaceId) -> Result<(), AppError> {
        let (place, parent) = (self.place(place)?, self.place(parent)?);
        if !fits_below(place.kind, parent.kind) || place.parent == Some(parent.id) {
            return Err(AppError::PlaceDoesNotFit);
        }
        if self.is_named(Some(parent.id), &place.name, None) { Err(AppError::NameTaken) } else { Ok(()) }
    }

    /// Whether a place may be removed: nothing is below it, and nothing is or was in it.
    ///
    /// # Errors
    /// [`AppError::PlaceNotEmpty`], [`AppError::RoomInBatch`], [`AppError::NotFound`].
    pub fn check_remove(&self, place: PlaceId) -> Result<(), AppError> {
        let place = self.place(place)?;
        if place.in_batch {
            return Err(AppError::RoomInBatch);
        }
        let is_empty = self.children(place.id).next().is_none() && !place.had_meter && !place.had_account;
        if is_empty { Ok(()) } else { Err(AppError::PlaceNotEmpty) }
    }

    /// How a place is merged into another one of its kind: floors of one name become one, everything else goes over.
    ///
    /// # Errors
    /// [`AppError::PlaceDoesNotFit`] for different kinds, [`AppError::NameTaken`] where both have a room of one name,
    /// [`AppError::RoomHasAccount`] for a room that has or had an account, [`AppError::RoomInBatch`], [`AppError::NotFound`].
    pub fn merge(&self, from: PlaceId, into: PlaceId) -> Result<Vec<MergeStep>, AppError> {
        let (source, target) = (self.place(from)?, self.place(into)?);
        let mergeable = matches!(source.kind, PlaceKind::Building | PlaceKind::Unit | PlaceKind::Room);
        if from == into || source.kind != target.kind || !mergeable {
            return Err(AppError::PlaceDoesNotFit);
        }
        if source.had_account {
            return Err(AppError::RoomHasAccount);
        }
        if source.in_batch {
            return Err(AppError::RoomInBatch);
        }
        let mut steps = Vec::new();
        for child in self.children(from) {
            match self.children(into).find(|other| other.name == child.name) {
                None => steps.push(MergeStep::Place { place: child.id, parent: into }),
                Some(other) if child.kind == PlaceKind::Unit && other.kind == PlaceKind::Unit => {
                    steps.extend(self.merge(child.id, other.id)?);
                }
                Some(_) => return Err(AppError::NameTaken),
            }
        }
        steps.push(MergeStep::Absorb { from, into });
        Ok(steps)
    }

    /// The names that stand in the way of a merge, from their floor on.
    #[must_use]
    pub fn clashes(&self, from: PlaceId, into: PlaceId) -> Vec<String> {
        let mut clashes = Vec::new();
        for child in self.children(from) {
            match self.children(into).find(|other| other.name == child.name) {
                Some(other) if child.kind == PlaceKind::Unit && other.kind == PlaceKind::Unit => {
                    clashes.extend(self.clashes(child.id, other.id).into_iter().map(|name| format!("{} {name}", child.name)));
                }
                Some(_) => clashes.push(child.name.clone()),
                None => {}
            }
        }
        clashes
    }
}
