//! `dormwatt verify`: exit code 0 only where the books are consistent.

use std::process::ExitCode;

use app::api::ledger::TrialLine;
use model::money::Money;
use model::time::Timestamp;

use super::Outcome;
use crate::anchors;
use crate::config::Config;
use crate::startup::open_existing_database;
use domain::clock::{Clock, SystemClock};
use services::cash_desk::by_kind;
use store::{audit, ledger};

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
    let db = open_existing_database(config).await?;
    let mut report = verify::verify(&db).await?;
    if let Some(file) = &config.audit.anchor_file {
        let kept = anchors::read(file)?;
        println!("{} anchors in {}", kept.len(), file.display());
        let missing = audit::missing_anchors(&db, &kept).await?;
        report.differences.extend(missing.into_iter().map(verify::Difference::missing_anchor));
    }
    let balances = if args.trial_balance { Some(ledger::balances_at(&db, at).await?) } else { None };
    db.close().await;
    if let Some(balances) = balances {
        print_balance(at, &by_kind(&balances)?);
    }
    let verify::Report { audit_lines, ledger_accounts, sealed_rows, .. } = report;
    println!("{audit_lines} audit lines, {ledger_accounts} ledger accounts, {sealed_rows} sealed rows");
    if !config.audit.key()?.is_given() {
        println!("No audit.key_file: whoever can write to the database can also forge the audit chain and the seals.");
    }
    if !report.set_aside.is_empty() {
        println!("{} open cases: what these meters show was not compared with the ledger.", report.set_aside.len());
    }
    for verify::SetAside { serial, kind, since } in &report.set_aside {
        println!("  meter {serial}: {} since {since}", kind.as_str());
    }
    for found in &report.differences {
        println!("{}: {}: expected {}, found {}", found.rule.as_str(), found.subject, found.expected, found.found);
    }
    if report.differences.is_empty() {
        println!("Everything agrees.");
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
