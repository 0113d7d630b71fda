//! The meters that a report is about, within the operator's buildings.

use model::console::RoomName;
use model::ids::{GatewayId, MeterId, PlaceId, UserId};
use model::meter::Wallet;
use model::report::Cell;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::Extent;
use store::console::{Name, above, names, within};
use store::{Db, Result};

/// Places of one query: databases bound the number of values of a statement.
pub const CHUNK: usize = 500;

/// `below (place_id, meter_id)`: the meters at some places, or below them, that the operator `$1` may see, or the server itself
/// where that is nobody, each with the place of these that it is at or below. The places are the values from `first` on. It is
/// computed once, and then joined.
pub fn with_below(places: usize, first: usize) -> String {
    let values: Vec<String> = (first..).take(places).map(|n| format!("(${n})")).collect();
    let values = values.join(", ");
    format!(
        concat!(
            "WITH top (id) AS (VALUES {values}), below (place_id, meter_id) AS MATERIALIZED (
                 SELECT top.id, m.id FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "JOIN top ON top.id IN (r.id, b.id, t.id, t.parent_id) WHERE ($1 IS NULL OR",
            within!(),
            "))"
        ),
        values = values
    )
}

/// All rows of a query about the meters at some places or below them, which are joined as `below`. `$1` is the operator, the
/// values after it are `$2` and on. Sums are those of at most [`CHUNK`] places each.
macro_rules! read_below {
    ($db:expr, $operator:expr, $places:expr, $select:expr $(, $value:expr)*) => {{
        let mut rows = Vec::new();
        for places in $places.chunks($crate::meters::CHUNK) {
            let first = 2 + <[&str]>::len(&[$(stringify!($value)),*]);
            let sql = format!("{} {}", $crate::meters::with_below(places.len(), first), $select);
            let mut found = store::read!($db, |pool| {
                let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind($operator)$(.bind($value))*;
                places.iter().fold(query, |query, place| query.bind(*place)).fetch_all(pool).await
            })?;
            rows.append(&mut found);
        }
        rows
    }};
}
pub(crate) use read_below;
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
    pub gateway_id: GatewayId,
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
        Cell::Room { meter: self.id, name: RoomName::from(self.name.clone()).to_string() }
    }

    /// The building and floor.
    pub fn floor(&self) -> String {
        format!("{} {}", self.name.building, self.name.floor).trim().to_owned()
    }
}

/// The meters of places, groups and rooms in the order of the site, those out of service too. An account has none here: meters
/// come and go while it is there.
pub async fn of(db: &Db, operator: impl Into<Option<UserId>>, extent: &Extent) -> Result<Vec<Meter>> {
    let operator: Option<UserId> = operator.into();
    let meters = read_below!(
        db,
        operator,
        extent.tops(),
        concat!(
            "SELECT m.id, m.serial, m.wallet, m.created_at, m.retired_at, g.id AS gateway_id, g.name AS gateway, r.id AS room_id,
                    b.id AS floor_id, CASE WHEN b.kind = 'unit' THEN t.id ELSE b.id END AS building_id,
                    COALESCE(m.sweep_interval_s, g.sweep_interval_s) AS sweep_interval_s,",
            names!(),
            "FROM below JOIN meters m ON m.id = below.meter_id JOIN gateways g ON g.id = m.gateway_id
                  JOIN places r ON r.id = m.place_id",
            above!(),
            "ORDER BY t.sort, t.name, b.sort, b.name, r.sort, r.name, m.serial, m.id"
        )
    );
    Ok(meters)
}

/// How many there are.
pub async fn count(db: &Db, operator: UserId, extent: &Extent) -> Result<i64> {
    let counts: Vec<(i64,)> = read_below!(db, operator, extent.tops(), "SELECT CAST(COUNT(*) AS BIGINT) FROM below");
    Ok(counts.into_iter().map(|(count,)| count).sum())
}
