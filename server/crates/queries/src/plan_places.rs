//! Which price plan applies to which meter, of all buildings.

use std::collections::HashMap;

use model::ids::{PlaceId, Uuid};
use model::meter::Wallet;
use model::time::Timestamp;

use domain::prices::{Assigned, deciding, timeline};
use domain::tariff::Version;
use store::prices::{self, Assignment, PricedMeter};
use store::{Db, Result};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

/// Meters by kind of wallet.
#[derive(Clone, Copy, Debug, Default)]
pub struct WalletCounts {
    pub meter_wallets: usize,
    pub server_wallets: usize,
}

/// Places, assignments and meters, as one look at them.
pub struct PlanPlaces {
    parents: HashMap<PlaceId, Option<PlaceId>>,
    assignments: HashMap<PlaceId, Vec<Assignment>>,
    meters: Vec<PricedMeter>,
}

impl PlanPlaces {
    pub async fn read(db: &Db) -> Result<Self> {
        Ok(Self { meters: prices::meters(db).await?, ..Self::places(db).await? })
    }

    /// The same without the meters.
    pub async fn places(db: &Db) -> Result<Self> {
        let mut assignments: HashMap<PlaceId, Vec<Assignment>> = HashMap::new();
        for one in prices::assignments(db).await? {
            assignments.entry(one.place_id).or_default().push(one);
        }
        Ok(Self { parents: prices::parents(db).await?, assignments, meters: Vec::new() })
    }

    /// From a place up to the root.
    fn path(&self, place: PlaceId) -> Vec<PlaceId> {
        std::iter::successors(Some(place), |place| self.parents.get(place).copied().flatten()).take(DEEPEST).collect()
    }

    fn assigned(&self, path: &[PlaceId]) -> Vec<Assigned> {
        let assigned = (0..).zip(path).flat_map(|(distance, place)| {
            let here = self.assignments.get(place).map_or(&[][..], Vec::as_slice);
            here.iter().map(move |one| Assigned { distance, plan: one.plan_id, from: one.from_at })
        });
        assigned.collect()
    }

    /// The plan that applies at a place, and the place and instant that decide it.
    #[must_use]
    pub fn plan_at(&self, place: PlaceId, at: Timestamp) -> Option<(Uuid, PlaceId, Timestamp)> {
        let path = self.path(place);
        let Assigned { distance, plan, from } = *deciding(&self.assigned(&path), at)?;
        let decides = usize::try_from(distance).ok().and_then(|n| path.get(n))?;
        Some((plan, *decides, from))
    }

    /// The versions that apply at a place, ascending; `versions` are those of all plans.
    #[must_use]
    pub fn timeline(&self, place: PlaceId, versions: &[(Uuid, Version)]) -> Vec<Version> {
        timeline(&self.assigned(&self.path(place)), versions)
    }

    /// The meters that a plan applies to, with the plan and the place that decides it.
    #[must_use]
    pub fn priced(&self, at: Timestamp) -> Vec<(PricedMeter, Uuid, PlaceId)> {
        let mut known: HashMap<PlaceId, Option<(Uuid, PlaceId, Timestamp)>> = HashMap::new();
        let meters = self.meters.iter().filter(|meter| meter.wallet != Wallet::None);
        let priced = meters.filter_map(|meter| {
            let found = *known.entry(meter.place_id).or_insert_with(|| self.plan_at(meter.place_id, at));
            found.map(|(plan, decides, _)| (*meter, plan, decides))
        });
        priced.collect()
    }

    /// Those of one plan.
    #[must_use]
    pub fn meters_of(&self, plan: Uuid, at: Timestamp) -> Vec<(PricedMeter, PlaceId)> {
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
