//! Sales over the counter, returns from meters, and corrections of both.

use app::api::sales::SalesPort;
use async_trait::async_trait;
use model::console::{Original, Page, ReturnLine, ReturnRequest, ReturnTarget, Sale};
use model::error::AppError;
use model::ids::{OrderId, ReturnId, Uuid};
use model::permission::Permission;
use model::person::Who;

use super::CashDeskService;
use crate::services::Context;
use store::orders::{self, NewOrder};
use store::returns::{self, NewReturn, ReturnSubject};

#[async_trait]
impl SalesPort for CashDeskService {
    async fn sell(&self, who: &Who, sale: &Sale) -> Result<OrderId, AppError> {
        let account = self.context.account(who, sale.meter).await?;
        let new = NewOrder {
            key: sale.key,
            account,
            meter: sale.meter,
            tender: sale.tender,
            amount: sale.amount,
            by: who.user,
            ip: who.ip.clone(),
        };
        let Context { db, rng, .. } = &self.context;
        let order = match sale.seen {
            Some(seen) => orders::sell_as_seen(db, rng, self.context.now(), &self.limits, &new, seen).await?,
            None => orders::sell(db, rng, self.context.now(), &self.limits, &new).await?,
        };
        self.context.gateway.wake();
        Ok(order.id)
    }

    async fn ask_return(&self, who: &Who, request: &ReturnRequest) -> Result<ReturnId, AppError> {
        let of = match request.of {
            ReturnTarget::Remaining { meter, tender, amount } => {
                ReturnSubject::Remaining { account: self.context.account(who, meter).await?, meter, tender, amount }
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
        let new = NewReturn { key: request.key, of, reason: request.reason.clone(), by: who.user, ip: who.ip.clone() };
        let Context { db, rng, .. } = &self.context;
        let row = match request.seen {
            Some(seen) => returns::ask_as_seen(db, rng, self.context.now(), &self.rules, &self.limits, &new, seen).await?,
            None => returns::ask(db, rng, self.context.now(), &self.rules, &self.limits, &new).await?,
        };
        self.context.gateway.wake();
        Ok(row.id)
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
