//! The places of the meters, their newest states, and which buildings an operator may see.

use std::collections::HashMap;

use model::energy::Energy;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::{Latest, StatusWord};
use model::money::Fen;
use model::place::PlaceKind;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::wall_layout::{Belongs, Layout, MeterPlace, Scope};
use store::{Db, Result, StoreError, read};

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    name: String,
    sort: i64,
}

/// The buildings that the operator may see, in order.
pub async fn buildings(db: &Db, operator: UserId) -> Result<Vec<(PlaceId, String)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT p.id, p.name FROM places p WHERE p.kind = 'building' AND (
             (SELECT all_buildings FROM users WHERE id = $1)
             OR EXISTS (SELECT 1 FROM operator_buildings WHERE user_id = $1 AND place_id IN (p.id, p.parent_id)))
         ORDER BY p.sort, p.name"
    )
    .bind(operator)
    .fetch_all(pool)
    .await)
}

/// The meters, in the order of the wall.
pub async fn layout(db: &Db) -> Result<Layout> {
    let places: Vec<PlaceRow> =
        read!(db, |pool| sqlx::query_as("SELECT id, parent_id, kind, name, sort FROM places").fetch_all(pool).await)?;
    let meters: Vec<(MeterId, PlaceId, String, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.place_id, m.profile, g.name FROM meters m JOIN gateways g ON g.id = m.gateway_id
         WHERE m.retired_at IS NULL ORDER BY m.gateway_id, m.unit"
    )
    .fetch_all(pool)
    .await)?;
    let members: Vec<(PlaceId, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT p.place_id, g.name FROM place_group_members p JOIN place_groups g ON g.id = p.group_id ORDER BY g.name"
    )
    .fetch_all(pool)
    .await)?;
    let mut groups: HashMap<PlaceId, Vec<String>> = HashMap::new();
    for (place, group) in members {
        groups.entry(place).or_default().push(group);
    }
    let places: HashMap<PlaceId, PlaceRow> = places.into_iter().map(|place| (place.id, place)).collect();
    let mut meter_places: Vec<(Vec<(i64, &str)>, MeterPlace)> = Vec::with_capacity(meters.len());
    for (meter, place, profile, gateway) in meters {
        let path = path(&places, place);
        let (Some(top), Some(room)) = (path.first(), path.last()) else { continue };
        let building = path.iter().position(|place| place.kind == PlaceKind::Building).unwrap_or(0);
        let floors = path.get(building + 1..path.len().saturating_sub(1)).unwrap_or_default();
        let meter_place = MeterPlace {
            meter,
            building: path.get(building).unwrap_or(top).id,
            building_name: path.get(building).unwrap_or(top).name.clone(),
            floor: floors.iter().map(|floor| floor.name.as_str()).collect::<Vec<_>>().join(" "),
            room: room.name.clone(),
            belongs: Belongs { gateway, profile, groups: grouped(&groups, &path) },
        };
        meter_places.push((path.iter().map(|place| (place.sort, place.name.as_str())).collect(), meter_place));
    }
    meter_places.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(Layout::new(meter_places.into_iter().map(|(_, place)| place).collect()))
}

/// The groups that a place of the path is in, by name.
fn grouped(groups: &HashMap<PlaceId, Vec<String>>, path: &[&PlaceRow]) -> Vec<String> {
    let mut names: Vec<String> = path.iter().filter_map(|place| groups.get(&place.id)).flatten().cloned().collect();
    names.sort();
    names.dedup();
    names
}

/// The places from the root of the tree to a place.
fn path(places: &HashMap<PlaceId, PlaceRow>, place: PlaceId) -> Vec<&PlaceRow> {
    let mut path = Vec::new();
    let mut next = Some(place);
    // The bound ends the loop if the tree has a cycle.
    while let (Some(place), true) = (next.and_then(|id| places.get(&id)), path.len() < 16) {
        path.push(place);
        next = place.parent_id;
    }
    path.reverse();
    path
}

#[derive(FromRow)]
struct LatestRow {
    meter_id: MeterId,
    observed_at: Option<Timestamp>,
    lost_since: Option<Timestamp>,
    unreadable: bool,
    status: i64,
    remaining_fen: Fen,
    cumulative_fen: Fen,
    count: i64,
    epoch: i64,
    total_wh: Energy,
    reverse_wh: Energy,
    power_w: Option<i64>,
    voltage_dv: Option<i64>,
    current_ca: Option<i64>,
    power_factor: Option<i64>,
    clock_offset_s: Option<i64>,
    rate: Option<i64>,
    tier_wh: Option<Energy>,
    tamper: Option<i64>,
    journal: Option<i64>,
}

