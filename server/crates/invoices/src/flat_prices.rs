//! The price of a kWh at a place and an instant, where there is only one.

use std::collections::HashMap;

use domain::prices::PlanTree;
use model::ids::{PlaceId, Uuid};
use model::money::Money;
use model::tariff::{Prices, in_force};
use model::time::Timestamp;
use store::prices;
use store::{Db, Result};

/// From this price on, energy to the Wh times price is not the amount to the fen.
const TEN_YUAN: Money = Money(100_000);

/// All plans that were ever published, and where they apply.
#[derive(Default)]
pub struct FlatPrices {
    given: PlanTree,
    versions: HashMap<Uuid, Vec<(Timestamp, Prices)>>,
}

impl FlatPrices {
    pub async fn load(db: &Db) -> Result<Self> {
        let mut found = Self { given: prices::given(db).await?, ..Self::default() };
        for one in prices::versions(db).await? {
            found.versions.entry(one.plan_id).or_default().push((one.effective_at, one.prices().clone()));
        }
        Ok(found)
    }

    /// The price with tax; `None` where several rates or tiers apply, or no plan.
    pub(super) fn at(&self, place: PlaceId, at: Timestamp) -> Option<Money> {
        let (plan, ..) = self.given.plan_at(place, at)?;
        let ((_, prices), _) = in_force(self.versions.get(&plan)?, at, |(from, _)| *from)?;
        prices.flat_price().filter(|price| *price < TEN_YUAN)
    }
}

#[cfg(test)]
mod tests {
    use domain::prices::PlanFrom;
    use model::parameters::PlanEntry;

    use super::*;

    #[test]
    fn a_price_of_ten_yuan_gives_no_energy() {
        let price_of = |prices: Prices| {
            let (place, plan) = (PlaceId(Uuid::nil()), Uuid::nil());
            let given = PlanFrom { plan: Some(plan), from: Timestamp(0) };
            let found = FlatPrices {
                given: PlanTree { places: [(place, (None, vec![given]))].into(), groups: Vec::new() },
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
