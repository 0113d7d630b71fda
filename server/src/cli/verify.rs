//! `dormwatt verify`: exit code 0 only where the books are true.

use std::process::ExitCode;

use super::Outcome;
use crate::config::Config;
use crate::startup::open_database;
use crate::store::verify;

pub async fn run(config: &Config) -> Outcome {
    let db = open_database(config).await?;
    let report = verify::verify(&db).await?;
    db.close().await;
    println!("{} audit lines, {} ledger accounts", report.audit_lines, report.ledger_accounts);
    for found in &report.differences {
        println!("{}: {}: expected {}, found {}", found.rule, found.subject, found.expected, found.found);
    }
    if report.differences.is_empty() {
        println!("The books are true.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} differences.", report.differences.len());
    Ok(ExitCode::FAILURE)
}
