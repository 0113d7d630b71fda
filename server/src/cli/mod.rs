//! The command line, one file a command.

mod admin;
mod audit;
mod calendar;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod logging;
mod migrate;
mod operators;
#[cfg(feature = "demo")]
mod sandbox;
mod serve;
#[cfg(feature = "demo")]
mod simulate;
mod site;
mod verify;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError};
use crate::startup::StartError;

/// A command's result; [`main`] prints the chain of causes.
pub type Outcome = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// Remote prepaid electricity for dormitories.
#[derive(Parser)]
#[command(name = "dormwatt", version, about)]
struct Cli {
    /// Configuration file (TOML); DORMWATT_SECTION__KEY in the environment wins over it
    #[arg(long, global = true, env = "DORMWATT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// A whole site to try: simulated meters, payments that cost nothing, and the server
    #[cfg(feature = "demo")]
    Demo(crate::demo::Args),
    /// Bring the database up to date and exit
    Migrate,
    /// Compare ledger, orders, commands, meters, the audit chain and every row's seal
    Verify(verify::Args),
    /// Keep proof of the audit chain outside the database
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Read the configuration and the meter profiles, open the database, and say what is missing
    Check(check::Args),
    /// Run simulated gateways and meters of any profile, over Modbus and DL/T 645
    #[cfg(feature = "demo")]
    Simulate(Box<simulator::command::Args>),
    /// Run a payment gateway for trying out: Alipay, WeChat Pay and UnionPay with throw-away keys, a cashier page, no money
    #[cfg(feature = "demo")]
    Sandbox(sandbox::Sandbox),
    /// Import places, gateways, meters, prices, accounts and residents from a workbook, or say what is wrong with it
    Import(site::ImportArgs),
    /// Write the site's workbook: importing it changes nothing
    Export(site::WriteArgs),
    /// Write a workbook to fill in
    Template(site::WriteArgs),
    /// Import the public holidays that friendly hours follow
    #[command(subcommand)]
    Calendar(calendar::Calendar),
    /// Keep the people who log in
    #[command(subcommand)]
    Admin(admin::Admin),
}

/// Runs the command.
#[must_use]
pub fn main() -> ExitCode {
    crate::allocator::fix_mmap_threshold();
    end_quietly_without_reader();
    // Databases, keys and state files are not for other users of the machine.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o027));
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dormwatt: {}", chain(&*error));
            // As for a wrong command line: what was entered is wrong, not the machine.
            let setting = matches!(error.downcast_ref(), Some(StartError::Setting(_)));
            if setting || error.is::<ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Whoever reads the output may have seen enough, as `head` has: the command ends as if the signal of the closed pipe had ended
/// it, which Rust ignores, and printing panics instead.
fn end_quietly_without_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to std") && said.contains("Broken pipe") {
            std::process::exit(128 + 13);
        }
        usual(panic);
    }));
}

fn run(cli: Cli) -> Outcome {
    let config = Config::load(cli.config.as_deref())?;
    logging::start(&config.log)?;
    // Rendering a page may block a worker: with a single one, two pages could wait for each other.
    let workers = std::thread::available_parallelism().map_or(4, usize::from).max(4);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => serve::run(&config, cli.config.as_deref()).await,
            #[cfg(feature = "demo")]
            Command::Demo(args) => demo::run(config, args).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Verify(args) => verify::run(&config, &args).await,
            Command::Audit(command) => audit::run(&config, command).await,
            Command::Check(args) => check::run(&config, cli.config.as_deref(), &args).await,
            #[cfg(feature = "demo")]
            Command::Simulate(args) => simulate::run(&config, *args).await,
            #[cfg(feature = "demo")]
            Command::Sandbox(args) => sandbox::run(args).await,
            Command::Import(args) => site::import(&config, &args).await,
            Command::Export(args) => site::export(&config, &args).await,
            Command::Template(args) => site::template(&config, &args).await,
            Command::Calendar(command) => calendar::run(&config, &command).await,
            Command::Admin(command) => admin::run(&config, command).await,
        }
    })
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let cause_text = error.to_string();
        // sqlx repeats its source in its own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        cause = error.source();
    }
    text
}
