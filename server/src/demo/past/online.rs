//! Payments by phone: ordered, paid at the sandbox, settled by its signed answer and delivered; and the statements of each day.

use std::error::Error;
use std::sync::Arc;

use model::ids::UserId;
use model::meter::Wallet;
use model::money::Fen;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, HOUR, MINUTE, SECOND, Timestamp};

use super::delivery::deliver;
use super::room::PastRoom;
use domain::clock::{Clock, TestClock};
use domain::rng::Rng;
use payments::reconcile::FetchOutcome;
use payments::{Device, Payer, Payments};
use sandbox::{PaidOrder, Sandbox};
use store::orders::NewOrder;
use store::{Db, payments as attempts, users};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The channels' statements are there from this hour of the next day on.
pub const STATEMENTS: i64 = 10 * HOUR + 20 * MINUTE;

/// The channels, by a clock that is set from one payment to the next.
pub struct Online<'a> {
    pub db: &'a Db,
    pub rng: &'a Rng,
    payments: Payments,
    pub sandbox: Sandbox,
    clock: Arc<TestClock>,
    /// Days of channels that are not closed yet.
    unsettled: Vec<(Tender, Date)>,
}

impl<'a> Online<'a> {
    /// Starts a sandbox with these keys, as of an instant.
    pub async fn start(db: &'a Db, rng: &'a Rng, from: Timestamp, keys: sandbox::Keys) -> Result<Self> {
        let clock = TestClock::new(from);
        let address = ([127, 0, 0, 1], 0).into();
        let config = sandbox::Config { address, keys, speed: 1, clock: clock.clone(), rng: rng.clone() };
        let sandbox = sandbox::start(config).await?;
        let host = "127.0.0.1";
        let config = payments::Config {
            public_url: format!("http://{host}"),
            alipay: Some(sandbox.product_config(host)),
            wechat: Some(payments::WechatConfig { app_secret: None, ..sandbox.wechat_config(host) }),
            unionpay: Some(sandbox.unionpay_config(host)),
            ..payments::Config::default()
        };
        let payments = Payments::new(&config, db.clone(), clock.clone(), rng.clone(), Arc::new(|| {}))?;
        Ok(Self { db, rng, payments, sandbox, clock, unsettled: Vec::new() })
    }

    fn set_clock(&self, at: Timestamp) {
        self.clock.advance(at.since(self.clock.now()).max(0));
    }

    /// A resident orders and pays; the money is in the wallet at `at`.
    pub async fn buy(&self, at: Timestamp, past: &PastRoom<'_>, tender: Tender, fen: i64) -> Result<()> {
        let Some(account) = past.account else { return Ok(()) };
        let Some(resident) = users::by_login(self.db, &past.room.login()).await? else { return Ok(()) };
        self.set_clock(at.plus(-40 * SECOND));
        let new = NewOrder {
            key: self.rng.id(at),
            account,
            meter: past.meter,
            tender,
            amount: Fen(fen),
            by: UserId(resident.id),
            ip: "10.30.4.5".into(),
        };
        let order = self.payments.create_order(&new).await?;
        self.payments.open_attempt(order.id, &Payer { ip: &new.ip, device: Device::Phone, id: None }).await?;
        let attempt = attempts::attempts_of(self.db, order.id).await?.pop().ok_or("an order without an attempt")?;
        self.set_clock(at.plus(-5 * SECOND));
        self.sandbox.take(&PaidOrder {
            tender,
            out_trade_no: &attempt.out_trade_no,
            amount: attempt.amount,
            subject: "电费",
            ordered_at: attempt.created_at,
        });
        self.payments.query_now(order.id).await?;
        self.set_clock(at);
        if past.room.wallet == Wallet::Meter {
            deliver(self.db, self.rng, at, past).await?;
        }
        Ok(())
    }

    /// Fetches the statements of a day, compares them with the ledger and closes the day. A channel without payments says so
    /// twice before that counts: its day is closed on the next one.
    pub async fn settle(&mut self, at: Timestamp, day: Date, by: &Who) -> Result<()> {
        self.set_clock(at);
        let mut days = std::mem::take(&mut self.unsettled);
        days.extend(self.payments.channels().into_iter().map(|channel| (channel, day)));
        for (channel, day) in days {
            match self.payments.reconcile(channel, day, None).await? {
                FetchOutcome::Compared(..) => reconciliation::close(self.db, at.plus(MINUTE), by, channel, day, "").await?,
                FetchOutcome::NotYet | FetchOutcome::EmptyUnconfirmed | FetchOutcome::Failed => {
                    self.unsettled.push((channel, day));
                }
            }
        }
        Ok(())
    }
}
