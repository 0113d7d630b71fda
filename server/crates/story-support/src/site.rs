//! A simulated site with its accounts in the database, and the engine that reads and commands it.

use std::time::{Duration, Instant};

use ::meters::config::Config;
use ::meters::keys::MasterKeys;
use ::meters::live::Live;
use ::meters::profile::Profiles;
use ::meters::{GatewayHandle, Meters};
use domain::clock::{Clock, SystemClock};
use domain::command_args::CommandArgs;
use domain::order::Limits;
use model::gateway::{Dialling, GatewayName, GatewaySettings, Timing};
use model::ids::{CommandId, GatewayId, MeterId, PlaceId, UserId};
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::Timestamp;
use simulator::{DialIn, Estate, MeterHandle, MeterView, OpenAccount, Simulator};
use std::sync::Arc;
use store::accounts::{self, NewResident, TakeOver};
use store::commands::{self, NewCommand};
use store::meters::{NewGateway, NewMeter, add_gateway, add_meter};
use store::orders::{self, NewOrder, Order};
use store::{Db, Tx};
use uuid::Uuid;

use crate::World;
use crate::rooms::Room;

/// A simulated site and its database.
pub struct Site {
    pub w: World,
    pub sim: Simulator,
    /// The rooms with an account, in the order of the estate.
    pub rooms: Vec<Room>,
    /// All meters, in the order of the estate.
    pub meters: Vec<MeterId>,
    pub clerk: UserId,
    pub config: Config,
    keys: MasterKeys,
}

/// Fast enough for tests, slow enough for a busy machine.
pub fn quick() -> Config {
    Config {
        sweep_interval_ms: 0,
        request_timeout_ms: 250,
        baud: 0,
        reconnect_cap_ms: 400,
        probe_cap_ms: 800,
        command_cap_ms: 600,
        archive_interval_ms: 300,
        ..Config::default()
    }
}

impl Site {
    /// `gateways` gateways of `meters` meters; each meter holds an open, empty account that the database knows.
    pub async fn new(w: World, gateways: usize, meters: u8) -> Self {
        Self::with(w, gateways, meters, |_| {}).await
    }

    /// The same, with the simulator's configuration changed: framings of gateways, models of meters, what they hold.
    pub async fn with(w: World, gateways: usize, meters: u8, change: impl FnOnce(&mut simulator::Config)) -> Self {
        let keys = MasterKeys { enc: [0x11; 16], mac: [0x22; 16], aes: [0x33; 32] };
        let mut estate = Estate::uniform(7, gateways, meters);
        for (gateway, meter) in estate.meters_mut() {
            let number = format!("26112300{gateway:04}{:04}", meter.unit).parse().unwrap();
            meter.account = Some(OpenAccount { number, epoch: 1, count: 0, order: 0, cumulative: 0, remaining: 0 });
        }
        let mut config = simulator::Config::new(estate, keys.clone());
        change(&mut config);
        let (estate, dial_in) = (config.estate.clone(), config.dial_in.clone());
        let sim = simulator::start(config).await.unwrap();
        let mut site = Self { clerk: w.clerk().await, w, sim, rooms: Vec::new(), meters: Vec::new(), config: quick(), keys };
        site.enter(&estate, dial_in.as_ref()).await;
        site
    }

