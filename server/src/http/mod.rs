//! What answers over HTTP: pages and server functions through the session, payment channels beside it.

mod assets;
mod context;
mod error;
pub mod exports;
mod health;
mod limit;
mod live;
mod log;
pub mod notifications;
mod reply;
mod router;
mod security;
mod session;
mod wechat;

use std::sync::Arc;

use app::api::auth::AuthPort;
use app::api::life::LifePort;
use app::api::operator::OperatorPort;
use app::api::reconcile::ReconcilePort;
use app::api::resident::ResidentPort;
use app::api::till::TillPort;
use app::app::Site;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

pub use assets::site;
pub use router::{build, routes};
pub use session::Facts;

use crate::config;
use domain::clock::SharedClock;
use domain::rng::Rng;
use meters::live::Live;
use store::Db;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub db: Db,
    pub clock: SharedClock,
    pub rng: Rng,
    /// What every meter was last seen to hold.
    pub live: Live,
    /// What pages and server functions call.
    pub backends: Backends,
    /// What documents link to.
    pub site: Site,
    /// How people reach this server, and how cookies travel.
    pub server: Arc<config::Server>,
    /// Other sites to which a form may lead: cashiers' pages.
    pub cashiers: Arc<[String]>,
    /// Fires when the server stops; streams end then.
    pub stopping: CancellationToken,
}

/// The ports that do not depend on the request.
#[derive(Clone)]
pub struct Backends {
    /// Logging in and out.
    pub auth: Arc<dyn AuthPort>,
    /// What a resident may do.
    pub resident: Arc<dyn ResidentPort>,
    /// What an operator may do.
    pub operator: Arc<dyn OperatorPort>,
    /// What the till does.
    pub till: Arc<dyn TillPort>,
    /// What reconciliation does.
    pub reconcile: Arc<dyn ReconcilePort>,
    /// The life of accounts.
    pub life: Arc<dyn LifePort>,
}

impl FromRef<AppState> for LeptosOptions {
    /// Leptos asks for them to find a bundle, which `app::app` names itself.
    fn from_ref(_: &AppState) -> Self {
        Self::builder().output_name("dormwatt").build()
    }
}
