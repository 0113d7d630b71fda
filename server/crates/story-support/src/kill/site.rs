//! What outlives the killed server: the meters, the channel, the database, and the people's cookies.

use std::net::SocketAddr;
use std::time::Duration;

use ::meters::keys::MasterKeys;
use domain::clock::{Clock, SystemClock};
use domain::wall_layout::Scope;
use model::ids::MeterId;
use model::money::Fen;
use model::tariff::Prices;
use sandbox::{Faults, Sandbox};
use simulator::notify_provider::SimulatedProvider;
use simulator::{Estate, GatewayPlan, LineFault, MeterHandle, MeterPlan, MeterView, OpenAccount, Simulator};
use store::Db;
use store::accounts::{self, NewResident, TakeOver};
use store::meters;
use store::prices::{self, Publication};
use store::users::{self, NewUser};

use tokio::time::{Instant, sleep};

use super::PATIENCE;
use super::buyers::CHANNELS;
use crate::web::password_hash;
use crate::{World, bind};

const GATEWAYS: usize = 2;
const METERS: u8 = 6;
/// Rooms with a meter wallet; those with a server wallet follow them.
pub const ROOMS: usize = GATEWAYS * METERS as usize;
/// Rooms with a server wallet, behind a gateway of their own.
const ON_LEDGER: u8 = 4;
/// The load of those rooms: 10 Wh every three seconds, for 0.10 yuan.
const WATTS: u32 = 12_000;

/// A room with an open, empty account.
pub struct Room {
    pub meter: MeterId,
    pub login: String,
    pub on_ledger: bool,
    gateway: usize,
    unit: u8,
}

pub struct Site {
    pub simulator: Simulator,
    pub sandbox: Sandbox,
    /// Of text messages.
    pub provider: SimulatedProvider,
    pub keys: MasterKeys,
    pub rooms: Vec<Room>,
    /// An unregistered meter behind the first gateway: its serial number and unit.
    pub spare: (String, u8),
    pub database: String,
}

impl Site {
    pub async fn start(w: &World) -> Self {
        let keys = MasterKeys::generate(&w.rng);
        let mut estate = Estate::uniform(9, GATEWAYS, METERS);
        let plain = |unit| MeterPlan::new(9, GATEWAYS, unit).plain("hiking-dds238");
        let meters = (1..=ON_LEDGER).map(plain).collect();
        estate.gateways.push(GatewayPlan { meters, ..GatewayPlan::default() });
        let spare = MeterPlan::new(9, 0, METERS + 1);
        let in_reserve = (spare.serial.to_string(), spare.unit);
        estate.gateways[0].meters.push(spare);
        for (gateway, plan) in estate.meters_mut().filter(|(_, plan)| !plan.plain && plan.unit <= METERS) {
            let number = number(gateway, plan.unit).parse().unwrap();
            plan.account = Some(OpenAccount { number, epoch: 1, count: 0, order: 0, cumulative: 0, remaining: 0 });
        }
        let simulator = simulator::start(simulator::Config { seed: 3, ..simulator::Config::new(estate.clone(), keys.clone()) })
            .await
            .unwrap();
        for unit in 1..=ON_LEDGER {
            simulator.meter(GATEWAYS, unit).unwrap().draw(Some(WATTS)).await.unwrap();
        }
        simulator.meters().iter().for_each(trouble);
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let channel = sandbox::Config {
            address,
            keys: crate::shop::bank_keys(),
            speed: 600,
            clock: std::sync::Arc::new(SystemClock),
            rng: w.rng.clone(),
        };
        let sandbox = sandbox::start(channel).await.unwrap();
        sandbox.set_faults(Faults { copies: 2, ..Faults::default() });
        let rooms = seed(w, &simulator, &estate).await;
        let provider = SimulatedProvider::start().await.unwrap();
        Self { simulator, sandbox, provider, keys, rooms, spare: in_reserve, database: w.url.clone() }
    }

