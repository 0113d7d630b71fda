//! Puts the parts together, serves, and stops in good order.

mod buses;

use std::error::Error as StdError;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use model::error::AppError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use buses::Buses;

use crate::config::Config;
use crate::http::{self, AppState, Backends};
use crate::services::account_lifecycle::AccountLifecycleService;
use crate::services::auth::Auth;
use crate::services::cash_desk::Till;
use crate::services::console::{Field, Operator};
use crate::services::reconciliation::Reconciliation;
use crate::services::residents::Residents;
use crate::tasks::Driver;
use crate::tasks::clock::SetClocks;
use crate::tasks::closings::AdvanceClosings;
use crate::tasks::expire_approvals::ExpireApprovals;
use crate::tasks::expiries::WatchExpiries;
use crate::tasks::meter_uses::MeterUses;
use crate::tasks::purge_sessions::PurgeSessions;
use crate::tasks::query_payments::QueryPayments;
use crate::tasks::reconcile::Reconcile;
use crate::tasks::refunds::Refunds;
use crate::tasks::subsidies::GiveSubsidies;
use domain::clock::SharedClock;
use domain::returns::Rules;
use domain::rng::Rng;
use meters::Handle;
use meters::live::Live;
use meters::profile::Profiles;
use payments::Payments;
use store::{Db, StoreError};

/// How long open requests may take after the stop was asked for.
const GRACE: Duration = Duration::from_secs(10);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error("the database cannot be opened (database.url)")]
    Database(#[source] StoreError),
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address} (server.address)")]
    Listen { address: SocketAddr, source: std::io::Error },
    /// A setting that only the part it is for can judge.
    #[error("{0}")]
    Setting(String),
    /// A part refused to start.
    #[error("cannot start")]
    Part(#[source] Box<dyn StdError + Send + Sync>),
}

impl StartError {
    fn part(error: AppError) -> Self {
        Self::Part(error.into())
    }
}

/// Tells the reconciler that a command was stored.
type Wake = Arc<dyn Fn() + Send + Sync>;

/// A server that is bound and not yet serving.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    state: AppState,
    buses: Arc<Buses>,
    payments: Payments,
    rules: Rules,
    driver: Driver,
    tasks: TaskTracker,
}

impl Application {
    /// Opens the database, binds the address and puts everything together. Port 0 takes any.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn build(config: &Config, clock: SharedClock, rng: Rng) -> Result<Self, StartError> {
        // Bound first: a second server by mistake must not touch the database of the first.
        let at = config.server.address;
        let listen = |source| StartError::Listen { address: at, source };
        let listener = TcpListener::bind(at).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let db = open_database(config).await?;

