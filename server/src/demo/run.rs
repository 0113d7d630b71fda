//! Starts the parts in the order of their dependencies, and prints how to log in.

use std::error::Error;
use std::future::Future;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::past::FIRST_NUMBER;
use super::seed::{self, Seed};
use super::site::{self, Room};
use crate::config::{Config, Database, Keys, Server};
use crate::startup::{Application, open_database};
use domain::clock::SharedClock;
use domain::rng::Rng;
use domain::secret::Secret;
use estate::places;
use meters::config::Config as MeterConfig;
use meters::dlt645::Credentials;
use meters::keys::MasterKeys;
use notify::{MailConfig, MailTls, ModemConfig, NotifyConfig, PushConfig, RobotConfig, WechatConfig, WechatTemplateConfig};
use sandbox::Sandbox;
use services::auth::Passwords;
use simulator::command::throw_away_keys;
use simulator::gsm_modem::SimulatedModem;
use simulator::mail_server::SimulatedMailServer;
use simulator::notify_provider::SimulatedProvider;
use simulator::{BusTiming, LineFault, Load, Profile, Simulator};
use store::{Db, users};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The operator's login.
const OPERATOR: &str = "operator";
const SUPERVISOR: &str = "supervisor";
/// Everybody's password. It protects nothing: the demo listens on this machine unless configured otherwise.
const PASSWORD: &str = "dormwatt-demo";
/// The same seed gives the same rooms and meters.
const SEED: u64 = 1;

/// A whole site to try: 711 simulated meters, those of one building of several makes, payments that cost nothing, and the server.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the site listens; the sandbox and the simulator's control interface take the two ports after it, the gateways
    /// those from ten after it
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))]
    address: SocketAddr,
    /// How other devices reach this machine, e.g. 192.168.1.5 together with --address 0.0.0.0:8080
    #[arg(long)]
    host: Option<String>,
    /// Directory of the demo's data
    #[arg(long, default_value = "data/demo", value_name = "DIR")]
    data: PathBuf,
    /// A PostgreSQL database instead of the embedded one
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Delete the data of the last demo first
    #[arg(long)]
    fresh: bool,
    /// A recorded load of the rooms, CSV of hour,kwh,kvarh,volt; a built-in daily curve if not given
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// How many times faster than real time the clocks of the site and the server run
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Models the time on each bus at this baud rate; transactions take no time if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_200..=115_200))]
    baud: Option<u32>,
    /// Seconds between two readings of a meter; 0: as fast as the bus allows
    #[arg(long, default_value_t = 5, value_name = "SECONDS")]
    sweep: u64,
    /// Percentage of meters that do not answer
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=100))]
    dead: u8,
}

/// Runs the demo until `stop` is ready.
pub async fn run(args: Args, mut config: Config, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
    if args.fresh {
        delete_data(&args.data)?;
    }
    std::fs::create_dir_all(&args.data).map_err(|error| format!("{}: {error}", args.data.display()))?;
    let (rng, keys) = (Rng::from_system(), throw_away_keys(SEED));
    let host = args.host.clone().unwrap_or_else(|| host(args.address));
    let rooms = site::rooms(SEED);
    let load = load(args.load.as_deref())?;
    let simulator = simulator(&args, &rooms, load.clone(), keys.clone()).await?;
    silence(&simulator, &rooms, args.dead)?;
    let clock = simulator.clock();
    let mails = SimulatedMailServer::start().await?;
    let (sandbox, books) = (cashier(&args, clock.clone(), rng.clone()).await?, args.data.join("sandbox").join("books.json"));
    configure(&mut config, &args, &host, &keys, &sandbox);
    config.mail = mail(&mails);
    let modem = SimulatedModem::start(clock.clone())?;
    let provider = SimulatedProvider::start().await?;
    config.notify = messages(&provider, &modem, &args.data);
    // Only browsers of this machine reach the simulated WeChat.
    config.notify.wechat = args.address.ip().is_loopback().then(|| wechat(&provider));
    config.notify.public_url.clone_from(&config.server.public_url);
    // Somebody who confirmed this number asks for the balance.
    modem.receive(FIRST_NUMBER, "余额");

    let db = open_new_database(&config, &args).await?;
    if seed::is_needed(&db, OPERATOR).await? {
        println!("Building the demo's site, {} rooms and their last three months. This takes up to a minute ...", rooms.len());
        let password_hash = Passwords::new(rng.clone())?.hash(PASSWORD).await?;
        let gateways = simulator.addresses();
        let seed = Seed {
            rooms: &rooms,
            gateways,
            load: &load,
            password_hash: &password_hash,
            operator: OPERATOR,
            supervisor: SUPERVISOR,
            keys: sandbox.keys().clone(),
        };
        // The same random numbers each time: the past depends on the day and the time of day only.
        let past = seed::run(&db, &Rng::from_seed([1; 32]), clock.now(), &seed).await?;
        past.save_state(&books)?;
        past.stop().await;
        users::keep_passwords(&db).await?;
    }
    sandbox.restore_state(&books)?;
    db.close().await;

    let application = Application::build(&config, clock, rng).await?;
    greet(&config, &rooms, &sandbox, &simulator);
    let ended = application.run_until(stop).await;
    // Statements of past days must be available after a restart.
    sandbox.save_state(&books)?;
    sandbox.stop().await;
    // Last: the meters keep what was delivered to them.
    simulator.stop().await;
    Ok(ended?)
}

