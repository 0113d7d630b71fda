//! What a kWh costs: as the meter is known to charge it; else as it was seen, by the room's own meter, or by the site's while the
//! room has used too little to tell.

use std::sync::{Mutex, PoisonError};

use model::energy::Energy;
use model::forecast::price_seen;
use model::ids::MeterId;
use model::money::Money;
use model::time::{DAY, HOUR, MINUTE, Timestamp};

use super::Residents;
use store::{parameters, rooms};

/// What each meter of the site must have used, on average, for its price to be told: about five fen.
const A_METER: Energy = Energy(100);

/// The site's price as it was last worked out. It moves slowly and costs many look-ups, so it is kept for a while.
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

impl Residents {
    pub(super) async fn price(&self, meter: MeterId, now: Timestamp) -> store::Result<Option<Money>> {
        // What the meter is known to charge, where that is one price; it is right at once when prices change.
        if let Some(price) = parameters::find(&self.db, meter).await?.and_then(|(known, _)| known.flat_price(now)) {
            return Ok(Some(price));
        }
        let own = rooms::spent_since(&self.db, meter, now.plus(-7 * DAY)).await?;
        if let Some(price) = own.and_then(|(used, spent)| price_seen(used, spent)) {
            return Ok(Some(price));
        }
        if let Some(kept) = self.site_price.get(now) {
            return Ok(kept);
        }
        let (used, spent, meters) = rooms::spent_by_site_since(&self.db, now.plus(-DAY)).await?;
        // Each meter still holds back a part of a fen: below this share of each, the sum would make power look cheap.
        let enough = used.0 >= A_METER.0 * meters;
        let price = price_seen(used, spent).filter(|_| enough);
        self.site_price.put(now, price);
        Ok(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_cached_an_hour_and_missing_ones_a_minute() {
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
