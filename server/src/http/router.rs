//! The table of routes, and the layers around them.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use app::access::{self, Access, PAGES};
use app::app::{App, shell};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{MethodRouter, get, post};
use leptos_axum::{LeptosRoutes, generate_route_list};
use model::error::AppError;
use model::permission::Permission;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

use super::session::RequestInfo;
use super::{
    AppState, assets, body, caller, context, error, forms, health, holidays, installed, live, log, payer_return, personal_data,
    receipts, resident_api, security, session, upload, wechat,
};
use crate::config::Network;

const SETUP_PAGE: &str = "/setup";
/// An upload, which reads its body itself.
const UPLOAD: &str = "/api/operator/site/upload";
/// An upload too, which reads its body itself.
const LOGO: &str = "/api/operator/printing/logo";
/// An upload of public holidays, which reads its body itself.
const HOLIDAYS: &str = "/api/operator/settings/holidays";

/// Longer than any page takes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A route that is neither a page nor a server function.
pub type Route = (Cow<'static, str>, Access, MethodRouter<AppState>);

/// These routes; the access test walks them.
#[must_use]
pub fn routes() -> Vec<Route> {
    let fixed = vec![
        ("/", Access::Public, get(start)),
        ("/health", Access::Public, get(health::ready)),
        ("/health/live", Access::Public, get(health::live)),
        ("/health/ready", Access::Public, get(health::ready)),
        ("/live", Access::May(Permission::Watch), get(live::stream)),
        ("/account-batch.csv", Access::May(Permission::Watch), get(super::exports::account_batch)),
        ("/api/operator/account-batch-links", Access::May(Permission::Accounts), post(super::exports::batch_links)),
        ("/export-file", Access::Operator, get(super::exports::finished)),
        ("/overdrawn.csv", Access::May(Permission::Money), get(super::exports::overdrawn)),
        ("/usage.csv", Access::Resident, get(super::exports::usage)),
        ("/reconcile.csv", Access::May(Permission::Money), get(super::exports::reconciliation)),
        // For residents, and for who pays by a link, which it checks.
        ("/pay/return", Access::Public, get(payer_return::returned)),
        ("/pay/wechat/back", Access::Resident, get(wechat::back)),
        ("/me/alerts/wechat", Access::Resident, get(wechat::alerts)),
        ("/me/wechat/back", Access::Resident, get(wechat::bound)),
        ("/service-worker.js", Access::Public, get(installed::worker)),
        ("/site.xlsx", Access::May(Permission::Site), get(upload::export)),
        ("/import-changes.xlsx", Access::May(Permission::Site), get(upload::changes)),
        ("/found-meters.xlsx", Access::May(Permission::Gateways), get(upload::found_meters)),
        ("/template.xlsx", Access::May(Permission::Site), get(upload::template)),
        (UPLOAD, Access::May(Permission::Site), post(upload::upload)),
        (LOGO, Access::May(Permission::Site), post(receipts::set_logo)),
        (HOLIDAYS, Access::May(Permission::Site), post(holidays::import)),
        ("/receipt-logo.png", Access::Anyone, get(receipts::logo)),
        ("/own-receipt.pdf", Access::Resident, get(receipts::own_pdf)),
        ("/own-data.json", Access::Resident, get(personal_data::copy)),
        // The token in each request says whose figures they read.
        ("/api/v1/me/balance", Access::Public, get(resident_api::balance)),
        ("/api/v1/me/use", Access::Public, get(resident_api::use_by_day)),
        ("/api/v1/me/records", Access::Public, get(resident_api::records)),
        ("/receipt.pdf", Access::May(Permission::Money), get(receipts::pdf)),
        ("/invoices.xlsx", Access::May(Permission::Invoices), get(super::exports::invoices::download)),
    ];
    let fixed = fixed.into_iter().map(|(path, access, method)| (Cow::Borrowed(path), access, method));
    fixed.chain(super::exports::lists()).chain(super::exports::reports()).collect()
}

/// The whole server. `webhooks` are for channels that sign what they send: no session, no origin check, and their own limits.
pub fn build(state: AppState, webhooks: Router) -> Router {
    let pages = generate_route_list(App);
    let provide = {
        let state = state.clone();
        move || context::provide(&state)
    };
    let document = {
        let site = state.site.clone();
        move || shell(site.clone())
    };

    let mut table: HashMap<String, Access> = PAGES.iter().map(|&(path, access)| (axum_path(path), access)).collect();
    let mut router = Router::new().leptos_routes_with_context(&state, pages, provide, document);
    let mut uploads = Router::new();
    for (path, access, method) in routes() {
        if [UPLOAD, LOGO, HOLIDAYS].contains(&&*path) {
            uploads = uploads.route(&path, method);
        } else {
            router = router.route(&path, method);
        }
        table.insert(path.into_owned(), access);
    }
    let table = Arc::new(table);
    let guards = table.clone();
    let uploads = uploads
        .route_layer(from_fn(move |request: Request, next: Next| guard(guards.clone(), request, next)))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, upload::UPLOAD_TIMEOUT))
        .layer(origin_check(&state))
        .layer(from_fn(body::streamed));
    let guarded = router
        .route_layer(from_fn(move |request: Request, next: Next| guard(table.clone(), request, next)))
        .route_layer(from_fn_with_state(state.clone(), first_start))
        .fallback(assets::serve)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(origin_check(&state))
        .layer(from_fn(body::read))
        .merge(uploads)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), error::render_errors))
        .layer(from_fn_with_state(state.clone(), forms::restore))
        .layer(from_fn_with_state(state.clone(), session::read))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(state.clone(), security::headers))
        .with_state(state.clone());
    let proxies: Arc<[Network]> = state.server.trusted_proxies.clone().into();
    let webhooks = webhooks
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIMEOUT))
        .layer(from_fn(body::read))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state, security::headers));
    guarded.merge(webhooks).layer(from_fn(log::requests)).layer(from_fn_with_state(proxies, caller::read))
}

