//! The control interface: inspects a running site and injects faults, over HTTP with JSON. For demos and black-box tests; it has
//! no authentication and listens only if configured.
//!
//! ```text
//! GET  /meters                               every meter, with what it truly holds
//! GET  /gateways/{g}/meters/{unit}           one of them
//! PUT  /gateways/{g}/meters/{unit}/faults    {"fault":"lost_answer","probability":0.3}; "late_answer" and "slow" take "ms"
//! PUT  /gateways/{g}/meters/{unit}/defects   {"defect":"relay_welded","on":true}
//! POST /gateways/{g}/meters/{unit}/one-time-faults  {"fault":"clock_off","seconds":600}
//! PUT  /gateways/{g}/meters/{unit}/load      {"watts":1500}, or null for the load as it is
//! PUT  /gateways/{g}/faults                  as for a meter: every request through this gateway
//! PUT  /gateways/{g}/refused                 {"on":true}
//! PUT  /gateways/{g}/single-slot             {"refuse_ms":200}: one connection, none for 200 ms after its end; null: any number
//! PUT  /gateways/{g}/swap                    {"units":[1,2]}: these meters answer to each other's address
//! PUT  /faults                               {"share":0.05,"fault":"silent"}: this share of all meters, the same ones always
//! DELETE .../faults                          heals the meter, the gateway, or everything
//! GET  /time                                 the site's time
//! POST /time                                 {"advance_s":3600}
//! ```

mod meters;
mod site;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{HOST, ORIGIN};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

use super::faults::LineFault;
use super::gateway::ChangeError;
use super::handle::{Simulator, SiteHandle};

/// Serves the interface as long as the simulator runs.
pub(super) fn spawn(simulator: &mut Simulator, listener: TcpListener, address: SocketAddr) {
    let (app, stop) = (router(simulator.handle()), simulator.stop.clone());
    simulator.control = Some(address);
    simulator.tasks.spawn(async move {
        let served = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
        tokio::select! {
            // An open connection must not keep the simulator alive.
            () = stop.cancelled() => {}
            served = async { served.await } => if let Err(error) = served {
                tracing::error!(%error, "sim.control.failed");
            },
        }
    });
}

fn router(site: SiteHandle) -> Router {
    let meter = Router::new()
        .route("/", get(meters::show))
        .route("/faults", put(meters::fault).delete(meters::heal))
        .route("/defects", put(meters::defect))
        .route("/one-time-faults", post(meters::one_time_fault))
        .route("/load", put(meters::load));
    Router::new()
        .route("/meters", get(site::list))
        .route("/faults", put(site::fault_share).delete(site::heal))
        .route("/time", get(site::time).post(site::advance))
        .route("/gateways/{gateway}/faults", put(site::gateway_fault).delete(site::gateway_heal))
        .route("/gateways/{gateway}/refused", put(site::refuse))
        .route("/gateways/{gateway}/single-slot", put(site::single_slot))
        .route("/gateways/{gateway}/swap", put(site::swap))
        .nest("/gateways/{gateway}/meters/{unit}", meter)
        .layer(from_fn(own_page_only))
        .with_state(site)
}

/// Refuses what another site makes a browser send.
async fn own_page_only(request: Request, next: Next) -> Response {
    let is_own = {
        let text = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
        domain::address::is_own_page(text(HOST), text(ORIGIN))
    };
    if is_own { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

/// A line fault with its probability.
#[derive(Deserialize)]
struct FaultRequest {
    #[serde(flatten)]
    fault: LineFault,
    #[serde(default = "always")]
    probability: f64,
}

const fn always() -> f64 {
    1.0
}

#[derive(Deserialize)]
struct SwitchRequest {
    on: bool,
}

/// Why a request was rejected.
enum Refusal {
    NotFound,
    AdvanceTooLong,
    Change(ChangeError),
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        Self::Change(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::NotFound | Self::Change(ChangeError::NoMeter(_)) => {
                (StatusCode::NOT_FOUND, "no such gateway or meter".to_owned())
            }
            Self::AdvanceTooLong => (StatusCode::BAD_REQUEST, "time moves at most a year at once".to_owned()),
            Self::Change(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
