//! Builds the parts of the server, serves, and shuts down in order.

mod background;
mod buses;
mod channels;
mod descriptors;

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

use background::Background;
use buses::Buses;

use crate::anchors;
use crate::config::{Config, trial};
use crate::http::{self, AppState, WallAccess};
use crate::tasks::Driver;
use domain::clock::SharedClock;
use domain::rng::Rng;
use meters::live::Live;
use meters::profile::Profiles;
use meters::{GatewayHandle, OwnCertificate};
use notify::Wechat;
use payments::Payments;
use services::auth::Passwords;
use services::console::ConsoleService;
use services::exports::ExportsService;
use services::host::Host;
use services::invoices::InvoicesService;
use services::notifications::NotificationsService;
use services::printing::PrintingService;
use services::reports::ReportsService;
use services::setup::SetupService;
use services::site::SiteService;
use services::site_import::SiteImportService;
use services::{self, Context, SharedServices};
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
    background: Background,
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
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        let driver = Driver::new(context.clock.clone(), stopping.clone(), tasks.clone());
        let shared = SharedServices {
            console,
            exports: exports.clone(),
            setup,
            site_import: site_import.clone(),
            printing: printing.clone(),
            reports: reports.clone(),
            notifications: notifications.clone(),
            tasks: driver.board().clone(),
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
            cashiers: form_origins(&payments, &notifications).into(),
            forms: Arc::default(),
            api_limit: Arc::default(),
            wall_access: WallAccess::default(),
            stopping,
        };
        let webhooks = http::notifications::routes(payments.clone(), context.clock.clone())
            .merge(http::message_receipts::routes(notifications.clone(), context.clock.clone()));
        let router = http::build(state.clone(), webhooks);
        let background = Background {
            payments,
            rules: config.cash_desk,
            reports,
            notifications,
            mailer,
            anchor_file: config.audit.anchor_file.clone(),
            host: Host {
                data: config.data_directory(),
                backups: config.watch.backup_directory.clone(),
                certificates: OwnCertificate::all(&config.meters),
            },
        };
        Ok(Self { listener, address, router, setup_token, files, state, buses, background, driver, tasks, lock })
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
        let Self { listener, router, files, state, buses, background, driver, tasks, lock, .. } = self;
        let stopping = state.stopping.clone();
        tasks.spawn(state.context.live.clone().run(stopping.clone()));
        tasks.spawn(state.wall_access.clone().run(state.context.clone(), stopping.clone()));
        background.start(&driver, &tasks, &state).await;
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

/// Where forms of this site may lead: to cashiers, and to WeChat, which says who a person is there.
fn form_origins(payments: &Payments, notifications: &NotificationsService) -> Vec<String> {
    let mut origins = payments.form_origins();
    origins.extend(notifications.channels().wechat().map(Wechat::sign_in_origin));
    origins
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
