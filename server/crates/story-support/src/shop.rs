//! The payment half of the product and a sandbox, each a server of its own on loopback, as in production.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use domain::clock::{Clock, TestClock};
use domain::order::Limits;
use domain::refund::Rules;
use model::error::AppError;
use model::ids::OrderId;
use model::money::Fen;
use model::order::Tender;
use model::time::MINUTE;
use payments::{Cashier, Config, Device, Payer, Payments, StartedPayment};
use sandbox::{Keys, Sandbox, Trade};
use server::tasks::Task;
use server::tasks::query_payments::QueryPayments;
use server::tasks::refunds::SendRefunds;
use store::orders::{self, NewOrder, Order};
use store::payments::attempts_of;
use tokio::net::TcpListener;

use crate::World;
use crate::rooms::Room;
use crate::site::SOON;

/// A phone on the same machine.
pub const PHONE: Payer<'static> = Payer { ip: "127.0.0.1", device: Device::Phone, id: None };
pub const DESK: Payer<'static> = Payer { ip: "127.0.0.1", device: Device::Desk, id: None };

pub struct Shop {
    pub world: World,
    pub room: Room,
    pub payments: Payments,
    pub sandbox: Sandbox,
    /// The sandbox's clock; it does not move with the product's.
    pub bank_clock: Arc<TestClock>,
    /// The address that receives notifications.
    pub address: SocketAddr,
    pub http: reqwest::Client,
}

/// The keys of product and sandbox: the same in all stories of a process, as making them takes most of a second.
pub fn bank_keys() -> Keys {
    static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::generate().unwrap());
    KEYS.clone()
}

impl Shop {
    pub async fn open(world: World) -> Self {
        Self::under(world, Rules::default()).await
    }

    /// With these rules for refunds.
    pub async fn under(world: World, refunds: Rules) -> Self {
        let room = world.room(1).await;
        Self::of(world, room, refunds).await
    }

    /// For an existing room.
    pub async fn of(world: World, room: Room, refunds: Rules) -> Self {
        let bank_clock = TestClock::new(world.clock.now());
        let config = sandbox::Config {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            keys: bank_keys(),
            // Notifications are repeated after 4 ms, the last after some minutes.
            speed: 60_000,
            clock: bank_clock.clone(),
            rng: world.rng.clone(),
        };
        let sandbox = sandbox::start(config).await.unwrap();
        let alipay = payments::AlipayConfig { timeout_ms: 300, ..sandbox.product_config("127.0.0.1") };
        let wechat = payments::WechatConfig { timeout_ms: 300, ..sandbox.wechat_config("127.0.0.1") };
        let unionpay = payments::UnionpayConfig { timeout_ms: 300, ..sandbox.unionpay_config("127.0.0.1") };
        let (alipay, wechat, unionpay) = (Some(alipay), Some(wechat), Some(unionpay));
        let (payments, address) = serve(&world, Config { alipay, wechat, unionpay, refunds, ..Config::default() }).await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { world, room, payments, sandbox, bank_clock, address, http }
    }

    /// The same shop with other channels, at an address of its own.
    pub async fn with(self, config: Config) -> Self {
        let (payments, address) = serve(&self.world, config).await;
        Self { payments, address, ..self }
    }

    pub fn top_up(&self, fen: i64) -> NewOrder {
        NewOrder {
            key: self.world.rng.id(self.world.clock.now()),
            account: self.room.account,
            meter: self.room.meter,
            tender: Tender::Alipay,
            amount: Fen(fen),
            by: self.room.resident,
            ip: "127.0.0.1".into(),
        }
    }

    /// An order and its cashier, as the product opens them.
    pub async fn start(&self, top_up: &NewOrder, payer: &Payer<'_>) -> Result<StartedPayment, AppError> {
        let order = self.payments.create_order(top_up).await?;
        self.payments.resume(order.id, payer).await
    }

    /// Orders and opens the cashier; gives the order and the number of the trade.
    pub async fn at_the_cashier(&self, fen: i64) -> (OrderId, String) {
        let started = self.start(&self.top_up(fen), &PHONE).await.unwrap();
        let number = self.visit(&started.cashier).await;
        (started.order.id, number)
    }

    /// Orders through this channel.
    pub async fn paying_by(&self, tender: Tender, fen: i64, payer: &Payer<'_>) -> (OrderId, Cashier) {
        let top_up = NewOrder { tender, ..self.top_up(fen) };
        let started = self.start(&top_up, payer).await.unwrap();
        (started.order.id, started.cashier)
    }

    /// Orders through this channel and opens its cashier on a phone; gives the order and the number of the trade.
    pub async fn reach(&self, tender: Tender, fen: i64) -> (OrderId, String) {
        let (order, cashier) = self.paying_by(tender, fen, &PHONE).await;
        self.arrive(&cashier).await;
        (order, self.number(order).await)
    }

    /// Opens a cashier as the payer's browser does. A WeChat trade exists before that.
    pub async fn arrive(&self, cashier: &Cashier) {
        match cashier {
            Cashier::Address(address) if address.contains("/cashier/") => {}
            Cashier::Address(_) => drop(self.follow(cashier).await),
            Cashier::Form(form) => {
                let answer = self.http.post(&form.action).form(&form.fields).send().await.unwrap();
                assert_eq!(answer.status(), 303, "{:?}", answer.text().await);
            }
            Cashier::Scan(_) | Cashier::Invoke(_) => {}
        }
    }

