//! A site to measure: simulated gateways in one process, the server in another, and a client of the live stream.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use domain::rng::Rng;
use domain::wall_layout::Scope;
use estate::places::{self, NewPlace};
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::money::Fen;
use model::person::Role;
use model::place::PlaceKind;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;
use services::auth::Passwords;
use simulator::Estate;
use simulator::command::throw_away_keys;
use store::accounts::{self, NewResident, TakeOver};
use store::meters::{NewGateway, NewMeter, add_gateway, add_meter};
use store::users::{self, NewUser};
use store::{Db, Tx};
use uuid::Uuid;

use crate::Outcome;
use crate::baseline::{self, Baseline};
use crate::bus::Bus;
use crate::database::{self, Engine};
use crate::process::Process;
use crate::readings::Readings;
use crate::request_recorder::RequestRecorder;

/// The seed of the simulated meters and their serial numbers.
const SEED: u64 = 1;
/// The server's port; the simulator's control interface and the gateways take those after it.
pub const PORT: u16 = 24_000;
const PASSWORD: &str = "correct horse battery";

/// What to build.
#[derive(Clone, Copy)]
pub struct Plan {
    pub gateways: u16,
    pub meters: u8,
    /// `None`: transactions take no time.
    pub bus: Option<Bus>,
    /// The sweep interval, s; 0: as often as the bus allows.
    pub sweep_s: u64,
    /// Whether rooms have accounts and credit.
    pub sells: bool,
    /// Whether requests on the buses are recorded.
    pub records: bool,
    pub engine: Engine,
}

/// A meter of the site.
#[derive(Clone, Copy)]
pub struct Meter {
    pub id: MeterId,
    /// Index of its gateway.
    pub gateway: usize,
    pub unit: u8,
}

/// The running processes, which end when dropped.
pub struct Site {
    pub meters: Vec<Meter>,
    plan: Plan,
    /// One per gateway, where the plan records.
    pub recorders: Vec<RequestRecorder>,
    pub server: Process,
    simulator: Process,
    client: reqwest::Client,
    /// Of the session of an operator who may see everything.
    pub cookie: String,
    pub db: Db,
    _directory: tempfile::TempDir,
}

impl Site {
    /// Builds and starts it.
    pub async fn start(plan: Plan) -> Outcome<Self> {
        Self::start_with(plan, "").await
    }

    /// With `more` in the configuration file.
    pub async fn start_with(plan: Plan, more: &str) -> Outcome<Self> {
        let directory = tempfile::tempdir()?;
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
        let simulator = Process::start(&directory.path().join("simulator.log"), &simulator(plan))?;
        answered(&client, PORT + 1, "time", &simulator).await?;
        let gateways = (0..plan.gateways).map(|n| SocketAddr::from((Ipv4Addr::LOCALHOST, PORT + 10 + n)));
        let (mut recorders, mut ports) = (Vec::new(), Vec::new());
        for gateway in gateways {
            if plan.records {
                let (recorder, port) = RequestRecorder::start(gateway).await?;
                recorders.push(recorder);
                ports.push(port);
            } else {
                ports.push(gateway.port());
            }
        }
        let url = plan.engine.url(directory.path()).await?;
        let db = Db::open(&url).await?;
        let meters = seed(&db, plan, &ports).await?;
        let config = directory.path().join("dormwatt.toml");
        std::fs::write(&config, configuration(plan, &url) + more)?;
        let serve = ["serve".to_owned(), "--config".to_owned(), config.display().to_string()];
        let server = Process::start(&directory.path().join("server.log"), &serve)?;
        answered(&client, PORT, "health/ready", &server).await?;
        let mut site =
            Self { meters, plan, recorders, server, simulator, client, cookie: String::new(), db, _directory: directory };
        site.watch().await?;
        Ok(site)
    }

    /// Logs in and keeps a live stream open.
    async fn watch(&mut self) -> Outcome<()> {
        self.cookie = log_in(&self.client, PORT, "bench", PASSWORD).await?;
        let mut wall = self.client.get(format!("http://127.0.0.1:{PORT}/live")).header(COOKIE, &self.cookie).send().await?;
        wall.error_for_status_ref()?;
        tokio::spawn(async move { while let Ok(Some(_)) = wall.chunk().await {} });
        Ok(())
    }

