//! What the black-box tests and the benchmarks share: fresh databases, people, rooms, a simulated site, a payment sandbox, and a
//! server in this process or in one of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests is a test, though Clippy sees no #[test] on it"
)]

pub mod approving;
pub mod channel_config;
pub mod closings;
pub mod database;
pub mod kill;
pub mod refunding;
pub mod room_fixture;
pub mod rooms;
pub mod seeds;
pub mod shop;
pub mod site;
pub mod statements;
pub mod web;

use std::net::SocketAddr;
use std::sync::Arc;

use ::meters::live::Live;
pub use database::Template;
use database::TestDatabase;
use domain::clock::{Clock, TestClock};
use domain::framing::Framing;
use domain::rng::Rng;
use estate::places::{self, NewPlace};
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::time::Timestamp;
use services::{Context, NoMeterGateway};
use store::meters::{self, NewGateway, NewMeter};
use store::{Db, StoreError, Tx};

/// A new, migrated database, and the clock and randomness that store functions need.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub url: String,
    pub clock: Arc<TestClock>,
    pub rng: Rng,
    _database: Arc<TestDatabase>,
}

impl World {
    /// What services and tasks work with, in a process that polls no meters.
    pub async fn context(&self) -> Context {
        let live = Live::load(&self.db, self.clock.clone()).await.unwrap();
        let (db, clock, rng) = (self.db.clone(), self.clock.clone(), self.rng.clone());
        Context { db, clock, rng, live, gateway: Arc::new(NoMeterGateway) }
    }

    pub async fn sqlite() -> Self {
        Self::open(TestDatabase::sqlite().await).await
    }

    pub async fn postgres() -> Self {
        Self::open(TestDatabase::postgres().await).await
    }

    /// A meter in a room of its own, on a shared gateway.
    pub async fn meter(&self, unit: u8) -> MeterId {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 1502));
        let shared = match meters::gateways(&self.db).await.unwrap().first() {
            Some(gateway) => gateway.id,
            None => self.gateways(&[nowhere]).await[0],
        };
        self.meter_at(shared, unit, &unit.to_string()).await
    }

    /// Gateways at these addresses.
    pub async fn gateways(&self, addresses: &[SocketAddr]) -> Vec<GatewayId> {
        let mut tx = self.db.begin().await.unwrap();
        let mut ids = Vec::new();
        for address in addresses {
            let id = GatewayId(self.rng.id(self.clock.now()));
            let new = NewGateway {
                id,
                name: address.to_string(),
                host: address.ip().to_string(),
                port: address.port(),
                framing: Framing::ModbusTcp,
            };
            meters::add_gateway(&mut tx, self.clock.now(), &new).await.unwrap();
            ids.push(id);
        }
        tx.commit().await.unwrap();
        ids
    }

    /// A meter in a room of its own, behind that gateway.
    pub async fn meter_at(&self, gateway: GatewayId, unit: u8, serial: &str) -> MeterId {
        let now = self.clock.now();
        let (place, id) = (PlaceId(self.rng.id(now)), MeterId(self.rng.id(now)));
        let mut tx = self.db.begin().await.unwrap();
        places::add(&mut tx, &NewPlace { id: place, parent: None, kind: model::place::PlaceKind::Room, name: serial, sort: 1 })
            .await
            .unwrap();
        let new = NewMeter { id, place, gateway, unit, serial: serial.into(), profile: "rpp".into(), wallet: Wallet::Meter };
        meters::add_meter(&mut tx, now, &new).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// Runs a statement and seals what it changed, as if the server had written it.
    pub async fn execute(&self, sql: &'static str) -> u64 {
        self.try_execute(sql).await.unwrap()
    }

    /// Takes all buildings from an operator, who keeps those that were assigned to them.
    pub async fn limit(&self, login: &str) {
        let mut tx = self.db.begin().await.unwrap();
        let sql = "UPDATE users SET all_buildings = FALSE WHERE login = $1";
        match &mut tx {
            Tx::Sqlite(c) => drop(sqlx::query(sql).bind(login).execute(&mut **c).await.unwrap()),
            Tx::Postgres(c) => drop(sqlx::query(sql).bind(login).execute(&mut **c).await.unwrap()),
        }
        tx.commit().await.unwrap();
    }

    /// The same where it may fail.
    pub async fn try_execute(&self, sql: &'static str) -> Result<u64, StoreError> {
        let mut tx = self.db.begin().await?;
        let rows = match &mut tx {
            Tx::Sqlite(c) => sqlx::query(sql).execute(&mut **c).await?.rows_affected(),
            Tx::Postgres(c) => sqlx::query(sql).execute(&mut **c).await?.rows_affected(),
        };
        tx.commit().await?;
        Ok(rows)
    }

    /// Runs statements as a person with write access to the database would.
    pub async fn by_hand(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        match &self.db {
            Db::Sqlite { write, .. } => sqlx::raw_sql(sql).execute(write).await.map(drop),
            Db::Postgres { pool, .. } => sqlx::raw_sql(sql).execute(pool).await.map(drop),
        }
    }

    /// A copy of a world that was prepared, with random numbers of its own.
    pub async fn copy_of(template: &Template) -> Self {
        Self { rng: Rng::from_seed([8; 32]), ..Self::open(template.copy().await).await }
    }

    /// Closes the database and keeps what is in it.
    pub async fn into_template(self) -> Template {
        self.db.close().await;
        Template::of(Arc::into_inner(self._database).expect("somebody else keeps the world"))
    }

    async fn open(database: TestDatabase) -> Self {
        let url = database.url();
        let db = Db::open(&url).await.unwrap();
        let clock = TestClock::new(Timestamp(1_795_600_000_000));
        Self { db, url, clock, rng: Rng::from_seed([7; 32]), _database: Arc::new(database) }
    }
}

/// `both!(name, |world| async move { ... });` runs the story once on SQLite and once on PostgreSQL; `both!(name, past, |world|
/// ...)` on the worlds that the functions `sqlite` and `postgres` of the module `past` give.
#[macro_export]
macro_rules! both {
    ($name:ident, $story:expr) => {
        $crate::both!(@on $name, $crate::World::sqlite(), $crate::World::postgres(), $story);
    };
    ($name:ident, $worlds:ident, $story:expr) => {
        $crate::both!(@on $name, $worlds::sqlite(), $worlds::postgres(), $story);
    };
    (@on $name:ident, $sqlite:expr, $postgres:expr, $story:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn sqlite() {
                let story = $story;
                let world = $sqlite.await;
                // The test may keep only some fields; this keeps the database.
                story(world.clone()).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn postgres() {
                let story = $story;
                let world = $postgres.await;
                // The test may keep only some fields; this keeps the database.
                story(world.clone()).await;
            }
        }
    };
}

/// Runs a statement with an id as `$1` and numbers as `$2`, `$3`, ..., and seals what it changed.
pub async fn bind(db: &Db, sql: &'static str, id: uuid::Uuid, numbers: &[i64]) {
    let mut tx = db.begin().await.unwrap();
    match &mut tx {
        Tx::Sqlite(c) => {
            let query = numbers.iter().fold(sqlx::query(sql).bind(id), |query, number| query.bind(number));
            query.execute(&mut **c).await.unwrap();
        }
        Tx::Postgres(c) => {
            let query = numbers.iter().fold(sqlx::query(sql).bind(id), |query, number| query.bind(number));
            query.execute(&mut **c).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

/// The SHA-256 fingerprint of a certificate, in hexadecimal with colons.
pub fn fingerprint(pem: &str) -> String {
    use base64::Engine as _;
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &der);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}