    /// Waits until every account is open: one with a server wallet opens with its meter's first reading.
    pub async fn opened(&self, w: &World) {
        let deadline = Instant::now() + PATIENCE;
        while w.number("SELECT COUNT(*) FROM accounts WHERE state = 'opening'").await > 0 {
            assert!(Instant::now() < deadline, "an account was not opened by its first reading");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The room's meter.
    pub fn handle(&self, room: usize) -> MeterHandle {
        let room = &self.rooms[room];
        self.simulator.meter(room.gateway, room.unit).unwrap()
    }

    /// The true contents of the room's meter.
    pub fn meter(&self, room: usize) -> MeterView {
        self.handle(room).view().unwrap()
    }

    /// Sets the load of the server-wallet rooms to zero.
    pub async fn rest(&self) {
        for unit in 1..=ON_LEDGER {
            self.simulator.meter(GATEWAYS, unit).unwrap().draw(Some(0)).await.unwrap();
        }
    }

    /// Paid minus refunded, fen, by the channel's own records.
    pub fn kept_at(&self, channel: &str) -> i64 {
        let paid = self.sandbox.books().into_iter().filter(|trade| trade.tender.as_str() == channel && trade.paid_at.is_some());
        paid.map(|trade| trade.amount.0 - trade.refunded().0).sum()
    }

    /// The same by the ledger.
    pub async fn held_by(&self, w: &World, channel: &str) -> i64 {
        -self.lies_in(w, &format!("clearing:{channel}")).await
    }

    /// By the ledger, of all channels.
    pub async fn held_by_channels(&self, w: &World) -> i64 {
        let mut sum = 0;
        for channel in CHANNELS {
            sum += self.held_by(w, channel).await;
        }
        sum
    }

    /// The balance of a ledger account, fen.
    pub async fn lies_in(&self, w: &World, account: &str) -> i64 {
        let sql = "SELECT CAST(COALESCE(SUM(credits_e4 - debits_e4), 0) / 100 AS BIGINT) FROM ledger_balances WHERE account = $1";
        match &w.db {
            Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(account).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar(sql).bind(account).fetch_one(pool).await.unwrap(),
        }
    }
}

/// Makes the meter's line lose requests and answers, and delay some.
pub fn trouble(meter: &MeterHandle) {
    meter.fault(LineFault::LostRequest, 0.06).unwrap();
    meter.fault(LineFault::LostAnswer, 0.06).unwrap();
    meter.fault(LineFault::LateAnswer { ms: 180 }, 0.03).unwrap();
}

/// A server wallet as stored.
#[derive(Debug, sqlx::FromRow)]
pub struct Books {
    /// The opening reading.
    pub started_wh: i64,
    /// The last reading that was charged.
    pub counted_wh: i64,
    /// Charged in all, Wh and 0.0001 yuan.
    pub charged_wh: i64,
    pub charged_e4: i64,
    /// The balance in the ledger, 0.0001 yuan.
    pub left_e4: i64,
    pub count: i64,
}

impl Room {
    /// The server wallet of the room.
    pub async fn books(&self, w: &World) -> Books {
        let sql = "SELECT COALESCE(w.started_wh, -1) AS started_wh, COALESCE(w.counted_wh, -1) AS counted_wh,
                          CAST(COALESCE((SELECT SUM(wh) FROM charges c WHERE c.meter_id = w.meter_id), 0) AS BIGINT)
                              AS charged_wh,
                          CAST(COALESCE((SELECT SUM(amount_e4) FROM charges c WHERE c.meter_id = w.meter_id), 0) AS BIGINT)
                              AS charged_e4,
                          COALESCE(b.credits_e4 - b.debits_e4, 0) AS left_e4, m.count
                   FROM wallets w JOIN account_meters m ON m.meter_id = w.meter_id JOIN account_keys k ON k.id = m.account_id
                   LEFT JOIN ledger_balances b ON b.account = 'wallet:' || k.key WHERE w.meter_id = $1";
        match &w.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(self.meter.0).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(self.meter.0).fetch_one(pool).await.unwrap(),
        }
    }

    /// Cumulative amount and count of the meter's row, and the delivered fen in the ledger.
    pub async fn account_in_ledger(&self, w: &World) -> (i64, i64, i64) {
        let sql = "SELECT m.cumulative_fen, m.count, COALESCE(b.credits_e4 / 100, 0)
                   FROM account_meters m JOIN account_keys k ON k.id = m.account_id
                   LEFT JOIN ledger_balances b ON b.account = 'meter:' || k.key WHERE m.meter_id = $1";
        match &w.db {
            Db::Sqlite { read, .. } => sqlx::query_as(sql).bind(self.meter.0).fetch_one(read).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_as(sql).bind(self.meter.0).fetch_one(pool).await.unwrap(),
        }
    }
}

async fn seed(w: &World, simulator: &Simulator, estate: &Estate) -> Vec<Room> {
    let hash = password_hash().await;
    let now = SystemClock.now();
    let operator = NewUser {
        role: model::person::Role::Manager,
        login: "clerk",
        name: "clerk",
        password_hash: hash,
        buildings: &Scope::All,
    };
    users::create(&w.db, &w.rng, now, &operator, "test").await.unwrap();
    let gateways = w.gateways(simulator.addresses()).await;
    let new = Publication { plan: "all".into(), effective_at: None, prices: Prices::flat(100_000) };
    let plan = prices::publish(&w.db, &w.rng, now, None, &new).await.unwrap();
    let mut rooms = Vec::new();
    let mut held = Vec::new();
    for (gateway, meter_plan) in estate.meters().filter(|(_, plan)| plan.plain || plan.account.is_some()) {
        let (unit, on_ledger) = (meter_plan.unit, meter_plan.plain);
        let meter = w.meter_at(gateways[gateway], unit, &meter_plan.serial.to_string()).await;
        if on_ledger {
            let sql = "UPDATE meters SET profile = 'hiking-dds238', wallet = 'server' WHERE id = $1 AND unit = $2";
            bind(&w.db, sql, meter.0, &[unit.into()]).await;
            let place = meters::find(&w.db, meter).await.unwrap().unwrap().place_id;
            prices::assign(&w.db, now, None, place, plan).await.unwrap();
        }
        let login = format!("room{gateway}{unit}");
        let resident = NewResident { name: login.clone(), login: login.clone(), password_hash: hash.to_owned() };
        let number = number(gateway, unit);
        held.push(TakeOver {
            meter,
            number,
            opened_at: now,
            epoch: u16::from(!on_ledger),
            count: 0,
            cumulative: Fen::ZERO,
            resident: Some(resident),
        });
        rooms.push(Room { meter, login, on_ledger, gateway, unit });
    }
    accounts::take_over(&w.db, &w.rng, now, &held).await.unwrap();
    users::keep_passwords(&w.db).await.unwrap();
    rooms
}

fn number(gateway: usize, unit: u8) -> String {
    format!("2611230000{gateway:03}{unit:03}")
}
