//! The server's side of [`TillPort`]: one function a wish, over the store.

mod ledger;
mod refunds;
mod shifts;

use std::sync::Arc;

use app::api::till::{Shift, Shifts, Subsidies, TillPort, TrialBalance};
use async_trait::async_trait;
use model::console::Page;
use model::console::{
    ChannelSale, OrderMoney, Original, Receipt, ReceiptNumber, RecordLine, RecordQuery, Records, RefundLine, RefundOf,
    RefundQuery, RefundRequest, ReturnLine, ReturnRequest, ReturnTarget,
};
use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, PlaceId, RefundId, ReturnId, ShiftId, Uuid};
use model::money::Fen;
use model::person::Who;
use model::subsidy::{Month, Per};
use model::time::Timestamp;

use crate::services::console::Field;
use domain::clock::SharedClock;
use domain::order::Limits;
use domain::refund;
use domain::returns::Rules;
use domain::rng::Rng;
use store::returns::{self, NewReturn, ReturnSubject};
use store::{Db, console, receipts};

pub use ledger::by_kind;

pub struct Till {
    db: Db,
    clock: SharedClock,
    rng: Rng,
    limits: Limits,
    rules: Rules,
    refunds: refund::Rules,
    field: Arc<dyn Field>,
}

impl Till {
    /// Over these parts.
    #[must_use]
    pub fn new(
        db: Db,
        clock: SharedClock,
        rng: Rng,
        limits: Limits,
        rules: Rules,
        refunds: refund::Rules,
        field: Arc<dyn Field>,
    ) -> Self {
        Self { db, clock, rng, limits, rules, refunds, field }
    }

    /// A return that the operator may see; anything else does not exist.
    async fn mine(&self, who: &Who, id: ReturnId) -> Result<ReturnLine, AppError> {
        console::returned(&self.db, who.user, id).await?.ok_or(AppError::NotFound)
    }
}

#[async_trait]
impl TillPort for Till {
    async fn ask(&self, who: &Who, wish: &ReturnRequest) -> Result<ReturnId, AppError> {
        let of = match wish.of {
            ReturnTarget::Remaining { meter, tender, amount } => {
                let room = console::room(&self.db, who.user, meter).await?.ok_or(AppError::NotFound)?;
                let account = room.account.account_id.ok_or(AppError::AccountNotOpen)?;
                ReturnSubject::Remaining { account, meter, tender, amount }
            }
            ReturnTarget::Sale(id, amount) => {
                self.original(who, id.0).await?;
                ReturnSubject::Sale(id, amount)
            }
            ReturnTarget::Return(id) => {
                self.original(who, id.0).await?;
                ReturnSubject::Return(id)
            }
        };
        let new = NewReturn { key: wish.key, of, reason: wish.reason.clone(), by: who.user, ip: who.ip.clone() };
        let row = returns::ask(&self.db, &self.rng, self.clock.now(), &self.rules, &self.limits, &new).await?;
        self.field.wake();
        Ok(row.id())
    }

    async fn approve(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.mine(who, id).await?;
        returns::approve(&self.db, &self.rng, self.clock.now(), &self.limits, who, id).await?;
        self.field.wake();
        Ok(())
    }

    async fn reject(&self, who: &Who, id: ReturnId, why: &str) -> Result<(), AppError> {
        self.mine(who, id).await?;
        Ok(returns::reject(&self.db, self.clock.now(), who, id, why).await?)
    }

    async fn cancel(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.mine(who, id).await?;
        Ok(returns::cancel(&self.db, self.clock.now(), who, id).await?)
    }

    async fn pay_out(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.mine(who, id).await?;
        returns::pay_out(&self.db, &self.rng, self.clock.now(), who, id).await?;
        Ok(())
    }

    async fn a_return(&self, who: &Who, id: ReturnId) -> Result<ReturnLine, AppError> {
        self.mine(who, id).await
    }

    async fn approvals(&self, who: &Who, page: i64) -> Result<(Page<ReturnLine>, bool), AppError> {
        let lines = console::approvals(&self.db, who.user, self.clock.now(), page).await?;
        Ok((lines, returns::may_approve(&self.db, who.user).await?))
    }

