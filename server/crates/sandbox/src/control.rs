//! HTTP API for tests and demos: books, payments and faults. Accessible only from this machine, unlike the cashier.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::bank::Bank;
use super::books::Trade;
use super::faults::Faults;

/// Extractor that rejects clients on other machines.
pub(super) struct LoopbackClient;

impl FromRequestParts<Bank> for LoopbackClient {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, bank: &Bank) -> Result<Self, StatusCode> {
        match ConnectInfo::<SocketAddr>::from_request_parts(parts, bank).await {
            Ok(ConnectInfo(address)) if address.ip().to_canonical().is_loopback() => Ok(Self),
            _ => Err(StatusCode::FORBIDDEN),
        }
    }
}

pub(super) async fn books(_: LoopbackClient, State(bank): State<Bank>) -> Json<Vec<Trade>> {
    Json(bank.books())
}

pub(super) async fn faults(_: LoopbackClient, State(bank): State<Bank>) -> Json<Faults> {
    Json(bank.faults())
}

pub(super) async fn set_faults(_: LoopbackClient, State(bank): State<Bank>, Json(faults): Json<Faults>) -> StatusCode {
    bank.set_faults(faults);
    StatusCode::NO_CONTENT
}

pub(super) async fn pay(_: LoopbackClient, State(bank): State<Bank>, Path(number): Path<String>) -> (StatusCode, Json<Value>) {
    done(bank.pay(&number))
}

pub(super) async fn notify(_: LoopbackClient, State(bank): State<Bank>, Path(number): Path<String>) -> (StatusCode, Json<Value>) {
    done(bank.notify(&number))
}

fn done(done: bool) -> (StatusCode, Json<Value>) {
    let status = if done { StatusCode::OK } else { StatusCode::CONFLICT };
    (status, Json(json!({ "done": done })))
}
