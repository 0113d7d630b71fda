//! Refunds, as the till asks for them: each of an order that the operator may see.

use model::console::Page;
use model::console::{OrderMoney, RefundLine, RefundOf, RefundQuery, RefundRequest};
use model::error::AppError;
use model::ids::{OrderId, RefundId};
use model::person::Who;

use super::Till;
use store::console;
use store::refunds::{self, NewRefund, Policy, RefundSubject};

pub(super) async fn list(till: &Till, who: &Who, query: &RefundQuery) -> Result<Page<RefundLine>, AppError> {
    Ok(console::refunds(&till.db, who.user, query).await?)
}

/// One that the operator may see; anything else does not exist.
pub(super) async fn mine(till: &Till, who: &Who, id: RefundId) -> Result<RefundLine, AppError> {
    console::refund(&till.db, who.user, id).await?.ok_or(AppError::NotFound)
}

pub(super) async fn order_money(till: &Till, who: &Who, order: OrderId) -> Result<OrderMoney, AppError> {
    let now = till.clock.now();
    let money = console::order_money(&till.db, who.user, order, &till.refunds, now, till.rng.id(now)).await?;
    money.ok_or(AppError::NotFound)
}

/// Only what the page of that order shows: nobody asks for another building's money.
async fn of_order(till: &Till, who: &Who, order: OrderId, of: RefundOf) -> Result<RefundSubject, AppError> {
    let money = order_money(till, who, order).await?;
    let of = match of {
        RefundOf::Payment(event) => RefundSubject::Payment(event),
        RefundOf::Return(id) => RefundSubject::Return(id),
    };
    if refunds::is_of(&till.db, money.order, of).await? { Ok(of) } else { Err(AppError::NotFound) }
}

pub(super) async fn ask(till: &Till, who: &Who, wish: &RefundRequest) -> Result<RefundId, AppError> {
    let of = of_order(till, who, wish.order, wish.of).await?;
    let new = NewRefund {
        key: wish.key,
        of,
        over_counter: wish.over_counter,
        amount: wish.amount,
        reason: wish.reason.clone(),
        by: Some(who.user),
        ip: who.ip.clone(),
    };
    let policy = Policy { refunds: till.refunds, counter: till.rules };
    let row = refunds::ask(&till.db, &till.rng, till.clock.now(), &policy, &new).await?;
    // A meter whose held order goes back may have other money waiting.
    till.field.wake();
    Ok(row.id())
}

pub(super) async fn approve(till: &Till, who: &Who, id: RefundId) -> Result<(), AppError> {
    mine(till, who, id).await?;
    refunds::approve(&till.db, till.clock.now(), who, id).await?;
    Ok(())
}

pub(super) async fn reject(till: &Till, who: &Who, id: RefundId, why: &str) -> Result<(), AppError> {
    mine(till, who, id).await?;
    Ok(refunds::reject(&till.db, &till.rng, till.clock.now(), who, id, why).await?)
}

pub(super) async fn cancel(till: &Till, who: &Who, id: RefundId) -> Result<(), AppError> {
    mine(till, who, id).await?;
    Ok(refunds::cancel(&till.db, &till.rng, till.clock.now(), who, id).await?)
}

pub(super) async fn pay(till: &Till, who: &Who, id: RefundId) -> Result<(), AppError> {
    mine(till, who, id).await?;
    refunds::pay_out(&till.db, &till.rng, till.clock.now(), who, id).await?;
    Ok(())
}

pub(super) async fn clear(till: &Till, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError> {
    let of = of_order(till, who, order, of).await?;
    refunds::clear(&till.db, &till.rng, till.clock.now(), who, of).await?;
    till.field.wake();
    Ok(())
}

pub(super) async fn write_off(till: &Till, who: &Who, order: OrderId, reason: &str) -> Result<(), AppError> {
    order_money(till, who, order).await?;
    Ok(refunds::write_off(&till.db, &till.rng, till.clock.now(), who, order, reason).await?)
}

pub(super) async fn deliver(till: &Till, who: &Who, order: OrderId) -> Result<(), AppError> {
    order_money(till, who, order).await?;
    refunds::deliver_again(&till.db, till.clock.now(), who, order).await?;
    till.field.wake();
    Ok(())
}
