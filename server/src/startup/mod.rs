//! Builds the parts of the server, serves, and shuts down in order.

mod buses;
mod channels;
mod descriptors;

use std::error::Error as StdError;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use model::error::AppError;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use buses::Buses;

use crate::anchors;
use crate::config::{Config, trial};
use crate::http::{self, AppState, WallAccess};
use crate::services::auth::Passwords;
use crate::services::console::ConsoleService;
use crate::services::exports::ExportsService;
use crate::services::invoices::InvoicesService;
use crate::services::notifications::NotificationsService;
use crate::services::printing::PrintingService;
use crate::services::reports::ReportsService;
use crate::services::residents::ResidentService;
use crate::services::setup::SetupService;
use crate::services::site::SiteService;
use crate::services::site_import::SiteImportService;
use crate::services::{self, Context, SharedServices};
use crate::tasks::Driver;
use crate::tasks::abandoned_orders::CloseAbandoned;
use crate::tasks::account_batches::AdvanceAccountBatches;
use crate::tasks::anchor::AnchorAudit;
use crate::tasks::clock::SetClocks;
use crate::tasks::closings::AdvanceClosings;
use crate::tasks::collect_notifications::CollectNotifications;
use crate::tasks::consumption::PostConsumption;
use crate::tasks::expire_approvals::ExpireApprovals;
use crate::tasks::expiries::WatchExpiries;
use crate::tasks::exports::{MakeExports, TendExports};
use crate::tasks::place_energy::RollPlaceEnergy;
use crate::tasks::print_receipts::PrintReceipts;
use crate::tasks::purge_sessions::PurgeSessions;
use crate::tasks::query_payments::QueryPayments;
use crate::tasks::reconcile::Reconcile;
use crate::tasks::refunds::SendRefunds;
use crate::tasks::send_mail::SendMail;
use crate::tasks::send_notifications::SendNotifications;
use crate::tasks::send_reports::SendReports;
use crate::tasks::subsidies::GiveSubsidies;
use crate::tasks::warn_tonight::WarnTonight;
use domain::clock::SharedClock;
use domain::returns::Rules;
use domain::rng::Rng;
use meters::GatewayHandle;
use meters::live::Live;
use meters::profile::Profiles;
use notify::Mailer;
use payments::Payments;
use store::{Db, ServerLock, StoreError, audit};

/// How long open requests may take after a stop.
const GRACE: Duration = Duration::from_secs(10);

/// The head of the audit chain does not fit its key. Going on would mix lines of two keys.
const WRONG_KEY: &str = "the audit chain of this database was not written with the key that audit.key_file names: name the \
                         right key; if it is the right one, somebody changed the database (dormwatt verify)";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be opened.
    #[error("the database cannot be opened (database.url)")]
    Database(#[source] StoreError),
    /// A command that only reads names a file that is not there.
    #[error("there is no database {0} (database.url)")]
    NoDatabase(String),
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address} (server.address)")]
    Listen { address: SocketAddr, source: std::io::Error },
    /// A setting that its part refuses.
    #[error("{0}")]
    Setting(String),
    #[error("cannot start")]
    Part(#[source] Box<dyn StdError + Send + Sync>),
}

impl StartError {
    fn part(error: AppError) -> Self {
        Self::Part(error.into())
    }
}

/// A server that is bound to its address and not yet serving.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    /// Of the set-up page, where nobody can log in yet.
    setup_token: Option<String>,
    /// How many files the process may open.
    files: u64,
    state: AppState,
    buses: Arc<Buses>,
    payments: Payments,
    rules: Rules,
    reports: ReportsService,
    notifications: NotificationsService,
    /// `None` where the configuration names no mail server.
    mailer: Option<Mailer>,
    anchor_file: Option<PathBuf>,
    driver: Driver,
    tasks: TaskTracker,
    lock: ServerLock,
}

