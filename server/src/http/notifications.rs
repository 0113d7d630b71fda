//! Where channels and returning payers knock. No sessions, no cookies, no origin checks here: the signature is the authentication.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use model::order::Tender;

use super::limit::Limit;
use payments::Payments;
use payments::channel::{Channel, Notification, NotificationError};
use payments::form::{self, MAX_BYTES};

/// What the routes share.
#[derive(Clone)]
struct Door {
    payments: Payments,
    limit: Arc<Limit>,
}

/// `POST /pay/{channel}/notify` for the channels, `/pay/return` for the payer who comes back, whom UnionPay's page sends by a form. To
/// be merged beside the routes that have sessions, not below their layers.
pub fn routes(payments: Payments) -> Router {
    let limit = Arc::new(Limit::new(payments.parts().1.clone()));
    Router::new()
        .route("/pay/{channel}/notify", post(knock))
        .route("/pay/return", get(come_back).post(come_back))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(Door { payments, limit })
}

async fn knock(State(door): State<Door>, Path(channel): Path<String>, request: Request) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let Some(channel) = Tender::parse(&channel).and_then(|tender| door.payments.channel(tender)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !door.limit.admits(from) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    let headers = request.headers().clone();
    match Bytes::from_request(request, &()).await {
        Ok(body) => notified(&door.payments, channel, &headers, &body).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Stored first, then acknowledged: an event that was acknowledged and not stored would be money lost. One that does not fit is
/// stored, held and acknowledged, because sending it again would not change it.
async fn notified(payments: &Payments, channel: &dyn Channel, headers: &HeaderMap, body: &[u8]) -> Response {
    let name = channel.tender().as_str();
    let mut read = channel.parse_notification(headers, body);
    if matches!(read, Err(NotificationError::UnknownKey)) && channel.refresh_keys().await {
        read = channel.parse_notification(headers, body);
    }
    let event = match read {
        Ok(Notification::Event(event)) => event,
        Ok(Notification::Ignored) => return channel.ack().into_response(),
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

/// The payer is back. That proves nothing, but it is a good moment to ask the channel; the order's page shows what it says.
async fn come_back(State(door): State<Door>, RawQuery(query): RawQuery) -> Response {
    let fields = form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let attempt = match fields.get("out_trade_no") {
        Some(number) if !number.contains('\0') => door.payments.attempt(number).await.ok().flatten(),
        _ => None,
    };
    let Some(attempt) = attempt else { return Redirect::to("/").into_response() };
    let order = model::ids::OrderId(attempt.order_id);
    door.payments.request_query(order).await;
    Redirect::to(&format!("/orders/{order}")).into_response()
}
