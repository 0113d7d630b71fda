//! Serves connections with limits: how long a head, an answer and silence may take, and how many connections there are.
//!
//! Not `axum::serve`, which waits for a head and for a reader for ever, so that half-open connections use up all files.

mod registry;
mod stream;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use registry::{Connection, Registry};
use stream::TimedStream;

use crate::config;
pub use registry::Activity;

/// How long the head of a request may take, and how long a connection may be idle before it.
const HEAD: Duration = Duration::from_secs(10);
/// How long a caller may read nothing of an answer.
const READER: Duration = Duration::from_secs(30);
/// Bounds what a connection may hold in memory. Longer than any head.
const BUFFER: usize = 64 * 1024;
/// The pause after the machine could not accept a connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stopping`, then waits for the requests under way. `files` is how many files the process may open: the reserve of
/// them that databases, buses and channels need is never used for connections.
pub async fn serve(listener: TcpListener, router: Router, server: &config::Server, files: u64, stopping: &CancellationToken) {
    let registry = Registry::new(server, files);
    let open = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(connection) = registry.admit(peer.ip()) {
                    open.spawn(hold(stream, peer, router.clone(), connection, stopping.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "http.not_accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// One connection until either side closes it.
async fn hold(stream: TcpStream, peer: SocketAddr, router: Router, connection: Connection, stopping: CancellationToken) {
    // An event of a live stream must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let closed = connection.closed();
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, activity) = (router.clone(), connection.activity());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(activity.clone());
        async move {
            let response = router.call(request).await?;
            Ok::<_, Infallible>(response.map(|body| AnswerBody { body, _activity: activity }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(BUFFER);
    let mut serving = pin!(http.serve_connection(TokioIo::new(TimedStream::new(stream, READER)), service));
    let mut is_stopping = false;
    loop {
        tokio::select! {
            // How it ended is the caller's affair: mostly it went away.
            _ = serving.as_mut() => return,
            () = closed.cancelled() => return,
            () = stopping.cancelled(), if !is_stopping => {
                is_stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The body of an answer. The request is over when it has been sent or dropped.
struct AnswerBody {
    body: Body,
    _activity: Activity,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
