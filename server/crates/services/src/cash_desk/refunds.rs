//! Refunds: money that goes back through its channel or over the counter.

use app::api::refunds::RefundsPort;
use async_trait::async_trait;
use model::approval::Decision;
use model::console::{ChannelSale, OrderMoney, Page, RefundLine, RefundOf, RefundQuery, RefundRequest};
use model::error::AppError;
use model::ids::{CaseId, MeterId, OrderId, RefundId};
use model::person::Who;

use super::CashDeskService;
use crate::Context;
use reconciliation::BookedRefund;
use store::approvals::{self, NewRequest};
use store::refunds::{self, NewRefund, Policy, RefundSubject};

#[async_trait]
impl RefundsPort for CashDeskService {
    async fn refunds(&self, who: &Who, query: &RefundQuery) -> Result<Page<RefundLine>, AppError> {
        Ok(queries::refunds(&self.context.db, who.user, query).await?)
    }

    async fn refund(&self, who: &Who, id: RefundId) -> Result<RefundLine, AppError> {
        queries::refund(&self.context.db, who.user, id).await?.ok_or(AppError::NotFound)
    }

    async fn order_money(&self, who: &Who, order: OrderId) -> Result<OrderMoney, AppError> {
        let (db, now, key) = (&self.context.db, self.context.now(), self.context.form_key());
        queries::order_money(db, who.user, order, &self.refund_rules, now, key).await?.ok_or(AppError::NotFound)
    }

    async fn ask_refund(&self, who: &Who, request: &RefundRequest) -> Result<RefundId, AppError> {
        let of = self.refund_subject(who, request.order, request.of).await?;
        let new = NewRefund {
            key: request.key,
            of,
            over_counter: request.over_counter,
            amount: request.amount,
            reason: request.reason.clone(),
            by: Some(who.user),
            ip: who.ip.clone(),
        };
        let policy = Policy { refunds: self.refund_rules, counter: self.rules };
        let row = refunds::ask(&self.context.db, &self.context.rng, self.context.now(), &policy, &new).await?;
        // Other money of the meter may have waited for the refunded order.
        self.context.gateway.wake();
        Ok(row.id)
    }

    async fn approve_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        self.refund(who, id).await?;
        refunds::approve(&self.context.db, self.context.now(), who, id).await?;
        Ok(())
    }

    async fn reject_refund(&self, who: &Who, id: RefundId, reason: &str) -> Result<(), AppError> {
        self.refund(who, id).await?;
        let Context { db, rng, .. } = &self.context;
        Ok(refunds::reject(db, rng, self.context.now(), who, id, reason).await?)
    }

    async fn cancel_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        self.refund(who, id).await?;
        Ok(refunds::cancel(&self.context.db, &self.context.rng, self.context.now(), who, id).await?)
    }

    async fn pay_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError> {
        self.refund(who, id).await?;
        refunds::pay_out(&self.context.db, &self.context.rng, self.context.now(), who, id).await?;
        Ok(())
    }

    async fn clear_refund(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError> {
        let of = self.refund_subject(who, order, of).await?;
        refunds::clear(&self.context.db, &self.context.rng, self.context.now(), who, of).await?;
        self.context.gateway.wake();
        Ok(())
    }

    /// Whatever the amount: nobody gives up money alone.
    async fn write_off_refund(&self, who: &Who, order: OrderId, reason: &str) -> Result<(), AppError> {
        self.order_money(who, order).await?;
        let new = NewRequest { decision: Decision::WriteOff { order }, reason: reason.to_owned(), who: who.clone() };
        let Context { db, rng, .. } = &self.context;
        approvals::ask(db, rng, self.context.now(), &self.rules, &new, None).await?;
        Ok(())
    }

    async fn credit_payment(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError> {
        let RefundSubject::Payment(event) = self.refund_subject(who, order, of).await? else { return Err(AppError::NotFound) };
        refunds::credit_after_all(&self.context.db, &self.context.rng, self.context.now(), who, event).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn book_refund(&self, who: &Who, case: CaseId) -> Result<OrderId, AppError> {
        // A statement is of the whole site.
        self.context.require_whole_site(who).await?;
        let (Context { db, rng, .. }, now) = (&self.context, self.context.now());
        let BookedRefund { order, channel, day } = reconciliation::book_refund(db, rng, now, who, case).await?;
        reconciliation::compare(db, rng, now, channel, day, Some(who)).await?;
        Ok(order)
    }

    async fn deliver_order(&self, who: &Who, order: OrderId) -> Result<(), AppError> {
        self.order_money(who, order).await?;
        refunds::deliver_again(&self.context.db, self.context.now(), who, order).await?;
        self.context.gateway.wake();
        Ok(())
    }

    async fn channel_sales(&self, who: &Who, meter: MeterId) -> Result<Vec<ChannelSale>, AppError> {
        let (db, now) = (&self.context.db, self.context.now());
        Ok(queries::by_channel(db, who.user, meter, &self.refund_rules, now).await?)
    }
}

impl CashDeskService {
    /// Only payments and returns of an order that the operator may see.
    async fn refund_subject(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<RefundSubject, AppError> {
        let money = self.order_money(who, order).await?;
        let of = match of {
            RefundOf::Payment(event) => RefundSubject::Payment(event),
            RefundOf::Return(id) => RefundSubject::Return(id),
        };
        if refunds::is_of(&self.context.db, money.order, of).await? { Ok(of) } else { Err(AppError::NotFound) }
    }
}