impl Application {
    /// Binds the address, opens the database and builds all parts. Port 0 takes any free port.
    pub async fn build(config: &Config, clock: SharedClock, rng: Rng) -> Result<Self, StartError> {
        let files = descriptors::raise();
        // A second server started by mistake is refused here, or by the lock of the database.
        let at = config.server.address;
        let listen = |source| StartError::Listen { address: at, source };
        let listener = TcpListener::bind(at).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (db, lock) = open_for_server(config).await?;
        require_key(&db).await?;
        if let Some(file) = &config.audit.anchor_file
            && let Err(error) = anchors::check(&db, file).await
        {
            // The site goes on: people need power while somebody finds out.
            tracing::error!(error = &error as &dyn StdError, "audit.anchors_do_not_fit");
        }

        let live = Live::load(&db, clock.clone()).await.map_err(StartError::Database)?;
        let buses = Arc::new(Buses::default());
        let context = Context { db, clock, rng, live, gateway: buses.clone() };
        let (gateway, Context { db, clock, rng, .. }) = (context.gateway.clone(), context.clone());
        let payments = Payments::new(&config.pay, db, clock, rng, Arc::new(move || gateway.wake()))
            .map_err(|error| StartError::Setting(error.to_string()))?;
        let profiles = Profiles::load(config.meters.profiles_dir.as_deref()).map_err(|error| StartError::Part(error.into()))?;
        let (setup, setup_token) = SetupService::start(&context, &payments).await.map_err(StartError::part)?;
        let passwords = Passwords::new(context.rng.clone()).map_err(StartError::part)?;
        let limits = payments.limits();
        let console = Arc::new(ConsoleService::new(context.clone(), passwords.clone(), limits, config.cash_desk));
        let site = SiteService::new(context.clone(), passwords, &profiles, config.pay.limits);
        let site_import = SiteImportService::new(context.clone(), Arc::new(site));
        let printing = PrintingService::new(context.clone());
        let mailer = channels::mailer(config);
        let reports = ReportsService::new(context.clone(), config.meters.usual_interval(), mailer.is_some());
        let exports = ExportsService::new(context.clone(), console.clone(), reports.clone(), config.exports_directory());
        let notifications = channels::notifications(config, &context, mailer.as_ref());
        let shared = SharedServices {
            console,
            exports: exports.clone(),
            setup,
            site_import: site_import.clone(),
            printing: printing.clone(),
            reports: reports.clone(),
            notifications: notifications.clone(),
        };
        let ports = services::ports(&context, &payments, profiles.clone(), config.cash_desk, shared).map_err(StartError::part)?;
        buses.start(config, &context, profiles).await?;
        let state = AppState {
            context: context.clone(),
            ports,
            site_import,
            printing,
            invoices: InvoicesService::new(context.clone()),
            exports,
            site: http::site(!config.is_demo && !trial::reasons(config).is_empty()),
            server: Arc::new(config.server.clone()),
            cashiers: payments.form_origins().into(),
            forms: Arc::default(),
            wall_access: WallAccess::default(),
            stopping: CancellationToken::new(),
        };
        let router = http::build(state.clone(), http::notifications::routes(payments.clone(), context.clock.clone()));
        let tasks = TaskTracker::new();
        let driver = Driver::new(context.clock, state.stopping.clone(), tasks.clone());
        let anchor_file = config.audit.anchor_file.clone();
        Ok(Self {
            listener,
            address,
            router,
            setup_token,
            files,
            state,
            buses,
            payments,
            rules: config.cash_desk,
            reports,
            notifications,
            mailer,
            anchor_file,
            driver,
            tasks,
            lock,
        })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The token of the set-up page; `None` where there are people already.
    #[must_use]
    pub fn setup_token(&self) -> Option<&str> {
        self.setup_token.as_deref()
    }

    /// `None` in a process that does not poll.
    #[must_use]
    pub fn meters(&self) -> Option<&GatewayHandle> {
        self.buses.handle()
    }

    /// The background tasks and their last results.
    #[must_use]
    pub fn tasks(&self) -> &Driver {
        &self.driver
    }

    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Serves until `stop` is ready; then ends streams, waits [`GRACE`] for requests and tasks, and closes the database.
    ///
    /// # Errors
    /// Where the lock of the database was lost: what reads and commands meters has ended at once, and then all the rest.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), StartError> {
        let Self {
            listener,
            router,
            files,
            state,
            buses,
            payments,
            rules,
            reports,
            notifications,
            mailer,
            anchor_file,
            driver,
            tasks,
            lock,
            ..
        } = self;
        let stopping = state.stopping.clone();
        tasks.spawn(state.context.live.clone().run(stopping.clone()));
        tasks.spawn(state.wall_access.clone().run(state.context.clone(), stopping.clone()));
        let context = &state.context;
        let signal = payments.query_requests();
        driver.start(QueryPayments { context: context.clone(), payments: payments.clone() }, signal);
        driver.start(SendRefunds { context: context.clone(), payments: payments.clone() }, Arc::default());
        let config = payments.reconcile_config();
        driver.start(Reconcile { context: context.clone(), payments: payments.clone(), config }, Arc::default());
        let limits = payments.limits();
        let residents = ResidentService::new(context.clone(), payments.clone());
        driver.start(WarnTonight::new(context.clone(), residents), Arc::default());
        driver.start(WatchExpiries { context: context.clone(), payments }, Arc::default());
        driver.start(CloseAbandoned(context.clone()), Arc::default());
        driver.start(PurgeSessions(context.clone()), Arc::default());
        driver.start(PostConsumption(context.clone()), Arc::default());
        driver.start(RollPlaceEnergy(context.clone()), Arc::default());
        driver.start(GiveSubsidies { context: context.clone(), limits }, Arc::default());
        driver.start(ExpireApprovals(context.clone()), Arc::default());
        driver.start(AdvanceClosings { context: context.clone(), rules }, Arc::default());
        driver.start(AdvanceAccountBatches(context.clone()), Arc::default());
        driver.start(SetClocks(context.clone()), Arc::default());
        let printing = state.printing.clone();
        let requests = printing.requests();
        driver.start(PrintReceipts { context: context.clone(), printing }, requests);
        let mails = reports.mails();
        driver.start(SendReports(reports), Arc::default());
        driver.start(SendMail { context: context.clone(), mailer }, mails);
        start_exports(&driver, &state.exports, &stopping).await;
        for channel in notifications.channels().iter().cloned() {
            let signal = notifications.requests(channel.channel());
            driver.start(SendNotifications { notifications: notifications.clone(), channel }, signal);
        }
        driver.start(CollectNotifications(notifications), Arc::default());
        if let Some(file) = anchor_file {
            driver.start(AnchorAudit { context: context.clone(), file }, Arc::default());
        }
        tasks.close();
        let (signal, lost, polling) = (stopping.clone(), lock.lost(), Arc::clone(&buses));
        tokio::spawn(async move {
            tokio::select! {
                () = stop => tracing::info!("server.stopping"),
                () = lost.cancelled() => {
                    tracing::error!("server.lock_lost: this server ends; what supervises it may start it again");
                    polling.halt();
                }
            }
            signal.cancel();
        });
        let serving = http::connections::serve(listener, router, &state.server, files, &stopping);
        let deadline = async {
            stopping.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            () = serving => {}
            () = deadline => tracing::warn!("server.requests_cut_off"),
        }
        if tokio::time::timeout(GRACE, tasks.wait()).await.is_err() {
            tracing::warn!("server.tasks_cut_off");
        }
        state.exports.close();
        if tokio::time::timeout(GRACE, buses.stop()).await.is_err() {
            tracing::warn!("server.buses_cut_off");
        }
        // A connection that was lost may never answer.
        if tokio::time::timeout(GRACE, state.context.db.close()).await.is_err() {
            tracing::warn!("server.database_cut_off");
        }
        let is_lost = lock.lost().is_cancelled();
        drop(lock);
        tracing::info!("server.stopped");
        if is_lost { Err(StartError::Database(StoreError::LockLost)) } else { Ok(()) }
    }
}

