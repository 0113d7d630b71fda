//! The meters that a report is about, within the operator's buildings.

use model::console::RoomName;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::Wallet;
use model::report::Cell;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::Extent;
use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// The meters `m` at a place `$2` or below it that the operator may see.
macro_rules! below {
    ($select:expr, $end:literal) => {
        concat!(
            $select,
            " FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE $2 IN (r.id, b.id, t.id, t.parent_id) AND",
            within!(),
            $end
        )
    };
}

/// Whether a meter `m` held its credit itself while it was in an account, `am`: by what was posted, whatever it does now.
macro_rules! has_own_wallet {
    () => {
        " CASE WHEN EXISTS (SELECT 1 FROM charge_days d WHERE d.account_id = am.account_id AND d.meter_id = am.meter_id)
               THEN FALSE
               WHEN EXISTS (SELECT 1 FROM meter_consumption u WHERE u.account_id = am.account_id AND u.meter_id = am.meter_id)
               THEN TRUE ELSE m.wallet = 'meter' END "
    };
}

/// The meters of accounts with the days that are theirs. A day on which a meter came to another account is of the later one, as
/// `store::wallets::account_on` has it.
macro_rules! days_of_accounts {
    () => {
        "(SELECT account_id, meter_id, from_at, to_at, first_day,
                 CASE WHEN next_day <= COALESCE(last_day, next_day) THEN next_day - 1 ELSE last_day END AS last_day
          FROM (SELECT account_id, meter_id, from_at, to_at, (from_at + 28800000) / 86400000 AS first_day,
                       (to_at + 28800000) / 86400000 AS last_day,
                       LEAD((from_at + 28800000) / 86400000) OVER (PARTITION BY meter_id ORDER BY from_at, account_id) AS next_day
                FROM account_meters) AS spans)"
    };
}

pub(crate) use {days_of_accounts, has_own_wallet};

#[derive(FromRow)]
pub struct Meter {
    pub id: MeterId,
    pub serial: String,
    pub wallet: Wallet,
    pub created_at: Timestamp,
    pub retired_at: Option<Timestamp>,
    /// Its own interval of readings, else its gateway's.
    pub sweep_interval_s: Option<i64>,
    pub gateway: String,
    pub room_id: PlaceId,
    /// What is right above the room: a floor, or the building.
    pub floor_id: Option<PlaceId>,
    pub building_id: Option<PlaceId>,
    #[sqlx(flatten)]
    name: Name,
}

impl Meter {
    /// Its room, with the way to its page.
    pub fn room(&self) -> Cell {
        let Name { building, floor, room } = &self.name;
        let name = RoomName { building: building.clone(), floor: floor.clone(), room: room.clone() };
        Cell::Room { meter: self.id, name: name.to_string() }
    }

    /// The building and floor.
    pub fn floor(&self) -> String {
        format!("{} {}", self.name.building, self.name.floor).trim().to_owned()
    }
}

/// The meters of places, groups and rooms in the order of the site, those out of service too. An account has none here: meters
/// come and go while it is there.
pub async fn of(db: &Db, operator: UserId, extent: &Extent) -> Result<Vec<Meter>> {
    let mut meters = Vec::new();
    for place in extent.tops() {
        let below: Vec<Meter> = read!(db, |pool| sqlx::query_as(below!(
            concat!(
                "SELECT m.id, m.serial, m.wallet, m.created_at, m.retired_at, g.name AS gateway, r.id AS room_id,
                        b.id AS floor_id, CASE WHEN b.kind = 'unit' THEN t.id ELSE b.id END AS building_id,
                        COALESCE(m.sweep_interval_s, g.sweep_interval_s) AS sweep_interval_s,",
                names!()
            ),
            "ORDER BY t.sort, t.name, b.sort, b.name, r.sort, r.name, m.serial, m.id"
        ))
        .bind(operator)
        .bind(place)
        .fetch_all(pool)
        .await)?;
        meters.extend(below);
    }
    Ok(meters)
}

/// How many there are.
pub async fn count(db: &Db, operator: UserId, extent: &Extent) -> Result<i64> {
    let mut meters = 0;
    for place in extent.tops() {
        let count: Option<(i64,)> = read!(db, |pool| sqlx::query_as(below!("SELECT CAST(COUNT(*) AS BIGINT)", ""))
            .bind(operator)
            .bind(place)
            .fetch_optional(pool)
            .await)?;
        meters += count.map_or(0, |(count,)| count);
    }
    Ok(meters)
}
