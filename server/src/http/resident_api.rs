//! `/api/v1/me/...`: what a resident's programs read with a personal token, without a session and its cookie.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::error::AppError;
use model::ids::{ApiTokenId, UserId};
use model::personal::ApiScope;
use model::time::{Date, MINUTE, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AppState, error};
use people::tokens;
use services::auth::{hash, worth_writing};
use services::residents::api;

/// Requests of one token within a minute.
const PER_MINUTE: u32 = 60;
/// From this number of tokens on, those of earlier minutes are forgotten.
const MAX_IDLE: usize = 1_000;

/// Counts the requests of each token by the minute.
#[derive(Default)]
pub struct ApiLimit(Mutex<HashMap<ApiTokenId, (i64, u32)>>);

impl ApiLimit {
    /// Whether one more request is answered now.
    fn admits(&self, token: ApiTokenId, now: Timestamp) -> bool {
        let minute = now.0.div_euclid(MINUTE);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_IDLE {
            counts.retain(|_, (of, _)| *of == minute);
        }
        let (of, count) = counts.entry(token).or_insert((minute, 0));
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        *count += 1;
        *count <= PER_MINUTE
    }
}

/// The first and the last day of an answer, as `2026-11-30`.
#[derive(Deserialize)]
pub struct DaysQuery {
    from: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
pub struct PageQuery {
    page: Option<String>,
}

/// `/api/v1/me/balance`
pub async fn balance(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let read = async { api::balance(&state.context, admit(&state, &headers, ApiScope::Use).await?).await };
    answer(read.await)
}

/// `/api/v1/me/use`
pub async fn use_by_day(State(state): State<AppState>, headers: HeaderMap, Query(query): Query<DaysQuery>) -> Response {
    let read = async {
        let user = admit(&state, &headers, ApiScope::Use).await?;
        let (from, until) = (day(query.from.as_deref())?, day(query.until.as_deref())?);
        api::use_by_day(&state.context, user, from, until).await
    };
    answer(read.await)
}

/// `/api/v1/me/records`
pub async fn records(State(state): State<AppState>, headers: HeaderMap, Query(query): Query<PageQuery>) -> Response {
    let read = async {
        let user = admit(&state, &headers, ApiScope::Records).await?;
        let page = query.page.as_deref().map_or(Ok(1), str::parse).map_err(|_| AppError::Invalid)?;
        api::records(&state.context, user, page).await
    };
    answer(read.await)
}

fn day(text: Option<&str>) -> Result<Option<Date>, AppError> {
    text.map(|text| text.parse().map_err(|_| AppError::Invalid)).transpose()
}

/// Whose token the request bears, where it may read that and is not asked too often.
async fn admit(state: &AppState, headers: &HeaderMap, scope: ApiScope) -> Result<UserId, AppError> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(AppError::NotLoggedIn)?;
    let (db, now) = (&state.context.db, state.context.now());
    let found = tokens::find(db, &hash(token.trim()), now).await?.ok_or(AppError::NotLoggedIn)?;
    if !found.token.may(scope) {
        return Err(AppError::Forbidden);
    }
    if !state.api_limit.admits(found.token.id, now) {
        return Err(AppError::RateLimited);
    }
    if found.token.used_at.is_none_or(|at| worth_writing(at, now)) {
        // A full disk must not keep a program from reading.
        if let Err(error) = tokens::touch(db, found.token.id, now).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "token.touch_failed");
        }
    }
    Ok(found.user_id)
}

fn answer(read: Result<Value, AppError>) -> Response {
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let error = match read {
        Ok(value) => return (no_store, Json(value)).into_response(),
        Err(error) => error,
    };
    let mut response = (error::status(error), no_store, Json(json!({ "error": error.code() }))).into_response();
    let more = match error {
        AppError::NotLoggedIn => Some((header::WWW_AUTHENTICATE, "Bearer")),
        AppError::RateLimited => Some((header::RETRY_AFTER, "60")),
        _ => None,
    };
    if let Some((name, value)) = more {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use model::ids::Uuid;

    use super::*;

    #[test]
    fn each_token_has_its_requests_of_a_minute() {
        let limit = ApiLimit::default();
        let [one, other] = [1, 2].map(|n| ApiTokenId(Uuid::from_u128(n)));
        assert!((0..PER_MINUTE).all(|_| limit.admits(one, Timestamp(MINUTE))));
        assert!(!limit.admits(one, Timestamp(2 * MINUTE - 1)));
        assert!(limit.admits(other, Timestamp(2 * MINUTE - 1)));
        assert!(limit.admits(one, Timestamp(2 * MINUTE)));
    }
}
