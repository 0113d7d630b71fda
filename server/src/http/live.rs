//! The stream behind the meter wall: server-sent events, as the hub encodes them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use model::person::Role;
use tokio::time::{Instant, sleep_until, timeout};

use super::AppState;
use super::session::RequestInfo;
use crate::services::auth::hash;
use meters::live::WallStream;
use store::{console, sessions};

/// Proxies close connections that are silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often it is checked that the session is open and sees the same buildings: a wall ends within a second. Asked of the
/// database, because another process may have changed it.
const CHECK: Duration = Duration::from_millis(700);
/// How long a check may take; one that takes longer counts as a failing database.
const PATIENCE: Duration = Duration::from_secs(5);
/// The media type of the stream.
pub const EVENT_STREAM: &str = "text/event-stream";
/// Tells the browser how soon to reconnect.
const HELLO: &[u8] = b"retry: 2000\n\n";
const COMMENT: &[u8] = b":\n\n";

/// Streams the meters that the operator may see. The access table allows operators only.
pub async fn stream(State(state): State<AppState>, Extension(info): Extension<RequestInfo>) -> Response {
    let Some(who) = &info.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let scope = match console::scope(&state.context.db, who.user).await {
        Ok(scope) => scope,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "live.scope_failed");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let now = Instant::now();
    let wall = WallResponse {
        watch: state.context.live.watch(&scope),
        scope,
        token: info.visit.session,
        state,
        hello: true,
        quiet_until: now + KEEP_ALIVE,
        check_at: now + CHECK,
        is_check_failing: false,
    };
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would hold the events back to fill its buffer.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(wall.events())).into_response()
}

struct WallResponse {
    watch: WallStream,
    scope: domain::wall_layout::Scope,
    token: String,
    state: AppState,
    hello: bool,
    quiet_until: Instant,
    check_at: Instant,
    /// Logged once, not at each check.
    is_check_failing: bool,
}

impl WallResponse {
    fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        futures::stream::unfold(self, |mut wall| async move { wall.next().await.map(|bytes| (Ok(bytes), wall)) })
    }

    /// The next bytes; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if std::mem::take(&mut self.hello) {
            return Some(Bytes::from_static(HELLO));
        }
        loop {
            tokio::select! {
                biased;
                () = self.state.stopping.cancelled() => return None,
                () = sleep_until(self.check_at) => {
                    if !self.may_stay().await {
                        return None;
                    }
                    self.check_at = Instant::now() + CHECK;
                }
                bytes = self.watch.next() => {
                    self.quiet_until = Instant::now() + KEEP_ALIVE;
                    return Some(bytes);
                }
                () = sleep_until(self.quiet_until) => {
                    self.quiet_until = Instant::now() + KEEP_ALIVE;
                    return Some(Bytes::from_static(COMMENT));
                }
            }
        }
    }

    /// Whether the session is still open and sees the same buildings. A failing database does not end the stream, because the
    /// wall is needed most then.
    async fn may_stay(&mut self) -> bool {
        let checked = timeout(PATIENCE, self.check()).await;
        let failed = match checked {
            Ok(Ok(may_stay)) => {
                self.is_check_failing = false;
                return may_stay;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "timed out".to_owned(),
        };
        if !std::mem::replace(&mut self.is_check_failing, true) {
            tracing::warn!(error = failed, "live.check_failed");
        }
        true
    }

    async fn check(&self) -> store::Result<bool> {
        let context = &self.state.context;
        let Some(session) = sessions::find(&context.db, &hash(&self.token), context.now()).await? else { return Ok(false) };
        // The browser reconnects and gets the new scope.
        let scope = console::scope(&context.db, session.user_id).await?;
        Ok(session.role != Role::Resident && scope == self.scope)
    }
}
