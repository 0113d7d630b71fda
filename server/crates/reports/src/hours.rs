//! Energy by hour of places, rooms and accounts, added up from the hours of their meters.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::{AccountId, UserId};
use model::time::{Date, HOUR, Timestamp};

use crate::Extent;
use store::console::{above, within};
use store::{Db, Result, read};

/// Energy by the start of the hour; hours without energy are left out.
pub type Hours = BTreeMap<Timestamp, Energy>;

/// The hours of a range of days, from the first to the last.
pub async fn of(db: &Db, operator: UserId, extent: &Extent, (from, until): (Date, Date)) -> Result<Hours> {
    let (from, to) = (from.start().hour(), until.plus(1).start().hour());
    let mut rows = Vec::new();
    if let Extent::Account(account) = extent {
        rows = of_account(db, *account, from, to).await?;
    }
    for place in extent.tops() {
        let of_place: Vec<(i64, Energy)> = read!(db, |pool| sqlx::query_as(concat!(
            "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT) FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $3 AND e.hour < $4
             WHERE m.wallet <> 'none' AND $2 IN (r.id, b.id, t.id, t.parent_id) AND",
            within!(),
            "GROUP BY e.hour"
        ))
        .bind(operator)
        .bind(place)
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await)?;
        rows.extend(of_place);
    }
    let mut hours = Hours::new();
    for (hour, energy) in rows {
        let sum = hours.entry(Timestamp(hour * HOUR)).or_default();
        *sum = *sum + energy;
    }
    Ok(hours)
}

/// Of the meters of an account while they were its own: the hour in which a meter changes hands is the next account's.
async fn of_account(db: &Db, account: AccountId, from: i64, to: i64) -> Result<Vec<(i64, Energy)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT)
         FROM account_meters a JOIN energy_hourly e ON e.meter_id = a.meter_id AND e.hour >= $2 AND e.hour < $3
              AND e.hour >= a.from_at / 3600000 AND (a.to_at IS NULL OR e.hour < a.to_at / 3600000)
         WHERE a.account_id = $1 GROUP BY e.hour"
    )
    .bind(account)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)
}
