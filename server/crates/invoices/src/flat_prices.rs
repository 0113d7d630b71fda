//! The price of a kWh at a place and an instant, where there is only one.

use std::collections::HashMap;

use domain::prices::{Assigned, deciding};
use model::ids::{PlaceId, Uuid};
use model::money::Money;
use model::tariff::{Prices, in_force};
use model::time::Timestamp;
use store::prices::{self, Assignment};
use store::{Db, Result};

/// Places above a room; a bound against a loop.
const DEEPEST: usize = 16;

/// From this price on, energy to the Wh times price is not the amount to the fen.
const TEN_YUAN: Money = Money(100_000);

/// All plans that were ever published, and where they apply.
#[derive(Default)]
pub struct FlatPrices {
    parents: HashMap<PlaceId, Option<PlaceId>>,
    assignments: HashMap<PlaceId, Vec<Assignment>>,
    versions: HashMap<Uuid, Vec<(Timestamp, Prices)>>,
}

impl FlatPrices {
    pub async fn load(db: &Db) -> Result<Self> {
        let mut found = Self { parents: prices::parents(db).await?, ..Self::default() };
        for one in prices::assignments(db).await? {
            found.assignments.entry(one.place_id).or_default().push(one);
        }
        for one in prices::versions(db).await? {
            found.versions.entry(one.plan_id).or_default().push((one.effective_at, one.prices().clone()));
        }
        Ok(found)
    }

    /// The price with tax; `None` where several rates or tiers apply, or no plan.
    pub(super) fn at(&self, place: PlaceId, at: Timestamp) -> Option<Money> {
        let path = std::iter::successors(Some(place), |place| self.parents.get(place).copied().flatten()).take(DEEPEST);
        let assigned: Vec<Assigned> = (0..)
            .zip(path)
            .flat_map(|(distance, place)| {
                let here = self.assignments.get(&place).map_or(&[][..], Vec::as_slice);
                here.iter().map(move |one| Assigned { distance, plan: one.plan_id, from: one.from_at })
            })
            .collect();
        let versions = self.versions.get(&deciding(&assigned, at)?.plan)?;
        let ((_, prices), _) = in_force(versions, at, |(from, _)| *from)?;
        prices.flat_price().filter(|price| *price < TEN_YUAN)
    }
}

#[cfg(test)]
mod tests {
    use model::parameters::PlanEntry;

    use super::*;

    #[test]
    fn a_price_of_ten_yuan_gives_no_energy() {
        let price_of = |prices: Prices| {
            let (place, plan) = (PlaceId(Uuid::nil()), Uuid::nil());
            let assignment = Assignment { place_id: place, plan_id: plan, from_at: Timestamp(0) };
            let found = FlatPrices {
                parents: HashMap::from([(place, None)]),
                assignments: HashMap::from([(place, vec![assignment])]),
                versions: HashMap::from([(plan, vec![(Timestamp(0), prices)])]),
            };
            found.at(place, Timestamp(1))
        };
        assert_eq!(price_of(Prices::flat(99_999)), Some(Money(99_999)));
        assert_eq!(price_of(Prices::flat(100_000)), None, "to the Wh, energy times price is not the amount any more");
        let plan = vec![PlanEntry { month: 1, day: 1, table: 1 }];
        assert_eq!(price_of(Prices { rates: [9_000, 7_000, 5_400, 3_000], plan, ..Prices::default() }), None);
    }
}
