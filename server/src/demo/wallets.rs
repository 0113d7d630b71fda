//! Rooms with server wallets: a price plan for the site, and their accounts.

use std::collections::HashSet;

use model::ids::MeterId;
use model::money::Fen;
use model::parameters::{PlanEntry, TierPeriod};
use model::tariff::{DayTable, Prices, Slot, Tiers};
use model::time::Timestamp;

use super::seed::Seed;
use domain::rng::Rng;
use estate::places;
use store::accounts::{self, NewResident, TakeOver};
use store::prices::{self, Publication};
use store::{Db, Result, wallets};

/// Balances from the previous system, fen, in turn: one in arrears, one warned.
const HELD: [i64; 6] = [4_320, 12_650, 0, 380, 8_000, 1_540];

/// Publishes the plan and takes the accounts over. Does nothing at a site without such meters.
pub async fn take_over(db: &Db, rng: &Rng, now: Timestamp, seed: &Seed<'_>, ids: &[MeterId]) -> Result<()> {
    let here: HashSet<MeterId> = wallets::server_wallets(db).await?.into_iter().map(|(meter, _)| meter).collect();
    if here.is_empty() {
        return Ok(());
    }
    let new = Publication { plan: "宿舍分时电价".into(), effective_at: None, prices: prices() };
    let plan = prices::publish(db, rng, now, None, &new).await?;
    for site in places::sites(db).await? {
        prices::assign(db, now, None, site, plan).await?;
    }
    let rooms = seed.rooms.iter().zip(ids).filter(|(_, meter)| here.contains(meter));
    let accounts = (1_i64..).zip(HELD.iter().cycle()).zip(rooms).map(|((n, &fen), (room, &meter))| TakeOver {
        meter,
        number: format!("260901{n:010}"),
        opened_at: now,
        epoch: 0,
        count: u16::from(fen > 0),
        cumulative: Fen(fen),
        resident: Some(NewResident {
            name: format!("{}室", room.name()),
            login: room.login(),
            password_hash: seed.password_hash.to_owned(),
        }),
    });
    accounts::take_over(db, rng, now, &accounts.collect::<Vec<_>>()).await
}

/// Valley at night, peak in the morning and the evening; monthly tiers.
fn prices() -> Prices {
    let slot = |(starts, rate): (u16, u8)| Slot { rate, starts: starts * 60 };
    let day = [(0, 4), (7, 3), (10, 2), (15, 3), (18, 2), (23, 4)].map(slot);
    Prices {
        rates: [8_600, 7_200, 5_400, 3_000],
        tiers: Tiers { period: TierPeriod::Month, thresholds: [240_000, 400_000], surcharges: [500, 3_000] },
        tables: [DayTable(day.into()), DayTable::default()],
        plan: vec![PlanEntry { month: 1, day: 1, table: 1 }],
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn price_plan_is_valid() {
        assert_eq!(super::prices().validate(), Ok(()));
    }
}
