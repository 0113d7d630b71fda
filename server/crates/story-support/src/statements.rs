//! A shop whose settlement days are reconciled.

use domain::clock::Clock;
use model::ids::{OrderId, UserId};
use model::money::Fen;
use model::order::Tender;
use model::permission::Permissions;
use model::person::{Role, Who};
use model::time::{Date, HOUR};
use payments::ReconcileConfig;
use payments::reconcile::FetchOutcome;
use reconciliation::{DayRow, DifferenceRow};
use sandbox::{Faults, StatementFaults};
use server::tasks::Task;
use server::tasks::reconcile::Reconcile;

use crate::shop::{PHONE, Shop};

pub const CHANNELS: [Tender; 2] = [Tender::Alipay, Tender::WechatPay];

impl Shop {
    /// Today by the product's clock.
    pub fn today(&self) -> Date {
        self.world.clock.now().date()
    }

    /// Orders and pays through a channel; returns when the notification was acknowledged.
    pub async fn pays(&self, channel: Tender, fen: i64) -> (OrderId, String) {
        let (order, number) = self.ordered(channel, fen).await;
        assert!(self.sandbox.pay(&number));
        self.until(&number, |trade| trade.acknowledged == 1).await;
        (order, number)
    }

    /// Orders through a channel and opens its cashier.
    pub async fn ordered(&self, channel: Tender, fen: i64) -> (OrderId, String) {
        self.wait(1_000);
        let (order, cashier) = self.paying_by(channel, fen, &PHONE).await;
        self.arrive(&cashier).await;
        (order, self.number(order).await)
    }

    /// Moves both clocks to that hour of the next day.
    pub fn next_day(&self, hour: i64) {
        let to = self.today().plus(1).start().plus(hour * HOUR);
        self.wait(to.since(self.world.clock.now()));
    }

    pub fn statement_faults(&self, statement: StatementFaults) {
        self.sandbox.set_faults(Faults { statement, ..Faults::default() });
    }

    /// One activation of the task.
    pub async fn reconciles(&self) -> Result<String, String> {
        let task = Reconcile {
            context: self.world.context().await,
            payments: self.payments.clone(),
            config: ReconcileConfig::default(),
        };
        task.run().await.map(|done| done.summary).map_err(|error| error.to_string())
    }

    /// Fetches the statement, as the button on the page does.
    pub async fn fetches(&self, channel: Tender, day: Date) -> FetchOutcome {
        self.payments.reconcile(channel, day, None).await.unwrap()
    }

    pub async fn day(&self, channel: Tender, day: Date) -> DayRow {
        reconciliation::day(&self.world.db, channel, day).await.unwrap().unwrap()
    }

    /// The listed differences; asserts that all accounts agree.
    pub async fn listed(&self, channel: Tender, day: Date) -> Vec<DifferenceRow> {
        assert_eq!(verify::verify(&self.world.db).await.unwrap().differences, []);
        let row = self.day(channel, day).await;
        assert_eq!(row.statement, row.ledger + row.gaps, "the statement is the ledger and the listed differences");
        reconciliation::differences(&self.world.db, channel, day).await.unwrap()
    }

    /// Class, gap and reason of each listed difference.
    pub async fn classes(&self, channel: Tender, day: Date) -> Vec<(String, Fen, String)> {
        let listed = self.listed(channel, day).await;
        listed.into_iter().map(|row| (row.class.as_str().to_owned(), row.gap, row.reason.as_str().to_owned())).collect()
    }

    /// The same without differences of meters, as nothing is delivered here.
    pub async fn money(&self, channel: Tender, day: Date) -> Vec<(String, Fen, String)> {
        self.classes(channel, day).await.into_iter().filter(|(class, ..)| class != "meter").collect()
    }

    /// An operator who may see the whole site.
    pub async fn treasurer(&self) -> Who {
        let user: UserId = self.world.clerk().await;
        Who { user, name: "clerk".into(), role: Role::Cashier, permissions: Permissions::of(Role::Cashier), ip: String::new() }
    }

    pub async fn statement_cases(&self) -> i64 {
        self.world.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL AND kind LIKE 'statement-%'").await
    }
}
