//! Places, meters and assignments, to find out which plan applies to which meter; and rooms to try a version on.

use std::collections::HashMap;

use model::command::CommandReason;
use model::console::PriceCommand;
use model::energy::Energy;
use model::ids::{BatchId, MeterId, PlaceId};
use model::issue::Kind;
use model::meter::Wallet;
use model::order::CommandState;
use model::parameters::Parameters;
use model::time::{Date, Timestamp};
use uuid::Uuid;

use crate::{Db, JsonText, Result, read};

/// A plan that was given to a place from an instant on.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Assignment {
    pub place_id: PlaceId,
    pub plan_id: Uuid,
    pub from_at: Timestamp,
}

/// A meter in service.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct PricedMeter {
    pub id: MeterId,
    pub place_id: PlaceId,
    pub wallet: Wallet,
}

/// All assignments that were ever made.
pub async fn assignments(db: &Db) -> Result<Vec<Assignment>> {
    read!(db, |pool| sqlx::query_as("SELECT place_id, plan_id, from_at FROM price_places").fetch_all(pool).await)
}

/// The place above each place.
pub async fn parents(db: &Db) -> Result<HashMap<PlaceId, Option<PlaceId>>> {
    let rows: Vec<(PlaceId, Option<PlaceId>)> =
        read!(db, |pool| sqlx::query_as("SELECT id, parent_id FROM places").fetch_all(pool).await)?;
    Ok(rows.into_iter().collect())
}

/// The meters in service.
pub async fn meters(db: &Db) -> Result<Vec<PricedMeter>> {
    read!(db, |pool| sqlx::query_as("SELECT id, place_id, wallet FROM meters WHERE retired_at IS NULL").fetch_all(pool).await)
}

/// The parameters that meters with their own wallet were last read with, and when.
pub async fn keeps(db: &Db) -> Result<HashMap<MeterId, (Parameters, Timestamp)>> {
    let rows: Vec<(MeterId, JsonText<Parameters>, Timestamp)> = read!(db, |pool| sqlx::query_as(
        "SELECT p.meter_id, p.parameters, p.read_at FROM meter_parameters p
         JOIN meters m ON m.id = p.meter_id AND m.retired_at IS NULL AND m.wallet = 'meter'"
    )
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(meter, JsonText(found), at)| (meter, (found, at))).collect())
}

#[derive(sqlx::FromRow)]
struct CommandRow {
    meter_id: MeterId,
    batch_id: BatchId,
    kind: Kind,
    state: CommandState,
    reason: Option<CommandReason>,
    decided_at: Timestamp,
}

/// The newest command about prices to each meter: of planned prices their check, once that has failed.
pub async fn last_commands(db: &Db) -> Result<HashMap<MeterId, PriceCommand>> {
    let rows: Vec<CommandRow> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, batch_id, kind, state, reason, decided_at FROM (
             SELECT c.meter_id, c.batch_id, h.kind, c.state, c.reason, c.decided_at,
                    ROW_NUMBER() OVER (PARTITION BY c.meter_id ORDER BY c.decided_at DESC, c.id DESC) AS place
             FROM commands c JOIN batches h ON h.id = c.batch_id
             WHERE c.state <> 'superseded'
               AND (c.kind IN ('prices', 'standby', 'tiers', 'day_table', 'date_plan')
                    OR (c.kind = 'in_force' AND c.state = 'failed'))) AS ranked
         WHERE place = 1"
    )
    .fetch_all(pool)
    .await)?;
    let command = |row: CommandRow| {
        let CommandRow { meter_id, batch_id: batch, kind, state, reason, decided_at } = row;
        (meter_id, PriceCommand { batch, kind, state, reason, decided_at })
    };
    Ok(rows.into_iter().map(command).collect())
}

/// What each meter used in a range of days, both included; meters without energy are left out. Ascending.
pub async fn used_between(db: &Db, from: Date, to: Date) -> Result<Vec<(MeterId, Energy)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.meter_id, CAST(SUM(d.wh) AS BIGINT) AS wh FROM energy_daily d
         JOIN meters m ON m.id = d.meter_id AND m.retired_at IS NULL
         WHERE d.day BETWEEN $1 AND $2 GROUP BY d.meter_id HAVING SUM(d.wh) > 0 ORDER BY wh, d.meter_id"
    )
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await)
}
