//! `/pay/return`: the payer comes back from the channel's cashier.

use app::link;
use app::ports::Role;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::error::AppError;
use serde::Deserialize;

use super::AppState;
use super::session::RequestInfo;

/// Our number of the attempt, beside fields of the channel's.
#[derive(Deserialize)]
pub struct ReturnQuery {
    #[serde(default)]
    out_trade_no: String,
}

/// Redirects to the order's page, if the order is this resident's. Who paid by a link goes back to that; anybody else who is not
/// logged in logs in first, whatever the number.
pub async fn returned(
    State(state): State<AppState>,
    query: Result<Query<ReturnQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let by_link = info.and_then(|info| link_page(&info.visit.paying)).map(str::to_owned);
    let who = match info.and_then(|info| info.who.clone()) {
        Some(who) if who.role == Role::Resident => who,
        Some(_) => return StatusCode::FORBIDDEN.into_response(),
        None => {
            let leads_back = |page: String| Redirect::to(&page).into_response();
            return by_link.map_or_else(|| StatusCode::UNAUTHORIZED.into_response(), leads_back);
        }
    };
    let number = query.map(|Query(fields)| fields.out_trade_no).unwrap_or_default();
    match state.ports.resident.returned(&who, &number).await {
        Ok(order) => Redirect::to(&format!("/orders/{order}")).into_response(),
        Err(AppError::NotFound | AppError::AccountNotOpen) => {
            Redirect::to(by_link.as_deref().unwrap_or("/records")).into_response()
        }
        Err(error) => Redirect::to(&format!("/records?e={}", error.code())).into_response(),
    }
}

/// The page of a link that a browser pays by, from its cookie, which leads nowhere else. The page checks the link itself.
fn link_page(cookie: &str) -> Option<&str> {
    Some(link::local(cookie)).filter(|page| page.starts_with("/p/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_leads_back_to_a_link_and_nowhere_else() {
        assert_eq!(link_page("/p/aB-9/019b"), Some("/p/aB-9/019b"));
        for cookie in ["", "/", "/records", "//evil.example/p/x", "https://evil.example/p/x", "/p/\\evil.example", "/p/a b"] {
            assert_eq!(link_page(cookie), None, "{cookie}");
        }
    }
}
