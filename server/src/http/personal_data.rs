//! `/own-data.json`: a copy of everything that the system knows about a resident, for themselves.

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use people::personal_data;

use super::error::Refused;
use super::{AppState, RequestInfo};

/// The access table allows residents only.
pub async fn copy(State(state): State<AppState>, Extension(info): Extension<RequestInfo>) -> Result<Response, Refused> {
    let data = personal_data::of_person(&state.context.db, info.person()?).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"dormwatt-personal-data.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, format!("{data:#}")).into_response())
}
