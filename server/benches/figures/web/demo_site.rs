//! The demo with a resident who is logged in.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::redirect::Policy;

use crate::Outcome;
use crate::process::Process;
use crate::site::{PORT, answered, log_in};

/// Ends when dropped.
pub struct DemoSite {
    pub server: Process,
    /// Of the resident's session.
    pub cookie: String,
    pub client: reqwest::Client,
    pub directory: tempfile::TempDir,
}

impl DemoSite {
    /// Its meters are read once an hour, so that polling takes no part.
    pub async fn start() -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)).to_string();
        let data = directory.path().join("data").display().to_string();
        let words = ["demo", "--address", &address, "--data", &data, "--sweep", "3600", "--dead", "0"];
        let server = Process::start(&directory.path().join("demo.log"), &words.map(str::to_owned))?;
        answered(&client, PORT, "health/ready", &server).await?;
        let cookie = log_in(&client, PORT, "3-101", "dormwatt-demo").await?;
        Ok(Self { server, cookie, client, directory })
    }

    /// The address of its database.
    pub fn database(&self) -> String {
        format!("sqlite:{}", self.directory.path().join("data").join("dormwatt.db").display())
    }
}
