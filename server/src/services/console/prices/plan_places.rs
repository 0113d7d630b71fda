//! Which plan applies to which meter.

use std::collections::HashMap;

use model::error::AppError;
use model::ids::{PlaceId, Uuid};
use model::meter::Wallet;
use model::time::Timestamp;

use domain::prices::{Assigned, deciding};
use store::Db;
use store::prices::{self, Assignment, PricedMeter};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

/// Meters by kind of wallet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub meter_wallets: usize,
    pub server_wallets: usize,
}

/// Places, assignments and meters, as one look at them.
pub(super) struct PlanPlaces {
    parents: HashMap<PlaceId, Option<PlaceId>>,
    assignments: HashMap<PlaceId, Vec<Assignment>>,
    meters: Vec<PricedMeter>,
}

impl PlanPlaces {
    pub(super) async fn read(db: &Db) -> Result<Self, AppError> {
        Ok(Self { meters: prices::meters(db).await?, ..Self::places(db).await? })
    }

    /// The same without the meters.
    pub(super) async fn places(db: &Db) -> Result<Self, AppError> {
        let mut assignments: HashMap<PlaceId, Vec<Assignment>> = HashMap::new();
        for one in prices::assignments(db).await? {
            assignments.entry(one.place_id).or_default().push(one);
        }
        Ok(Self { parents: prices::parents(db).await?, assignments, meters: Vec::new() })
    }

    /// The plan that applies at a place, and the place and instant that decide it.
    pub(super) fn plan_at(&self, place: PlaceId, at: Timestamp) -> Option<(Uuid, PlaceId, Timestamp)> {
        let path = std::iter::successors(Some(place), |place| self.parents.get(place).copied().flatten()).take(DEEPEST);
        let path: Vec<PlaceId> = path.collect();
        let assigned: Vec<Assigned> = (0..)
            .zip(&path)
            .flat_map(|(distance, place)| {
                let here = self.assignments.get(place).map_or(&[][..], Vec::as_slice);
                here.iter().map(move |one| Assigned { distance, plan: one.plan_id, from: one.from_at })
            })
            .collect();
        let Assigned { distance, plan, from } = *deciding(&assigned, at)?;
        let decides = usize::try_from(distance).ok().and_then(|n| path.get(n))?;
        Some((plan, *decides, from))
    }

    /// The meters that a plan applies to, with the plan and the place that decides it.
    pub(super) fn priced(&self, at: Timestamp) -> Vec<(PricedMeter, Uuid, PlaceId)> {
        let mut known: HashMap<PlaceId, Option<(Uuid, PlaceId, Timestamp)>> = HashMap::new();
        let meters = self.meters.iter().filter(|meter| meter.wallet != Wallet::None);
        let priced = meters.filter_map(|meter| {
            let found = *known.entry(meter.place_id).or_insert_with(|| self.plan_at(meter.place_id, at));
            found.map(|(plan, decides, _)| (*meter, plan, decides))
        });
        priced.collect()
    }

    /// Those of one plan.
    pub(super) fn meters_of(&self, plan: Uuid, at: Timestamp) -> Vec<(PricedMeter, PlaceId)> {
        let of_plan = self.priced(at).into_iter().filter(|(_, applies, _)| *applies == plan);
        of_plan.map(|(meter, _, decides)| (meter, decides)).collect()
    }
}

/// How many hold their own credit, and how many have a server wallet.
pub(super) fn count<'a>(meters: impl Iterator<Item = &'a PricedMeter>) -> Counts {
    meters.fold(Counts::default(), |counts, meter| match meter.wallet {
        Wallet::Meter => Counts { meter_wallets: counts.meter_wallets + 1, ..counts },
        Wallet::Server => Counts { server_wallets: counts.server_wallets + 1, ..counts },
        Wallet::None => counts,
    })
}
