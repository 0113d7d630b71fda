//! `dormwatt audit`: what a person keeps outside the database to prove later that no line was removed.

use std::process::ExitCode;

use clap::Subcommand;
use model::time::{Date, Timestamp};

use super::Outcome;
use crate::config::Config;
use crate::startup::open_existing_database;
use domain::clock::{Clock, SystemClock};
use store::audit::{self, Anchor};

#[derive(Subcommand)]
pub enum Audit {
    /// Print the last line of a day to sign and keep; the same day gives the same digest ever after
    Digest {
        /// `2026-11-30`, Shanghai; yesterday if not given
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
    },
}

pub async fn run(config: &Config, command: Audit) -> Outcome {
    let Audit::Digest { day } = command;
    let day = match day {
        Some(text) => Timestamp::parse_local(&text).ok_or("--day is not a day like 2026-11-30")?.date(),
        None => SystemClock.now().date().plus(-1),
    };
    let db = open_existing_database(config).await?;
    let anchor = audit::anchor_before(&db, end_of(day)).await?;
    db.close().await;
    match anchor {
        Some(anchor) => print!("{}", digest(day, &anchor)),
        None => println!("Audit digest of {day}: no lines yet."),
    }
    Ok(ExitCode::SUCCESS)
}

fn end_of(day: Date) -> Timestamp {
    day.plus(1).start()
}

/// The hash in groups of four digits, as a person compares them.
fn digest(day: Date, anchor: &Anchor) -> String {
    let hash = hex::encode(&anchor.hash);
    let groups: Vec<&str> = hash.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    let rows: Vec<String> = groups.chunks(8).map(|row| format!("  {}\n", row.join(" "))).collect();
    let (seq, at) = (anchor.seq, anchor.at);
    format!("Audit digest of {day}\n  lines up to {seq}, the last of {at}\n{}", rows.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_grouped_for_reading() {
        let anchor = Anchor { seq: 7, at: Timestamp(1_795_600_000_000), hash: vec![0xab; 32] };
        let text = digest(anchor.at.date(), &anchor);
        assert!(text.contains("lines up to 7") && text.matches(" abab abab").count() >= 2, "{text}");
        assert!(text.lines().all(|line| line.len() <= 60));
    }
}
