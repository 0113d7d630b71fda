//! The service worker of the residents' site, which browsers ask for again at each visit.

use app::service_worker::service_worker;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::AppState;

pub async fn worker(State(state): State<AppState>) -> Response {
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    (headers, service_worker(&state.site)).into_response()
}
