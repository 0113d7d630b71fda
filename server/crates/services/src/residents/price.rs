//! What a kWh costs: by the meter's parameters; else as observed at the room's own meter, or at the site's meters while the
//! room has used too little.

use std::sync::{Mutex, PoisonError};

use model::energy::Energy;
use model::forecast::price_seen;
use model::ids::MeterId;
use model::money::Money;
use model::time::{DAY, HOUR, MINUTE, Timestamp};

use super::ResidentService;
use ::residents::rooms;
use store::parameters;

/// What each meter of the site must have used on average before the site's price is known: about five fen.
const ENOUGH_PER_METER: Energy = Energy(100);

/// Caches the site's price, which changes slowly and takes many queries.
#[derive(Default)]
pub struct SitePrice(Mutex<Option<(Timestamp, Option<Money>)>>);

impl SitePrice {
    fn get(&self, now: Timestamp) -> Option<Option<Money>> {
        let kept = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.filter(|(at, price)| now.since(*at) < if price.is_some() { HOUR } else { MINUTE }).map(|(_, price)| price)
    }

    fn put(&self, now: Timestamp, price: Option<Money>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, price));
    }
}

impl ResidentService {
    pub(super) async fn price(&self, meter: MeterId, now: Timestamp) -> store::Result<Option<Money>> {
        // A flat price of the meter's own is right at once when prices change.
        if let Some(price) = parameters::find(&self.context.db, meter).await?.and_then(|(known, _)| known.flat_price(now)) {
            return Ok(Some(price));
        }
        let own = rooms::spent_since(&self.context.db, meter, now.plus(-7 * DAY)).await?;
        if let Some(price) = own.and_then(|(used, spent)| price_seen(used, spent)) {
            return Ok(Some(price));
        }
        if let Some(kept) = self.site_price.get(now) {
            return Ok(kept);
        }
        let (used, spent, meters) = rooms::spent_by_site_since(&self.context.db, now.plus(-DAY)).await?;
        // Each meter has not charged its last part of a fen yet: for small sums that would make power look cheap.
        let enough = used.0 >= ENOUGH_PER_METER.0 * meters;
        let price = price_seen(used, spent).filter(|_| enough);
        self.site_price.put(now, price);
        Ok(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_price_is_kept_for_an_hour_or_a_minute_if_unknown() {
        let (kept, start) = (SitePrice::default(), Timestamp(1_795_600_000_000));
        assert_eq!(kept.get(start), None);
        kept.put(start, Some(Money(5_400)));
        assert_eq!(kept.get(start.plus(HOUR - 1)), Some(Some(Money(5_400))));
        assert_eq!(kept.get(start.plus(HOUR)), None);
        kept.put(start, None);
        assert_eq!(kept.get(start.plus(MINUTE - 1)), Some(None));
        assert_eq!(kept.get(start.plus(MINUTE)), None);
    }
}
