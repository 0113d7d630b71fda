//! A room with a server wallet, and the recorder that stores its readings.

use std::sync::Arc;

use ::meters::live::Live;
use ::meters::recorder::{MeterEvent, Recorder};
use domain::clock::Clock;
use domain::meter_state::{Measurement, MeterStatus, PlainStatus};
use domain::order::Limits;
use estate::places::{self, NewPlace};
use model::energy::Energy;
use model::error::AppError;
use model::ids::{AccountId, GatewayId, MeterId, PlaceId, UserId, Uuid};
use model::meter::{Latest, Wallet};
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::place::PlaceKind;
use model::reading::ReadingSource;
use model::tariff::Prices;
use model::time::{MINUTE, Timestamp};
use store::accounts::{self, NewResident, OpenAccount};
use store::meters::{self, NewMeter};
use store::orders::{self, NewOrder, Order};
use store::prices::{self, Publication};
use store::{StoreError, wallets};
use tokio::sync::mpsc;

use crate::World;

/// A room whose meter has a relay and no wallet, in a building with a price plan.
pub struct RoomFixture {
    pub w: World,
    pub live: Live,
    pub building: PlaceId,
    pub gateway: GatewayId,
    pub meter: MeterId,
    pub clerk: UserId,
    pub start: Timestamp,
}

/// Why something was refused.
pub fn refused<T>(result: Result<T, StoreError>) -> Option<AppError> {
    match result {
        Err(StoreError::Refused(error)) => Some(error),
        _ => None,
    }
}

impl RoomFixture {
    pub async fn new(w: World) -> Self {
        let clerk = w.clerk().await;
        let gateway: GatewayId = w.gateways(&[([127, 0, 0, 1], 1502).into()]).await[0];
        let now = w.clock.now();
        let (building, room, meter) = (PlaceId(w.rng.id(now)), PlaceId(w.rng.id(now)), MeterId(w.rng.id(now)));
        let mut tx = w.db.begin().await.unwrap();
        for (id, parent, kind, name) in
            [(building, None, PlaceKind::Building, "3"), (room, Some(building), PlaceKind::Room, "301")]
        {
            places::add(&mut tx, &NewPlace { id, parent, kind, name, sort: 1 }).await.unwrap();
        }
        let (serial, profile, wallet) = ("000000000001".into(), "dds238".into(), Wallet::Server);
        meters::add_meter(&mut tx, now, &NewMeter { id: meter, place: room, gateway, unit: 1, serial, profile, wallet })
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let live = Live::load(&w.db, w.clock.clone() as Arc<dyn Clock>).await.unwrap();
        Self { live, building, gateway, meter, clerk, start: now, w }
    }

    pub fn who(&self) -> Who {
        Who {
            user: self.clerk,
            role: Role::Cashier,
            permissions: Permissions::of(Role::Cashier),
            name: "clerk".into(),
            ip: "10.0.0.9".into(),
        }
    }

    pub async fn publish(&self, effective_at: Option<Timestamp>, prices: Prices) -> Result<Uuid, StoreError> {
        let new = Publication { plan: "rooms".into(), effective_at, prices };
        prices::publish(&self.w.db, &self.w.rng, self.w.clock.now(), Some(&self.who()), &new).await
    }

    /// A flat price for the building.
    pub async fn priced(&self, price: u32) {
        let plan = self.publish(None, Prices::flat(price)).await.unwrap();
        prices::assign(&self.w.db, self.w.clock.now(), Some(&self.who()), self.building, plan).await.unwrap();
    }

    pub async fn open(&self) -> Result<AccountId, StoreError> {
        let resident = NewResident { name: "Li".into(), login: "li".into(), password_hash: String::new() };
        let new = OpenAccount {
            number: None,
            meter: self.meter,
            also: Vec::new(),
            housemates: Vec::new(),
            resident,
            first: None,
            by: self.clerk,
            ip: String::new(),
        };
        accounts::open(&self.w.db, &self.w.rng, self.w.clock.now(), &Limits::default(), &new).await
    }

    pub async fn sell(&self, account: AccountId, fen: i64) -> Result<Order, StoreError> {
        let key = self.w.rng.id(self.w.clock.now());
        let new = NewOrder {
            key,
            account,
            meter: self.meter,
            tender: Tender::Cash,
            amount: Fen(fen),
            by: self.clerk,
            ip: String::new(),
        };
        orders::sell(&self.w.db, &self.w.rng, self.w.clock.now(), &Limits::default(), &new).await
    }

    /// A room with a price, an account opened at 1000 Wh, a closed relay, and this balance.
    pub async fn supplied(w: World, price: u32, fen: i64) -> (Self, AccountId) {
        let fixture = Self::new(w).await;
        fixture.priced(price).await;
        let account = fixture.open().await.unwrap();
        fixture.record(vec![fixture.reading(0, 1_000)]).await;
        fixture.sell(account, fen).await.unwrap();
        (fixture, account)
    }

    /// A reading of the counter, minutes after the start.
    pub fn reading(&self, minutes: i64, wh: i64) -> MeterEvent {
        self.seen(minutes, wh, 100, true)
    }

    pub fn seen(&self, minutes: i64, wh: i64, power_w: i32, closed: bool) -> MeterEvent {
        let measurement = Measurement {
            total: Energy(wh),
            reverse: None,
            rates: None,
            voltage_dv: None,
            current_ca: None,
            power_w: Some(power_w),
            reactive_var: None,
            apparent_va: None,
            power_factor: None,
        };
        let at = self.start.plus(minutes * MINUTE);
        let meter_status = MeterStatus::Plain(PlainStatus { relay_closed: Some(closed), ..PlainStatus::default() });
        MeterEvent::Read { meter: self.meter, from: at, at, source: ReadingSource::Sweep, measurement, meter_status }
    }

    /// Runs a recorder for these events.
    pub async fn record(&self, events: Vec<MeterEvent>) {
        let recorder =
            Recorder::load(self.w.db.clone(), self.w.clock.clone(), self.w.rng.clone(), self.live.clone(), Arc::default())
                .await
                .unwrap();
        let (send, receive) = mpsc::channel(10_000);
        for event in events {
            send.send(event).await.unwrap();
        }
        drop(send);
        recorder.run(receive).await;
    }

    pub fn latest(&self) -> Latest {
        self.live.get(self.meter).unwrap()
    }

    pub async fn balance_e4(&self) -> i64 {
        self.w
            .number(
                "SELECT CAST(COALESCE(SUM(credits_e4 - debits_e4), 0) AS BIGINT) FROM ledger_balances
                 WHERE account LIKE 'wallet:%'",
            )
            .await
    }

    pub async fn relay(&self) -> bool {
        wallets::view(&self.w.db, self.meter).await.unwrap().unwrap().closed
    }

    pub async fn prove(&self) {
        assert_eq!(verify::verify(&self.w.db).await.unwrap().differences, []);
    }

    /// Runs the relay controller once; gives the number of stored commands, and the arguments of the newest.
    pub async fn reconcile(&self) -> (usize, String) {
        let stored = wallets::reconcile(&self.w.db, &self.w.rng, self.w.clock.now(), None).await.unwrap();
        let args =
            self.w.word("SELECT COALESCE((SELECT args FROM commands ORDER BY decided_at DESC, id DESC LIMIT 1), '')").await;
        (stored, args)
    }
}