    /// The number of the newest attempt of an order.
    pub async fn number(&self, order: OrderId) -> String {
        attempts_of(&self.world.db, order).await.unwrap().pop().unwrap().out_trade_no
    }

    /// Opens Alipay's cashier as the payer's browser does; gives the number of the trade.
    pub async fn visit(&self, cashier: &Cashier) -> String {
        self.follow(cashier).await;
        let Cashier::Address(address) = cashier else { panic!("{cashier:?}") };
        let fields = payments::form::parse(address.split_once('?').unwrap().1.as_bytes()).unwrap();
        let content: serde_json::Value = serde_json::from_str(&fields["biz_content"]).unwrap();
        content["out_trade_no"].as_str().unwrap().to_owned()
    }

    /// The address that the cashier redirects to.
    pub async fn follow(&self, cashier: &Cashier) -> String {
        let Cashier::Address(address) = cashier else { panic!("{cashier:?}") };
        let answer = self.http.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{:?}", answer.text().await);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    pub async fn another_attempt(&self, order: OrderId) -> StartedPayment {
        self.payments.resume(order, &PHONE).await.unwrap()
    }

    pub async fn order(&self, id: OrderId) -> Order {
        orders::find(&self.world.db, id).await.unwrap().unwrap()
    }

    pub async fn state(&self, id: OrderId) -> String {
        self.order(id).await.state.as_str().to_owned()
    }

    pub fn trade(&self, number: &str) -> Trade {
        self.sandbox.books().into_iter().find(|trade| trade.out_trade_no == number).unwrap()
    }

    /// Waits until the sandbox's record of the trade satisfies the condition.
    pub async fn until(&self, number: &str, what: impl Fn(&Trade) -> bool) -> Trade {
        let start = Instant::now();
        loop {
            let trade = self.trade(number);
            if what(&trade) {
                return trade;
            }
            assert!(start.elapsed() < SOON, "waited {SOON:?} for {trade:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Advances both clocks.
    pub fn wait(&self, ms: i64) {
        self.world.clock.advance(ms);
        self.bank_clock.advance(ms);
    }

    /// One activation of the query job.
    pub async fn query(&self) -> Result<String, String> {
        let task = QueryPayments { context: self.world.context().await, payments: self.payments.clone() };
        task.run().await.map(|done| done.summary).map_err(|error| error.to_string())
    }

    /// One activation of the refund task.
    pub async fn give_back(&self) -> Result<String, String> {
        let task = SendRefunds { context: self.world.context().await, payments: self.payments.clone() };
        task.run().await.map(|done| done.summary).map_err(|error| error.to_string())
    }

    /// Advances until every attempt has expired, and runs the query job on the way.
    pub async fn past_the_end(&self) {
        for _ in 0..25 {
            self.wait(MINUTE);
            let _ = self.query().await;
        }
    }

    pub async fn post_notify(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        self.post_notify_to("alipay", body).await
    }

    pub async fn post_notify_to(&self, channel: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self.http.post(format!("http://{}/pay/{channel}/notify", self.address));
        let media_type = if channel == "wechat" { "application/json" } else { "application/x-www-form-urlencoded" };
        let request = request.header("content-type", media_type).body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Credit commands, payments and events so far; asserts that all accounts agree.
    pub async fn proved(&self) -> Counts {
        assert_eq!(verify::verify(&self.world.db).await.unwrap().differences, []);
        let w = &self.world;
        Counts {
            credits: w.number("SELECT COUNT(*) FROM commands WHERE kind = 'credit'").await,
            payments: w.number("SELECT COUNT(*) FROM ledger_transfers WHERE operation = 'payment'").await,
            suspense_fen: w
                .number(
                    "SELECT CAST(COALESCE(SUM(amount_e4), 0) / 100 AS BIGINT) FROM ledger_transfers WHERE operation = 'suspense'",
                )
                .await,
            events: w.number("SELECT COUNT(*) FROM payment_events").await,
            cases: w.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await,
        }
    }
}

/// The product's payment half on a free port.
async fn serve(world: &World, config: Config) -> (Payments, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    // Stories let many orders of one room wait.
    let limits = Limits { max_pending: 0, ..config.limits };
    let config = Config { public_url: format!("http://{address}"), limits, ..config };
    let (db, clock, rng) = (world.db.clone(), world.clock.clone(), world.rng.clone());
    let payments = Payments::new(&config, db, clock, rng, Arc::new(|| {})).unwrap();
    let router = server::http::notifications::routes(payments.clone(), world.clock.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (payments, address)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub credits: i64,
    pub payments: i64,
    pub suspense_fen: i64,
    pub events: i64,
    pub cases: i64,
}

impl Counts {
    /// One payment, credited once, without cases.
    pub const ONCE: Self = Self { credits: 1, payments: 1, suspense_fen: 0, events: 1, cases: 0 };
    pub const NONE: Self = Self { credits: 0, payments: 0, suspense_fen: 0, events: 0, cases: 0 };
}