/// Opens the database. One that an interrupted first start left half filled is deleted before.
async fn open_new_database(config: &Config, args: &Args) -> Result<Db> {
    let db = open_database(config).await?;
    if args.database.is_some() || !seed::is_needed(&db, OPERATOR).await? || places::sites(&db).await?.is_empty() {
        return Ok(db);
    }
    db.close().await;
    delete_database(&args.data)?;
    Ok(open_database(config).await?)
}

fn configure(config: &mut Config, args: &Args, host: &str, keys: &MasterKeys, sandbox: &Sandbox) {
    let public_url = format!("http://{host}:{}", args.address.port());
    let database = args.database.clone().unwrap_or_else(|| format!("sqlite:{}", args.data.join("dormwatt.db").display()));
    config.server = Server { address: args.address, public_url: public_url.clone(), insecure_cookies: true, ..Server::default() };
    config.is_demo = true;
    config.database = Database { url: Secret::from(&*database) };
    config.keys = Keys {
        enc: Secret::from(&*hex::encode(keys.enc)),
        mac: Secret::from(&*hex::encode(keys.mac)),
        aes: Secret::from(&*hex::encode(keys.aes)),
    };
    config.meters = MeterConfig {
        sweep_interval_ms: args.sweep.saturating_mul(1_000),
        baud: args.baud.unwrap_or(0),
        dlt645: Credentials {
            password: hex::encode(simulator::DLT645_PASSWORD).as_str().into(),
            operator: hex::encode(simulator::DLT645_OPERATOR).as_str().into(),
        },
        ..MeterConfig::default()
    };
    config.pay = payments::Config {
        public_url,
        alipay: Some(sandbox.product_config(host)),
        // The real WeChat opens no sheet for a made-up application: there the page says to open a browser, where the sandbox is.
        wechat: Some(payments::WechatConfig { app_secret: None, ..sandbox.wechat_config(host) }),
        unionpay: Some(sandbox.unionpay_config(host)),
        ..payments::Config::default()
    };
}

/// E-mails of the demo go to a mail server that keeps them and sends nothing on.
fn mail(server: &SimulatedMailServer) -> MailConfig {
    MailConfig {
        host: server.address().ip().to_string(),
        port: server.address().port(),
        tls: MailTls::None,
        from: "dormwatt@example.org".to_owned(),
        ..MailConfig::default()
    }
}

/// Text messages go through a modem, those of the operators' group to a provider, which keep them and send nothing on. Devices
/// that are added really get theirs, where the demo reaches their push service.
fn messages(provider: &SimulatedProvider, modem: &SimulatedModem, data: &Path) -> NotifyConfig {
    let modem = ModemConfig {
        device: modem.path().display().to_string(),
        price: "0.045".to_owned(),
        per_minute: 60,
        ..ModemConfig::default()
    };
    let wecom = RobotConfig { url: provider.url("wecom").as_str().into(), ..RobotConfig::default() };
    let contact = "mailto:dormwatt@example.org".to_owned();
    let push = PushConfig { key_file: data.join("push.key"), contact, ..PushConfig::default() };
    NotifyConfig { modem: Some(modem), wecom: Some(wecom), push: Some(push), ..NotifyConfig::default() }
}

