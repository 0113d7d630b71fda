//! Delivery reports of providers of text messages. No sessions, cookies or origin checks: the key authenticates.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, RawQuery, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::json;

use super::caller;
use super::limit::Limit;
use domain::clock::SharedClock;
use notify::ReceiptError;
use payments::form;
use services::log_limit;
use services::notifications::NotificationsService;

#[derive(Clone)]
struct ReceiptState {
    notifications: NotificationsService,
    limit: Arc<Limit>,
}

/// `POST /sms/receipts`, to be merged beside the routes that have sessions.
pub fn routes(notifications: NotificationsService, clock: SharedClock) -> Router {
    let state = ReceiptState { notifications, limit: Arc::new(Limit::new(clock)) };
    Router::new().route("/sms/receipts", post(receive)).with_state(state)
}

async fn receive(State(state): State<ReceiptState>, RawQuery(query): RawQuery, request: Request) -> Response {
    let from = caller::of(&request);
    if !state.limit.admits(from) {
        if let Some(left_out) = log_limit::admits(from, "receipts rate-limited") {
            tracing::info!(address = %from, reason = "rate-limited", left_out, "security.refused");
        }
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let key = key(request.headers(), query.as_deref());
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refusal) => return refusal.into_response(),
    };
    match state.notifications.keep_receipts(&key, &body).await {
        Ok(Ok(kept)) => {
            state.limit.signed(from);
            tracing::debug!(kept, "notification.receipts");
            // Alibaba Cloud sends a report again unless it gets this answer.
            Json(json!({ "code": 0, "msg": "OK" })).into_response()
        }
        Ok(Err(error)) => {
            if let Some(left_out) = log_limit::admits(from, "receipts refused") {
                tracing::info!(address = %from, %error, left_out, "notification.receipts_refused");
            }
            let status = match error {
                ReceiptError::NotSetUp => StatusCode::NOT_FOUND,
                ReceiptError::Key => StatusCode::FORBIDDEN,
                ReceiptError::Body => StatusCode::BAD_REQUEST,
            };
            status.into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "notification.receipts_not_stored");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// `Authorization: Bearer KEY`, or `?key=KEY` for providers that send no headers of ours. The log leaves both out.
fn key(headers: &HeaderMap, query: Option<&str>) -> String {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let fields = form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    header.map(ToOwned::to_owned).or_else(|| fields.get("key").cloned()).unwrap_or_default()
}
