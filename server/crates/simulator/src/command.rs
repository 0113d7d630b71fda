//! The command `dormwatt simulate`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::gateway::{BytePattern, Heartbeat};
use model::money::Fen;

use super::bus::BusTiming;
use super::estate::Estate;
use super::load::{Load, Profile, ProfileError};
use super::{Config, DialIn, StartError, start};
use domain::framing::Framing;
use meters::keys::{MasterKeys, ParseKeyError};
use meters::profile::Profiles;

/// Simulated gateways over Modbus TCP, TLS or transparent framing, with meters of any profile: wallets, relays, journals, and
/// faults on request.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of gateways.
    #[arg(long, default_value_t = 4)]
    pub gateways: u16,
    /// Number of meters behind each gateway.
    #[arg(long, default_value_t = 174, value_parser = clap::value_parser!(u8).range(1..=247))]
    pub meters: u8,
    /// Profile of the meters; several names, separated by commas, are used in turn. Only meters of profile rpp have a wallet; the
    /// relay of others is closed.
    #[arg(long, default_value = "rpp", value_delimiter = ',')]
    pub profile: Vec<String>,
    /// Directory of additional profiles (*.toml), like meters.profiles_dir of the configuration.
    #[arg(long, value_name = "DIR")]
    pub profiles: Option<String>,
    /// Framing of the gateways: modbus-tcp, modbus-tls, or transparent for raw bus bytes (Modbus RTU and DL/T 645).
    #[arg(long, default_value = "modbus-tcp", value_parser = framing)]
    pub framing: Framing,
    /// Writes the TLS certificate of the gateways to this file (PEM), for clients to trust; each start generates a new one.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// Address on which the gateways listen.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub host: IpAddr,
    /// Port of the first gateway, the others use the following ports; 0 picks free ports and logs them.
    #[arg(long, default_value_t = 5020)]
    pub port: u16,
    /// Lets the gateways dial in to this server instead of listening.
    #[arg(long, value_name = "HOST:PORT")]
    pub dial_in: Option<String>,
    /// What each gateway sends first when it dials in: text, or hexadecimal after hex:; {n} is its number, from 1.
    #[arg(long, default_value = "GW-{n}", requires = "dial_in")]
    pub registration: String,
    /// What a gateway that dials in sends every 30 seconds.
    #[arg(long, value_parser = pattern, requires = "dial_in")]
    pub heartbeat: Option<BytePattern>,
    /// What the server answers to that.
    #[arg(long, value_parser = pattern, requires = "heartbeat")]
    pub heartbeat_answer: Option<BytePattern>,
    /// Opens an account with this many yuan in every meter; without it no account is open and no power flows.
    #[arg(long, value_name = "YUAN", value_parser = amount)]
    pub credit: Option<i32>,
    /// Models the transmission time of a bus at this many bits per second; without it transactions take no time.
    #[arg(long, value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    pub baud: Option<u32>,
    /// Time from a request to its answer on the bus.
    #[arg(long, default_value_t = 20, requires = "baud")]
    pub turnaround_ms: u64,
    /// How long a gateway waits for a meter that does not answer.
    #[arg(long, default_value_t = 500, requires = "baud")]
    pub patience_ms: u64,
    /// Recorded load, CSV of hour,kwh,kvarh,volt; without it a built-in daily curve.
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// Share of the recorded load that a typical room draws; the default suits a household's load.
    #[arg(long, default_value_t = 0.2, requires = "load")]
    pub load_scale: f64,
    /// Speed of site time relative to the wall clock.
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// Keeps the state of the meters in this file; start again with the same arguments to continue.
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Serves the control interface at this address: inspect meters and inject faults over HTTP. It has no authentication.
    #[arg(long, value_name = "ADDR")]
    pub control: Option<SocketAddr>,
    /// Master key for encryption, version 1: 32 hexadecimal digits. Defaults to the keys of the configuration, or else to
    /// throw-away keys derived from the seed.
    #[arg(long, env = "DORMWATT_SIM_KEY_ENC", hide_env_values = true, requires_all = ["key_mac", "key_aes"])]
    pub key_enc: Option<String>,
    /// Master key for MACs, version 1: 32 hexadecimal digits.
    #[arg(long, env = "DORMWATT_SIM_KEY_MAC", hide_env_values = true, requires_all = ["key_enc", "key_aes"])]
    pub key_mac: Option<String>,
    /// Master key of version 2: 64 hexadecimal digits.
    #[arg(long, env = "DORMWATT_SIM_KEY_AES", hide_env_values = true, requires_all = ["key_enc", "key_mac"])]
    pub key_aes: Option<String>,
    /// Determines serial numbers, rooms and faults; the same seed gives the same ones.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// Why the simulator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Load(#[from] ProfileError),
    #[error(transparent)]
    Key(#[from] ParseKeyError),
    #[error(transparent)]
    Profiles(#[from] meters::profile::ProfileError),
    #[error("{}: {source}", .file.display())]
    Certificate { file: PathBuf, source: std::io::Error },
    #[error("--profile: there is no profile {0:?}")]
    Profile(String),
    /// An argument out of range.
    #[error("{0}")]
    Argument(&'static str),
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Runs until `stop` completes. Without keys in the arguments the meters use `keys`, or else throw-away ones.
///
/// # Errors
/// [`CommandError`] with the argument to change.
pub async fn run(args: Args, keys: Option<MasterKeys>, stop: impl Future<Output = ()>) -> Result<(), CommandError> {
    let simulator = start(config(&args, keys)?).await?;
    if let (Some(file), Some(pem)) = (&args.certificate, simulator.certificate()) {
        std::fs::write(file, pem).map_err(|source| CommandError::Certificate { file: file.clone(), source })?;
    }
    if let Some(server) = &args.dial_in {
        tracing::info!(server, gateways = args.gateways, "sim.gateways.dialling");
    }
    for (gateway, address) in simulator.addresses().iter().enumerate() {
        tracing::info!(gateway, %address, meters = args.meters, "sim.gateway.listening");
    }
    if let Some(address) = simulator.control {
        tracing::info!(%address, "sim.control.listening");
    }
    stop.await;
    simulator.stop().await;
    tracing::info!("sim.stopped");
    Ok(())
}

/// The configuration for these arguments.
///
/// # Errors
/// [`CommandError`] with the argument to change.
pub fn config(args: &Args, keys: Option<MasterKeys>) -> Result<Config, CommandError> {
    if !(0.001..=100_000.0).contains(&args.speed) {
        return Err(CommandError::Argument("--speed must be from 0.001 to 100000"));
    }
    if !(0.0..=1_000.0).contains(&args.load_scale) {
        return Err(CommandError::Argument("--load-scale must be from 0 to 1000"));
    }
    let keys = match (&args.key_enc, &args.key_mac, &args.key_aes) {
        (Some(enc), Some(mac), Some(aes)) => MasterKeys::parse(enc, mac, aes)?,
        _ => keys.unwrap_or_else(|| throw_away_keys(args.seed)),
    };
    let load = match &args.load {
        Some(file) => {
            let permille = (args.load_scale * 1_000.0).round() as u32;
            Load::Profile { profile: Arc::new(Profile::read(file)?), permille }
        }
        None => Load::Curve,
    };
    let bus = args.baud.map(|baud| BusTiming {
        baud,
        turnaround: Duration::from_millis(args.turnaround_ms),
        patience: Duration::from_millis(args.patience_ms),
    });
    let profiles = Profiles::load(args.profiles.as_deref())?;
    let heartbeat = args.heartbeat.clone().map(|pattern| Heartbeat { pattern, answer: args.heartbeat_answer.clone() });
    let registration = args.registration.clone();
    let dial_in = args.dial_in.clone().map(|server| DialIn { registration, heartbeat, ..DialIn::to(server) });
    Ok(Config {
        dial_in,
        profiles: Some(profiles.clone()),
        host: args.host,
        base_port: args.port,
        bus,
        load,
        speed: args.speed,
        state_file: args.state.clone(),
        seed: args.seed,
        control: args.control,
        ..Config::new(estate(args, &profiles)?, keys)
    })
}

/// The meters of the site, with profiles in turn.
fn estate(args: &Args, profiles: &Profiles) -> Result<Estate, CommandError> {
    let mut estate = Estate::uniform(args.seed, usize::from(args.gateways), args.meters);
    estate.gateways.iter_mut().for_each(|gateway| gateway.framing = args.framing);
    for ((_, plan), name) in estate.meters_mut().zip(args.profile.iter().cycle()) {
        let profile = profiles.get(name).ok_or_else(|| CommandError::Profile(name.clone()))?;
        if profile.secured.is_none() {
            *plan = plan.clone().plain(name.clone());
        } else if let Some(credit) = args.credit {
            *plan = plan.clone().in_use(credit);
        }
    }
    estate.add_instruments();
    Ok(estate)
}

fn framing(word: &str) -> Result<Framing, String> {
    Framing::parse(word).ok_or_else(|| "expected modbus-tcp, modbus-tls or transparent".into())
}

fn pattern(text: &str) -> Result<BytePattern, String> {
    BytePattern::parse(text).ok_or_else(|| "expected 1 to 64 bytes, as text or in hexadecimal after hex:".into())
}

fn amount(text: &str) -> Result<i32, String> {
    let fen = Fen::parse_yuan(text).map_err(|_| "expected yuan with at most two decimals, such as 100 or 63.20")?;
    i32::try_from(fen.0).map_err(|_| "a meter holds at most 21474836.47 yuan".into())
}

/// Keys derived from the seed alone; they protect nothing.
#[must_use]
pub fn throw_away_keys(seed: u64) -> MasterKeys {
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(b"dormwatt".iter().chain(&seed.to_be_bytes())) {
        *to = *from;
    }
    MasterKeys::generate(&domain::rng::Rng::from_seed(bytes))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(words: &[&str]) -> Result<Args, clap::Error> {
        Line::try_parse_from(std::iter::once(&"simulate").chain(words)).map(|line| line.args)
    }

    #[test]
    fn the_defaults_are_the_reference_site() {
        let config = config(&parse(&[]).unwrap(), None).unwrap();
        assert_eq!(config.estate.meters().count(), 696);
        assert_eq!((config.base_port, config.bus, config.speed), (5020, None, 1.0));
        assert_eq!(config.keys, throw_away_keys(1));
        assert!(config.estate.meters().all(|(_, meter)| meter.account.is_none()));
    }

    #[test]
    fn meters_may_start_with_credit() {
        let config = config(&parse(&["--credit", "63.20"]).unwrap(), None).unwrap();
        let (_, plan) = config.estate.meters().next().unwrap();
        let account = plan.account.unwrap();
        assert_eq!((account.remaining, account.count, account.number.to_string()), (6_320, 1, "1000260100000001".into()));
    }

    #[test]
    fn framing_and_profiles_are_configurable() {
        let words = ["--framing", "transparent", "--profile", "rpp,hiking-dds238", "--meters", "3", "--credit", "1"];
        let config = config(&parse(&words).unwrap(), None).unwrap();
        assert!(config.estate.gateways.iter().all(|gateway| gateway.framing == Framing::Transparent));
        let kinds: Vec<_> = config.estate.meters().take(3).map(|(_, plan)| (&*plan.profile, plan.account.is_some())).collect();
        assert_eq!(kinds, [("rpp", true), ("hiking-dds238", false), ("rpp", true)]);
    }

    #[test]
    fn invalid_arguments_are_named() {
        for words in [
            &["--meters", "0"][..],
            &["--meters", "248"],
            &["--turnaround-ms", "5"],
            &["--key-enc", "00"],
            &["--credit", "1e3"],
            &["--framing", "carrier-pigeon"],
            &["--credit", "21474836.48"],
            &["--registration", "GW-{n}"],
            &["--dial-in", "127.0.0.1:9100", "--heartbeat", "hex:0"],
        ] {
            assert!(parse(words).is_err(), "{words:?}");
        }
        let error = |words| config(&parse(words).unwrap(), None).err().unwrap().to_string();
        assert_eq!(error(&["--speed", "0"]), "--speed must be from 0.001 to 100000");
        assert_eq!(error(&["--speed", "NaN"]), "--speed must be from 0.001 to 100000");
        assert_eq!(error(&["--profile", "rpp,nix"]), "--profile: there is no profile \"nix\"");
        assert!(error(&["--load", "no/such.csv"]).contains("no/such.csv"));
        let bad_key = error(&["--key-enc", "s3cret", "--key-mac", "", "--key-aes", ""]);
        assert!(bad_key.contains("enc") && !bad_key.contains("s3cret"), "{bad_key}");
    }
}