    /// A page, as far as its last byte.
    pub async fn page(&self, path: &str) -> Outcome<(StatusCode, String)> {
        let request = self.client.get(format!("http://127.0.0.1:{PORT}{path}")).header(COOKIE, &self.cookie);
        let answer = request.header("accept", "text/html").send().await?;
        Ok((answer.status(), answer.text().await?))
    }

    /// Sends a form to the server.
    pub async fn post(&self, endpoint: &str, form: &str) -> Outcome<reqwest::Response> {
        let request = self.client.post(format!("http://127.0.0.1:{PORT}/api/{endpoint}")).header(COOKIE, &self.cookie);
        let request = request.header("accept", "text/html").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(request.body(form.to_owned()).send().await?.error_for_status()?)
    }

    /// Asks the simulator's control interface.
    pub async fn control(&self, path: &str, body: &serde_json::Value) -> Outcome<()> {
        self.client.put(format!("http://127.0.0.1:{}/{path}", PORT + 1)).json(body).send().await?.error_for_status()?;
        Ok(())
    }

    /// Sets a fault on this share of the meters, always the same ones.
    pub async fn strike(&self, share: f64, fault: &str) -> Outcome<()> {
        self.control("faults", &serde_json::json!({ "share": share, "fault": fault })).await
    }

