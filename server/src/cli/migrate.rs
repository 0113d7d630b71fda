//! `dormwatt migrate`

use std::process::ExitCode;

use super::Outcome;
use crate::config::Config;
use crate::startup::StartError;
use crate::store::Db;

pub async fn run(config: &Config) -> Outcome {
    let db = Db::open(config.database.url.expose()).await.map_err(StartError::Database)?;
    db.close().await;
    println!("The database is up to date.");
    Ok(ExitCode::SUCCESS)
}
