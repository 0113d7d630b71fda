//! Helpers for refunds: payments that must be refunded, and where their money is in the ledger.

use domain::clock::Clock;
use domain::ledger::Account;
use domain::refund::Rules;
use domain::returns;
use domain::wall_layout::Scope;
use model::error::AppError;
use model::ids::{OrderId, UserId, Uuid};
use model::money::{Fen, Money};
use model::permission::Permissions;
use model::person::{Role, Who};
use model::refund::RefundState;
use model::time::MINUTE;
use store::refunds::{self, NewRefund, Policy, Refund, RefundSubject};
use store::users::{self, NewUser};
use store::{StoreError, ledger};

use crate::World;
use crate::shop::Shop;

/// A second person approves above 40.00 yuan.
pub const POLICY: Policy = Policy {
    refunds: Rules { automatic: false, alipay_days: 90, wechat_days: 365, unionpay_days: 90 },
    counter: returns::Rules { approve_above_fen: 4_000, approval_hours: 24 },
};
pub const BY_HAND: Rules = POLICY.refunds;

pub fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) -> AppError {
    match result {
        Err(StoreError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

impl Shop {
    /// Two payments for one order; gives the order and both numbers.
    pub async fn paid_twice(&self, fen: i64) -> (OrderId, String, String) {
        let (order, first) = self.at_the_cashier(fen).await;
        // The first attempt has expired by the product's clock; the channel still accepts it.
        self.world.clock.advance(16 * MINUTE);
        let second = self.visit(&self.another_attempt(order).await.cashier).await;
        for number in [&first, &second] {
            assert!(self.sandbox.pay(number));
            self.until(number, |trade| trade.acknowledged == 1).await;
        }
        (order, first, second)
    }

    /// Paid, and the notification acknowledged.
    pub async fn paid(&self, fen: i64) -> (OrderId, String) {
        let (order, number) = self.at_the_cashier(fen).await;
        assert!(self.sandbox.pay(&number));
        self.until(&number, |trade| trade.acknowledged == 1).await;
        (order, number)
    }

    /// The event of an attempt's payment.
    pub async fn payment(&self, number: &str) -> Uuid {
        let sql = "SELECT e.id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
                   WHERE p.out_trade_no = $1 AND e.kind = 'paid'";
        match &self.world.db {
            store::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).bind(number).fetch_one(read).await.unwrap(),
            store::Db::Postgres { pool, .. } => sqlx::query_scalar(sql).bind(number).fetch_one(pool).await.unwrap(),
        }
    }

    pub fn refund_request(&self, by: UserId, of: RefundSubject, fen: i64) -> NewRefund {
        NewRefund {
            key: self.world.rng.id(self.world.clock.now()),
            of,
            over_counter: None,
            amount: Fen(fen),
            reason: "付错".into(),
            by: Some(by),
            ip: "10.0.0.9".into(),
        }
    }

    pub async fn ask(&self, new: &NewRefund) -> Result<Refund, StoreError> {
        refunds::ask(&self.world.db, &self.world.rng, self.world.clock.now(), &POLICY, new).await
    }

    pub async fn now(&self, row: &Refund) -> RefundState {
        refunds::find(&self.world.db, row.id).await.unwrap().unwrap().state
    }

    pub async fn balance(&self, account: &Account) -> Money {
        ledger::credit_balance(&self.world.db, account).await.unwrap()
    }

    /// Balances in suspense, in pending refunds and at Alipay, fen.
    pub async fn lies(&self) -> (i64, i64, i64) {
        let mut all = [0; 3];
        for (fen, account) in all.iter_mut().zip([Account::Suspense, Account::Refunding, Account::Clearing("alipay")]) {
            *fen = self.balance(&account).await.0 / 100;
        }
        (all[0], all[1], -all[2])
    }

    pub fn who(&self, user: UserId) -> Who {
        Who { user, role: Role::Cashier, permissions: Permissions::of(Role::Cashier), name: String::new(), ip: "10.0.0.9".into() }
    }

    pub async fn open_cases(&self) -> i64 {
        self.world.number("SELECT COUNT(*) FROM cases WHERE closed_at IS NULL").await
    }
}

pub async fn colleague(w: &World, role: Role) -> UserId {
    let user = NewUser { role, login: "second", name: "second", password_hash: "x", buildings: &Scope::All };
    users::create(&w.db, &w.rng, w.clock.now(), &user, "test").await.unwrap()
}

/// One id from the database.
pub async fn uuid(w: &World, sql: &'static str) -> Uuid {
    match &w.db {
        store::Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
        store::Db::Postgres { pool, .. } => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
    }
}
