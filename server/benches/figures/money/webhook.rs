//! Verified notifications at 200 a second: signature, event, attempt, order, ledger, command, audit line, fsync, answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use domain::clock::{Clock, SystemClock};
use domain::framing::Framing;
use domain::order::Limits;
use domain::rng::Rng;
use estate::places::{self, NewPlace};
use futures::stream::{self, StreamExt, TryStreamExt};
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::money::Fen;
use payments::{Config, Payments};
use sandbox::Sandbox;
use store::Db;
use store::accounts::{self, NewResident, TakeOver};
use store::meters::{NewGateway, NewMeter, add_gateway, add_meter};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::payer::{Room, order, sandbox};
use crate::database::Engine;
use crate::figure::{Figure, quantile};
use crate::{Length, Outcome};

/// Notifications a second.
const RATE: u64 = 200;
const ROOMS: u8 = 100;
const ROUNDS: usize = 3;

/// Receives the notifications in place of the product and keeps them, so that the channel has signed them before the measurement.
#[derive(Clone, Default)]
struct NotificationRecorder(Arc<Mutex<Vec<Notification>>>);

type Notification = (Option<HeaderValue>, Bytes);

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let mut figures = Vec::new();
    for engine in Engine::at_hand() {
        figures.extend(measure(engine, length).await?);
    }
    Ok(figures)
}

async fn measure(engine: Engine, length: Length) -> Outcome<[Figure; 2]> {
    let (directory, beside) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let db = Db::open(&engine.url(directory.path()).await?).await?;
    let bare = Db::open(&engine.url(beside.path()).await?).await?;
    bare_table(&bare).await?;
    let (rng, sandbox) = (Rng::from_system(), sandbox().await?);
    let rooms = seed(&db, &rng).await?;
    let (product, recorder) = (listen().await?, listen().await?);
    let config = Config {
        public_url: format!("http://{}", product.local_addr()?),
        notify_url: Some(format!("http://{}", recorder.local_addr()?)),
        limits: Limits { hoarding_fen: 0, max_pending: 0, ..Limits::default() },
        alipay: Some(sandbox.product_config("127.0.0.1")),
        ..Config::default()
    };
    let payments = Payments::new(&config, db.clone(), Arc::new(SystemClock), rng.clone(), Arc::new(|| {}))?;
    let service = server::http::notifications::routes(payments.clone(), Arc::new(SystemClock))
        .into_make_service_with_connect_info::<SocketAddr>();
    let url = format!("http://{}/pay/alipay/notify", product.local_addr()?);
    tokio::spawn(async move { axum::serve(product, service).await });
    let notifications = NotificationRecorder::default();
    let keeping = notifications.clone();
    let router = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        keeping.lock().push((headers.get(CONTENT_TYPE).cloned(), body));
        "success"
    });
    tokio::spawn(async move { axum::serve(recorder, router).await });

    // Two addresses, as channels send from some.
    let clients = [client(2)?, client(3)?];
    let shop = Shop { payments, sandbox, rng, rooms, notifications, url, clients, bare };
    let (mut medians, mut slowest, mut said) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let round = shop.round(length).await?;
        medians.push(round.p50 / round.one_p50);
        slowest.push(round.p99 / round.one_p99);
        said.push(round.to_string());
    }
    db.close().await;
    let name = |figure: &str| format!("pay.webhook_{figure}.{}", engine.as_str());
    let against = format!("of one fsynced transaction beside it, at {RATE}/s: {}", said.join("; "));
    Ok([
        Figure::at_most(&name("p99"), 3.0, "ratio", against, slowest),
        Figure::at_most(&name("p50"), 3.0, "ratio", "median of median; see p99", medians),
    ])
}

struct Shop {
    payments: Payments,
    sandbox: Sandbox,
    rng: Rng,
    rooms: Vec<Room>,
    notifications: NotificationRecorder,
    /// The address of the product.
    url: String,
    clients: [reqwest::Client; 2],
    /// The database of the one transaction.
    bare: Db,
}

