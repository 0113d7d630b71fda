//! What a plan that waits for approval changes: whom it is for, and the prices there now and afterwards.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::approval::{Decision, PlanChange, PlanPrices, PriceReach};
use model::defaults::DefaultsOf;
use model::ids::{PlaceGroupId, PlaceId, Uuid};
use model::time::Timestamp;

use crate::plan_places::{PlaceOfGroup, places_of_groups};
use crate::{PlanInForce, PlanPlaces, group_names};
use domain::prices::PlanTree;
use store::{Db, Result};

/// Places of a group that are shown one by one; more are summarised.
const MOST_PLACES: usize = 12;

/// Plans, places and prices at an instant.
pub struct PriceChanges {
    at: Timestamp,
    charged: PlanPlaces,
    plans: HashMap<Uuid, PlanInForce>,
    groups: Vec<(PlaceGroupId, String)>,
    members: Vec<PlaceOfGroup>,
}

impl PriceChanges {
    pub async fn read(db: &Db, at: Timestamp) -> Result<Self> {
        Ok(Self {
            at,
            charged: PlanPlaces::read(db).await?,
            plans: PlanInForce::all(db, at).await?,
            groups: group_names(db).await?,
            members: places_of_groups(db).await?,
        })
    }

    /// `None` for what gives no place or group a plan.
    pub fn of(&self, decision: &Decision) -> Option<PriceReach> {
        let (of, plan) = match decision {
            Decision::PricePlace { place, plan } => (DefaultsOf::Place(*place), Some(*plan)),
            Decision::PriceGroup { group, plan } => (DefaultsOf::Group(*group), *plan),
            _ => return None,
        };
        let names: HashMap<PlaceId, String> = match of {
            DefaultsOf::Place(place) => [(place, String::new())].into(),
            DefaultsOf::Group(id) => {
                let members = self.members.iter().filter(|member| member.group_id == id);
                members.map(|member| (member.place_id, member.full_name())).collect()
            }
        };
        let places: HashSet<PlaceId> = names.keys().copied().collect();
        let after = self.charged.with(of, (plan, self.at), &places, &self.groups);
        let is_listed = (2..=MOST_PLACES).contains(&names.len());
        let mut sums: BTreeMap<(Option<&String>, Option<Uuid>, Option<Uuid>), (usize, usize)> = BTreeMap::new();
        for room in self.charged.rooms_below(&places) {
            let place = names.get(&room.within).filter(|_| is_listed);
            let plan_in = |tree: &PlanTree| tree.plan_at(room.room, self.at).map(|(plan, ..)| plan);
            let (rooms, meters) = sums.entry((place, plan_in(self.charged.given()), plan_in(&after))).or_default();
            *rooms += 1;
            *meters += room.meters;
        }
        let change = |((place, before, after), (rooms, meters)): ((Option<&String>, _, _), (usize, usize))| PlanChange {
            place: place.cloned(),
            rooms,
            meters,
            before: self.prices(before),
            after: self.prices(after),
        };
        Some(PriceReach { changes: sums.into_iter().map(change).collect() })
    }

    fn prices(&self, plan: Option<Uuid>) -> Option<PlanPrices> {
        let version = &self.plans.get(&plan?)?.version;
        Some(PlanPrices { plan: version.plan.clone(), prices: version.prices().clone() })
    }
}