/// What the process before this one was making is made again, before anything else is.
async fn start_exports(driver: &Driver, exports: &ExportsService, stopping: &CancellationToken) {
    if let Err(error) = exports.resume().await {
        tracing::error!(%error, "exports.not_resumed");
    }
    for (name, signal) in MakeExports::NAMES.into_iter().zip(exports.requests()) {
        driver.start(MakeExports { name, exports: exports.clone(), stop: stopping.clone() }, signal);
    }
    driver.start(TendExports(exports.clone()), Arc::default());
}

/// Opens the database and migrates its schema.
pub async fn open_database(config: &Config) -> Result<Db, StartError> {
    let key = config.audit.key().map_err(StartError::Setting)?;
    let db = Db::open_with_key(database_url(config), key).await.map_err(StartError::Database)?;
    require_key(&db).await?;
    Ok(db)
}

/// The same for a command that reads what a site has: where there is no database, none is made.
pub async fn open_existing_database(config: &Config) -> Result<Db, StartError> {
    if let Some(file) = config.database.url.expose().strip_prefix("sqlite:")
        && !Path::new(file.split('?').next().unwrap_or(file)).exists()
    {
        return Err(StartError::NoDatabase(file.to_owned()));
    }
    let key = config.audit.key().map_err(StartError::Setting)?;
    Db::open_with_key(database_url(config), key).await.map_err(StartError::Database)
}

/// Refuses to write with another audit key than before: lines of two keys would break the chain.
async fn require_key(db: &Db) -> Result<(), StartError> {
    let fits = audit::key_fits(db).await.map_err(StartError::Database)?;
    if fits { Ok(()) } else { Err(StartError::Setting(WRONG_KEY.to_owned())) }
}

/// The same for the one server that may run on it.
async fn open_for_server(config: &Config) -> Result<(Db, ServerLock), StartError> {
    let key = config.audit.key().map_err(StartError::Setting)?;
    let polls = buses::polls(&config.keys);
    Db::open_for_server(database_url(config), key, polls).await.map_err(StartError::Database)
}

fn database_url(config: &Config) -> &str {
    let url = config.database.url.expose();
    if let Some(directory) = url.strip_prefix("sqlite:").and_then(|path| Path::new(path).parent()) {
        // One level, as for the default `data/`: a longer missing path is a typing error, which opening reports.
        let _ = std::fs::create_dir(directory);
    }
    url
}