/// Times in ms.
struct Round {
    notifications: usize,
    p50: f64,
    p99: f64,
    one_p50: f64,
    one_p99: f64,
    /// Share of the processors that the hypervisor took, %.
    stolen: f64,
}

impl std::fmt::Display for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { notifications, p50, p99, one_p50, one_p99, stolen } = self;
        write!(f, "{notifications} with p50 {p50:.2}, p99 {p99:.2} ms (one {one_p50:.2}, {one_p99:.2} ms; {stolen:.1} % stolen)")
    }
}

impl Shop {
    async fn round(&self, length: Length) -> Outcome<Round> {
        let all = usize::try_from(length.seconds(60).as_secs() * RATE)?;
        let http = client(1)?;
        let orders = self.rooms.iter().cycle().take(all).map(|room| order(&self.payments, &http, &self.rng, *room, 5_000));
        let numbers: Vec<String> = stream::iter(orders).buffer_unordered(4).try_collect().await?;
        for (paid, number) in numbers.iter().enumerate() {
            // With more at once the sandbox repeats some minutes later.
            self.until_notified(paid.saturating_sub(32)).await?;
            if !self.sandbox.pay(number) {
                return Err(format!("{number} cannot be paid").into());
            }
        }
        self.until_notified(all).await?;
        let notifications = std::mem::take(&mut *self.notifications.lock());

        let (bare, before) = (Arc::new(Mutex::new(Vec::new())), ticks());
        let beside = tokio::spawn(fsyncs(self.bare.clone(), Arc::clone(&bare)));
        let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
        let mut answers = tokio::task::JoinSet::new();
        for ((kind, body), client) in notifications.into_iter().zip(self.clients.iter().cycle()) {
            let request = client.post(&self.url).body(body);
            let request = kind.into_iter().fold(request, |request, kind| request.header(CONTENT_TYPE, kind));
            pace.tick().await;
            answers.spawn(acknowledged(request));
        }
        let seen: Vec<Option<f64>> = answers.join_all().await;
        beside.abort();
        let after = ticks();
        let stolen = 100.0 * (after.0 - before.0) / (after.1 - before.1).max(1.0);
        let seen: Vec<f64> = seen.into_iter().flatten().collect();
        let bare = bare.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if seen.len() < all {
            return Err(format!("{} of {all} notifications were acknowledged", seen.len()).into());
        }
        Ok(Round {
            notifications: all,
            p50: quantile(&seen, 0.5),
            p99: quantile(&seen, 0.99),
            one_p50: quantile(&bare, 0.5),
            one_p99: quantile(&bare, 0.99),
            stolen,
        })
    }

