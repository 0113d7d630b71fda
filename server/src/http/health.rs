//! Health checks for supervisors and load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use super::AppState;

/// The process is alive.
pub async fn live() -> &'static str {
    "ok"
}

/// The server can serve: the database answers, and it is not stopping.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    match state.context.db.ping().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "health.database_failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer")
        }
    }
}