    /// Writes the estate into the database.
    async fn enter(&mut self, estate: &Estate, dial_in: Option<&DialIn>) {
        let at = SystemClock.now();
        let mut ids = Vec::new();
        for (n, plan) in estate.gateways.iter().enumerate() {
            let (id, name) = (GatewayId(self.w.rng.id(at)), format!("g{n}"));
            ids.push(id);
            let Some(dial_in) = dial_in else {
                let port = self.sim.addresses()[n].port();
                let new = NewGateway { id, name, host: "127.0.0.1".into(), port, framing: plan.framing };
                let mut tx = self.w.db.begin().await.unwrap();
                add_gateway(&mut tx, at, &new).await.unwrap();
                tx.commit().await.unwrap();
                continue;
            };
            let registration = dial_in.registration_of(n).unwrap();
            let settings = GatewaySettings {
                name: GatewayName::parse(&name).unwrap(),
                code: None,
                reach: Dialling::DialIn { registration, heartbeat: dial_in.heartbeat.clone() },
                framing: plan.framing,
                timing: Timing::default(),
            };
            let (role, permissions) = (Role::Admin, Permissions::of(Role::Admin));
            let who = Who { user: self.clerk, role, permissions, name: String::new(), ip: String::new() };
            estate::gateways::create(&self.w.db, at, &who, id.0, &settings).await.unwrap();
        }
        let profiles = Profiles::load(None).unwrap();
        for (gateway, plan) in estate.meters() {
            let (place, meter) = (self.w.rng.id(at), MeterId(self.w.rng.id(at)));
            let sql = "INSERT INTO places (id, parent_id, kind, name, sort) VALUES ($1, NULL, 'room', 'room', 1)";
            crate::bind(&self.w.db, sql, place, &[]).await;
            let mut tx = self.w.db.begin().await.unwrap();
            let new = NewMeter {
                id: meter,
                place: PlaceId(place),
                gateway: ids[gateway],
                unit: plan.unit,
                serial: plan.serial.to_string(),
                profile: plan.profile.to_string(),
                wallet: profiles.get(&plan.profile).unwrap().abilities.wallet,
            };
            add_meter(&mut tx, at, &new).await.unwrap();
            tx.commit().await.unwrap();
            self.meters.push(meter);
            if let Some(account) = plan.account {
                let login = format!("r{gateway}-{}", plan.unit);
                let resident = NewResident { name: login.clone(), login, password_hash: String::new() };
                let one = TakeOver {
                    meter,
                    number: account.number.to_string(),
                    opened_at: at,
                    epoch: account.epoch,
                    count: account.count,
                    cumulative: Fen(account.cumulative.into()),
                    resident: Some(resident),
                };
                accounts::take_over(&self.w.db, &self.w.rng, at, &[one]).await.unwrap();
                self.rooms.push(self.w.room_of(meter).await);
            }
        }
    }

    /// Starts the engine.
    pub async fn start(&self) -> GatewayHandle {
        let clock: domain::clock::SharedClock = Arc::new(SystemClock);
        let live = Live::load(&self.w.db, clock.clone()).await.unwrap();
        self.start_with(live).await
    }

    /// Starts the engine with this hub.
    pub async fn start_with(&self, live: Live) -> GatewayHandle {
        self.start_at(Arc::new(SystemClock), live).await
    }

    /// Starts the engine with this hub, by this clock.
    pub async fn start_at(&self, clock: domain::clock::SharedClock, live: Live) -> GatewayHandle {
        self.try_start_at(clock, live).await.unwrap()
    }

    /// The same, where the start may be refused.
    pub async fn try_start_at(&self, clock: domain::clock::SharedClock, live: Live) -> store::Result<GatewayHandle> {
        let (db, rng, keys, config) = (self.w.db.clone(), self.w.rng.clone(), self.keys.clone(), self.config.clone());
        Meters { db, clock, rng, live, keys, config, profiles: Profiles::load(None).unwrap() }.start().await
    }

    /// Sells for cash.
    pub async fn sell(&self, room: usize, fen: i64) -> Order {
        let at = SystemClock.now();
        let Room { meter, account, .. } = self.rooms[room];
        let key = self.w.rng.id(at);
        let new = NewOrder { key, account, meter, tender: Tender::Cash, amount: Fen(fen), by: self.clerk, ip: String::new() };
        let limits = Limits { max_fen: 100_000_000, hoarding_fen: 0, ..Limits::default() };
        orders::sell(&self.w.db, &self.w.rng, at, &limits, &new).await.unwrap()
    }

    /// Stores a command that moves no money.
    pub async fn command(&self, meter: MeterId, args: impl Into<CommandArgs>) -> commands::Command {
        self.command_stored_as(meter, args, None).await
    }

    /// The same with other stored arguments, as another version of the server may have left them.
    pub async fn command_stored_as(
        &self,
        meter: MeterId,
        args: impl Into<CommandArgs>,
        stored: Option<&'static str>,
    ) -> commands::Command {
        let at = SystemClock.now();
        let id = CommandId(self.w.rng.id(at));
        let new = NewCommand::setting(id, meter, args.into(), Some(self.clerk));
        enqueue(&self.w, at, &new, stored).await;
        commands::find(&self.w.db, id).await.unwrap().unwrap()
    }