    /// Waits until the channel has sent this many notifications.
    async fn until_notified(&self, payments: usize) -> Outcome<()> {
        let begun = Instant::now();
        while self.notifications.lock().len() < payments {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err(format!("{} of {payments} notifications were sent", self.notifications.lock().len()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

impl NotificationRecorder {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Notification>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The response time, ms; `None` where the notification was not acknowledged.
async fn acknowledged(request: reqwest::RequestBuilder) -> Option<f64> {
    let begun = Instant::now();
    let text = request.send().await.ok()?.text().await.ok()?;
    (text == "success").then(|| begun.elapsed().as_secs_f64() * 1_000.0)
}

async fn listen() -> Outcome<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

/// Connects from 127.0.0.`host`.
fn client(host: u8) -> Outcome<reqwest::Client> {
    let from = IpAddr::from([127, 0, 0, host]);
    Ok(reqwest::Client::builder().local_address(from).redirect(reqwest::redirect::Policy::none()).no_proxy().build()?)
}

/// Stolen and total ticks of the processors; zero where the system does not report them.
fn ticks() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
    (ticks.get(7).copied().unwrap_or_default(), ticks.iter().sum())
}

async fn bare_table(db: &Db) -> Outcome<()> {
    let sql = "CREATE TABLE bare_rows (id BIGINT PRIMARY KEY NOT NULL, at BIGINT NOT NULL)";
    match db {
        Db::Sqlite { write, .. } => sqlx::query(sql).execute(write).await.map(drop)?,
        Db::Postgres { pool, .. } => sqlx::query(sql).execute(pool).await.map(drop)?,
    }
    Ok(())
}

/// Times one row and its fsync twenty times a second, ms: the speed of the disk during the measurement.
async fn fsyncs(db: Db, times: Arc<Mutex<Vec<f64>>>) -> Outcome<()> {
    macro_rules! row {
        ($tx:expr, $id:expr) => {{
            let mut tx = $tx;
            let sql = "INSERT INTO bare_rows (id, at) VALUES ($1, 1)";
            sqlx::query(sql).bind($id).execute(&mut *tx).await?;
            tx.commit().await?;
        }};
    }
    loop {
        let (id, begun) = (SystemClock.now().0, Instant::now());
        match &db {
            Db::Sqlite { write, .. } => row!(write.begin_with("BEGIN IMMEDIATE").await?, id),
            Db::Postgres { pool, .. } => row!(pool.begin().await?, id),
        }
        times.lock().unwrap_or_else(PoisonError::into_inner).push(begun.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Rooms with an open account and a resident; their meters are never read.
pub(super) async fn seed(db: &Db, rng: &Rng) -> Outcome<Vec<Room>> {
    let now = SystemClock.now();
    let gateway = GatewayId(rng.id(now));
    let mut tx = db.begin().await?;
    let new = NewGateway { id: gateway, name: "g".into(), host: "127.0.0.1".into(), port: 1, framing: Framing::ModbusTcp };
    add_gateway(&mut tx, now, &new).await?;
    let mut open = Vec::new();
    for unit in 1..=ROOMS {
        let (place, meter, name) = (PlaceId(rng.id(now)), MeterId(rng.id(now)), unit.to_string());
        places::add(
            &mut tx,
            &NewPlace { id: place, parent: None, kind: model::place::PlaceKind::Room, name: &name, sort: unit.into() },
        )
        .await?;
        let new = NewMeter {
            id: meter,
            place,
            gateway,
            unit,
            serial: format!("{unit:012}"),
            profile: "rpp".into(),
            wallet: Wallet::Meter,
        };
        add_meter(&mut tx, now, &new).await?;
        let resident = NewResident { name: name.clone(), login: format!("r{name}"), password_hash: String::new() };
        let number = format!("{unit:016}");
        open.push(TakeOver {
            meter,
            number,
            opened_at: now,
            epoch: 1,
            count: 0,
            cumulative: Fen::ZERO,
            resident: Some(resident),
        });
    }
    tx.commit().await?;
    accounts::take_over(db, rng, now, &open).await?;
    rooms(db).await
}

/// Every room that buys.
pub(super) async fn rooms(db: &Db) -> Outcome<Vec<Room>> {
    let sql =
        "SELECT m.account_id, m.meter_id, r.user_id FROM account_meters m JOIN account_residents r ON r.account_id = m.account_id
               WHERE m.to_at IS NULL AND r.to_at IS NULL ORDER BY m.meter_id";
    let rows: Vec<(Uuid, Uuid, Uuid)> = match db {
        Db::Sqlite { read, .. } => sqlx::query_as(sql).fetch_all(read).await?,
        Db::Postgres { pool, .. } => sqlx::query_as(sql).fetch_all(pool).await?,
    };
    let room = |(account, meter, resident): (Uuid, Uuid, Uuid)| Room {
        account: model::ids::AccountId(account),
        meter: MeterId(meter),
        resident: model::ids::UserId(resident),
    };
    Ok(rows.into_iter().map(room).collect())
}