/// The newest state of every meter.
pub async fn latest(db: &Db) -> Result<Vec<Latest>> {
    let rows: Vec<LatestRow> = read!(db, |pool| sqlx::query_as(
        "SELECT meter_id, observed_at, lost_since, status, remaining_fen, cumulative_fen, count, epoch, total_wh, reverse_wh,
                power_w, voltage_dv, current_ca, power_factor, clock_offset_s, rate, tier_wh, tamper, journal, unreadable
         FROM meter_latest"
    )
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|row| row.latest().ok_or(StoreError::Inconsistent { table: "meter_latest", column: "status" })).collect()
}

impl LatestRow {
    fn latest(self) -> Option<Latest> {
        Some(Latest {
            meter: self.meter_id,
            observed_at: self.observed_at,
            lost_since: self.lost_since,
            unreadable: self.unreadable,
            status: StatusWord(self.status.try_into().ok()?),
            remaining: self.remaining_fen,
            cumulative: self.cumulative_fen,
            count: self.count.try_into().ok()?,
            epoch: self.epoch.try_into().ok()?,
            total: self.total_wh,
            reverse: self.reverse_wh,
            power_w: self.power_w.map(TryInto::try_into).transpose().ok()?,
            voltage_dv: self.voltage_dv.map(TryInto::try_into).transpose().ok()?,
            current_ca: self.current_ca.map(TryInto::try_into).transpose().ok()?,
            power_factor: self.power_factor.map(TryInto::try_into).transpose().ok()?,
            clock_offset_s: self.clock_offset_s.map(TryInto::try_into).transpose().ok()?,
            rate: self.rate.map(TryInto::try_into).transpose().ok()?,
            tier: self.tier_wh,
            tamper: self.tamper.map(TryInto::try_into).transpose().ok()?,
            journal: self.journal.map(TryInto::try_into).transpose().ok()?,
        })
    }
}

/// A place that a price plan can be assigned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedPlace {
    pub id: PlaceId,
    pub kind: PlaceKind,
    /// From the root of the tree on.
    pub name: String,
}

/// Places to which the operator may assign a price plan, each named from the root of the tree: all, or their buildings and below.
pub async fn priced_places(db: &Db, user: UserId) -> Result<Vec<PricedPlace>> {
    let scope = scope(db, user).await?;
    let named = named_places(db, user).await?.into_iter();
    Ok(named.filter(|place| scope == Scope::All || place.kind != PlaceKind::Site).collect())
}

/// The same with the site, whose plan also applies in their buildings.
pub async fn named_places(db: &Db, user: UserId) -> Result<Vec<PricedPlace>> {
    let places: Vec<PlaceRow> =
        read!(db, |pool| sqlx::query_as("SELECT id, parent_id, kind, name, sort FROM places").fetch_all(pool).await)?;
    let places: HashMap<PlaceId, PlaceRow> = places.into_iter().map(|place| (place.id, place)).collect();
    let scope = scope(db, user).await?;
    let is_visible = |path: &[&PlaceRow]| match &scope {
        Scope::All => true,
        Scope::Buildings(named) => {
            path.iter().any(|place| named.contains(&place.id)) || path.last().is_some_and(|place| place.kind == PlaceKind::Site)
        }
    };
    let paths = places.keys().map(|&id| path(&places, id)).filter(|path| is_visible(path));
    let mut named: Vec<_> = paths
        .filter_map(|path| {
            let order: Vec<(i64, &str)> = path.iter().map(|place| (place.sort, place.name.as_str())).collect();
            let name = path.iter().map(|place| place.name.as_str()).collect::<Vec<_>>().join(" ");
            let last = path.last()?;
            Some((order, PricedPlace { id: last.id, kind: last.kind, name }))
        })
        .collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(named.into_iter().map(|(_, place)| place).collect())
}

/// The places above rooms, by id and name, to choose from: rooms are typed, because there may be ten thousand.
#[must_use]
pub fn above_rooms(places: Vec<PricedPlace>) -> Vec<(PlaceId, String)> {
    places.into_iter().filter(|place| place.kind != PlaceKind::Room).map(|place| (place.id, place.name)).collect()
}

/// Which buildings an operator may see: all if they were given all, otherwise those assigned to them.
pub async fn scope(db: &Db, user: UserId) -> Result<Scope> {
    let all: Option<(bool,)> =
        read!(db, |pool| sqlx::query_as("SELECT all_buildings FROM users WHERE id = $1").bind(user).fetch_optional(pool).await)?;
    if all == Some((true,)) {
        return Ok(Scope::All);
    }
    let named: Vec<(PlaceId,)> = read!(db, |pool| sqlx::query_as("SELECT place_id FROM operator_buildings WHERE user_id = $1")
        .bind(user)
        .fetch_all(pool)
        .await)?;
    Ok(Scope::Buildings(named.into_iter().map(|(id,)| id).collect()))
}
