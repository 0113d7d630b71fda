//! The stream behind the meter wall: server-sent events, as the hub encodes them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use tokio::time::{Instant, sleep_until};

use super::AppState;
use super::session::RequestInfo;
use crate::services::auth::hash;
use meters::live::WallStream;
use store::{console, sessions};

/// Proxies close connections that are silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a wall may stay open after its session ended elsewhere.
const CHECK: Duration = Duration::from_secs(60);
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
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
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
    async fn may_stay(&self) -> bool {
        let session = sessions::find(&self.state.context.db, &hash(&self.token), self.state.context.now()).await;
        let user = match session {
            Ok(None) => return false,
            Ok(Some(session)) if session.role != model::person::Role::Resident => session.user_id,
            Ok(Some(_)) => return false,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "live.check_failed");
                return true;
            }
        };
        match console::scope(&self.state.context.db, user).await {
            // The browser reconnects and gets the new scope.
            Ok(scope) => scope == self.scope,
            Err(_) => true,
        }
    }
}
