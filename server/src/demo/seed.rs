//! Fills an empty database with the demo's site, like the take-over of an existing dormitory: places, gateways, meters, the
//! accounts that the meters already hold, the energy of the last weeks, and an operator.

use std::collections::HashMap;
use std::net::SocketAddr;

use model::ids::{GatewayId, MeterId, PlaceId};
use model::money::Fen;
use model::person::Role;
use model::time::{DAY, Timestamp};

use super::history;
use super::site::{self, Room};
use super::wallets;
use domain::rng::Rng;
use domain::wall_layout::Scope;
use estate::places::{self as rows, NewPlace};
use simulator::Load;
use store::accounts::{self, NewResident, TakeOver};
use store::energy;
use store::meters::{self, NewGateway, NewMeter};
use store::users::{self, NewUser};
use store::{Db, Result};

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
}

/// Whether the database is not seeded yet.
pub async fn is_needed(db: &Db, operator: &str) -> Result<bool> {
    Ok(users::by_login(db, operator).await?.is_none())
}

/// Seeds the database. The operator is created last and so marks the seeding as complete.
pub async fn run(db: &Db, rng: &Rng, now: Timestamp, seed: &Seed<'_>) -> Result<()> {
    let ids = places(db, rng, now, seed).await?;
    let (hours, days) = history::before(now, seed.load, seed.rooms, &ids);
    let mut tx = db.begin().await?;
    energy::add(&mut tx, &hours, &days, None).await?;
    tx.commit().await?;
    accounts::take_over(db, rng, now, &held(seed, now, &ids)).await?;
    wallets::take_over(db, rng, now, seed, &ids).await?;
    let supervisor = NewUser {
        role: Role::Admin,
        login: seed.supervisor,
        name: "班长",
        password_hash: seed.password_hash,
        buildings: &Scope::All,
    };
    users::create(db, rng, now, &supervisor, "demo").await?;
    let operator = NewUser {
        role: Role::Admin,
        login: seed.operator,
        name: "值班员",
        password_hash: seed.password_hash,
        buildings: &Scope::All,
    };
    users::create(db, rng, now, &operator, "demo").await?;
    Ok(())
}

/// The meters' ids, in the order of the rooms.
async fn places(db: &Db, rng: &Rng, now: Timestamp, seed: &Seed<'_>) -> Result<Vec<MeterId>> {
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
    Ok(ids)
}

fn held(seed: &Seed<'_>, now: Timestamp, ids: &[MeterId]) -> Vec<TakeOver> {
    let account = |(room, &meter): (&Room, &MeterId)| {
        room.plan.account.map(|account| TakeOver {
            meter,
            number: account.number.to_string(),
            opened_at: now.plus(-history::DAYS * DAY),
            epoch: account.epoch,
            count: account.count,
            cumulative: Fen(account.cumulative.into()),
            resident: Some(NewResident {
                name: format!("{} {}室", site::building(room.building), room.name()),
                login: room.login(),
                password_hash: seed.password_hash.to_owned(),
            }),
        })
    };
    seed.rooms.iter().zip(ids).filter_map(account).collect()
}