    pub async fn order(&self, order: &Order) -> Order {
        orders::find(&self.w.db, order.id).await.unwrap().unwrap()
    }

    pub async fn refreshed(&self, command: &commands::Command) -> commands::Command {
        commands::find(&self.w.db, command.id).await.unwrap().unwrap()
    }

    /// The command that is a case.
    pub async fn held_command(&self) -> model::ids::CommandId {
        let sql = "SELECT id FROM commands WHERE state = 'case'";
        model::ids::CommandId(match &self.w.db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
        })
    }

    /// The meter behind a gateway.
    pub fn meter(&self, gateway: usize, unit: u8) -> MeterHandle {
        self.sim.meter(gateway, unit).unwrap()
    }

    pub fn view(&self, gateway: usize, unit: u8) -> MeterView {
        self.meter(gateway, unit).view().unwrap()
    }

    /// Waits until no command is pending.
    pub async fn settled(&self, within: Duration) {
        let start = Instant::now();
        while self.w.number("SELECT COUNT(*) FROM commands WHERE state IN ('queued', 'sending')").await > 0 {
            assert!(start.elapsed() < within, "waited {within:?} for {:#?}", self.unsettled().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Meter, kind, state, attempts and reason of each command that has not ended, and for how many ms more it is deferred.
    async fn unsettled(&self) -> Vec<(i64, String, String, i64, Option<String>, i64)> {
        let sql = "SELECT m.unit, c.kind, c.state, c.attempts, c.reason, c.next_at - $1 FROM commands c
                   JOIN meters m ON m.id = c.meter_id WHERE c.state IN ('queued', 'sending') ORDER BY c.decided_at";
        let now = SystemClock.now().0;
        match &self.w.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(now).fetch_all(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(now).fetch_all(pool).await.unwrap(),
        }
    }

    /// Asserts that the accounts agree with each other and with the meters.
    pub async fn prove(&self) {
        assert_eq!(verify::verify(&self.w.db).await.unwrap().differences, []);
        let sql = "SELECT m.serial, a.epoch, a.count, a.cumulative_fen FROM account_meters a JOIN meters m ON m.id = a.meter_id";
        let rows: Vec<(String, i64, i64, i64)> = match &self.w.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).fetch_all(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).fetch_all(pool).await.unwrap(),
        };
        for meter in self.sim.meters() {
            let view = meter.view().unwrap();
            let row = rows.iter().find(|row| row.0 == view.serial.to_string()).unwrap();
            let expected = (row.1, row.2, row.3);
            assert_eq!(expected, (view.epoch.into(), view.count.into(), view.cumulative.into()), "meter {}", view.serial);
        }
    }
}

impl World {
    async fn room_of(&self, meter: MeterId) -> Room {
        let sql = "SELECT r.account_id, r.user_id FROM account_meters m JOIN account_residents r ON r.account_id = m.account_id
                   WHERE m.meter_id = $1";
        let (account, user): (Uuid, Uuid) = match &self.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(meter.0).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(meter.0).fetch_one(pool).await.unwrap(),
        };
        Room { meter, account: model::ids::AccountId(account), resident: UserId(user) }
    }
}

/// The longest wait for what usually takes less than a second: reached only where it never comes, however busy the machine is.
pub const SOON: Duration = Duration::from_secs(180);

/// Waits until a condition holds; fails with `what`.
pub async fn until<F: Future<Output = bool>>(within: Duration, what: &str, mut so: impl FnMut() -> F) {
    let start = Instant::now();
    while !so().await {
        assert!(start.elapsed() < within, "waited {within:?} for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Stores a command, with `stored` in the place of its arguments.
pub async fn enqueue(w: &World, at: Timestamp, new: &NewCommand, stored: Option<&'static str>) {
    let mut tx = w.db.begin().await.unwrap();
    commands::enqueue(&mut tx, at, new).await.unwrap();
    if let Some(text) = stored {
        let sql = "UPDATE commands SET args = $1 WHERE id = $2";
        match &mut tx {
            Tx::Sqlite(tx) => drop(sqlx::query(sql).bind(text).bind(new.id).execute(&mut **tx).await.unwrap()),
            Tx::Postgres(tx) => drop(sqlx::query(sql).bind(text).bind(new.id).execute(&mut **tx).await.unwrap()),
        }
    }
    tx.commit().await.unwrap();
}
