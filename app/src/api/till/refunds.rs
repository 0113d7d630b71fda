//! Refunds as the till shows them, and what their forms do.

use leptos::prelude::*;

use super::actions::yuan;
use super::said;
use super::{RefundOf, RefundRequest, Till, till};
use crate::api::operator::parse;
use crate::api::{ApiError, answer};
use model::error::AppError;
use model::order::Tender;

fn of(payment: &str, back: &str) -> Result<RefundOf, AppError> {
    Ok(if back.is_empty() { RefundOf::Payment(parse(payment)?) } else { RefundOf::Return(parse(back)?) })
}

fn page(id: &str) -> String {
    format!("/refunds/{id}")
}

/// Asks for a refund.
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
    let Till { who, port } = till()?;
    let done = async {
        let of = of(&payment, &back)?;
        let over_counter = match Tender::parse(&way) {
            Some(tender) if tender.is_counter() => Some(tender),
            None if way.is_empty() => None,
            _ => return Err(AppError::Invalid),
        };
        let (order, amount, reason) = (parse(&order)?, yuan(&amount)?, said(&reason)?);
        port.ask_refund(&who, &RefundRequest { order, of, over_counter, amount, reason, key: parse(&key)? }).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &format!("/refunds/of/{order}"))
}

/// The second person says yes.
#[server(name = ApproveRefund, prefix = "/api", endpoint = "operator/approve-refund")]
pub async fn approve_refund(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.approve_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// The second person says no.
#[server(name = RejectRefund, prefix = "/api", endpoint = "operator/reject-refund")]
pub async fn reject_refund(id: String, reason: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.reject_refund(&who, parse(&id)?, &said(&reason)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Takes a refund back of which nothing went.
#[server(name = CancelRefund, prefix = "/api", endpoint = "operator/cancel-refund")]
pub async fn cancel_refund(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.cancel_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// The money leaves the counter.
#[server(name = PayRefund, prefix = "/api", endpoint = "operator/pay-refund")]
pub async fn pay_refund(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.pay_refund(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// What went back at the channel's console has paid this.
#[server(name = ClearRefund, prefix = "/api", endpoint = "operator/clear-refund")]
pub async fn clear_refund(order: String, payment: String, back: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.clear_refund(&who, parse(&order)?, of(&payment, &back)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}

/// What went back at the channel's console is lost.
#[server(name = WriteOffRefund, prefix = "/api", endpoint = "operator/write-off-refund")]
pub async fn write_off_refund(order: String, reason: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.write_off_refund(&who, parse(&order)?, &said(&reason)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}

/// An order is delivered after all that was not given back.
#[server(name = DeliverOrder, prefix = "/api", endpoint = "operator/deliver-order")]
pub async fn deliver_order(order: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.deliver(&who, parse(&order)?).await }.await;
    let back = format!("/refunds/of/{order}");
    answer(done.map(|()| back.clone()), &back)
}
