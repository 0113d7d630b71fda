//! Health checks for supervisors and load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use super::AppState;

/// The process is alive.
pub async fn live() -> &'static str {
    "ok"
}

/// The server can serve: the database answers, and it is not stopping. A line for each payment channel says whether it works; the
/// status does not depend on that, since the rest of the server does not.
pub async fn ready(State(state): State<AppState>) -> (StatusCode, String) {
    if state.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping".into());
    }
    match state.context.db.ping().await {
        Ok(()) => {
            let channels = state.ports.channels.summary().into_iter();
            let lines = channels.map(|(channel, state)| format!("\n{}: {}", channel.as_str(), state.as_str()));
            (StatusCode::OK, format!("ok{}", lines.collect::<String>()))
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "health.database_failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer".into())
        }
    }
}
