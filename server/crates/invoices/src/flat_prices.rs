//! The price of a kWh at a place and an instant, where there is only one.

use std::collections::HashMap;

use domain::prices::{Assigned, deciding};
use model::ids::{PlaceId, Uuid};
use model::money::Money;
use model::parameters::TierPeriod;
use model::tariff::{Prices, in_force};
use model::time::Timestamp;

use store::prices::{self, Assignment};
use store::{Db, Result};

/// Places above a room; a bound against a loop.
const DEEPEST: usize = 16;

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
        single(prices)
    }
}

fn single(prices: &Prices) -> Option<Money> {
    let [_, _, flat, _] = prices.rates;
    let is_single = prices.plan.is_empty() || prices.rates.iter().all(|rate| *rate == flat);
    (flat > 0 && is_single && prices.tiers.period == TierPeriod::None).then_some(Money(flat.into()))
}

#[cfg(test)]
mod tests {
    use model::parameters::PlanEntry;

    use super::*;

    #[test]
    fn only_a_single_price_is_one() {
        let mut prices = Prices { rates: [9_000, 7_000, 5_400, 3_000], ..Prices::default() };
        assert_eq!(single(&prices), Some(Money(5_400)), "without a date plan all energy is flat");
        prices.plan = vec![PlanEntry { month: 1, day: 1, table: 1 }];
        assert_eq!(single(&prices), None);
        prices.rates = [5_400; 4];
        assert_eq!(single(&prices), Some(Money(5_400)));
        prices.tiers.period = TierPeriod::Month;
        assert_eq!(single(&prices), None);
        assert_eq!(single(&Prices::default()), None, "for nothing");
    }
}
