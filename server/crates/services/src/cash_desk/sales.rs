//! Sales over the counter, returns from meters, and corrections of both.

use app::api::sales::SalesPort;
use async_trait::async_trait;
use model::console::{DoneBefore, Once, Original, Page, ReturnLine, ReturnRequest, ReturnTarget, Sale};
use model::error::AppError;
use model::ids::{AccountId, MeterId, OrderId, ReturnId, Uuid};
use model::money::Fen;
use model::permission::Permission;
use model::person::Who;

use super::CashDeskService;
use crate::Context;
use store::orders::{self, NewOrder};
use store::returns::{self, NewReturn, ReturnSubject};

#[async_trait]
impl SalesPort for CashDeskService {
    fn sale_range(&self) -> (Fen, Fen) {
        (Fen(self.limits.min_fen), Fen(self.limits.max_fen))
    }

    async fn sell(&self, who: &Who, sale: &Sale) -> Result<Once<OrderId>, AppError> {
        let new = self.new_order(who, sale).await?;
        let Context { db, rng, .. } = &self.context;
        let sold = match sale.seen {
            Some(seen) => orders::sell_as_seen(db, rng, self.context.now(), &self.limits, &new, seen).await?,
            None => orders::sell_once(db, rng, self.context.now(), &self.limits, &new).await?,
        };
        self.context.gateway.wake();
        Ok(Once { id: sold.order.id, is_repeated: !sold.is_new })
    }

    async fn check_sale(&self, who: &Who, sale: &Sale) -> Result<(), AppError> {
        let new = self.new_order(who, sale).await?;
        Ok(orders::check_sale(&self.context.db, &self.context.rng, self.context.now(), &self.limits, &new).await?)
    }

    async fn ask_return(&self, who: &Who, request: &ReturnRequest) -> Result<Once<ReturnId>, AppError> {
        let new = self.new_return(who, request).await?;
        let Context { db, rng, .. } = &self.context;
        let (now, rules, limits) = (self.context.now(), &self.rules, &self.limits);
        let asked = match request.seen {
            Some(seen) => returns::ask_as_seen(db, rng, now, (rules, limits), &new, seen).await?,
            None => returns::ask_once(db, rng, now, rules, limits, &new).await?,
        };
        self.context.gateway.wake();
        Ok(Once { id: asked.row.id, is_repeated: !asked.is_new })
    }

    async fn check_return(&self, who: &Who, request: &ReturnRequest) -> Result<(), AppError> {
        let new = self.new_return(who, request).await?;
        let Context { db, rng, .. } = &self.context;
        Ok(returns::check(db, rng, self.context.now(), &self.rules, &self.limits, &new).await?)
    }

    async fn done_with(&self, who: &Who, key: Uuid) -> Result<Option<DoneBefore>, AppError> {
        let db = &self.context.db;
        if let Some(order) = orders::made_with(db, who.user, key).await? {
            return Ok(Some(DoneBefore::Sale(order.id)));
        }
        Ok(returns::asked_with(db, who.user, key).await?.map(|row| DoneBefore::Return(row.id)))
    }

    async fn approve_return(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.return_line(who, id).await?;
        returns::approve(&self.context.db, &self.context.rng, self.context.now(), &self.limits, who, id).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn reject_return(&self, who: &Who, id: ReturnId, reason: &str) -> Result<(), AppError> {
        self.return_line(who, id).await?;
        Ok(returns::reject(&self.context.db, self.context.now(), who, id, reason).await?)
    }

    async fn cancel_return(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.return_line(who, id).await?;
        Ok(returns::cancel(&self.context.db, self.context.now(), who, id).await?)
    }

    async fn pay_out(&self, who: &Who, id: ReturnId) -> Result<(), AppError> {
        self.return_line(who, id).await?;
        returns::pay_out(&self.context.db, &self.context.rng, self.context.now(), who, id).await?;
        Ok(())
    }

    async fn return_line(&self, who: &Who, id: ReturnId) -> Result<ReturnLine, AppError> {
        queries::returned(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)
    }

    async fn approvals(&self, who: &Who, page: i64) -> Result<(Page<ReturnLine>, bool), AppError> {
        let lines = queries::approvals(&self.context.db, who.user, self.context.now(), page).await?;
        Ok((lines, who.may(Permission::Approve)))
    }

    async fn original(&self, who: &Who, id: Uuid) -> Result<Original, AppError> {
        queries::original(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)
    }
}

impl CashDeskService {
    /// The account of a form: that of its result if it was sent before, which may have left the meter since, else the meter's.
    async fn account_of(&self, who: &Who, meter: MeterId, done: Option<(AccountId, MeterId)>) -> Result<AccountId, AppError> {
        let Some((account, _)) = done.filter(|(_, of)| *of == meter) else { return self.context.account(who, meter).await };
        queries::room_of_account(&self.context.db, who.user, account).await?.ok_or(AppError::NotFound)?;
        Ok(account)
    }

    async fn new_order(&self, who: &Who, sale: &Sale) -> Result<NewOrder, AppError> {
        let sold = orders::made_with(&self.context.db, who.user, sale.key).await?;
        Ok(NewOrder {
            key: sale.key,
            account: self.account_of(who, sale.meter, sold.map(|order| (order.account_id, order.meter_id))).await?,
            meter: sale.meter,
            tender: sale.tender,
            amount: sale.amount,
            by: who.user,
            ip: who.ip.clone(),
        })
    }

    async fn new_return(&self, who: &Who, request: &ReturnRequest) -> Result<NewReturn, AppError> {
        let of = match request.of {
            ReturnTarget::Remaining { meter, tender, amount } => {
                let asked = returns::asked_with(&self.context.db, who.user, request.key).await?;
                let account = self.account_of(who, meter, asked.map(|row| (row.account_id, row.meter_id))).await?;
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
        Ok(NewReturn { key: request.key, of, reason: request.reason.clone(), by: who.user, ip: who.ip.clone() })
    }
}
