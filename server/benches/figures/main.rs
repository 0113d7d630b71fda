//! `make bench`: measures the figures that the project promises, prints them as a table and writes `target/bench.json`.
//!
//! A part is one file that runs something and gives figures; [`PARTS`] lists them. Whatever could eat the measurement - the
//! simulated meters, the server itself - runs in a process of its own, and what a process takes is asked of the kernel.

mod alarms;
mod baseline;
mod browser;
mod bus;
mod database;
mod edge;
mod exports;
mod figure;
mod import;
mod ledger_reports;
mod messages;
mod money;
mod poll;
mod process;
mod proofs;
mod readings;
mod reports;
mod request_recorder;
mod search;
mod site;
mod wall;
mod web;

use std::error::Error;
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use figure::{Figure, print, store};

pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;
type Running = Pin<Box<dyn Future<Output = Outcome<Vec<Figure>>>>>;

/// Every part with its name, in the order in which they run.
const PARTS: &[(&str, fn(Length) -> Running)] = &[
    ("poll.healthy", |length| Box::pin(poll::healthy::run(length))),
    ("poll.flat_out", |length| Box::pin(poll::flat_out::run(length))),
    ("poll.dead", |length| Box::pin(poll::dead_meters::run(length))),
    ("poll.single_slot", |length| Box::pin(poll::single_slot::run(length))),
    ("poll.site", |length| Box::pin(poll::site_9600::run(length))),
    ("poll.latency", |length| Box::pin(poll::latency::run(length))),
    ("poll.misattributed", |length| Box::pin(poll::late_answers::run(length))),
    ("pay.webhook", |length| Box::pin(money::webhook::run(length))),
    ("pay.payouts", |length| Box::pin(money::payouts::run(length))),
    ("pay.to_meter", |length| Box::pin(money::to_meter::run(length))),
    ("ledger.posting_ratio", |length| Box::pin(money::posting::run(length))),
    ("edge.half_open", |length| Box::pin(edge::half_open(length))),
    ("auth.burst", |length| Box::pin(edge::burst(length))),
    ("notify", |length| Box::pin(messages::run(length))),
    ("alarm.engine_100k", |length| Box::pin(alarms::run(length))),
    ("import.10k", |length| Box::pin(import::run(length))),
    ("report", |length| Box::pin(reports::run(length))),
    ("report.ledger", |length| Box::pin(ledger_reports::run(length))),
    ("search.10k", |length| Box::pin(search::run(length))),
    ("wall.picture", |length| Box::pin(wall::picture::run(length))),
    ("wall.streams", |length| Box::pin(wall::streams::run(length))),
    ("web.resident", |length| Box::pin(web::resident::run(length))),
    ("web.ssr_ratio", |length| Box::pin(web::ssr::run(length))),
    ("kill.cycles", |length| Box::pin(proofs::kill::run(length))),
    ("sim.seeds", |length| Box::pin(proofs::seeds::run(length))),
    ("poll.scale_10k", |length| Box::pin(poll::scale::ten_thousand(length))),
    ("poll.scale_100k", |length| Box::pin(poll::scale::hundred_thousand(length))),
];

/// Measures the figures of Dormwatt.
#[derive(Parser)]
struct Args {
    /// Only parts whose name starts with this, such as poll or poll.scale
    #[arg(long, default_value = "")]
    only: String,
    /// Shorter and rougher
    #[arg(long)]
    short: bool,
    /// The file for the figures; those of other parts are kept
    #[arg(long, default_value = "target/bench.json")]
    out: std::path::PathBuf,
    /// Runs the baseline: reads meters without a server
    #[arg(long, hide = true)]
    bare: Option<String>,
    /// Serves the bare page: port and database
    #[arg(long, hide = true)]
    page: Option<String>,
    /// An argument that cargo passes to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// How long to measure.
#[derive(Clone, Copy)]
pub struct Length {
    /// Shorter and rougher.
    pub short: bool,
}

impl Length {
    /// This many seconds, or about a quarter.
    pub const fn seconds(self, full: u64) -> Duration {
        Duration::from_secs(if self.short { full.div_ceil(4) } else { full })
    }

    /// This count, or a tenth.
    pub const fn count(self, full: usize) -> usize {
        if self.short { full.div_ceil(10) } else { full }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match (&args.bare, &args.page) {
        (Some(task), _) => baseline::run(task),
        (_, Some(task)) => web::bare_page::serve(task),
        _ => return measure(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("what is measured beside: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn measure(args: &Args) -> ExitCode {
    let mut failed = false;
    for (name, run) in PARTS.iter().filter(|(name, _)| name.starts_with(&args.only)) {
        eprintln!("measuring {name} ...");
        match run(Length { short: args.short }).await {
            Ok(figures) => {
                print(&figures);
                if let Err(error) = store(&args.out, &figures) {
                    eprintln!("{}: {error}", Path::new(&args.out).display());
                    failed = true;
                }
            }
            Err(error) => {
                eprintln!("{name} could not be measured: {error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
