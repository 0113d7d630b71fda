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
use axum::http::header::CONTENT_TYPE;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use registry::{Connection, Registry};
use stream::{AnswerInProgress, TimedStream};

use super::live::EVENT_STREAM;
use crate::config;
pub use registry::Activity;

/// How long the head of a request may take, and how long a connection may be idle before it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// The same for a trusted proxy, which keeps idle connections for later requests: longer than the usual proxies do (nginx 60 s,
/// Go and Caddy 90 to 120 s), because a request that meets the end of its connection is an error for somebody.
const PROXY_HEAD_TIMEOUT: Duration = Duration::from_secs(150);
/// How long a caller may read nothing of an answer.
const LONGEST_READ_PAUSE: Duration = Duration::from_secs(30);
/// How long sending an answer may take. The largest are some megabytes; a phone with bad reception loads them in this time.
const LONGEST_ANSWER: Duration = Duration::from_secs(180);
/// Bounds what a connection may hold in memory, bytes. Longer than any head.
const MAX_BUFFER_BYTES: usize = 64 * 1024;
/// The pause after the machine could not accept a connection.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(100);

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
                    open.spawn(serve_connection(stream, peer, router.clone(), connection, stopping.clone()));
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "http.not_accepted");
                tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
            }
        }
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// One connection until either side closes it.
async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    connection: Connection,
    stopping: CancellationToken,
) {
    // An event of a live stream must not wait for the next one.
    let _ = stream.set_nodelay(true);
    let closed = connection.closed();
    let head_timeout = if connection.is_of_proxy() { PROXY_HEAD_TIMEOUT } else { HEAD_TIMEOUT };
    let answer = AnswerInProgress::default();
    let stream = TimedStream::new(stream, LONGEST_READ_PAUSE, answer.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut router, activity, answer) = (router.clone(), connection.activity(), answer.clone());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(activity.clone());
        async move {
            let response = router.call(request).await?;
            // A live stream has no end; its readers are operators.
            let is_endless = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == EVENT_STREAM);
            answer.begin((!is_endless).then(|| Instant::now() + LONGEST_ANSWER));
            if !is_endless {
                activity.answering();
            }
            Ok::<_, Infallible>(response.map(|body| AnswerBody { body, activity: Some(activity), answer }))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(MAX_BUFFER_BYTES);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
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

/// The body of an answer. When it has ended, or is given up, its request goes on until the rest of it has been sent.
struct AnswerBody {
    body: Body,
    activity: Option<Activity>,
    answer: AnswerInProgress,
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Some(activity) = self.activity.take() {
            self.answer.complete(activity);
        }
    }
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

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use futures::future::join_all;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpSocket;
    use tokio::time::timeout;

    use super::*;

    /// More than the buffers of two sockets hold.
    const BIG: usize = 64 * 1024 * 1024;

    async fn answer(activity: Extension<Activity>, bytes: usize) -> Vec<u8> {
        activity.begin();
        vec![b'x'; bytes]
    }

    /// Asks for this and reads at most so many bytes of the answer; none where the server closes the connection at once.
    async fn ask(address: SocketAddr, path: &str, most: usize) -> (TcpStream, usize) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        let (mut read, mut buffer) = (0, vec![0; most]);
        if stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.is_ok() {
            read = stream.read(&mut buffer).await.unwrap_or_default();
        }
        (stream, read)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn slow_readers_give_way_after_ten_seconds() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/big", get(|activity: Extension<Activity>| answer(activity, BIG)))
            .route("/small", get(|activity: Extension<Activity>| answer(activity, 1)));
        let server = config::Server { max_connections: 16, max_connections_per_address: 8, ..config::Server::default() };
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let serving = tokio::spawn(async move { serve(listener, router, &server, 10_000, &stop).await });
        let asked = Instant::now();
        let slow = join_all((0..8).map(|_| ask(address, "/big", 1))).await;
        assert!(slow.iter().all(|(_, read)| *read == 1));
        let begun = Instant::now();
        let is_served = || async { ask(address, "/small", 100).await.1 > 0 };
        assert!(!is_served().await, "all places are taken");
        while !is_served().await {
            assert!(begun.elapsed() < Duration::from_secs(25), "slow readers keep their places");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(asked.elapsed() > Duration::from_secs(8), "{:?}", asked.elapsed());
        drop(slow);
        stopping.cancel();
        timeout(Duration::from_secs(20), serving).await.expect("stopped").unwrap();
    }
}
