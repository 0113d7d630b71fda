//! `dormwatt migrate`: brings the database up to date and ends. Opening a database migrates it.

use std::process::ExitCode;

use super::Outcome;
use crate::config::Config;
use crate::startup::open_database;

pub async fn run(config: &Config) -> Outcome {
    let db = open_database(config).await?;
    db.close().await;
    println!("The database is up to date.");
    Ok(ExitCode::SUCCESS)
}
