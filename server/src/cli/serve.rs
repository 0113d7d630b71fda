//! `dormwatt serve`: warns of what is insecure, starts the server, and stops it in order at a signal.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::Outcome;
use crate::config::{Config, Server, permissions, trial};
use crate::startup::Application;
use domain::clock::SystemClock;
use domain::rng::Rng;

pub async fn run(config: &Config, file: Option<&Path>) -> Outcome {
    for problem in permissions::problems(config, file) {
        tracing::warn!(problem, "files.open_to_others");
    }
    for reason in trial::reasons(config) {
        tracing::warn!(reason, "payments.not_real: NOBODY IS CHARGED, and every page says so");
    }
    if let Some(reason) = trial::simulated_wechat(config) {
        tracing::warn!(reason, "log_ins.not_real");
    }
    let application = Application::build(config, Arc::new(SystemClock), Rng::from_system()).await?;
    println!("Dormwatt listens on http://{}", application.address());
    if let Some(token) = application.setup_token() {
        println!(
            "Nobody can log in yet. Set this site up, within a day and once: {}/setup?token={token}",
            site_address(config, &application)
        );
    }
    application.run_until(stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}

/// How a browser reaches the site: the public address where one is configured, else the one that the server listens on.
fn site_address(config: &Config, application: &Application) -> String {
    if config.server.public_url != Server::default().public_url {
        return config.server.public_url.clone();
    }
    let mut address = application.address();
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// Ready when the process is asked to stop: ctrl-c, or SIGTERM from a supervisor.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tracing::error!("signals.unavailable");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
