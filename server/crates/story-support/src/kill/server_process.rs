//! The server process, which is killed and started again on the same port.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::redirect::Policy;

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
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("dormwatt.toml");
        std::fs::write(&config, text(site, port)).unwrap();
        let client =
            reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
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
        for _ in 0..600 {
            if let Ok(answer) = self.client.get(format!("{}/health/ready", self.base)).send().await
                && answer.status().is_success()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the server does not come back:\n{}", std::fs::read_to_string(self.dir.path().join("log")).unwrap());
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{}", lines[lines.len().saturating_sub(60)..].join("\n"));
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
[keys]
enc = "{enc}"
mac = "{mac}"
aes = "{aes}"
"#,
        database = site.database,
        channels = channels(&site.sandbox, PATIENCE_MS),
        enc = hex::encode(site.keys.enc),
        mac = hex::encode(site.keys.mac),
        aes = hex::encode(site.keys.aes),
    )
}
