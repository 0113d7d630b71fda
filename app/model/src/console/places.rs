//! View types of the place tree and of groups.

use crate::defaults::DefaultValues;
use crate::error::AppError;
use crate::ids::{MeterId, PlaceGroupId, PlaceId};
use crate::place::PlaceKind;
use crate::time::Timestamp;

/// The most places that one form adds.
pub const NEW_PLACES_MAX: usize = 200;
/// The most groups of a site.
pub const GROUPS_MAX: usize = 200;

/// What is in a place and below it; the place itself counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlaceCounts {
    pub buildings: u32,
    pub floors: u32,
    pub rooms: u32,
    /// Meters in service.
    pub meters: u32,
    /// Accounts that are not closed.
    pub accounts: u32,
}

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceLine {
    pub id: PlaceId,
    pub kind: PlaceKind,
    pub name: String,
    pub counts: PlaceCounts,
}

/// The buildings and floors that an operator may see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceTreeView {
    /// `None` before the first place.
    pub site: Option<(PlaceId, String)>,
    /// Over the buildings below.
    pub total: PlaceCounts,
    /// Buildings with their floors.
    pub buildings: Vec<(PlaceLine, Vec<PlaceLine>)>,
    /// Whether the operator may see all buildings, and so add one.
    pub whole_site: bool,
}

/// A place and what may be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceView {
    pub id: PlaceId,
    pub kind: PlaceKind,
    pub name: String,
    /// From the building to its parent; empty for a building or the site.
    pub above: Vec<(PlaceId, String)>,
    pub counts: PlaceCounts,
    /// Directly below it.
    pub children: Vec<PlaceLine>,
    /// Meters in service directly in it, with their serial numbers.
    pub meters: Vec<(MeterId, String)>,
    /// Operators who are limited to its building.
    pub operators: Vec<String>,
    /// The price plan in force there, of its own or from above.
    pub plan: Option<String>,
    /// Where it may be moved, by full name.
    pub parents: Vec<(PlaceId, String)>,
    /// With what it may be merged, by full name.
    pub peers: Vec<(PlaceId, String)>,
    /// Whether it is empty, so that it may be deleted.
    pub removable: bool,
    /// The groups that name it.
    pub groups: Vec<(PlaceGroupId, String)>,
}

/// A change of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceChange {
    Rename(String),
    /// Below another place.
    Move(PlaceId),
    /// Into another place of its kind, which stays.
    Merge(PlaceId),
    Remove,
}

/// What a change would do, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceChangeEffect {
    /// The full name before.
    pub before: String,
    /// The full name after it; of the place that stays.
    pub after: String,
    pub counts: PlaceCounts,
    /// Operators who see the place only before it.
    pub losing: Vec<String>,
    /// Operators who see more after it.
    pub gaining: Vec<String>,
    /// The price plans before and after.
    pub plans: (Option<String>, Option<String>),
    /// Whether a price plan or subsidy of its own ends with it.
    pub own_rules_end: bool,
    /// The default parameters that end with it, with the full name of the place that set them.
    pub defaults_end: Vec<(String, DefaultValues)>,
    /// Names that stand in the way.
    pub clashes: Vec<String>,
    /// The places whose meters get another price plan.
    pub repriced: Vec<RepricedPlace>,
    /// Why it would be refused.
    pub refusal: Option<AppError>,
}

/// A place whose meters get another price plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepricedPlace {
    /// Its full name before.
    pub place: String,
    /// The name of the plan.
    pub before: Option<String>,
    pub after: Option<String>,
    /// Whether it ends with the merge, so that a plan of its own does not stay.
    pub ends: bool,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceGroupLine {
    pub id: PlaceGroupId,
    pub name: String,
    /// Places that it names and the operator may see.
    pub places: u32,
    /// Places that it names in other buildings.
    pub elsewhere: u32,
    /// Meters in the places that the operator may see, and below them.
    pub meters: u32,
}

/// A group and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceGroupView {
    pub id: PlaceGroupId,
    pub name: String,
    /// By full name, with the meters in each.
    pub places: Vec<(PlaceId, String, u32)>,
    /// Places that it names in other buildings. Only without any, the operator may rename and delete it.
    pub elsewhere: u32,
    /// The price plan that it has, and since when.
    pub plan: Option<(String, Timestamp)>,
    /// Whether it has or had a plan, or one waits for approval, so that its places stay what they are.
    pub keeps_places: bool,
    /// Whether it has settings or a plan, which this operator may not give: then it stays as it is.
    pub is_locked: bool,
    /// Buildings and floors to choose from, by full name.
    pub choices: Vec<(PlaceId, String)>,
}
