//! What the operator's forms do: each comes back to the page it was sent from.

use leptos::prelude::*;

use super::{Desk, Sale, WalletLimits, desk};
use crate::api::{ApiError, answer};
use crate::link;
use model::error::AppError;
use model::ids::{CaseId, GatewayId, MeterId, Uuid};
use model::meter::ControlMode;
use model::money::Fen;
use model::order::Tender;

/// The page of a room.
pub(super) fn room(meter: &str) -> String {
    format!("/rooms/{meter}")
}

/// A field of a form as what it stands for.
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, AppError> {
    text.trim().parse().map_err(|_| AppError::Invalid)
}

/// A sale as its form says it.
pub(super) fn sale(meter: MeterId, amount: &str, tender: &str, key: &str) -> Result<Sale, AppError> {
    let amount = Fen::parse_yuan(amount.trim()).map_err(|_| AppError::InvalidAmount)?;
    let tender = Tender::parse(tender).filter(|tender| tender.is_counter()).ok_or(AppError::Invalid)?;
    Ok(Sale { meter, amount, tender, key: parse::<Uuid>(key)? })
}

/// Sells at the counter.
#[server(name = Sell, prefix = "/api", endpoint = "operator/sell")]
pub async fn sell(meter: String, amount: String, tender: String, key: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.sell(&who, &sale(parse(&meter)?, &amount, &tender, &key)?).await }.await;
    answer(done.map(|_| room(&meter)), &room(&meter))
}

/// Sets the control mode.
#[server(name = SetMode, prefix = "/api", endpoint = "operator/mode")]
pub async fn set_mode(meter: String, mode: String, key: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let mode = ControlMode::parse(&mode).ok_or(AppError::Invalid)?;
        port.set_mode(&who, parse(&meter)?, mode, parse(&key)?).await
    };
    answer(done.await.map(|()| room(&meter)), &room(&meter))
}

/// Sets the limits of a server wallet; an empty hoarding limit is the site's, an empty power none.
#[server(name = SetLimits, prefix = "/api", endpoint = "operator/limits")]
pub async fn set_limits(
    meter: String,
    alarm1: String,
    alarm2: String,
    overdraft: String,
    hoarding: String,
    overload_w: String,
    malignant_w: String,
) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async {
        let yuan = |text: &str| match text.trim() {
            "" => Ok(Fen::ZERO),
            text => Fen::parse_yuan(text).map_err(|_| AppError::InvalidAmount),
        };
        let watts = |text: &str| if text.trim().is_empty() { Ok(0) } else { parse(text) };
        let limits = WalletLimits {
            alarm1: yuan(&alarm1)?,
            alarm2: yuan(&alarm2)?,
            overdraft: yuan(&overdraft)?,
            hoarding: yuan(&hoarding)?,
            overload_w: watts(&overload_w)?,
            malignant_w: watts(&malignant_w)?,
        };
        port.set_limits(&who, parse(&meter)?, &limits).await
    };
    answer(done.await.map(|()| room(&meter)), &room(&meter))
}

/// Reads a meter before its turn.
#[server(name = ReadNow, prefix = "/api", endpoint = "operator/read-now")]
pub async fn read_now(meter: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.read_now(&who, parse(&meter)?).await }.await;
    answer(done.map(|()| link::with(&room(&meter), "asked", "read")), &room(&meter))
}

/// Closes a case with what was done about it.
#[server(name = CloseCase, prefix = "/api", endpoint = "operator/close-case")]
pub async fn close_case(case: String, resolution: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.close_case(&who, parse::<CaseId>(&case)?, &resolution).await }.await;
    answer(done.map(|()| "/cases".to_owned()), "/cases")
}

/// Tries a gateway now.
#[server(name = RetryGateway, prefix = "/api", endpoint = "operator/retry-gateway")]
pub async fn retry_gateway(gateway: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.retry_gateway(&who, parse::<GatewayId>(&gateway)?).await }.await;
    answer(done.map(|()| link::with("/meters", "asked", "retry")), "/meters")
}

/// Takes up the money command that a case holds.
#[server(name = TryAgain, prefix = "/api", endpoint = "operator/try-again")]
pub async fn try_again(case: String) -> Result<(), ApiError> {
    let Desk { who, port } = desk()?;
    let done = async { port.try_again(&who, parse::<CaseId>(&case)?).await }.await;
    answer(done.map(|()| "/cases".to_owned()), "/cases")
}
