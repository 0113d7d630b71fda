//! Energy by hour of places, rooms and accounts, added up from the hours of their meters.

use std::collections::{BTreeMap, HashMap};

use model::energy::Energy;
use model::ids::{AccountId, PlaceId, UserId};
use model::time::{Date, HOUR, Timestamp};

use crate::Extent;
use crate::meters::read_below;
use store::{Db, Result, read};

/// Energy by the start of the hour; hours without energy are left out.
pub type Hours = BTreeMap<Timestamp, Energy>;

/// The hours of a range of days, from the first to the last.
pub async fn of(db: &Db, operator: UserId, extent: &Extent, span: (Date, Date)) -> Result<Hours> {
    let (from, to) = ends(span);
    let rows: Vec<(i64, Energy)> = match extent {
        Extent::Account(account) => of_account(db, *account, from, to).await?,
        _ => read_below!(
            db,
            operator,
            extent.tops(),
            "SELECT e.hour, CAST(SUM(e.wh) AS BIGINT) FROM below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'
             JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $2 AND e.hour < $3 GROUP BY e.hour",
            from,
            to
        ),
    };
    let mut hours = Hours::new();
    rows.into_iter().for_each(|(hour, energy)| add(&mut hours, hour, energy));
    Ok(hours)
}

/// The energy by hour of each of `places`, none of which may be below another.
pub async fn of_each(db: &Db, operator: UserId, places: &[PlaceId], span: (Date, Date)) -> Result<HashMap<PlaceId, Hours>> {
    let (from, to) = ends(span);
    let rows: Vec<(PlaceId, i64, Energy)> = read_below!(
        db,
        operator,
        places,
        "SELECT below.place_id, e.hour, CAST(SUM(e.wh) AS BIGINT)
         FROM below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'
              JOIN energy_hourly e ON e.meter_id = m.id AND e.hour >= $2 AND e.hour < $3 GROUP BY below.place_id, e.hour",
        from,
        to
    );
    let mut places: HashMap<PlaceId, Hours> = HashMap::new();
    rows.into_iter().for_each(|(place, hour, energy)| add(places.entry(place).or_default(), hour, energy));
    Ok(places)
}

fn add(hours: &mut Hours, hour: i64, energy: Energy) {
    let sum = hours.entry(Timestamp(hour * HOUR)).or_default();
    *sum = *sum + energy;
}

/// The first hour of some days, and the first one after them.
fn ends((from, until): (Date, Date)) -> (i64, i64) {
    (from.start().hour(), until.plus(1).start().hour())
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
