//! Half-open connections do not stop the product.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_SECURITY_POLICY;
use story_support::site::until;
use story_support::web::Web;
use story_support::{World, both};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a half-open connection has sent.
const SENT: [&str; 4] = [
    "",
    "GET /health HTTP/1.1\r\nHost: x\r\n",
    "POST /api/auth/log-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nlogin=a",
    "POST /pay/alipay/notify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
];

/// The program, allowed to open only 600 files.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

both!(half_open_connections_leave_the_product_serving, |w: World| async move {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 600; exec \"$0\" serve", env!("CARGO_BIN_EXE_dormwatt")])
        .env("DORMWATT_SERVER__ADDRESS", address.to_string())
        .env("DORMWATT_DATABASE__URL", &w.url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let program = Program(child);
    let http = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(5)).build().unwrap();
    let health = || async {
        let answer = http.get(format!("http://{address}/health")).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    };
    until(Duration::from_secs(60), "the server", health).await;
    let mut held = Vec::new();
    for n in 0..1_200 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have closed it already.
        let _ = stream.write_all(SENT[n % SENT.len()].as_bytes()).await;
        held.push(stream);
        if n % 100 == 99 {
            assert!(health().await, "after {n} connections");
        }
    }
    for _ in 0..20 {
        assert!(health().await);
    }
    drop(program);
});

both!(half_open_connections_are_closed_in_time, |w: World| async move {
    let web = Web::start(&w).await;
    let address = web.base.strip_prefix("http://").unwrap().to_owned();
    let begun = Instant::now();
    let closing = SENT.map(|sent| {
        let address = &address;
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent.as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // Reset or closed: either ends it.
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
        }
    });
    // An idle connection after an answer is closed, too.
    let idle = async {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let all = async { tokio::join!(futures::future::join_all(closing), idle) };
    let (answers, answer) = tokio::time::timeout(Duration::from_secs(20), all).await.expect("closed");
    assert!(begun.elapsed() >= Duration::from_secs(9), "a slow caller has time: {:?}", begun.elapsed());
    assert_eq!(answers[2..], ["HTTP/1.1 408 Request Timeout", "HTTP/1.1 408 Request Timeout"].map(str::to_owned));
    assert!(answer.starts_with(b"HTTP/1.1 200"));
});

both!(payment_addresses_have_security_headers, |w: World| async move {
    let web = Web::start(&w).await;
    for path in ["/pay/alipay/notify", "/pay/nosuch/notify", "/pay/return", "/pay/nosuch"] {
        for answer in [web.visitor().program().get(path).await, web.visitor().program().post(path, "a=b").await] {
            assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY), "{path}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        }
    }
    // No channel is configured here, so each is unknown, by any method.
    for path in ["/pay/alipay/notify", "/pay/cash/notify", "/pay/nosuch/notify"] {
        assert_eq!(web.visitor().get(path).await.status(), 404, "{path}");
        assert_eq!(web.visitor().post(path, "a=b").await.status(), 404, "{path}");
    }
});