/// Where people who open the demo in a browser that calls itself WeChat log in.
fn wechat(provider: &SimulatedProvider) -> WechatConfig {
    let fields = [("thing1", "{room}"), ("amount2", "{balance}")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let template = WechatTemplateConfig { id: "demo".to_owned(), fields: fields.into() };
    WechatConfig {
        app_id: "wx2026113000000001".to_owned(),
        app_secret: "demo".into(),
        api: provider.url(""),
        sign_in: provider.url(""),
        templates: [("alarm-2".to_owned(), template)].into(),
        ..WechatConfig::default()
    }
}

async fn simulator(args: &Args, rooms: &[Room], load: Load, keys: MasterKeys) -> Result<Simulator> {
    let config = simulator::Config {
        base_port: after(args.address, 10)?.port(),
        bus: args.baud.map(BusTiming::at),
        load,
        speed: args.speed,
        state_file: Some(args.data.join("meters.state")),
        seed: SEED,
        control: Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), after(args.address, 2)?.port())),
        ..simulator::Config::new(site::estate(rooms), keys)
    };
    Ok(simulator::start(config).await?)
}

async fn cashier(args: &Args, clock: SharedClock, rng: Rng) -> Result<Sandbox> {
    let keys = sandbox::Keys::load_or_generate(&args.data.join("sandbox"))?;
    let config = sandbox::Config { address: after(args.address, 1)?, keys, speed: 10, clock, rng };
    Ok(sandbox::start(config).await?)
}

/// Makes a percentage of the meters not answer: the same ones every time, and never the room in the greeting.
fn silence(simulator: &Simulator, rooms: &[Room], percent: u8) -> Result<()> {
    for room in rooms.iter().skip(1).filter(|room| (room.plan.shape.seed >> 32) % 100 < percent.into()) {
        if let Some(meter) = simulator.meter(room.building, room.plan.unit) {
            meter.fault(LineFault::Silent, 1.0)?;
        }
    }
    Ok(())
}

fn load(file: Option<&Path>) -> Result<Load> {
    /// A dormitory room draws about a fifth of a household.
    const PERMILLE: u32 = 200;
    Ok(match file {
        Some(file) => Load::Profile { profile: Arc::new(Profile::read(file)?), permille: PERMILLE },
        None => Load::Curve,
    })
}

fn greet(config: &Config, rooms: &[Room], sandbox: &Sandbox, simulator: &Simulator) {
    let resident = rooms.first().map(Room::login).unwrap_or_default();
    println!("\nDormwatt's demo runs at  {}\n", config.server.public_url);
    println!("  operator   {OPERATOR:<10} password  {PASSWORD}");
    println!("  supervisor {SUPERVISOR:<10} password  {PASSWORD}   (approves what the operator asks for)");
    println!("  staff      wangli and chenjing sell, zhaoqiang looks after meters, lihua manages one building,");
    println!("             zhoujie closes the channels' days, sunmin audits");
    println!("  resident   {resident:<10} password  {PASSWORD}   (any room: building-room, e.g. 4-215)\n");
    println!("  payments   {} (a sandbox: nothing is charged)", sandbox.address());
    println!(
        "  refunds    http://{}/control (the channels' own console, where money goes back without the site)",
        sandbox.address()
    );
    if let Some(control) = simulator.control {
        println!("  meters     http://{control}/meters (look into them, break them: see server/crates/simulator/src/control.rs)");
    }
    println!("\nctrl-c stops the demo; the next start continues with its data.\n");
}

/// The host name by which a browser reaches the address.
fn host(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { "127.0.0.1".into() } else { address.ip().to_string() }
}

/// The address `ports` after this one.
fn after(address: SocketAddr, ports: u16) -> Result<SocketAddr> {
    let port = address.port().checked_add(ports).filter(|_| address.port() > 0);
    let port = port.ok_or("--address needs a port of its own with room for twenty after it, e.g. 127.0.0.1:8080")?;
    Ok(SocketAddr::new(address.ip(), port))
}

/// Deletes the files that a demo writes.
fn delete_data(data: &Path) -> std::io::Result<()> {
    delete_database(data)?;
    gone(std::fs::remove_file(data.join("meters.state")))?;
    gone(std::fs::remove_dir_all(data.join("sandbox")))
}

fn delete_database(data: &Path) -> std::io::Result<()> {
    ["dormwatt.db", "dormwatt.db-wal", "dormwatt.db-shm"]
        .into_iter()
        .try_for_each(|name| gone(std::fs::remove_file(data.join(name))))
}

/// What is not there need not be deleted.
fn gone(result: std::io::Result<()>) -> std::io::Result<()> {
    match result {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
