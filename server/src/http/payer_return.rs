//! `/pay/return`: the payer comes back from the channel's cashier.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::error::AppError;
use serde::Deserialize;

use super::AppState;
use super::session::RequestInfo;

/// Our number of the attempt, beside fields of the channel's.
#[derive(Deserialize)]
pub struct ReturnQuery {
    #[serde(default)]
    out_trade_no: String,
}

/// Redirects to the order's page, if the order is this resident's; who is not logged in logs in first, whatever the number.
pub async fn returned(
    State(state): State<AppState>,
    query: Result<Query<ReturnQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let Some(who) = request.extensions().get::<RequestInfo>().and_then(|info| info.who.clone()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let number = query.map(|Query(fields)| fields.out_trade_no).unwrap_or_default();
    match state.ports.resident.returned(&who, &number).await {
        Ok(order) => Redirect::to(&format!("/orders/{order}")).into_response(),
        Err(AppError::NotFound | AppError::AccountNotOpen) => Redirect::to("/records").into_response(),
        Err(error) => Redirect::to(&format!("/records?e={}", error.code())).into_response(),
    }
}
