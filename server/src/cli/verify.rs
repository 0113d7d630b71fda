//! `dormwatt verify`: exit code 0 only where the books are consistent.

use std::process::ExitCode;

use app::api::ledger::TrialLine;
use model::money::Money;
use model::time::Timestamp;

use super::Outcome;
use crate::config::Config;
use crate::services::cash_desk::by_kind;
use crate::startup::open_database;
use domain::clock::{Clock, SystemClock};
use store::{ledger, verify};

#[derive(clap::Args)]
pub struct Args {
    /// Also print what every kind of account took and gave
    #[arg(long)]
    trial_balance: bool,
    /// Up to this instant, for the trial balance: `2026-11-30` (its end) or `2026-11-30 12:00`, Shanghai; now if not given
    #[arg(long, requires = "trial_balance", value_name = "INSTANT")]
    at: Option<String>,
}

pub async fn run(config: &Config, args: &Args) -> Outcome {
    let at = match &args.at {
        Some(text) => Timestamp::parse_local(text).ok_or("--at is neither a day nor an instant like 2026-11-30 12:00")?,
        None => SystemClock.now(),
    };
    let db = open_database(config).await?;
    let report = verify::verify(&db).await?;
    let balances = if args.trial_balance { Some(ledger::balances_at(&db, at).await?) } else { None };
    db.close().await;
    if let Some(balances) = balances {
        print_balance(at, &by_kind(&balances)?);
    }
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

fn print_balance(at: Timestamp, lines: &[TrialLine]) {
    println!("Trial balance at {at}, yuan");
    println!("{:<24}{:>18}{:>18}{:>18}", "account", "debits", "credits", "balance");
    let print = |name: &str, debits: Money, credits: Money| {
        println!("{name:<24}{:>18}{:>18}{:>18}", debits.to_string(), credits.to_string(), (debits - credits).to_string());
    };
    for line in lines {
        print(&line.kind.code(), line.debits, line.credits);
    }
    print("sum", lines.iter().map(|line| line.debits).sum(), lines.iter().map(|line| line.credits).sum());
}
