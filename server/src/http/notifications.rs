//! Notifications of the payment channels. No sessions, cookies or origin checks: the signature authenticates.

use std::net::IpAddr;
use std::sync::Arc;

use app::link;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use model::order::Tender;

use super::caller;
use super::limit::Limit;
use domain::clock::SharedClock;
use payments::Payments;
use payments::channel::{Channel, Notification, NotificationError};
use payments::form::{self, MAX_BYTES};
use services::log_limit;

/// Characters of an attempt's number.
const LONGEST_NUMBER: usize = 64;

#[derive(Clone)]
struct NotificationState {
    payments: Payments,
    limit: Arc<Limit>,
}

/// `POST /pay/{channel}/notify` for the channels, and `POST /pay/return` for payers whom a channel's page sends back by a form.
/// To be merged beside the routes that have sessions, not below their layers.
pub fn routes(payments: Payments, clock: SharedClock) -> Router {
    Router::new()
        .route("/pay/{channel}/notify", post(notify).fallback(unknown))
        .route("/pay/return", post(return_by_form))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(NotificationState { payments, limit: Arc::new(Limit::new(clock)) })
}

async fn notify(State(state): State<NotificationState>, Path(channel): Path<String>, request: Request) -> Response {
    let (from, payments) = (caller::of(&request), &state.payments);
    let Some(tender) = Tender::parse(&channel).filter(|&tender| payments.is_configured(tender)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // The channel sends it again, and the channel may be back by then.
    let Some(merchant) = payments.any_merchant(tender) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let headers = request.headers().clone();
    if !has_media_type(&headers, merchant.content_type()) {
        refuse_unread(merchant, from, "content-type");
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, merchant.nack()).into_response();
    }
    if !state.limit.admits(from) {
        log_refusal(tender, from, "rate-limited");
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refusal) => {
            refuse_unread(merchant, from, "body");
            return refusal.into_response();
        }
    };
    let read = payments.read_notification(tender, &headers, &body).await;
    if is_signed(&read) {
        state.limit.signed(from);
    }
    settle_notification(payments, merchant, read, from).await
}

/// Counts and logs what is no notification by its form: strangers send it, or a proxy that changes requests.
fn refuse_unread(channel: &dyn Channel, from: IpAddr, reason: &'static str) {
    channel.health().refused_unread();
    log_refusal(channel.tender(), from, reason);
}

fn log_refusal(channel: Tender, from: IpAddr, reason: &'static str) {
    let channel = channel.as_str();
    if let Some(left_out) = log_limit::admits(from, &format!("{channel} {reason}")) {
        tracing::info!(channel, address = %from, reason, left_out, "security.refused");
    }
}

/// Any other method: an unknown channel is as unknown as for a notification.
async fn unknown(State(state): State<NotificationState>, Path(channel): Path<String>) -> StatusCode {
    match Tender::parse(&channel).filter(|&tender| state.payments.is_configured(tender)) {
        Some(_) => StatusCode::METHOD_NOT_ALLOWED,
        None => StatusCode::NOT_FOUND,
    }
}

/// Whether the signature was valid, whatever else is wrong.
const fn is_signed(read: &Result<Notification, NotificationError>) -> bool {
    matches!(read, Ok(_) | Err(NotificationError::Field(_)))
}

/// Whether the one `Content-Type` header names this media type, with any parameters.
fn has_media_type(headers: &HeaderMap, expected: &str) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let value = values.next().filter(|_| values.next().is_none()).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected))
}

/// Stores the event, then acknowledges it: an acknowledged event that is not stored would be lost money. An event that does not
/// match is stored, held and acknowledged, since a repetition would not change it.
async fn settle_notification(
    payments: &Payments,
    channel: &dyn Channel,
    read: Result<Notification, NotificationError>,
    from: IpAddr,
) -> Response {
    let name = channel.tender().as_str();
    let event = match read {
        Ok(Notification::Event(event)) => event,
        Ok(Notification::Ignored) => return channel.ack().into_response(),
        Err(NotificationError::Probe) => {
            if let Some(left_out) = log_limit::admits(from, &format!("{name} probe")) {
                tracing::info!(channel = name, left_out, "payment.notify.probe");
            }
            return (StatusCode::BAD_REQUEST, channel.nack()).into_response();
        }
        Err(error) => {
            if let Some(left_out) = log_limit::admits(from, &format!("{name} {error}")) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(channel = name, address = %from, error, left_out, "payment.notify.refused");
            }
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

/// Browsers send no session with a form of another site, so it becomes a link to the same place, known or not.
async fn return_by_form(RawQuery(query): RawQuery) -> Redirect {
    let fields = form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    match fields.get("out_trade_no").filter(|number| number.len() <= LONGEST_NUMBER) {
        Some(number) => Redirect::to(&link::with("/pay/return", "out_trade_no", number)),
        None => Redirect::to("/pay/return"),
    }
}
