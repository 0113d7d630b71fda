//! Fills an empty database with the demo's site: places, gateways, meters, the last three months, and an operator.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;

use model::ids::{GatewayId, MeterId, PlaceId};
use model::person::Role;
use model::time::Timestamp;

use super::past::{self, PastRoom, Span};
use super::site::{self, Room};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use estate::places::{self as rows, NewPlace};
use sandbox::Sandbox;
use simulator::Load;
use store::meters::{self, NewGateway, NewMeter};
use store::users::{self, NewUser};
use store::{Db, StoreError};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What a database is filled with.
pub struct Seed<'a> {
    pub rooms: &'a [Room],
    /// The gateways' addresses, in the order of the buildings.
    pub gateways: &'a [SocketAddr],
    /// The rooms' load in the past.
    pub load: &'a Load,
    /// Argon2id hash of everybody's password.
    pub password_hash: &'a str,
    /// The operator's login.
    pub operator: &'a str,
    /// The login of who approves what the operator asks for.
    pub supervisor: &'a str,
    /// Of the payment channels.
    pub keys: sandbox::Keys,
}

/// Whether the database is not seeded yet.
///
/// # Errors
/// Where the database fails.
pub async fn is_needed(db: &Db, operator: &str) -> store::Result<bool> {
    Ok(users::by_login(db, operator).await?.is_none())
}

/// Seeds the database as of now; the last three months have passed. Gives the sandbox with what was paid there. The operator is
/// created last and so marks the seeding as complete.
///
/// # Errors
/// Where the database or the sandbox fails.
pub async fn run(db: &Db, rng: &Rng, now: Timestamp, seed: &Seed<'_>) -> Result<Sandbox> {
    let span = Span::before(now);
    // Without waiting for the disk: what is lost with the power is made again.
    db.wait_for_disk(false).await?;
    let (buildings, ids) = places(db, rng, span.from, seed).await?;
    let building = buildings.get(site::SUBSIDISED).or(buildings.first()).copied();
    let building = building.ok_or(StoreError::Inconsistent { table: "places", column: "id" })?;
    let site = past::Site {
        load: seed.load,
        password_hash: seed.password_hash,
        supervisor: seed.supervisor,
        building,
        keys: seed.keys.clone(),
    };
    let rooms = seed.rooms.iter().zip(ids).map(|(room, meter)| PastRoom::new(&span, seed.load, room, meter)).collect();
    let sandbox = past::make(db, rng, &span, &site, rooms).await?;
    super::instruments::seed(db, rng, span.from, seed.rooms).await?;
    let operator = NewUser {
        role: Role::Admin,
        login: seed.operator,
        name: "值班员",
        password_hash: seed.password_hash,
        buildings: &Scope::All,
    };
    users::create(db, rng, now, &operator, "demo").await?;
    db.wait_for_disk(true).await?;
    Ok(sandbox)
}

/// The buildings' ids, and the meters' in the order of the rooms.
async fn places(db: &Db, rng: &Rng, now: Timestamp, seed: &Seed<'_>) -> store::Result<(Vec<PlaceId>, Vec<MeterId>)> {
    let mut tx = db.begin().await?;
    let root = PlaceId(rng.id(now));
    rows::add(&mut tx, &NewPlace { id: root, parent: None, kind: model::place::PlaceKind::Site, name: "示范园区", sort: 1 })
        .await?;
    let mut buildings = Vec::new();
    for (index, address) in seed.gateways.iter().enumerate() {
        let name = site::building(index);
        let (place, gateway) = (PlaceId(rng.id(now)), GatewayId(rng.id(now)));
        rows::add(
            &mut tx,
            &NewPlace { id: place, parent: Some(root), kind: model::place::PlaceKind::Building, name, sort: index as i64 + 1 },
        )
        .await?;
        let named = format!("{name}管理机");
        let new = NewGateway {
            id: gateway,
            name: named,
            host: address.ip().to_string(),
            port: address.port(),
            framing: site::framing(index),
        };
        meters::add_gateway(&mut tx, now, &new).await?;
        buildings.push((place, gateway));
    }
    let mut floors: HashMap<(usize, u8), PlaceId> = HashMap::new();
    let mut ids = Vec::new();
    for room in seed.rooms {
        let Some(&(building, gateway)) = buildings.get(room.building) else { continue };
        let floor = match floors.get(&(room.building, room.floor)) {
            Some(&floor) => floor,
            None => {
                let id = PlaceId(rng.id(now));
                let name = if room.floor == 0 { "配电室".to_owned() } else { format!("{}层", room.floor) };
                let new = NewPlace {
                    id,
                    parent: Some(building),
                    kind: model::place::PlaceKind::Unit,
                    name: &name,
                    sort: room.floor.into(),
                };
                rows::add(&mut tx, &new).await?;
                floors.insert((room.building, room.floor), id);
                id
            }
        };
        let (place, meter, name) = (PlaceId(rng.id(now)), MeterId(rng.id(now)), room.name());
        let new = NewPlace {
            id: place,
            parent: Some(floor),
            kind: model::place::PlaceKind::Room,
            name: &name,
            sort: room.number.into(),
        };
        rows::add(&mut tx, &new).await?;
        let serial = room.plan.serial.to_string();
        let (unit, profile, wallet) = (room.plan.unit, room.plan.profile.to_string(), room.wallet);
        let new = NewMeter { id: meter, place, gateway, unit, serial, profile, wallet };
        meters::add_meter(&mut tx, now, &new).await?;
        ids.push(meter);
    }
    tx.commit().await?;
    Ok((buildings.into_iter().map(|(place, _)| place).collect(), ids))
}
