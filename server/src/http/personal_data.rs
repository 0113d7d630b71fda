//! `/own-data.json`: a copy of everything that the system knows about a resident, for themselves.

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use people::personal_data;

use super::{AppState, RequestInfo};

/// The access table allows residents only.
pub async fn copy(State(state): State<AppState>, Extension(info): Extension<RequestInfo>) -> Response {
    let Some(who) = &info.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let data = match personal_data::of_person(&state.context.db, who).await {
        Ok(data) => data,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "personal_data.failed");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"dormwatt-personal-data.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, format!("{data:#}")).into_response()
}
