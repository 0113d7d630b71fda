//! Places, groups, meters and their plans, to find out which plan applies to which meter; and rooms to try a version on.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::command::CommandReason;
use model::console::PriceCommand;
use model::energy::Energy;
use model::ids::{BatchId, MeterId, PlaceGroupId, PlaceId};
use model::issue::Kind;
use model::meter::Wallet;
use model::order::CommandState;
use model::parameters::Parameters;
use model::time::{Date, Timestamp};
use uuid::Uuid;

use crate::{Db, JsonText, Result, Tx, on, read};
use domain::defaults::GroupSettings;
use domain::prices::{PlanFrom, PlanTree};

/// A meter in service.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct PricedMeter {
    pub id: MeterId,
    pub place_id: PlaceId,
    pub wallet: Wallet,
}

/// The place tree with every assignment of a price plan to a place or group, past ones included.
pub async fn given(db: &Db) -> Result<PlanTree> {
    given_within(&mut db.begin_reading().await?).await
}

/// [`given`] in the caller's transaction.
pub async fn given_within(tx: &mut Tx) -> Result<PlanTree> {
    let parents: Vec<(PlaceId, Option<PlaceId>)> =
        on!(tx, |c| sqlx::query_as("SELECT id, parent_id FROM places").fetch_all(c).await)?;
    let of_places: Vec<(PlaceId, Uuid, Timestamp)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id, plan_id, from_at FROM price_places").fetch_all(c).await)?;
    let of_groups: Vec<(String, PlaceGroupId, Option<Uuid>, Timestamp)> = on!(tx, |c| sqlx::query_as(
        "SELECT g.name, g.id, a.plan_id, a.from_at FROM price_groups a JOIN place_groups g ON g.id = a.group_id"
    )
    .fetch_all(c)
    .await)?;
    let members: Vec<(PlaceGroupId, PlaceId)> = on!(tx, |c| sqlx::query_as(
        "SELECT m.group_id, m.place_id FROM place_group_members m
         WHERE EXISTS (SELECT 1 FROM price_groups a WHERE a.group_id = m.group_id)"
    )
    .fetch_all(c)
    .await)?;
    let mut places: HashMap<_, _> = parents.into_iter().map(|(place, parent)| (place, (parent, Vec::new()))).collect();
    for (place, plan, from) in of_places {
        if let Some((_, given)) = places.get_mut(&place) {
            given.push(PlanFrom { plan: Some(plan), from });
        }
    }
    // Sorted here, and not by the database, so that `Catalogue::timeline` has the same order.
    let mut groups: BTreeMap<String, (PlaceGroupId, Vec<PlanFrom>)> = BTreeMap::new();
    for (name, id, plan, from) in of_groups {
        groups.entry(name).or_insert_with(|| (id, Vec::new())).1.push(PlanFrom { plan, from });
    }
    let mut named: HashMap<PlaceGroupId, HashSet<PlaceId>> = HashMap::new();
    for (group, place) in members {
        named.entry(group).or_default().insert(place);
    }
    let group =
        |(id, own): (PlaceGroupId, Vec<PlanFrom>)| GroupSettings { id, own, places: named.remove(&id).unwrap_or_default() };
    Ok(PlanTree { places, groups: groups.into_values().map(group).collect() })
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
