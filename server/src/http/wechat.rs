//! `/pay/wechat/back`: the payer comes back from WeChat, which tells by a code who it is.

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::error::AppError;
use serde::Deserialize;

use super::AppState;
use super::session::Facts;

/// What WeChat adds to the address; it gives no code where the payer refused.
#[derive(Deserialize)]
pub struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// On to the order's cashier, and the code out of the address.
pub async fn back(State(state): State<AppState>, Query(said): Query<Said>, request: Request) -> Response {
    let facts = request.extensions().get::<Facts>();
    let Some((who, visit)) = facts.and_then(|facts| Some((facts.who.clone()?, facts.visit.clone()))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match state.backends.resident.signed_in(&who, &visit, &said.state, &said.code).await {
        Ok(order) => Redirect::to(&format!("/orders/{order}/pay")).into_response(),
        // A page that was loaded again, or somebody else's address: nothing is lost, the order is among the records.
        Err(AppError::NotFound) => Redirect::to("/records").into_response(),
        Err(error) => Redirect::to(&format!("/records?e={}", error.code())).into_response(),
    }
}
