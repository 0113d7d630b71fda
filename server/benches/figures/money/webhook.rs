//! Verified notifications at 200 a second: signature, event, attempt, order, ledger, command, audit line, fsync, answer.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
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
use futures::stream::{self, StreamExt, TryStreamExt};
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::money::Fen;
use payments::{Config, Payments};
use sandbox::Sandbox;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::Db;
use store::accounts::{self, NewResident, TakeOver};
use store::meters::{NewGateway, NewMeter, add_gateway, add_meter};
use store::places::{self, NewPlace};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::payer::{Room, order, sandbox};
use crate::figure::{Figure, quantile};
use crate::{Length, Outcome};

/// Notifications a second.
const RATE: u64 = 200;
const ROOMS: u8 = 100;
const ROUNDS: usize = 3;

/// Stands where the channel thinks that the product is, and keeps what it is told: signing is the channel's work, so it is done before
/// anything is measured.
#[derive(Clone, Default)]
struct Tap(Arc<Mutex<Vec<Told>>>);

type Told = (Option<HeaderValue>, Bytes);

pub async fn run(length: Length) -> Outcome<Vec<Figure>> {
    let directory = tempfile::tempdir()?;
    let db = Db::open(&format!("sqlite:{}", directory.path().join("bench.db").display())).await?;
    let (rng, sandbox) = (Rng::from_system(), sandbox().await?);
    let rooms = seed(&db, &rng).await?;
    let (product, tap) = (listen().await?, listen().await?);
    let config = Config {
        public_url: format!("http://{}", product.local_addr()?),
        notify_url: Some(format!("http://{}", tap.local_addr()?)),
        limits: Limits { hoarding_fen: 0, ..Limits::default() },
        alipay: Some(sandbox.product_config("127.0.0.1")),
        ..Config::default()
    };
    let payments = Payments::new(&config, db.clone(), Arc::new(SystemClock), rng.clone(), Arc::new(|| {}))?;
    let service = server::http::notifications::routes(payments.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let url = format!("http://{}/pay/alipay/notify", product.local_addr()?);
    tokio::spawn(async move { axum::serve(product, service).await });
    let told = Tap::default();
    let keeping = told.clone();
    let router = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        keeping.lock().push((headers.get(CONTENT_TYPE).cloned(), body));
        "success"
    });
    tokio::spawn(async move { axum::serve(tap, router).await });

    // Two addresses, as channels send from some.
    let clients = [client(2)?, client(3)?];
    let shop = Shop { payments, sandbox, rng, rooms, told, url, clients, bare: directory.path().join("bare.db") };
    let (mut ratios, mut said) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (ratio, words) = shop.round(length).await?;
        ratios.push(ratio);
        said.push(words);
    }
    let against = format!("of one fsynced transaction beside it, at {RATE}/s: {}", said.join("; "));
    Ok(vec![Figure::at_most("pay.webhook_p99", 10.0, "ratio", against, ratios)])
}

struct Shop {
    payments: Payments,
    sandbox: Sandbox,
    rng: Rng,
    rooms: Vec<Room>,
    told: Tap,
    /// Where the product listens.
    url: String,
    clients: [reqwest::Client; 2],
    /// The database beside which is measured.
    bare: PathBuf,
}

impl Shop {
    /// Gives the p99 in transactions, and how it came about.
    async fn round(&self, length: Length) -> Outcome<(f64, String)> {
        let all = usize::try_from(length.seconds(60).as_secs() * RATE)?;
        let http = client(1)?;
        let orders = self.rooms.iter().cycle().take(all).map(|room| order(&self.payments, &http, &self.rng, *room, 5_000));
        let numbers: Vec<String> = stream::iter(orders).buffer_unordered(4).try_collect().await?;
        for (paid, number) in numbers.iter().enumerate() {
            // More at once, and the sandbox tells some of them a second time, minutes later.
            self.told(paid.saturating_sub(32)).await?;
            if !self.sandbox.pay(number) {
                return Err(format!("{number} cannot be paid").into());
            }
        }
        self.told(all).await?;
        let told = std::mem::take(&mut *self.told.lock());

        let (bare, before) = (Arc::new(Mutex::new(Vec::new())), ticks());
        let beside = tokio::spawn(fsyncs(self.bare.clone(), Arc::clone(&bare)));
        let mut pace = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
        let mut answers = tokio::task::JoinSet::new();
        for ((kind, body), client) in told.into_iter().zip(self.clients.iter().cycle()) {
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
        let (p50, p99, one, one_p99) = (quantile(&seen, 0.5), quantile(&seen, 0.99), quantile(&bare, 0.5), quantile(&bare, 0.99));
        Ok((
            p99 / one,
            format!("{all} with p50 {p50:.2}, p99 {p99:.2} ms (one {one:.2}, its p99 {one_p99:.2} ms; {stolen:.1} % stolen)"),
        ))
    }

    /// Waits until the channel has told of so many payments.
    async fn told(&self, payments: usize) -> Outcome<()> {
        let begun = Instant::now();
        while self.told.lock().len() < payments {
            if begun.elapsed() > Duration::from_secs(30) {
                return Err(format!("{} of {payments} notifications were sent", self.told.lock().len()).into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

impl Tap {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Told>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long the product took, ms; `None` where it did not take it.
async fn acknowledged(request: reqwest::RequestBuilder) -> Option<f64> {
    let begun = Instant::now();
    let text = request.send().await.ok()?.text().await.ok()?;
    (text == "success").then(|| begun.elapsed().as_secs_f64() * 1_000.0)
}

async fn listen() -> Outcome<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

/// Speaks from 127.0.0.`host`.
fn client(host: u8) -> Outcome<reqwest::Client> {
    let from = IpAddr::from([127, 0, 0, host]);
    Ok(reqwest::Client::builder().local_address(from).redirect(reqwest::redirect::Policy::none()).no_proxy().build()?)
}

/// The ticks of the processors that the hypervisor gave to others, and all of them; nothing where the system does not tell.
fn ticks() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
    (ticks.get(7).copied().unwrap_or_default(), ticks.iter().sum())
}

/// One row and its fsync, twenty times a second, ms each: what the disk gives while it is measured.
async fn fsyncs(path: PathBuf, times: Arc<Mutex<Vec<f64>>>) -> Outcome<()> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS rows (id BLOB PRIMARY KEY NOT NULL, at BIGINT NOT NULL)")
        .execute(&mut connection)
        .await?;
    let rng = Rng::from_system();
    loop {
        let (id, begun) = (rng.id(SystemClock.now()), Instant::now());
        let mut tx = connection.begin().await?;
        sqlx::query("INSERT INTO rows (id, at) VALUES ($1, $2)").bind(id).bind(1_i64).execute(&mut *tx).await?;
        tx.commit().await?;
        times.lock().unwrap_or_else(PoisonError::into_inner).push(begun.elapsed().as_secs_f64() * 1_000.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Rooms with an open account and a resident; their meters are never asked.
async fn seed(db: &Db, rng: &Rng) -> Outcome<Vec<Room>> {
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
    let Db::Sqlite { read, .. } = db else { return Err("not a SQLite site".into()) };
    let rows: Vec<(Uuid, Uuid, Uuid)> = sqlx::query_as(sql).fetch_all(read).await?;
    let room = |(account, meter, resident): (Uuid, Uuid, Uuid)| Room {
        account: model::ids::AccountId(account),
        meter: MeterId(meter),
        resident: model::ids::UserId(resident),
    };
    Ok(rows.into_iter().map(room).collect())
}
