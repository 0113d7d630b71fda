//! The residents' service over a database, with readings as meters would publish them.

use std::sync::Arc;

use app::ports::{Role, Who};
use domain::clock::Clock;
use domain::order::Limits;
use meters::live::Live;
use model::ids::OrderId;
use model::meter::{Latest, StatusWord};
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use payments::Payments;
use payments::alipay::AlipayConfig;
use services::residents::ResidentService;
use store::orders::{self, NewOrder};
use story_support::World;
use story_support::rooms::Room;

pub const OPEN: u16 = 1 << 1;
pub const ON: u16 = OPEN | 1;

pub struct Site {
    pub w: World,
    pub live: Live,
    pub residents: ResidentService,
}

impl Site {
    pub async fn new(w: World) -> Self {
        let context = w.context().await;
        let live = context.live.clone();
        let config = payments::Config {
            public_url: "https://power.example".into(),
            alipay: Some(AlipayConfig {
                gateway: "https://gateway.example/gateway.do".into(),
                app_id: "2021000000000001".into(),
                seller_id: "2088000000000001".into(),
                private_key: Some(include_str!("../../crates/payments/src/alipay/vectors/app-pkcs8.pem").into()),
                alipay_public_key: Some(include_str!("../../crates/payments/src/alipay/vectors/gateway-public.pem").into()),
                ..AlipayConfig::default()
            }),
            ..payments::Config::default()
        };
        let payments = Payments::new(&config, w.db.clone(), w.clock.clone(), w.rng.clone(), Arc::new(|| {})).unwrap();
        let residents = ResidentService::new(context, payments);
        Self { w, live, residents }
    }

    pub fn publish_reading(&self, room: Room, status: u16, remaining: i64) {
        self.live.publish(Latest {
            observed_at: Some(self.w.clock.now()),
            status: StatusWord(status),
            remaining: Fen(remaining),
            ..Latest::unseen(room.meter)
        });
    }

    /// The meter is lost since its last reading.
    pub fn lose(&self, room: Room) {
        self.live.publish(Latest { lost_since: Some(self.w.clock.now()), ..self.live.get(room.meter).unwrap() });
    }

    pub fn key(&self) -> model::ids::Uuid {
        self.w.rng.id(self.w.clock.now())
    }

    /// A purchase at the counter: an order without a payment channel.
    pub async fn bought(&self, room: Room, clerk: model::ids::UserId) -> OrderId {
        let new = NewOrder {
            key: self.key(),
            account: room.account,
            meter: room.meter,
            tender: Tender::Cash,
            amount: Fen(5_000),
            by: clerk,
            ip: String::new(),
        };
        orders::sell(&self.w.db, &self.w.rng, self.w.clock.now(), &Limits::default(), &new).await.unwrap().id
    }
}

pub fn who(room: Room) -> Who {
    Who {
        user: room.resident,
        role: Role::Resident,
        permissions: Permissions::of(Role::Resident),
        name: "住户".into(),
        ip: "192.0.2.7".into(),
    }
}

/// Energy of a day.
pub async fn energy(w: &World, room: Room, day: i64, wh: i64) {
    story_support::bind(&w.db, "INSERT INTO energy_daily (meter_id, day, wh) VALUES ($1, $2, $3)", room.meter.0, &[day, wh])
        .await;
}
