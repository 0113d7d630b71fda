//! The server process, which is killed and started again on the same port.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::rng::Rng;
use reqwest::redirect::Policy;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use super::site::Site;
use crate::channel_config::channels;

/// The server's time-out for a channel that executes a request and never answers.
const PATIENCE_MS: u64 = 800;

pub struct ServerProcess {
    pub base: String,
    pub client: reqwest::Client,
    program: &'static str,
    dir: tempfile::TempDir,
    config: PathBuf,
    process: Mutex<Option<Child>>,
    deaths: AtomicUsize,
}

impl ServerProcess {
    pub async fn start(site: &Site, program: &'static str) -> Self {
        let port = free_port();
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("dormwatt.toml");
        std::fs::write(&config, text(site, port)).unwrap();
        let client =
            reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let server = Self { base, client, program, dir, config, process: Mutex::new(None), deaths: AtomicUsize::new(0) };
        server.spawn();
        server.ready().await;
        server
    }

    pub async fn kill_and_restart(&self) {
        self.kill();
        self.deaths.fetch_add(1, Ordering::Relaxed);
        self.spawn();
        self.ready().await;
    }

    pub fn deaths(&self) -> usize {
        self.deaths.load(Ordering::Relaxed)
    }

    pub async fn end(&self) {
        self.kill();
    }

    /// SIGKILL: nothing is flushed, nothing is finished.
    fn kill(&self) {
        if let Some(mut child) = self.process.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    fn spawn(&self) {
        let log = File::options().create(true).append(true).open(self.dir.path().join("log")).unwrap();
        let child = Command::new(self.program)
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        *self.process.lock().unwrap() = Some(child);
    }

    async fn ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.has_ended() {
                // PostgreSQL may keep the session of a killed server for longer than the next one waits for its lock. A
                // supervisor starts that again.
                let is_locked = self.log().lines().next_back().is_some_and(|line| line.contains("another server runs"));
                assert!(is_locked, "the server ended:\n{}", self.log());
                self.spawn();
            }
            if let Ok(answer) = self.client.get(format!("{}/health/ready", self.base)).send().await
                && answer.status().is_success()
            {
                return;
            }
            sleep(Duration::from_millis(25)).await;
        }
        panic!("the server does not come back:\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Whether the process ended by itself.
    fn has_ended(&self) -> bool {
        self.process.lock().unwrap().as_mut().is_none_or(|child| child.try_wait().unwrap().is_some())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}

/// A free port below those of outgoing connections, one of which would keep the server from coming back on it.
fn free_port() -> u16 {
    let rng = Rng::from_system();
    loop {
        let port = 10_000 + rng.below(20_000) as u16;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn text(site: &Site, port: u16) -> String {
    format!(
        r#"
[server]
address = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
insecure_cookies = true
[database]
url = "{database}"
[meters]
sweep_interval_ms = 0
request_timeout_ms = 120
baud = 0
probe_cap_ms = 500
command_cap_ms = 500
[pay]
public_url = "http://127.0.0.1:{port}"
[pay.limits]
max_pending = 0
{channels}
[notify.sms]
url = "{sms}"
body = '{body}'
success_pointer = "/code"
success_value = "0"
per_minute = 60000
[keys]
enc = "{enc}"
mac = "{mac}"
aes = "{aes}"
"#,
        database = site.database,
        channels = channels(&site.sandbox, PATIENCE_MS),
        sms = site.provider.url("sms"),
        body = r#"{"mobile":"{phone}","content":"{text}","id":"{id}"}"#,
        enc = hex::encode(site.keys.enc),
        mac = hex::encode(site.keys.mac),
        aes = hex::encode(site.keys.aes),
    )
}
