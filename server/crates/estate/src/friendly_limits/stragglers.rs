//! Meters that miss a change of their overdraft limit.

use model::friendly::Straggler;
use model::ids::{MeterId, PlaceId};
use model::money::Fen;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::defaults::StoredLimits;
use domain::defaults::FriendlyTree;
use domain::friendly_limit::STRAGGLES_AFTER;
use store::console::{Name, above, names};
use store::{Db, JsonText, Result, read};

/// Meters with a raised limit that are looked at, and stragglers that are listed.
const LOOKED_AT: i64 = 50_000;
const LISTED: usize = 200;

#[derive(FromRow)]
struct StragglerRow {
    id: MeterId,
    limit_fen: Fen,
    since: Timestamp,
    lost_since: Option<Timestamp>,
    parameters: JsonText<StoredLimits>,
    #[sqlx(flatten)]
    name: Name,
}

/// Meters that have not shown the limit that they should have for some time, the longest first.
pub async fn stragglers(db: &Db, at: Timestamp) -> Result<Vec<Straggler>> {
    let rows: Vec<StragglerRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, o.limit_fen, o.since, l.lost_since, p.parameters,",
        names!(),
        "FROM meter_overdrafts o JOIN meters m ON m.id = o.meter_id AND m.retired_at IS NULL AND m.wallet = 'meter'
         JOIN meter_parameters p ON p.meter_id = m.id LEFT JOIN meter_latest l ON l.meter_id = m.id
         JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE o.since <= $1 ORDER BY o.since, m.id LIMIT $2"
    ))
    .bind(at.plus(-STRAGGLES_AFTER))
    .bind(LOOKED_AT)
    .fetch_all(pool)
    .await)?;
    let straggler = |row: StragglerRow| {
        let shown = Fen(row.parameters.0.limits.overdraft.into());
        (shown != row.limit_fen).then_some(Straggler {
            meter: row.id,
            room: row.name.into(),
            wanted: row.limit_fen,
            shown,
            since: row.since,
            lost_since: row.lost_since,
        })
    };
    Ok(rows.into_iter().filter_map(straggler).take(LISTED).collect())
}

/// How many meters with an account get no limit in the friendly hours of their places, because their own has never been read.
pub async fn never_read(db: &Db, tree: &FriendlyTree) -> Result<usize> {
    let rows: Vec<(PlaceId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.place_id FROM meters m JOIN account_meters am ON am.meter_id = m.id AND am.to_at IS NULL
         WHERE m.retired_at IS NULL AND m.wallet = 'meter'
           AND NOT EXISTS (SELECT 1 FROM meter_parameters p WHERE p.meter_id = m.id) LIMIT $1"
    )
    .bind(LOOKED_AT)
    .fetch_all(pool)
    .await)?;
    let has_limit = |place: PlaceId| tree.nearest(place).is_some_and(|(hours, _)| hours.overdraft > Fen::ZERO);
    Ok(rows.into_iter().filter(|(place,)| has_limit(*place)).count())
}
