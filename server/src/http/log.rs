//! One log line a response.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

/// Logs method, route, status and time; never the query, which may be private.
pub async fn requests(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => request.uri().path().to_owned(),
    };
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_secs_f64() * 1e3);
    match status {
        500.. => tracing::error!(%method, path, status, ms, "http.answered"),
        400..=499 => tracing::info!(%method, path, status, ms, "http.answered"),
        _ => tracing::debug!(%method, path, status, ms, "http.answered"),
    }
    response
}
