//! Notifications of the payment channels, and returning payers. No sessions, cookies or origin checks: the signature
//! authenticates.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use model::order::Tender;

use super::limit::Limit;
use domain::clock::SharedClock;
use payments::Payments;
use payments::channel::{Channel, Notification, NotificationError};
use payments::form::{self, MAX_BYTES};

#[derive(Clone)]
struct NotificationState {
    payments: Payments,
    limit: Arc<Limit>,
}

/// `POST /pay/{channel}/notify` for the channels, and `/pay/return` for returning payers, whom UnionPay's page sends by a form.
/// To be merged beside the routes that have sessions, not below their layers.
pub fn routes(payments: Payments, clock: SharedClock) -> Router {
    Router::new()
        .route("/pay/{channel}/notify", post(notify))
        .route("/pay/return", get(payer_returned).post(payer_returned))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(NotificationState { payments, limit: Arc::new(Limit::new(clock)) })
}

async fn notify(State(state): State<NotificationState>, Path(channel): Path<String>, request: Request) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let payments = &state.payments;
    let Some(tender) = Tender::parse(&channel).filter(|&tender| payments.is_configured(tender)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !state.limit.admits(from) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    // The channel sends it again, and the channel may be back by then.
    let Some(merchant) = payments.any_merchant(tender) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let headers = request.headers().clone();
    if !has_media_type(&headers, merchant.content_type()) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, merchant.nack()).into_response();
    }
    match Bytes::from_request(request, &()).await {
        Ok(body) => settle_notification(payments, merchant, &headers, &body).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Whether the one `Content-Type` header names this media type, with any parameters.
fn has_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected))
}

/// Stores the event, then acknowledges it: an acknowledged event that is not stored would be lost money. An event that does not
/// match is stored, held and acknowledged, since a repetition would not change it.
async fn settle_notification(payments: &Payments, channel: &dyn Channel, headers: &HeaderMap, body: &[u8]) -> Response {
    let name = channel.tender().as_str();
    let event = match payments.read_notification(channel.tender(), headers, body).await {
        Ok(Notification::Event(event)) => event,
        Ok(Notification::Ignored) => return channel.ack().into_response(),
        Err(NotificationError::Probe) => {
            tracing::info!(channel = name, "payment.notify.probe");
            return (StatusCode::BAD_REQUEST, channel.nack()).into_response();
        }
        Err(error) => {
            tracing::warn!(channel = name, error = &error as &dyn std::error::Error, "payment.notify.refused");
            return (StatusCode::BAD_REQUEST, channel.nack()).into_response();
        }
    };
    match payments.settle(&event).await {
        Ok(_) => channel.ack().into_response(),
        Err(error) => {
            let attempt = event.out_trade_no();
            tracing::error!(channel = name, attempt, error = &error as &dyn std::error::Error, "payment.notify.not-stored");
            (StatusCode::SERVICE_UNAVAILABLE, channel.nack()).into_response()
        }
    }
}

/// The payer's return proves no payment, but it is a good moment to query the channel; the order's page shows the answer.
async fn payer_returned(State(state): State<NotificationState>, RawQuery(query): RawQuery) -> Response {
    let fields = form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let attempt = match fields.get("out_trade_no") {
        Some(number) if !number.contains('\0') => state.payments.attempt(number).await.ok().flatten(),
        _ => None,
    };
    let Some(attempt) = attempt else { return Redirect::to("/").into_response() };
    let order = attempt.order_id;
    state.payments.request_query(order).await;
    Redirect::to(&format!("/orders/{order}")).into_response()
}