    /// Clears all faults.
    pub async fn heal(&self) -> Outcome<()> {
        self.client.delete(format!("http://127.0.0.1:{}/faults", PORT + 1)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Waits, and gives the readings of that time.
    pub async fn readings(&self, during: Duration) -> Outcome<Readings> {
        let from = SystemClock.now().0;
        tokio::time::sleep(during).await;
        let until = SystemClock.now().0;
        // The last readings are stored a moment later.
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Readings { from, until, rows: database::readings(&self.db, from, until).await? })
    }

    /// Waits until every meter has been read once.
    pub async fn all_read(&self, within: Duration) -> Outcome<()> {
        let all = i64::try_from(self.meters.len())?;
        let seen = "SELECT COUNT(*) FROM meter_latest WHERE observed_at IS NOT NULL";
        for _ in 0..within.as_millis() / 200 {
            if self.number(seen).await? >= all {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let words = [self.server.last_words(), self.simulator.last_words()].join("\n");
        Err(format!("{} of {all} meters were read in {within:?}:\n{words}", self.number(seen).await?).into())
    }

    /// The meters that are shown as lost, and those that are not.
    pub async fn lost_and_live(&self) -> Outcome<(Vec<Uuid>, Vec<Uuid>)> {
        let lost = database::ids(&self.db, "SELECT meter_id FROM meter_latest WHERE lost_since IS NOT NULL").await?;
        let live = self.meters.iter().map(|meter| meter.id.0).filter(|id| !lost.contains(id)).collect();
        Ok((lost, live))
    }

    /// Stops the server and measures the baseline on the same meters.
    pub async fn baseline(&mut self, during: Duration) -> Outcome<Baseline> {
        self.server.stop();
        baseline::measure(PORT + 10, self.plan, during).await
    }

    /// One number from the database.
    pub async fn number(&self, sql: &'static str) -> Outcome<i64> {
        database::number(&self.db, sql).await
    }
}

fn simulator(plan: Plan) -> Vec<String> {
    let mut words: Vec<String> = ["simulate", "--seed"].map(str::to_owned).into();
    words.extend([SEED.to_string(), "--gateways".into(), plan.gateways.to_string(), "--meters".into(), plan.meters.to_string()]);
    words.extend(["--port".into(), (PORT + 10).to_string(), "--control".into(), format!("127.0.0.1:{}", PORT + 1)]);
    if plan.sells {
        words.extend(["--credit".into(), "50".into()]);
    }
    if let Some(bus) = plan.bus {
        words.extend(["--baud".into(), bus.baud.to_string(), "--turnaround-ms".into(), bus.turnaround_ms.to_string()]);
    }
    words
}

fn configuration(plan: Plan, database: &str) -> String {
    let keys = throw_away_keys(SEED);
    let (sweep, baud) = (plan.sweep_s * 1_000, plan.bus.map_or(0, |bus| bus.baud.min(115_200)));
    let (enc, mac, aes) = (hex::encode(keys.enc), hex::encode(keys.mac), hex::encode(keys.aes));
    format!(
        "[server]\naddress = \"127.0.0.1:{PORT}\"\npublic_url = \"http://127.0.0.1:{PORT}\"\ninsecure_cookies = true\n\
         max_connections = 20000\nmax_connections_per_address = 20000\n\
         [database]\nurl = \"{database}\"\n[log]\nlevel = \"warn\"\n\
         [meters]\nsweep_interval_ms = {sweep}\nwatched_interval_ms = {sweep}\nbaud = {baud}\n\
         [keys]\nenc = \"{enc}\"\nmac = \"{mac}\"\naes = \"{aes}\"\n"
    )
}

/// One building, one floor per gateway, one room per meter.
async fn seed(db: &Db, plan: Plan, ports: &[u16]) -> Outcome<Vec<Meter>> {
    let (rng, now) = (Rng::from_system(), SystemClock.now());
    let mut tx = db.begin().await?;
    let building = place(&mut tx, &rng, None, PlaceKind::Building, "B", 0).await?;
    let mut gateways = Vec::new();
    for (n, &port) in (0..).zip(ports) {
        let id = GatewayId(rng.id(now));
        let new = NewGateway { id, name: format!("g{n}"), host: "127.0.0.1".into(), port, framing: Framing::ModbusTcp };
        add_gateway(&mut tx, now, &new).await?;
        gateways.push((id, place(&mut tx, &rng, Some(building), PlaceKind::Unit, &format!("F{n}"), n).await?));
    }
    let (mut meters, mut open) = (Vec::new(), Vec::new());
    for (gateway, meter) in Estate::uniform(SEED, usize::from(plan.gateways), plan.meters).meters() {
        let &(behind, floor) = gateways.get(gateway).ok_or("a gateway too many")?;
        let id = MeterId(rng.id(now));
        let room =
            place(&mut tx, &rng, Some(floor), PlaceKind::Room, &format!("{gateway}-{}", meter.unit), meter.unit.into()).await?;
        let new = NewMeter {
            id,
            place: room,
            gateway: behind,
            unit: meter.unit,
            serial: meter.serial.to_string(),
            profile: "rpp".into(),
            wallet: Wallet::Meter,
        };
        add_meter(&mut tx, now, &new).await?;
        meters.push(Meter { id, gateway, unit: meter.unit });
        if let Some(account) = meter.clone().in_use(5_000).account.filter(|_| plan.sells) {
            let login = format!("r{gateway}-{}", meter.unit);
            let resident = NewResident { name: login.clone(), login, password_hash: String::new() };
            let (number, cumulative) = (account.number.to_string(), Fen(account.cumulative.into()));
            let (epoch, count) = (account.epoch, account.count);
            open.push(TakeOver { meter: id, number, opened_at: now, epoch, count, cumulative, resident: Some(resident) });
        }
    }
    tx.commit().await?;
    accounts::take_over(db, &rng, now, &open).await?;
    let password_hash = Passwords::new(rng.clone())?.hash(PASSWORD).await?;
    let user =
        NewUser { role: Role::Manager, login: "bench", name: "bench", password_hash: &password_hash, buildings: &Scope::All };
    users::create(db, &rng, now, &user, "bench").await?;
    users::keep_passwords(db).await?;
    Ok(meters)
}

async fn place(tx: &mut Tx, rng: &Rng, parent: Option<PlaceId>, kind: PlaceKind, name: &str, sort: i64) -> Outcome<PlaceId> {
    let id = PlaceId(rng.id(SystemClock.now()));
    places::add(tx, &NewPlace { id, parent, kind, name, sort }).await?;
    Ok(id)
}

/// Logs in; gives the cookie of the session as a browser sends it.
pub async fn log_in(client: &reqwest::Client, port: u16, login: &str, password: &str) -> Outcome<String> {
    let request = client.post(format!("http://127.0.0.1:{port}/api/auth/log-in")).header("accept", "text/html");
    let form = format!("login={login}&password={}", password.replace(' ', "+"));
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await?.error_for_status()?;
    let cookie = answer.headers().get(SET_COOKIE).ok_or("not logged in")?.to_str()?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// Waits for an HTTP answer.
pub async fn answered(client: &reqwest::Client, port: u16, path: &str, process: &Process) -> Outcome<()> {
    for _ in 0..1_200 {
        if let Ok(answer) = client.get(format!("http://127.0.0.1:{port}/{path}")).send().await
            && answer.status().is_success()
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("nothing answers on port {port}:\n{}", process.last_words()).into())
}
