//! `dormwatt check`

use std::process::ExitCode;

use super::Outcome;
use crate::config::{Config, Secret};
use crate::startup::open_database;

pub async fn run(config: &Config) -> Outcome {
    println!("configuration: good");
    let db = open_database(config).await?;
    db.ping().await?;
    db.close().await;
    println!("database: good");
    let keys = [("keys.enc", &config.keys.enc, 16), ("keys.mac", &config.keys.mac, 16), ("keys.aes", &config.keys.aes, 32)];
    let wrong: Vec<String> = keys.into_iter().filter_map(|(name, key, bytes)| key_problem(name, key, bytes)).collect();
    for line in &wrong {
        println!("{line}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn key_problem(name: &str, key: &Secret, bytes: usize) -> Option<String> {
    match hex::decode(key.expose()) {
        Ok(key) if key.len() == bytes => None,
        Ok(key) if key.is_empty() => Some(format!("{name}: not given; meters that use it cannot be commanded")),
        _ => Some(format!("{name}: must be {bytes} bytes in hex")),
    }
}
