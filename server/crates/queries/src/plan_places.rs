//! Which price plan applies to which meter, of all buildings.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId, Uuid};
use model::meter::Wallet;
use model::time::Timestamp;

use domain::prices::PlanTree;
use domain::tariff::Version;
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

    /// The meters that are charged in these places and below: in how many rooms, and how many by the plan that applies to them.
    #[must_use]
    pub fn below(&self, of: &HashSet<PlaceId>, at: Timestamp) -> (usize, BTreeMap<Option<Uuid>, usize>) {
        let above = |place: &PlaceId| self.given.places.get(place).and_then(|(parent, _)| *parent);
        let mut rooms: HashMap<PlaceId, usize> = HashMap::new();
        for meter in self.meters.iter().filter(|meter| meter.wallet != Wallet::None) {
            if std::iter::successors(Some(meter.place_id), above).take(LEVELS).any(|place| of.contains(&place)) {
                *rooms.entry(meter.place_id).or_default() += 1;
            }
        }
        let mut plans: BTreeMap<Option<Uuid>, usize> = BTreeMap::new();
        for (room, meters) in &rooms {
            *plans.entry(self.plan_at(*room, at).map(|(plan, ..)| plan)).or_default() += meters;
        }
        (rooms.len(), plans)
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

/// The places that each group names.
pub(crate) async fn group_places(db: &Db) -> Result<Vec<(PlaceGroupId, PlaceId)>> {
    read!(db, |pool| sqlx::query_as("SELECT group_id, place_id FROM place_group_members").fetch_all(pool).await)
}
