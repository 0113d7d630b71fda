//! HTTP: pages and server functions with sessions, and the payment channels' notifications without.

mod assets;
mod body;
mod caller;
pub mod connections;
mod context;
mod error;
pub mod exports;
mod forms;
mod health;
mod holidays;
mod installed;
mod limit;
mod live;
mod log;
pub mod message_receipts;
pub mod notifications;
mod one_file;
mod payer_return;
mod personal_data;
mod receipts;
mod reply;
mod resident_api;
mod router;
mod security;
mod session;
mod upload;
mod wall_access;
mod wechat;

use std::sync::Arc;

use app::app::Site;
use app::ports::Ports;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use tokio_util::sync::CancellationToken;

pub use assets::site;
pub use forms::KeptForms;
pub use resident_api::ApiLimit;
pub use router::{build, routes};
pub use session::RequestInfo;
pub use wall_access::WallAccess;

use crate::config;
use services::Context;
use services::exports::ExportsService;
use services::invoices::InvoicesService;
use services::printing::PrintingService;
use services::site_import::SiteImportService;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    pub context: Context,
    pub ports: Ports,
    /// Uploads and downloads of the site's workbook.
    pub site_import: SiteImportService,
    /// Receipts as files.
    pub printing: PrintingService,
    pub invoices: InvoicesService,
    /// Lists as files, and files that are made in the background.
    pub exports: ExportsService,
    /// What documents link to.
    pub site: Site,
    /// How people reach this server, and how cookies travel.
    pub server: Arc<config::Server>,
    /// Other sites that a form may lead to: the cashiers' pages.
    pub cashiers: Arc<[String]>,
    /// Forms that were refused, to be shown filled in.
    pub forms: Arc<KeptForms>,
    /// How often residents' programs may ask.
    pub api_limit: Arc<ApiLimit>,
    /// Who may go on watching the meter wall.
    pub wall_access: WallAccess,
    /// Cancelled when the server stops; streams end then.
    pub stopping: CancellationToken,
}

impl FromRef<AppState> for LeptosOptions {
    /// Leptos needs them to find a bundle, which `app::app` links to itself.
    fn from_ref(_: &AppState) -> Self {
        Self::builder().output_name("dormwatt").build()
    }
}
