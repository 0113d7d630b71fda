//! `dormwatt calendar import`: public holidays from a file.

use std::path::PathBuf;
use std::process::ExitCode;

use model::friendly::{DayKind, HolidayFault, HolidayProblem};
use model::permission::Permission;

use super::Outcome;
use crate::config::Config;
use crate::startup::open_database;
use domain::clock::{Clock, SystemClock};
use domain::public_holidays::{self, MAX_BYTES};
use estate::friendly_hours;
use store::roles;

#[derive(clap::Subcommand)]
pub enum Calendar {
    /// Import public holidays and the working days that make up for them, in the place of all days from the first to the last
    Import(ImportArgs),
}

#[derive(clap::Args)]
pub struct ImportArgs {
    /// CSV with a date, "off" or "work", and a name in each line, or iCalendar; UTF-8
    file: PathBuf,
    /// The operator in whose name it is imported: a login name
    #[arg(long, value_name = "LOGIN")]
    by: String,
    /// Say what would be stored, and store nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(config: &Config, command: &Calendar) -> Outcome {
    let Calendar::Import(args) = command;
    let file = args.file.display();
    let size = std::fs::metadata(&args.file).map_err(|error| format!("{file}: {error}"))?.len();
    if size > MAX_BYTES as u64 {
        return Err(format!("{file}: larger than {MAX_BYTES} bytes").into());
    }
    let bytes = std::fs::read(&args.file).map_err(|error| format!("{file}: {error}"))?;
    let days = public_holidays::parse(&bytes).map_err(|problem| format!("{file}: {}", words(problem)))?;
    let count = |kind: DayKind| days.iter().filter(|one| one.kind == kind).count();
    println!("{} days off, {} working days", count(DayKind::DayOff), count(DayKind::WorkingDay));
    if args.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let db = open_database(config).await?;
    let who = roles::by_login(&db, &args.by).await?.ok_or_else(|| format!("no operator logs in as {}", args.by))?;
    if !who.may(Permission::Site) {
        return Err(format!("{} may not import the calendar", args.by).into());
    }
    friendly_hours::import(&db, SystemClock.now(), (who.user, &who.ip), &days).await?;
    db.close().await;
    Ok(ExitCode::SUCCESS)
}

fn words(problem: HolidayProblem) -> String {
    let what = match problem.fault {
        HolidayFault::Unreadable => "it is not UTF-8 text, or larger than 256 kB",
        HolidayFault::Day => "the first field is not a date such as 2027-01-01",
        HolidayFault::Kind => "the second field is neither \"off\" nor \"work\"",
        HolidayFault::Twice => "the same day is both a day off and a working day",
        HolidayFault::Event => "the event has no date, lasts more than 60 days, or repeats by a rule",
        HolidayFault::Count => "it has no dates, or more than 2,000",
    };
    if problem.line > 0 { format!("line {}: {what}", problem.line) } else { what.to_owned() }
}
