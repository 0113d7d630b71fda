//! One log line a response, and one for each refusal.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use model::error::AppError;
use model::ids::UserId;

use super::caller;
use services::log_limit;

/// Whose session a request belongs to; an extension of its response.
#[derive(Clone, Copy, Debug)]
pub struct AnsweredTo(pub UserId);

/// Logs method, route, status, time, address and user; never the query, which may be private. What reads and succeeds is logged
/// at debug, which release builds leave out.
pub async fn requests(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = path_of(&request);
    let address = caller::of(&request);
    let response = next.run(request).await;
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_secs_f64() * 1e3);
    let user = user(response.extensions().get::<AnsweredTo>().map(|answered| answered.0));
    let reads = matches!(method, Method::GET | Method::HEAD);
    match status {
        500.. => tracing::error!(%method, path, status, ms, %address, user, "http.answered"),
        100..=399 if reads => tracing::debug!(%method, path, status, ms, %address, user, "http.answered"),
        _ => tracing::info!(%method, path, status, ms, %address, user, "http.answered"),
    }
    response
}

/// The path of a request as the log names it: its route, because the paths of one-time links and of links to pay are secrets.
pub fn path_of(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>();
    matched.map_or_else(|| request.uri().path(), MatchedPath::as_str).to_owned()
}

/// Logs that somebody was refused what is not theirs, or too much of it.
pub fn refusal(address: IpAddr, who: Option<UserId>, path: &str, error: AppError) {
    if !is_not_theirs(error) {
        return;
    }
    let (user, reason) = (user(who), error.code());
    // A person's own refusals are not hidden behind those of strangers at one address.
    if let Some(left_out) = log_limit::admits(address, &format!("refused {reason} {user}")) {
        tracing::info!(%address, user, path, reason, left_out, "security.refused");
    }
}

/// Whether such a refusal is about who asked, not about what was asked.
const fn is_not_theirs(error: AppError) -> bool {
    use AppError::{Forbidden, NotAtKiosk, NotLoggedIn, RateLimited, SecondPerson};
    matches!(error, Forbidden | NotAtKiosk | NotLoggedIn | RateLimited | SecondPerson)
}

fn user(user: Option<UserId>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_at_query_machines_are_told_too() {
        assert!([AppError::NotAtKiosk, AppError::Forbidden].into_iter().all(is_not_theirs));
        assert!(![AppError::NotFound, AppError::Invalid].into_iter().any(is_not_theirs));
    }
}
