//! `dormwatt check`: what is wrong with the configuration, its files and the meter profiles, and what the site still lacks.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use app::i18n::{Lang, setup};
use model::setup::Checklist;
use model::time::Timestamp;

use super::Outcome;
use crate::config::{Config, permissions, trial};
use crate::startup::{StartError, open_database};
use domain::clock::{SharedClock, SystemClock};
use domain::rng::Rng;
use domain::secret::Secret;
use meters::profile::{Area, Profile, Profiles, Protocol};
use meters::{OwnCertificate, usable};
use notify::{Channels, Mailer};
use payments::expiry::Expiry;
use payments::{Channel, ChannelFault, Merchant};
use services::checklist;

#[derive(clap::Args)]
pub struct Args {
    /// Try this meter profile alone, and say how such a meter would be read
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

pub async fn run(config: &Config, file: Option<&Path>, args: &Args) -> Outcome {
    if let Some(file) = &args.profile {
        describe_profile(&Profile::open(&file.display().to_string())?);
        return Ok(ExitCode::SUCCESS);
    }
    let profiles = Profiles::load(config.meters.profiles_dir.as_deref())?;
    println!("meter profiles: {}", profiles.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>().join(", "));
    let clock: SharedClock = Arc::new(SystemClock);
    let merchants = config.pay.merchants(&clock, &Rng::from_system()).map_err(|error| StartError::Setting(error.to_string()))?;
    for merchant in &merchants.working {
        println!("payment channel: {}", describe_channel(merchant, clock.now()));
    }
    let mut wrong: Vec<String> = merchants.faults.iter().map(describe_fault).collect();
    let mailer = match Mailer::new(&config.mail) {
        Ok(Some(mailer)) => {
            println!("e-mail: through {}", config.mail.host);
            Some(mailer)
        }
        Ok(None) => {
            println!("e-mail: no mail server (mail.host); saved reports are not sent");
            None
        }
        Err(error) => {
            wrong.push(format!("e-mail: {error}"));
            None
        }
    };
    let (channels, faults) = Channels::new(&config.notify, mailer.as_ref());
    let names: Vec<&str> = channels.iter().map(|channel| channel.channel().as_str()).collect();
    println!("messages to people: {}", if names.is_empty() { "none (mail, notify)".to_owned() } else { names.join(", ") });
    wrong.extend(faults.iter().map(ToString::to_string));
    if wrong.is_empty() {
        println!("configuration: good");
    }
    let db = open_database(config).await?;
    db.ping().await?;
    println!("database: good");
    wrong.extend(usable::problems(&db, &config.meters, &profiles).await?);
    wrong.extend(describe_own_certificates(config, clock.now()));
    print_checklist(&checklist::read(&db, clock.now(), &merchants.working).await?);
    db.close().await;
    let keys = [("keys.enc", &config.keys.enc, 16), ("keys.mac", &config.keys.mac, 16), ("keys.aes", &config.keys.aes, 32)];
    wrong.extend(keys.into_iter().filter_map(|(name, key, bytes)| key_problem(name, key, bytes)));
    match &config.watch.backup_directory {
        Some(directory) => println!("backups: the newest file in {} is watched", directory.display()),
        None => println!("backups: none is watched (watch.backup_directory); nobody is told when they stop"),
    }
    if !config.audit.key()?.is_given() {
        println!("audit.key_file: not given; whoever can write to the database can also forge the audit chain");
    }
    wrong.extend(permissions::problems(config, file));
    wrong.extend(trial::reasons(config));
    wrong.extend(trial::simulated_wechat(config).map(str::to_owned));
    for line in &wrong {
        println!("{line}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the site still lacks, as the console's first page says it.
fn print_checklist(list: &Checklist) {
    for progress in &list.steps {
        let mark = if progress.done { "done" } else { "missing" };
        println!("site: {}: {mark}; {}", setup::step(progress.step, Lang::En).name, setup::progress(progress, Lang::En));
    }
}

fn describe_fault(fault: &ChannelFault) -> String {
    let ChannelFault { channel, current, error } = fault;
    let channel = channel.as_str();
    if *current {
        format!("payment channel: {channel} takes no payments, because {error}")
    } else {
        format!("former merchant: {channel} answers nothing about payments to it, because {error}")
    }
}

/// A channel's name, its merchant, and until when its certificates are valid.
fn describe_channel(channel: &Merchant, now: Timestamp) -> String {
    let ends = channel.expiries().into_iter().map(|expiry| format!(", {}", describe_end(&expiry, now)));
    let former = if channel.is_current() { "" } else { "former merchant " };
    format!("{} for {former}{}{}", channel.tender().as_str(), channel.terms().seller_id, ends.collect::<String>())
}

/// Says until when the certificates are valid that this server shows to gateways; returns those that cannot be used, and why.
fn describe_own_certificates(config: &Config, now: Timestamp) -> Vec<String> {
    let mut wrong = Vec::new();
    for own in OwnCertificate::all(&config.meters) {
        match own.in_use() {
            Ok(shown) => println!("own certificate: {}", describe_end(&Expiry { key: own.name(), at: shown.until }, now)),
            Err(error) => wrong.push(format!(
                "own certificate: {}; a server that runs already keeps showing the one that it loaded",
                error.explained()
            )),
        }
    }
    wrong
}

fn describe_end(expiry: &Expiry, now: Timestamp) -> String {
    let near = expiry.state(now).map(|state| format!(" ({})", state.as_str())).unwrap_or_default();
    format!("{} until {}{near}", expiry.key, expiry.at)
}

/// How a meter of this profile is read, and what is not known of it.
fn describe_profile(profile: &Profile) {
    println!("{}: {}", profile.name, profile.title);
    match (profile.protocol, &profile.dlt645) {
        (Protocol::Dlt645, Some(dlt645)) => {
            for item in &dlt645.items {
                println!("  asks {:08X} for {:?}", item.di, item.field);
            }
        }
        _ => {
            for read in &profile.plan.whole {
                let area = if read.area == Area::Input { "input" } else { "holding" };
                println!("  reads {} {area} registers from {:#06X}", read.count, read.address);
            }
        }
    }
    for unknown in &profile.unknown {
        println!("  not known: {unknown}");
    }
    println!("profile: good");
}

fn key_problem(name: &str, key: &Secret, bytes: usize) -> Option<String> {
    match hex::decode(key.expose()) {
        Ok(key) if key.len() == bytes => None,
        Ok(key) if key.is_empty() => Some(format!("{name}: not given; meters that use it cannot be commanded")),
        _ => Some(format!("{name}: must be {bytes} bytes in hex")),
    }
}
