//! `/pay/wechat/back`, `/me/alerts/wechat` and `/me/wechat/back`: residents return from WeChat's sign-in with a code.

use app::api::resident::SignInState;
use app::link;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::error::AppError;
use serde::Deserialize;

use super::AppState;
use super::session::RequestInfo;

/// WeChat's query parameters; there is no code if the payer refused.
#[derive(Deserialize)]
pub struct SignInQuery {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: SignInState,
}

/// Redirects to the order's cashier page, which also removes the code from the address.
pub async fn back(State(state): State<AppState>, Query(query): Query<SignInQuery>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, visit)) = info.and_then(|info| Some((info.who.clone()?, info.visit.clone()))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match state.ports.resident.signed_in(&who, &visit, &query.state, &query.code).await {
        Ok(order) => Redirect::to(&format!("/orders/{order}/pay")).into_response(),
        // A reloaded page or somebody else's address: the order is still among the records.
        Err(AppError::NotFound) => Redirect::to("/records").into_response(),
        Err(error) => Redirect::to(&format!("/records?e={}", error.code())).into_response(),
    }
}

/// Leads to the page of the alerts, which shows the outcome.
pub async fn alerts(State(state): State<AppState>, Query(query): Query<SignInQuery>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match state.ports.alerts.bind_wechat(&who, &query.state.0, &query.code, lang).await {
        Ok(()) => Redirect::to("/me/alerts?done=wechat").into_response(),
        Err(error) => Redirect::to(&link::with("/me/alerts", "e", error.code())).into_response(),
    }
}

/// Leads to the page of the log-in by WeChat, which shows the outcome.
pub async fn bound(State(state): State<AppState>, Query(query): Query<SignInQuery>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, visit)) = info.and_then(|info| Some((info.who.clone()?, info.visit.clone()))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match state.ports.wechat_log_in.bind_wechat_log_in(&who, &query.state.0, &query.code, &visit).await {
        Ok(()) => Redirect::to("/me/wechat?done=bound").into_response(),
        Err(AppError::Conflict) => Redirect::to("/me/wechat?done=taken").into_response(),
        Err(AppError::LinkEnded) => Redirect::to("/me/wechat?done=ended").into_response(),
        Err(error) => Redirect::to(&link::with("/me/wechat", "e", error.code())).into_response(),
    }
}
