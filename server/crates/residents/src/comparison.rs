//! A room's usage compared with similar rooms.

use model::energy::Energy;
use model::ids::{AccountId, MeterId, PlaceId};
use model::time::{Date, HOUR};
use store::{Db, Result, read};

use domain::abnormal_use::NIGHT_HOURS;

/// What an account used on some days, and what each similar one used: in the same building, with as many meters, all of which it
/// has had since before these days. `None` if the account itself has not: after a replacement a part is missing.
pub async fn sums(db: &Db, account: AccountId, (from, to): (Date, Date)) -> Result<Option<(Energy, Vec<Energy>)>> {
    let Some(building) = building_of(db, account).await? else { return Ok(None) };
    let rows: Vec<(AccountId, Energy)> = read!(db, |pool| sqlx::query_as(
        "SELECT a.id, CAST(SUM(e.wh) AS BIGINT)
         FROM (SELECT id FROM places WHERE parent_id = $1
               UNION ALL SELECT r.id FROM places u JOIN places r ON r.parent_id = u.id WHERE u.parent_id = $1) AS rooms
              JOIN accounts a ON a.place_id = rooms.id AND a.closed_at IS NULL
              JOIN account_meters m ON m.account_id = a.id AND m.to_at IS NULL
              JOIN energy_daily e ON e.meter_id = m.meter_id AND e.day BETWEEN $3 AND $4
         WHERE NOT EXISTS (SELECT 1 FROM account_meters o WHERE o.account_id = a.id AND o.to_at IS NULL AND o.from_at > $2)
           AND (SELECT COUNT(*) FROM account_meters o WHERE o.account_id = a.id AND o.to_at IS NULL)
               = (SELECT COUNT(*) FROM account_meters o WHERE o.account_id = $5 AND o.to_at IS NULL)
         GROUP BY a.id"
    )
    .bind(building)
    .bind(from.start())
    .bind(from)
    .bind(to)
    .bind(account)
    .fetch_all(pool)
    .await)?;
    let Some(own) = rows.iter().find(|(id, _)| *id == account).map(|(_, energy)| *energy) else { return Ok(None) };
    Ok(Some((own, rows.into_iter().filter(|(id, _)| *id != account).map(|(_, energy)| energy).collect())))
}

/// The building of an account's room.
async fn building_of(db: &Db, account: AccountId) -> Result<Option<PlaceId>> {
    let row: Option<(Option<PlaceId>,)> = read!(db, |pool| sqlx::query_as(
        "SELECT CASE WHEN b.kind = 'building' THEN b.id WHEN t.kind = 'building' THEN t.id END
         FROM accounts a JOIN places r ON r.id = a.place_id LEFT JOIN places b ON b.id = r.parent_id
              LEFT JOIN places t ON t.id = b.parent_id
         WHERE a.id = $1"
    )
    .bind(account)
    .fetch_optional(pool)
    .await)?;
    Ok(row.and_then(|(building,)| building))
}

/// What a meter counted in each night of some days, from midnight on; nights without energy are left out.
pub async fn nights(db: &Db, meter: MeterId, (from, to): (Date, Date)) -> Result<Vec<(Date, Energy)>> {
    // Hours since the epoch are eight behind those of Shanghai.
    read!(db, |pool| sqlx::query_as(
        "SELECT (hour + 8) / 24 AS day, CAST(SUM(wh) AS BIGINT) FROM energy_hourly
         WHERE meter_id = $1 AND hour >= $2 AND hour < $3 AND (hour + 8) % 24 < $4 GROUP BY (hour + 8) / 24"
    )
    .bind(meter)
    .bind(from.start().0 / HOUR)
    .bind(to.plus(1).start().0 / HOUR)
    .bind(NIGHT_HOURS)
    .fetch_all(pool)
    .await)
}
