//! Error responses: a browser gets a page and a program gets JSON, whatever layer refused.

use app::app::failure;
use app::link;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use leptos::server_fn::error::SERVER_FN_ERROR_HEADER;
use model::error::AppError;

use super::session::RequestInfo;
use super::{AppState, caller, context, log};

/// Whether the caller is a browser that shows the answer: some ask for anything (`*/*`) where a link leads to a file.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let has = |name: &str, word: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(word))
    };
    has(header::ACCEPT.as_str(), "text/html") || has("sec-fetch-mode", "navigate")
}

/// Gives bare error responses their body.
pub async fn render_errors(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let html = wants_html(request.headers());
    let (method, path, address) = (request.method().clone(), request.uri().path().to_owned(), caller::of(&request));
    let logged_path = log::path_of(&request);
    let info = request.extensions().get::<RequestInfo>().cloned();
    let page = html.then(|| copy_head(&request));
    let referrer = own_referrer(request.headers(), &state.server.public_url);
    let response = server_fn_status(next.run(request).await).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || has_body(&response) {
        return response;
    }
    let error = response.extensions().get::<AppError>().copied().unwrap_or_else(|| from_status(status));
    let who = info.as_ref().and_then(|info| info.who.as_ref()).map(|who| who.user);
    log::refusal(address, who, &logged_path, error);
    let Some(page) = page else { return (status, Json(error)).into_response() };
    if error == AppError::NotLoggedIn {
        return Redirect::to(&login_address((&method, &path), info, referrer.as_deref())).into_response();
    }
    if error == AppError::PasswordDue {
        return Redirect::to(&link::with("/password", "e", error.code())).into_response();
    }
    let site = state.site.clone();
    let provide = move || context::provide(&state);
    let render = leptos_axum::render_app_async_with_context(provide, move || failure(site.clone(), error));
    let mut rendered = render(page).await.into_response();
    *rendered.status_mut() = status;
    // From the refusing layer: the allowed methods and the time to wait.
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            rendered.headers_mut().insert(name, value.clone());
        }
    }
    rendered
}

/// Leptos answers every error of a server function with 500 or with a redirect that carries the error in its address. This sets
/// the error's own status.
async fn server_fn_status(response: Response) -> Response {
    if !response.headers().contains_key(SERVER_FN_ERROR_HEADER) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, 4096).await.unwrap_or_default();
    let error: AppError = serde_json::from_slice(&bytes).unwrap_or(AppError::Internal);
    parts.status = status(error);
    if parts.headers.remove(header::LOCATION).is_some() {
        // From a form: the body becomes a page.
        parts.headers.remove(header::CONTENT_TYPE);
    }
    parts.extensions.insert(error);
    Response::from_parts(parts, Body::from(bytes))
}

/// Ends a request; [`render_errors`] makes a page, a redirect or JSON of it.
pub struct Refused(pub AppError);

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = status(self.0).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

pub fn status(error: AppError) -> StatusCode {
    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The login page, which leads back to the page that was asked for, or to the page of the form that was posted: there the browser
/// fills in again what it kept. Of forms with passwords and codes, and of the site's own switches, it keeps nothing
/// (`app/src/forms.js`).
fn login_address((method, path): (&Method, &str), info: Option<RequestInfo>, referrer: Option<&str>) -> String {
    let here = info.map(|info| info.visit.here).unwrap_or_default();
    let is_kept = !path.starts_with("/api/auth/") && !path.starts_with("/api/site/");
    match (method, referrer) {
        (&Method::GET, _) => link::with("/login", "next", link::local(&here)),
        (_, Some(page)) if is_kept => link::with("/login?e=not-logged-in&form=kept", "next", &link::without_error(page)),
        (_, Some(page)) => link::with("/login?e=not-logged-in", "next", &link::without_error(page)),
        _ => "/login?e=not-logged-in".to_owned(),
    }
}

/// The page of this site that a request came from. A proxy may pass on another host than the one that browsers use.
fn own_referrer(headers: &HeaderMap, public_url: &str) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, rest) = text(header::REFERER)?.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/')?);
    let public = public_url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    let is_own = [text(header::HOST), public].contains(&Some(host)) && link::local(path) == path && !path.starts_with("/login");
    is_own.then(|| path.to_owned())
}

/// The head of a request, to render a page for it later.
fn copy_head(request: &Request) -> Request {
    let mut copy = Request::new(Body::empty());
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy
}

/// Pages and JSON are complete; the plain text of a layer is replaced.
fn has_body(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html") || kind.contains("json")
}

const fn from_status(status: StatusCode) -> AppError {
    match status.as_u16() {
        401 => AppError::NotLoggedIn,
        403 => AppError::Forbidden,
        404 | 405 => AppError::NotFound,
        408 | 502..=504 => AppError::Unavailable,
        429 => AppError::RateLimited,
        400..=499 => AppError::Invalid,
        _ => AppError::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(referrer: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, header::HeaderValue::from_static("meters.example:8080"));
        headers.insert(header::REFERER, header::HeaderValue::from_static(referrer));
        own_referrer(&headers, "https://dormwatt.example/meters/")
    }

    #[test]
    fn a_login_leads_back_to_pages_of_this_site_only() {
        assert_eq!(from("https://meters.example:8080/rooms/1?tab=2").as_deref(), Some("/rooms/1?tab=2"));
        for foreign in
            ["https://evil.example/rooms/1", "https://meters.example:8080", "https://meters.example:8080//evil", "x", ""]
        {
            assert_eq!(from(foreign), None, "{foreign}");
        }
        assert_eq!(from("https://meters.example:8080/login?next=/x"), None);
        assert_eq!(from("https://dormwatt.example/sales").as_deref(), Some("/sales"), "behind a proxy");
        assert_eq!(from("https://dormwatt.example:81/sales"), None);
    }
}