/// On a database without people every page leads to the set-up page.
async fn first_start(State(state): State<AppState>, request: Request, next: Next) -> axum::response::Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_page = path == "/" || PAGES.iter().any(|(page, _)| axum_path(page) == path);
    if is_page && path != SETUP_PAGE && error::wants_html(request.headers()) && state.ports.setup.is_open().await == Ok(true) {
        return Redirect::to(SETUP_PAGE).into_response();
    }
    next.run(request).await
}

/// Denies every route that is not in the access table.
async fn guard(table: Arc<HashMap<String, Access>>, request: Request, next: Next) -> axum::response::Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let access = table.get(path).copied().or_else(|| access::function(path));
    let Some(access) = access else {
        tracing::error!(path, "http.no_access_line");
        return AppError::Forbidden.into_refusal();
    };
    let info = request.extensions().get::<RequestInfo>();
    // The log-ins of people's own browsers are not for a machine that many use.
    if path.starts_with("/login") && info.is_some_and(|info| !info.visit.kiosk.is_empty()) {
        return Redirect::to("/kiosk").into_response();
    }
    let refused = match info {
        Some(info) if info.lookup_failed && access != Access::Public => Err(AppError::Unavailable),
        info => access.check(info.and_then(|info| info.who.as_ref())),
    };
    let at_kiosk = info.is_some_and(|info| info.visit.at_kiosk) && !access::is_open_at_kiosk(path);
    let refused = refused.and(if at_kiosk { Err(AppError::NotAtKiosk) } else { Ok(()) });
    let must_wait = |info: &RequestInfo| info.password_due && !access::is_open_before_password(path);
    let refused = refused.and(if info.is_some_and(must_wait) { Err(AppError::PasswordDue) } else { Ok(()) });
    match refused {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_refusal(),
    }
}

/// A bare response that [`error::render_errors`] turns into a page, a redirect or JSON.
pub(super) trait IntoRefusal {
    fn into_refusal(self) -> axum::response::Response;
}

impl IntoRefusal for AppError {
    fn into_refusal(self) -> axum::response::Response {
        let mut response = error::status(self).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// `/rooms/:id` as axum writes it.
fn axum_path(path: &str) -> String {
    let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Refuses requests that another site makes a browser send.
fn origin_check(state: &AppState) -> CsrfLayer {
    let layer = CsrfLayer::new();
    // Behind a proxy that rewrites Host, old browsers' forms would otherwise look foreign.
    let own_origin = &state.server.public_url;
    layer.clone().add_trusted_origin(own_origin).unwrap_or_else(|error| {
        tracing::warn!(%error, "http.public_url_is_no_origin");
        layer
    })
}

/// Redirects to the start page of the person's role.
async fn start(State(_): State<AppState>, request: Request) -> Redirect {
    let who = request.extensions().get::<RequestInfo>().and_then(|info| info.who.as_ref());
    Redirect::to(who.map_or("/login", access::start_page))
}

fn panicked(cause: Box<dyn Any + Send>) -> Response<Body> {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = text.unwrap_or("unknown"), "http.panicked");
    AppError::Internal.into_refusal()
}
