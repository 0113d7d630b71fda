//! `dormwatt simulate`: simulated gateways and meters as a process of their own.

use std::process::ExitCode;

use super::Outcome;
use super::serve::stop_signal;
use crate::config::Config;
use meters::keys::MasterKeys;
use simulator::command;

pub async fn run(config: &Config, args: command::Args) -> Outcome {
    let [enc, mac, aes] = [&config.keys.enc, &config.keys.mac, &config.keys.aes].map(|key| key.expose());
    let given = !(enc.is_empty() && mac.is_empty() && aes.is_empty());
    let keys = given.then(|| MasterKeys::parse(enc, mac, aes)).transpose()?;
    command::run(args, keys, stop_signal()).await?;
    Ok(ExitCode::SUCCESS)
}