        let live = Live::load(&db, clock.clone()).await.map_err(StartError::Database)?;
        let buses = Arc::new(Buses::default());
        let waker = Arc::clone(&buses);
        let wake: Wake = Arc::new(move || waker.wake());
        let payments = Payments::new(&config.pay, db.clone(), clock.clone(), rng.clone(), wake.clone())
            .map_err(|error| StartError::Setting(error.to_string()))?;
        let auth = Auth::new(db.clone(), clock.clone(), rng.clone()).map_err(StartError::part)?;
        let resident = Residents::new(db.clone(), clock.clone(), rng.clone(), live.clone(), payments.clone(), wake);
        let field: Arc<dyn Field> = buses.clone();
        let (limits, refunds) = (payments.limits(), payments.refund_rules());
        let till = Till::new(db.clone(), clock.clone(), rng.clone(), limits, config.counter, refunds, field.clone());
        let profiles = Profiles::load(config.meters.profiles_dir.as_deref()).map_err(|error| StartError::Part(error.into()))?;
        let life = AccountLifecycleService::new(db.clone(), clock.clone(), rng.clone(), live.clone(), profiles, field.clone())
            .map_err(StartError::part)?;
        let operator = Operator::new(db.clone(), clock.clone(), rng.clone(), live.clone(), payments.limits(), field)
            .map_err(StartError::part)?;
        let backends = Backends {
            auth: Arc::new(auth),
            resident: Arc::new(resident),
            operator: Arc::new(operator),
            till: Arc::new(till),
            reconcile: Arc::new(Reconciliation::new(payments.clone())),
            life: Arc::new(life),
        };
        buses.start(config, &db, &clock, &rng, &live).await?;
        let state = AppState {
            db,
            clock,
            rng,
            live,
            backends,
            site: http::site(),
            server: Arc::new(config.server.clone()),
            cashiers: payments.form_origins().into(),
            stopping: CancellationToken::new(),
        };
        let router = http::build(state.clone(), http::notifications::routes(payments.clone()));
        let tasks = TaskTracker::new();
        let driver = Driver::new(state.clock.clone(), state.stopping.clone(), tasks.clone());
        Ok(Self { listener, address, router, state, buses, payments, rules: config.counter, driver, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The buses, where meters are read.
    #[must_use]
    pub fn meters(&self) -> Option<&Handle> {
        self.buses.handle()
    }

    /// The background tasks and how each last ended.
    #[must_use]
    pub fn tasks(&self) -> &Driver {
        &self.driver
    }

    /// What its handlers use.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Serves until `stop` is ready; then ends streams, lets requests finish for a while, and closes the database.
    ///
    /// # Errors
    /// Where the listener fails.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
        let Self { listener, router, state, buses, payments, rules, driver, tasks, .. } = self;
        let stopping = state.stopping.clone();
        tasks.spawn(state.live.clone().run(stopping.clone()));
        driver.start(QueryPayments(payments.clone()), payments.query_requests());
        driver.start(Refunds(payments.clone()), Arc::default());
        driver.start(Reconcile { payments: payments.clone(), config: payments.reconcile_config() }, Arc::default());
        driver.start(WatchExpiries(payments.clone()), Arc::default());
        driver.start(PurgeSessions { db: state.db.clone(), clock: state.clock.clone() }, Arc::default());
        let (db, clock, rng) = (state.db.clone(), state.clock.clone(), state.rng.clone());
        driver.start(MeterUses { db: db.clone(), clock: clock.clone(), rng: rng.clone() }, Arc::default());
        let (waker, limits) = (Arc::clone(&buses), payments.limits());
        driver.start(GiveSubsidies { db, clock, rng, limits, wake: Arc::new(move || waker.wake()) }, Arc::default());
        let (db, clock, rng) = (state.db.clone(), state.clock.clone(), state.rng.clone());
        driver.start(ExpireApprovals { db, clock, rng }, Arc::default());
        let (db, clock, rng) = (state.db.clone(), state.clock.clone(), state.rng.clone());
        let waker = Arc::clone(&buses);
        driver.start(AdvanceClosings { db, clock, rng, rules, wake: Arc::new(move || waker.wake()) }, Arc::default());
        let (waker, told) = (Arc::clone(&buses), Arc::clone(&buses));
        driver.start(
            SetClocks {
                db: state.db.clone(),
                clock: state.clock.clone(),
                rng: state.rng.clone(),
                takes_time: Arc::new(move |meter| told.handle().is_some_and(|meters| meters.takes_time(meter))),
                wake: Arc::new(move || waker.wake()),
            },
            Arc::default(),
        );
        tasks.close();
        let signal = stopping.clone();
        tokio::spawn(async move {
            stop.await;
            tracing::info!("server.stopping");
            signal.cancel();
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(listener, service).with_graceful_shutdown(stopping.clone().cancelled_owned());
        let deadline = async {
            stopping.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let served = tokio::select! {
            served = serving.into_future() => served,
            () = deadline => {
                tracing::warn!("server.requests_cut_off");
                Ok(())
            }
        };
        // Also where the listener failed.
        stopping.cancel();
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            tracing::warn!("server.tasks_cut_off");
        }
        if tokio::time::timeout(GRACE, buses.stop()).await.is_err() {
            tracing::warn!("server.buses_cut_off");
        }
        state.db.close().await;
        tracing::info!("server.stopped");
        served
    }
}

/// Opens the database and brings its schema up to date.
///
/// # Errors
/// [`StartError::Database`].
pub async fn open_database(config: &Config) -> Result<Db, StartError> {
    let url = config.database.url.expose();
    if let Some(directory) = url.strip_prefix("sqlite:").and_then(|path| Path::new(path).parent()) {
        // One level, as in the default `data/`: a longer path that is not there is a typo. Opening tells what is wrong.
        let _ = std::fs::create_dir(directory);
    }
    Db::open(url).await.map_err(StartError::Database)
}
