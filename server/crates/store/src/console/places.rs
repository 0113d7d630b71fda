//! Where the meters are, what each was last seen to hold, and which buildings an operator may see.

use std::collections::HashMap;

use model::energy::Energy;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::{Latest, StatusWord};
use model::money::Fen;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Db, Result, StoreError, read};
use domain::wall_layout::{Layout, Scope, Seat};

#[derive(FromRow)]
struct PlaceRow {
    id: Uuid,
    parent_id: Option<Uuid>,
    kind: String,
    name: String,
    sort: i64,
}

/// The meters in the order of the wall.
pub async fn layout(db: &Db) -> Result<Layout> {
    let places: Vec<PlaceRow> =
        read!(db, |pool| sqlx::query_as("SELECT id, parent_id, kind, name, sort FROM places").fetch_all(pool).await)?;
    let meters: Vec<(Uuid, Uuid)> =
        read!(db, |pool| sqlx::query_as("SELECT id, place_id FROM meters WHERE retired_at IS NULL ORDER BY gateway_id, unit")
            .fetch_all(pool)
            .await)?;
    let places: HashMap<Uuid, PlaceRow> = places.into_iter().map(|place| (place.id, place)).collect();
    let mut seats: Vec<(Vec<(i64, &str)>, Seat)> = Vec::with_capacity(meters.len());
    for (meter, place) in meters {
        let way = way(&places, place);
        let (Some(top), Some(room)) = (way.first(), way.last()) else { continue };
        let building = way.iter().position(|place| place.kind == "building").unwrap_or(0);
        let floors = way.get(building + 1..way.len().saturating_sub(1)).unwrap_or_default();
        let seat = Seat {
            meter: MeterId(meter),
            building: PlaceId(way.get(building).unwrap_or(top).id),
            building_name: way.get(building).unwrap_or(top).name.clone(),
            floor: floors.iter().map(|floor| floor.name.as_str()).collect::<Vec<_>>().join(" "),
            room: room.name.clone(),
        };
        seats.push((way.iter().map(|place| (place.sort, place.name.as_str())).collect(), seat));
    }
    seats.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(Layout::new(seats.into_iter().map(|(_, seat)| seat).collect()))
}

/// From the top of the tree down to a place.
fn way(places: &HashMap<Uuid, PlaceRow>, place: Uuid) -> Vec<&PlaceRow> {
    let mut way = Vec::new();
    let mut next = Some(place);
    // The bound keeps a tree that was bent into a ring from hanging the server.
    while let (Some(place), true) = (next.and_then(|id| places.get(&id)), way.len() < 16) {
        way.push(place);
        next = place.parent_id;
    }
    way.reverse();
    way
}

#[derive(FromRow)]
struct LatestRow {
    meter_id: Uuid,
    observed_at: Option<i64>,
    lost_since: Option<i64>,
    status: i64,
    remaining_fen: i64,
    cumulative_fen: i64,
    count: i64,
    epoch: i64,
    total_wh: i64,
    reverse_wh: i64,
    power_w: Option<i64>,
    voltage_dv: Option<i64>,
    current_ca: Option<i64>,
    power_factor: Option<i64>,
    clock_offset_s: Option<i64>,
    rate: Option<i64>,
    tier_wh: Option<i64>,
    tamper: Option<i64>,
    journal: Option<i64>,
}

/// What every meter was last seen to hold.
pub async fn latest(db: &Db) -> Result<Vec<Latest>> {
    let rows: Vec<LatestRow> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, observed_at, lost_since, status, remaining_fen, cumulative_fen, count, epoch, total_wh, reverse_wh,
                power_w, voltage_dv, current_ca, power_factor, clock_offset_s, rate, tier_wh, tamper, journal
         FROM meter_latest"
    )
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|row| row.latest().ok_or(StoreError::Inconsistent { table: "meter_latest", column: "status" })).collect()
}

impl LatestRow {
    fn latest(self) -> Option<Latest> {
        Some(Latest {
            meter: MeterId(self.meter_id),
            observed_at: self.observed_at.map(Timestamp),
            lost_since: self.lost_since.map(Timestamp),
            status: StatusWord(self.status.try_into().ok()?),
            remaining: Fen(self.remaining_fen),
            cumulative: Fen(self.cumulative_fen),
            count: self.count.try_into().ok()?,
            epoch: self.epoch.try_into().ok()?,
            total: Energy(self.total_wh),
            reverse: Energy(self.reverse_wh),
            power_w: self.power_w.map(TryInto::try_into).transpose().ok()?,
            voltage_dv: self.voltage_dv.map(TryInto::try_into).transpose().ok()?,
            current_ca: self.current_ca.map(TryInto::try_into).transpose().ok()?,
            power_factor: self.power_factor.map(TryInto::try_into).transpose().ok()?,
            clock_offset_s: self.clock_offset_s.map(TryInto::try_into).transpose().ok()?,
            rate: self.rate.map(TryInto::try_into).transpose().ok()?,
            tier: self.tier_wh.map(Energy),
            tamper: self.tamper.map(TryInto::try_into).transpose().ok()?,
            journal: self.journal.map(TryInto::try_into).transpose().ok()?,
        })
    }
}

/// Places that the operator may give a price plan, each named from the top of the tree down: all, or their buildings and below.
pub async fn priced_places(db: &Db, user: UserId) -> Result<Vec<(PlaceId, String)>> {
    let places: Vec<PlaceRow> =
        read!(db, |pool| sqlx::query_as("SELECT id, parent_id, kind, name, sort FROM places").fetch_all(pool).await)?;
    let places: HashMap<Uuid, PlaceRow> = places.into_iter().map(|place| (place.id, place)).collect();
    let scope = scope(db, user).await?;
    let mine = |way: &[&PlaceRow]| match &scope {
        Scope::All => true,
        Scope::Buildings(named) => way.iter().any(|place| named.contains(&PlaceId(place.id))),
    };
    let ways = places.keys().map(|&id| way(&places, id)).filter(|way| mine(way));
    let mut named: Vec<_> = ways
        .filter_map(|way| {
            let order: Vec<(i64, &str)> = way.iter().map(|place| (place.sort, place.name.as_str())).collect();
            let name = way.iter().map(|place| place.name.as_str()).collect::<Vec<_>>().join(" ");
            Some((order, PlaceId(way.last()?.id), name))
        })
        .collect();
    named.sort();
    Ok(named.into_iter().map(|(_, id, name)| (id, name)).collect())
}

/// Which buildings an operator may see: those named, or all where none is.
pub async fn scope(db: &Db, user: UserId) -> Result<Scope> {
    let named: Vec<(Uuid,)> = read!(db, |pool| sqlx::query_as("SELECT place_id FROM operator_buildings WHERE user_id = $1")
        .bind(user.0)
        .fetch_all(pool)
        .await)?;
    Ok(if named.is_empty() { Scope::All } else { Scope::Buildings(named.into_iter().map(|(id,)| PlaceId(id)).collect()) })
}
