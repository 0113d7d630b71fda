//! Which price plan applies to which meter, of all buildings.

use std::collections::{HashMap, HashSet};

use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId, Uuid};
use model::meter::Wallet;
use model::place::PlaceKind;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::defaults::GroupSettings;
use domain::prices::{PlanFrom, PlanTree};
use domain::tariff::Version;
use store::console::above;
use store::prices::{self, PricedMeter};
use store::{Db, Result, read};

/// Places above each other that are followed, so that a broken tree ends.
const LEVELS: usize = 16;

/// Meters by kind of wallet.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalletCounts {
    pub meter_wallets: usize,
    pub server_wallets: usize,
}

/// A room with meters that are charged.
#[derive(Clone, Copy, Debug)]
pub struct ChargedRoom {
    pub room: PlaceId,
    /// The nearest of the places that were asked about.
    pub within: PlaceId,
    pub meters: usize,
}

/// Plans, places, groups and meters, as one look at them.
pub struct PlanPlaces {
    given: PlanTree,
    meters: Vec<PricedMeter>,
}

impl PlanPlaces {
    pub async fn read(db: &Db) -> Result<Self> {
        Ok(Self { meters: prices::meters(db).await?, ..Self::places(db).await? })
    }

    /// The same without the meters.
    pub async fn places(db: &Db) -> Result<Self> {
        Ok(Self { given: prices::given(db).await?, meters: Vec::new() })
    }

    /// The plan that applies at a place, and the place or group and the instant that decide it.
    #[must_use]
    pub fn plan_at(&self, place: PlaceId, at: Timestamp) -> Option<(Uuid, DefaultsOf, Timestamp)> {
        self.given.plan_at(place, at)
    }

    /// The groups whose plan does not apply at a place, because another one does.
    #[must_use]
    pub fn yielding_groups(&self, place: PlaceId, at: Timestamp) -> Vec<PlaceGroupId> {
        self.given.yielding_groups(place, at)
    }

    /// The versions that apply at a place, ascending; `versions` are those of all plans.
    #[must_use]
    pub fn timeline(&self, place: PlaceId, versions: &[(Uuid, Version)]) -> Vec<Version> {
        self.given.timeline(place, versions)
    }

    /// The meters that a plan applies to, with the plan and the place or group that decides it.
    #[must_use]
    pub fn priced(&self, at: Timestamp) -> Vec<(PricedMeter, Uuid, DefaultsOf)> {
        let mut known: HashMap<PlaceId, Option<(Uuid, DefaultsOf, Timestamp)>> = HashMap::new();
        let meters = self.meters.iter().filter(|meter| meter.wallet != Wallet::None);
        let priced = meters.filter_map(|meter| {
            let found = *known.entry(meter.place_id).or_insert_with(|| self.plan_at(meter.place_id, at));
            found.map(|(plan, decides, _)| (*meter, plan, decides))
        });
        priced.collect()
    }

    /// What places and groups were given.
    #[must_use]
    pub const fn given(&self) -> &PlanTree {
        &self.given
    }

    /// The same with another plan of a place or group from an instant on. `places` are the group's; of two groups the first by
    /// name decides.
    #[must_use]
    pub fn with(
        &self,
        of: DefaultsOf,
        (plan, from): (Option<Uuid>, Timestamp),
        places: &HashSet<PlaceId>,
        names: &[(PlaceGroupId, String)],
    ) -> PlanTree {
        let (mut given, new) = (self.given.clone(), PlanFrom { plan, from });
        match of {
            DefaultsOf::Place(place) => {
                if let Some((_, own)) = given.places.get_mut(&place) {
                    own.push(new);
                }
            }
            DefaultsOf::Group(id) => {
                if let Some(group) = given.groups.iter_mut().find(|group| group.id == id) {
                    group.own.push(new);
                } else {
                    let name = |id: PlaceGroupId| names.iter().find(|(of, _)| *of == id).map(|(_, name)| name.as_str());
                    let behind = given.groups.iter().position(|group| name(group.id) > name(id));
                    let group = GroupSettings { id, own: vec![new], places: places.clone() };
                    given.groups.insert(behind.unwrap_or(given.groups.len()), group);
                }
            }
        }
        given
    }

