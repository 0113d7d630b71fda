//! The stream behind the meter wall: server-sent events, as the hub encodes them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use model::permission::Permission;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::AppState;
use super::session::RequestInfo;
use super::wall_access::WallRight;
use domain::wall_layout::WallScope;
use meters::live::WallStream;
use services::auth::hash;

/// Proxies close connections that are silent for longer.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The media type of the stream.
pub const EVENT_STREAM: &str = "text/event-stream";
/// Tells the browser how soon to reconnect.
const HELLO: &[u8] = b"retry: 2000\n\n";
const COMMENT: &[u8] = b":\n\n";

/// Streams the meters that the operator may see; of one profile where `profile` names it, as on the page. The access table allows
/// whoever may watch.
pub async fn stream(
    State(state): State<AppState>,
    Query(fields): Query<Vec<(String, String)>>,
    Extension(info): Extension<RequestInfo>,
) -> Response {
    let Some(who) = &info.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let scope = match queries::scope(&state.context.db, who.user).await {
        Ok(scope) => scope,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "live.scope_failed");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let profile = fields.iter().rfind(|(name, _)| name == "profile").map_or("", |(_, profile)| profile.as_str());
    let wall = WallResponse {
        watch: state.context.live.watch(&WallScope::new(scope.clone(), profile)),
        right: state.wall_access.right(hash(&info.visit.session), Permission::Watch, scope),
        stopping: state.stopping,
        hello: true,
        quiet_until: Instant::now() + KEEP_ALIVE,
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
    right: WallRight,
    stopping: CancellationToken,
    hello: bool,
    quiet_until: Instant,
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
        let bytes = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return None,
            () = self.right.lost() => return None,
            bytes = self.watch.next() => bytes,
            () = sleep_until(self.quiet_until) => Bytes::from_static(COMMENT),
        };
        self.quiet_until = Instant::now() + KEEP_ALIVE;
        Some(bytes)
    }
}
