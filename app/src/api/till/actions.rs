//! What the forms of the till do.

use leptos::prelude::*;

use super::said;
use super::{ReceiptNumber, ReturnRequest, ReturnTarget, Till, till};
use crate::api::operator::parse;
use crate::api::{ApiError, answer};
use crate::link;
use model::error::AppError;
use model::ids::{OrderId, ReturnId};
use model::money::Fen;
use model::order::Tender;

fn page(id: &str) -> String {
    format!("/returns/{id}")
}

pub(super) fn yuan(text: &str) -> Result<Fen, AppError> {
    Fen::parse_yuan(text.trim()).map_err(|_| AppError::InvalidAmount)
}

/// Asks for a return.
#[server(name = AskReturn, prefix = "/api", endpoint = "operator/return")]
pub async fn ask_return(meter: String, amount: String, tender: String, reason: String, key: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async {
        let tender = Tender::parse(&tender).ok_or(AppError::Invalid)?;
        let of = ReturnTarget::Remaining { meter: parse(&meter)?, tender, amount: yuan(&amount)? };
        port.ask(&who, &ReturnRequest { of, reason: said(&reason)?, key: parse(&key)? }).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &format!("/rooms/{meter}"))
}

/// Asks to take a wrong sale or return back; an empty amount is all of it.
#[server(name = Correct, prefix = "/api", endpoint = "operator/correct")]
pub async fn correct(original: String, sale: bool, amount: String, reason: String, key: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async {
        let of = if sale {
            ReturnTarget::Sale(parse::<OrderId>(&original)?, yuan(&amount)?)
        } else {
            ReturnTarget::Return(parse::<ReturnId>(&original)?)
        };
        port.ask(&who, &ReturnRequest { of, reason: said(&reason)?, key: parse(&key)? }).await
    };
    answer(done.await.map(|id| page(&id.to_string())), &format!("/corrections/{original}"))
}

/// The second person says yes.
#[server(name = ApproveReturn, prefix = "/api", endpoint = "operator/approve-return")]
pub async fn approve_return(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.approve(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// The second person says no.
#[server(name = RejectReturn, prefix = "/api", endpoint = "operator/reject-return")]
pub async fn reject_return(id: String, reason: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.reject(&who, parse(&id)?, &said(&reason)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Takes a wish back.
#[server(name = CancelReturn, prefix = "/api", endpoint = "operator/cancel-return")]
pub async fn cancel_return(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.cancel(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// The money leaves the counter.
#[server(name = PayOut, prefix = "/api", endpoint = "operator/pay-out")]
pub async fn pay_out(id: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let done = async { port.pay_out(&who, parse(&id)?).await }.await;
    answer(done.map(|()| page(&id)), &page(&id))
}

/// Counts a print of a receipt, and shows it as it is printed.
#[server(name = PrintReceipt, prefix = "/api", endpoint = "operator/print-receipt")]
pub async fn print_receipt(number: String) -> Result<(), ApiError> {
    let Till { who, port } = till()?;
    let back = format!("/receipts/{number}");
    let done = async { port.print(&who, parse::<ReceiptNumber>(&number)?).await }.await;
    answer(done.map(|()| link::with(&back, "print", "1")), &back)
}
