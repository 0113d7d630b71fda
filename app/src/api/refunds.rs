//! Refunds: money that goes back through its channel or over the counter.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{parse, reason_of, some_yuan};
use super::{ApiError, answer};
use crate::ports::{Who, operator, ports};
use model::console::{ChannelSale, OrderMoney, Page, RefundLine, RefundOf, RefundQuery, RefundRequest};
use model::error::AppError;
use model::ids::{CaseId, MeterId, OrderId, RefundId};
use model::order::Tender;

#[async_trait]
pub trait RefundsPort: Send + Sync {
    /// Refunds, newest first.
    async fn refunds(&self, who: &Who, query: &RefundQuery) -> Result<Page<RefundLine>, AppError>;
    async fn refund(&self, who: &Who, id: RefundId) -> Result<RefundLine, AppError>;
    /// What of an order can be refunded, and what was.
    async fn order_money(&self, who: &Who, order: OrderId) -> Result<OrderMoney, AppError>;
    async fn ask_refund(&self, who: &Who, request: &RefundRequest) -> Result<RefundId, AppError>;
    /// Approves as the second person.
    async fn approve_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// Refuses as the second person.
    async fn reject_refund(&self, who: &Who, id: RefundId, reason: &str) -> Result<(), AppError>;
    /// Withdraws a refund of which nothing was paid.
    async fn cancel_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// Records that a refund was handed over the counter.
    async fn pay_refund(&self, who: &Who, id: RefundId) -> Result<(), AppError>;
    /// Counts a refund made at the channel's console as the payment of what is due.
    async fn clear_refund(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError>;
    /// Asks for a refund made at the channel's console to be written off as a loss.
    async fn write_off_refund(&self, who: &Who, order: OrderId, reason: &str) -> Result<(), AppError>;
    /// Credits a payment that was kept apart because of its amount: its order becomes one of that amount.
    async fn credit_payment(&self, who: &Who, order: OrderId, of: RefundOf) -> Result<(), AppError>;
    /// Books a refund that only the channel's statement tells of; gives its order.
    async fn book_refund(&self, who: &Who, case: CaseId) -> Result<OrderId, AppError>;
    /// Delivers an order after all, if it was not refunded.
    async fn deliver_order(&self, who: &Who, order: OrderId) -> Result<(), AppError>;
    /// Sales of a meter that can be refunded through their channel, newest first.
    async fn channel_sales(&self, who: &Who, meter: MeterId) -> Result<Vec<ChannelSale>, AppError>;
}

/// The payment or return that a refund is for.
fn refund_of(payment: &str, back: &str) -> Result<RefundOf, AppError> {
    Ok(if back.is_empty() { RefundOf::Payment(parse(payment)?) } else { RefundOf::Return(parse(back)?) })
}

fn page(id: &str) -> String {
    format!("/refunds/{id}")
}

#[server(name = AskRefund, prefix = "/api", endpoint = "operator/refund")]
pub async fn ask_refund(
    order: String,
    payment: String,
    back: String,
    way: String,
    amount: String,
    reason: String,
    key: String,
) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let of = refund_of(&payment, &back)?;
        let over_counter = match Tender::parse(&way) {
            Some(tender) if tender.is_counter() => Some(tender),
            None if way.is_empty() => None,
            _ => return Err(AppError::Invalid),
        };
        let (order, amount, reason) = (parse(&order)?, some_yuan(&amount)?, reason_of(&reason)?);
        ports.refunds.ask_refund(&who, &RefundRequest { order, of, over_counter, amount, reason, key: parse(&key)? }).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &format!("/refunds/of/{order}"))
}

/// Approves as the second person.
#[server(name = ApproveRefund, prefix = "/api", endpoint = "operator/approve-refund")]
pub async fn approve_refund(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.approve_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Refuses as the second person.
#[server(name = RejectRefund, prefix = "/api", endpoint = "operator/reject-refund")]
pub async fn reject_refund(id: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.reject_refund(&who, parse(&id)?, &reason_of(&reason)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Withdraws a refund of which nothing was paid.
#[server(name = CancelRefund, prefix = "/api", endpoint = "operator/cancel-refund")]
pub async fn cancel_refund(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.cancel_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Records that a refund was handed over the counter.
#[server(name = PayRefund, prefix = "/api", endpoint = "operator/pay-refund")]
pub async fn pay_refund(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.pay_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Counts a refund made at the channel's console as the payment of what is due.
#[server(name = ClearRefund, prefix = "/api", endpoint = "operator/clear-refund")]
pub async fn clear_refund(order: String, payment: String, back: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.clear_refund(&who, parse(&order)?, refund_of(&payment, &back)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}

/// Writes a refund made at the channel's console off as a loss.
#[server(name = WriteOffRefund, prefix = "/api", endpoint = "operator/write-off-refund")]
pub async fn write_off_refund(order: String, reason: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.write_off_refund(&who, parse(&order)?, &reason_of(&reason)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| "/approvals".to_owned()), &back)
}

/// Credits a payment that was kept apart because of its amount.
#[server(name = CreditPayment, prefix = "/api", endpoint = "operator/credit-payment")]
pub async fn credit_payment(order: String, payment: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.credit_payment(&who, parse(&order)?, refund_of(&payment, "")?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}

/// Books a refund that only the channel's statement tells of.
#[server(name = BookRefund, prefix = "/api", endpoint = "operator/book-refund")]
pub async fn book_refund(case: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.book_refund(&who, parse(&case)?).await }.await;
    let back = super::cases::case_page(&case);
    answer(done.map(|order| format!("/refunds/of/{order}")), &back)
}

/// Delivers an order after all, if it was not refunded.
#[server(name = DeliverOrder, prefix = "/api", endpoint = "operator/deliver-order")]
pub async fn deliver_order(order: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.refunds.deliver_order(&who, parse(&order)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}
