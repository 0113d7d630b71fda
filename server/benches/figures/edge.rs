//! How much of a server strangers can occupy: how soon a page answers beside half-open connections, and how many guesses of a
//! burst at one account are evaluated.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use domain::clock::{Clock, SystemClock};
use domain::rng::Rng;
use domain::wall_layout::Scope;
use futures::future::try_join_all;
use model::person::Role;
use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use services::auth::Passwords;
use store::Db;
use store::users::{self, NewUser};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::database::Engine;
use crate::figure::Figure;
use crate::process::Process;
use crate::site::{PORT, answered};
use crate::{Length, Outcome};

const HALF_OPEN: usize = 1_100;
/// What a half-open connection has sent.
const SENT: [&str; 4] = [
    "",
    "GET /login HTTP/1.1\r\nHost: x\r\n",
    "POST /api/auth/log-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nlogin=a",
    "POST /pay/alipay/notify HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
];
const GUESSES: usize = 120;
const LOGIN: &str = "bench";

/// A server with the limits that every installation has, an operator, and 1,024 files.
struct Server {
    client: reqwest::Client,
    _process: Process,
    _directory: tempfile::TempDir,
}

impl Server {
    async fn start() -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let url = Engine::Sqlite.url(directory.path()).await?;
        let db = Db::open(&url).await?;
        let (rng, now) = (Rng::from_system(), SystemClock.now());
        let password_hash = Passwords::new(rng.clone())?.hash("correct horse battery").await?;
        let user =
            NewUser { role: Role::Manager, login: LOGIN, name: LOGIN, password_hash: &password_hash, buildings: &Scope::All };
        users::create(&db, &rng, now, &user, "bench").await?;
        db.close().await;
        let file = directory.path().join("dormwatt.toml");
        let server = format!("[server]\naddress = \"127.0.0.1:{PORT}\"\npublic_url = \"http://127.0.0.1:{PORT}\"\n");
        let rest = format!("insecure_cookies = true\n[database]\nurl = \"{url}\"\n[log]\nlevel = \"warn\"\n");
        std::fs::write(&file, server + &rest)?;
        let file = file.display().to_string();
        let words = ["-c", "ulimit -n 1024; exec \"$0\" serve --config \"$1\"", env!("CARGO_BIN_EXE_dormwatt"), &file];
        let log = directory.path().join("server.log");
        let process = Process::start_program(Path::new("/bin/sh"), &log, &words.map(str::to_owned))?;
        // Each request on a connection of its own, as a new caller has it.
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().pool_max_idle_per_host(0);
        let client = client.timeout(Duration::from_secs(30)).build()?;
        answered(&client, PORT, "health", &process).await?;
        Ok(Self { client, _process: process, _directory: directory })
    }

    /// Seconds until a page has been read.
    async fn page(&self) -> Outcome<f64> {
        let begun = Instant::now();
        let answer = self.client.get(format!("http://127.0.0.1:{PORT}/login")).header(ACCEPT, "text/html").send().await?;
        answer.error_for_status()?.text().await?;
        Ok(begun.elapsed().as_secs_f64())
    }

    /// Whether the guess was evaluated, or refused because there are too many.
    async fn guess(&self, n: usize) -> Outcome<bool> {
        let request = self.client.post(format!("http://127.0.0.1:{PORT}/api/auth/log-in")).header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = request.body(format!("login={LOGIN}&password=guess+{n}")).send().await?;
        let location = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
        if location.contains("bad-credentials") {
            Ok(true)
        } else if location.contains("rate-limited") {
            Ok(false)
        } else {
            Err(format!("a guess got {} {location}", answer.status()).into())
        }
    }
}

pub async fn half_open(length: Length) -> Outcome<Vec<Figure>> {
    // This process needs a file for the other end of each connection.
    let files = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: files, maximum: files })?;
    let server = Server::start().await?;
    let (mut slowest, mut held) = (server.page().await?, Vec::new());
    for (n, sent) in SENT.iter().cycle().take(HALF_OPEN).enumerate() {
        let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))).await?;
        // The server may have closed it already.
        let _ = stream.write_all(sent.as_bytes()).await;
        held.push(stream);
        if n % 50 == 49 {
            slowest = slowest.max(server.page().await?);
        }
    }
    for _ in 0..20 {
        slowest = slowest.max(server.page().await?);
    }
    tokio::time::sleep(length.seconds(60)).await;
    let mut left = 0.0;
    for stream in &mut held {
        left += f64::from(u8::from(is_open(stream).await));
    }
    let against = format!("{HALF_OPEN} half-open connections at 1,024 files");
    Ok(vec![
        Figure::at_most("edge.half_open", 2.0, "s", format!("slowest page beside {against}"), vec![slowest]),
        Figure::at_most(
            "edge.half_open.left",
            0.0,
            "count",
            format!("open after {:?}: {against}", length.seconds(60)),
            vec![left],
        ),
    ])
}

/// Whether the server has not closed it.
async fn is_open(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 1_024];
    loop {
        match tokio::time::timeout(Duration::from_millis(20), stream.read(&mut buffer)).await {
            Err(_) => return true,
            Ok(Ok(0) | Err(_)) => return false,
            Ok(Ok(_)) => {}
        }
    }
}

pub async fn burst(_length: Length) -> Outcome<Vec<Figure>> {
    let server = Server::start().await?;
    let evaluated = try_join_all((0..GUESSES).map(|n| server.guess(n))).await?.into_iter().filter(|evaluated| *evaluated).count();
    let against = format!("of {GUESSES} wrong passwords at once at one account");
    Ok(vec![Figure::at_most("auth.burst", 5.0, "count", against, vec![evaluated as f64])])
}
