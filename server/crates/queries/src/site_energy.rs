//! The energy of all meters that an operator may see.

use model::energy::Energy;
use model::ids::{PlaceId, UserId};
use model::time::{Date, HOUR, Timestamp};

use store::console::{above, within};
use store::{Db, Result, read};

/// The energy of the hours of `[from, to)`, each with its start, of all residents' meters that the operator may see; hours
/// without energy are left out.
pub async fn site_hours(db: &Db, operator: UserId, from: Timestamp, to: Timestamp) -> Result<Vec<(Timestamp, Energy)>> {
    // By meter first: the hours are stored by meter, so that a few of them are found without reading the others.
    let rows: Vec<(i64, i64)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT) FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $2 AND e.hour < $3
         WHERE m.wallet <> 'none' AND",
        within!(),
        "GROUP BY e.hour ORDER BY e.hour"
    ))
    .bind(operator)
    .bind(from.0 / HOUR)
    .bind(to.0 / HOUR)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(hour, wh)| (Timestamp(hour * HOUR), Energy(wh))).collect())
}

/// The energy of each day of all residents' meters at a place and below it; days without energy are left out. The caller has
/// checked that the operator may see it.
pub async fn daily_energy(db: &Db, place: PlaceId) -> Result<Vec<(Date, Energy)>> {
    let rows: Vec<(i64, Energy)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT d.day, CAST(SUM(d.wh) AS BIGINT) FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "JOIN energy_daily d ON d.meter_id = m.id
         WHERE m.wallet <> 'none' AND $1 IN (r.id, b.id, t.id, t.parent_id) GROUP BY d.day ORDER BY d.day"
    ))
    .bind(place)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(day, energy)| (Date(day), energy)).collect())
}