    async fn refunds(&self, who: &Who, query: &RefundQuery) -> Result<Page<RefundLine>, AppError> {
        refunds::list(self, who, query).await
    }

    async fn refund(&self, who: &Who, id: RefundId) -> Result<RefundLine, AppError> {
        refunds::mine(self, who, id).await
    }

    async fn order_money(&self, who: &Who, order: OrderId) -> Result<OrderMoney, AppError> {
        refunds::order_money(self, who, order).await
    }

    async fn ask_refund(&self, who: &Who, wish: &RefundRequest) -> Result<RefundId, AppError> {
        refunds::ask(self, who, wish).await
    }

    async fn approve_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        refunds::approve(self, who, id).await
    }

    async fn reject_refund(&self, who: &Who, id: RefundId, why: &str) -> Result<(), AppError> {
        refunds::reject(self, who, id, why).await
    }

    async fn cancel_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        refunds::cancel(self, who, id).await
    }

    async fn pay_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        refunds::pay(self, who, id).await
    }

    async fn clear_refund(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError> {
        refunds::clear(self, who, order, of).await
    }

    async fn write_off_refund(&self, who: &Who, order: OrderId, reason: &str) -> Result<(), AppError> {
        refunds::write_off(self, who, order, reason).await
    }

    async fn deliver(&self, who: &Who, order: OrderId) -> Result<(), AppError> {
        refunds::deliver(self, who, order).await
    }

    async fn by_channel(&self, who: &Who, meter: MeterId) -> Result<Vec<ChannelSale>, AppError> {
        Ok(console::by_channel(&self.db, who.user, meter, &self.refunds, self.clock.now()).await?)
    }

    async fn original(&self, who: &Who, id: Uuid) -> Result<Original, AppError> {
        console::original(&self.db, who.user, id).await?.ok_or(AppError::NotFound)
    }

    async fn receipt(&self, who: &Who, number: ReceiptNumber) -> Result<Receipt, AppError> {
        console::receipt(&self.db, who.user, number).await?.ok_or(AppError::NotFound)
    }

    async fn print(&self, who: &Who, number: ReceiptNumber) -> Result<(), AppError> {
        self.receipt(who, number).await?;
        receipts::print(&self.db, self.clock.now(), who, number.year, number.number).await?;
        Ok(())
    }

    async fn records(&self, who: &Who, query: &RecordQuery) -> Result<Records, AppError> {
        let (terms, size) = (console::Terms::of(who.user, query), Page::<RecordLine>::SIZE);
        let lines = console::records(&self.db, &terms, None, size, query.page * size).await?;
        let totals = console::record_totals(&self.db, &terms).await?;
        let page = Page { lines, total: totals.lines };
        let buildings = console::buildings(&self.db, who.user).await?;
        Ok(Records { page, taken: Fen(totals.taken_fen), given: Fen(totals.given_fen), buildings })
    }

    async fn trial_balance(&self, who: &Who, at: Option<Timestamp>) -> Result<TrialBalance, AppError> {
        ledger::trial_balance(self, who, at).await
    }

    async fn subsidies(&self, who: &Who) -> Result<Subsidies, AppError> {
        ledger::subsidies(self, who).await
    }

    async fn set_subsidy(&self, who: &Who, place: PlaceId, from: Month, per: Per, amount: Fen) -> Result<(), AppError> {
        ledger::set_subsidy(self, who, place, from, per, amount).await
    }

    async fn shifts(&self, who: &Who) -> Result<Shifts, AppError> {
        shifts::shifts(self, who).await
    }

    async fn shift(&self, who: &Who, id: ShiftId) -> Result<Shift, AppError> {
        shifts::shift(self, who, id).await
    }

    async fn open_shift(&self, who: &Who, float: Fen) -> Result<(), AppError> {
        Ok(store::shifts::open(&self.db, &self.rng, self.clock.now(), who, float).await?)
    }

    async fn close_shift(&self, who: &Who, id: ShiftId, counted: Fen, reason: &str) -> Result<(), AppError> {
        Ok(store::shifts::close(&self.db, &self.rng, self.clock.now(), who, id, counted, reason).await?)
    }
}