    /// The rooms with meters that are charged, in these places and below.
    #[must_use]
    pub fn rooms_below(&self, of: &HashSet<PlaceId>) -> Vec<ChargedRoom> {
        let above = |place: &PlaceId| self.given.places.get(place).and_then(|(parent, _)| *parent);
        let mut rooms: HashMap<PlaceId, usize> = HashMap::new();
        for meter in self.meters.iter().filter(|meter| meter.wallet != Wallet::None) {
            *rooms.entry(meter.place_id).or_default() += 1;
        }
        let within = |(room, meters): (PlaceId, usize)| {
            let mut up = std::iter::successors(Some(room), above).take(LEVELS);
            Some(ChargedRoom { room, within: up.find(|place| of.contains(place))?, meters })
        };
        rooms.into_iter().filter_map(within).collect()
    }

    /// Those of one plan.
    #[must_use]
    pub fn meters_of(&self, plan: Uuid, at: Timestamp) -> Vec<(PricedMeter, DefaultsOf)> {
        let of_plan = self.priced(at).into_iter().filter(|(_, applies, _)| *applies == plan);
        of_plan.map(|(meter, _, decides)| (meter, decides)).collect()
    }
}

impl WalletCounts {
    /// How many hold their own credit, and how many have a server wallet.
    pub fn of<'a>(meters: impl Iterator<Item = &'a PricedMeter>) -> Self {
        meters.fold(Self::default(), |counts, meter| match meter.wallet {
            Wallet::Meter => Self { meter_wallets: counts.meter_wallets + 1, ..counts },
            Wallet::Server => Self { server_wallets: counts.server_wallets + 1, ..counts },
            Wallet::None => counts,
        })
    }
}

/// Where plans were given and apply now: plan, place or group, and since when.
pub async fn assigned_plans(db: &Db) -> Result<Vec<(Uuid, DefaultsOf, Timestamp)>> {
    let rows: Vec<(Uuid, Option<PlaceId>, Option<PlaceGroupId>, Timestamp)> = read!(db, |pool| sqlx::query_as(
        "SELECT a.plan_id, a.place_id, NULL AS group_id, a.from_at FROM price_places a
         WHERE a.from_at = (SELECT MAX(n.from_at) FROM price_places n WHERE n.place_id = a.place_id)
         UNION ALL
         SELECT a.plan_id, NULL AS place_id, a.group_id, a.from_at FROM price_groups a
         WHERE a.plan_id IS NOT NULL
           AND a.from_at = (SELECT MAX(n.from_at) FROM price_groups n WHERE n.group_id = a.group_id)"
    )
    .fetch_all(pool)
    .await)?;
    let one = |(plan, place, group, from): (Uuid, Option<PlaceId>, Option<PlaceGroupId>, Timestamp)| {
        let of = place.map(DefaultsOf::Place).or_else(|| group.map(DefaultsOf::Group))?;
        Some((plan, of, from))
    };
    Ok(rows.into_iter().filter_map(one).collect())
}

/// The groups by name.
pub async fn group_names(db: &Db) -> Result<Vec<(PlaceGroupId, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, name FROM place_groups ORDER BY name").fetch_all(pool).await)
}

/// A place of a group, with those above it.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct PlaceOfGroup {
    pub group_id: PlaceGroupId,
    pub place_id: PlaceId,
    #[sqlx(flatten)]
    names: PlaceNames,
}

impl PlaceOfGroup {
    pub fn full_name(&self) -> String {
        self.names.full_name()
    }
}

/// The names of a place and of those above it, each with its kind; all are missing where there is no place.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct PlaceNames {
    kind: Option<PlaceKind>,
    name: Option<String>,
    parent_kind: Option<PlaceKind>,
    parent: Option<String>,
    top_kind: Option<PlaceKind>,
    top: Option<String>,
}

impl PlaceNames {
    /// From the building downwards.
    pub fn full_name(&self) -> String {
        let above = [(self.top_kind, &self.top), (self.parent_kind, &self.parent)];
        let above = above.into_iter().filter(|(kind, _)| kind.is_some_and(|kind| kind != PlaceKind::Site));
        let names = above.chain([(self.kind, &self.name)]).filter_map(|(_, name)| name.as_deref());
        names.collect::<Vec<_>>().join(" ")
    }
}

/// The columns of [`PlaceNames`], of the place `r`.
macro_rules! place_names {
    () => {
        " r.kind, r.name, b.kind AS parent_kind, b.name AS parent, t.kind AS top_kind, t.name AS top "
    };
}
pub(crate) use place_names;

/// The places that each group names.
pub(crate) async fn places_of_groups(db: &Db) -> Result<Vec<PlaceOfGroup>> {
    read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.group_id, m.place_id,",
        place_names!(),
        "FROM place_group_members m JOIN places r ON r.id = m.place_id",
        above!()
    ))
    .fetch_all(pool)
    .await)
}
