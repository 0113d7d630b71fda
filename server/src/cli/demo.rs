//! `dormwatt demo`: a whole simulated site; see `crate::demo`.

use std::process::ExitCode;

use super::Outcome;
use super::serve::stop_signal;
use crate::config::Config;
use crate::demo;

pub async fn run(config: Config, args: demo::Args) -> Outcome {
    demo::run(args, config, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}
