//! The ports that pages and server functions call, and the person who calls.
//!
//! The server implements these traits and provides them, with the person of the session, in the context of each request.

use std::sync::Arc;

use leptos::prelude::use_context;

use crate::access;
use crate::api::account_batches::AccountBatchesPort;
use crate::api::account_lifecycle::AccountLifecyclePort;
use crate::api::account_numbers::AccountNumbersPort;
use crate::api::accounts::AccountsPort;
use crate::api::alarm_rules::AlarmRulesPort;
use crate::api::alarms::AlarmsPort;
use crate::api::alerts::AlertsPort;
use crate::api::approvals::ApprovalsPort;
use crate::api::audit::AuditPort;
use crate::api::auth::AuthPort;
use crate::api::batches::BatchesPort;
use crate::api::cases::CasesPort;
use crate::api::channels::ChannelsPort;
use crate::api::commissioning::CommissioningPort;
use crate::api::discovery::DiscoveryPort;
use crate::api::exports::ExportsPort;
use crate::api::friendly_hours::FriendlyHoursPort;
use crate::api::gateways::GatewaysPort;
use crate::api::history::HistoryPort;
use crate::api::instruments::InstrumentsPort;
use crate::api::invitations::InvitationsPort;
use crate::api::invoices::InvoicesPort;
use crate::api::kiosks::KiosksPort;
use crate::api::ledger::LedgerPort;
use crate::api::message_texts::MessageTextsPort;
use crate::api::meter_setup::MeterSetupPort;
use crate::api::meter_wall::MeterWallPort;
use crate::api::meters::MetersPort;
use crate::api::notifications::NotificationsPort;
use crate::api::operator_alerts::OperatorAlertsPort;
use crate::api::operators::OperatorsPort;
use crate::api::other_rooms::OtherRoomsPort;
use crate::api::pay_links::PayLinksPort;
use crate::api::personal::PersonalPort;
use crate::api::phone_log_in::PhoneLogInPort;
use crate::api::places::PlacesPort;
use crate::api::prices::PricesPort;
use crate::api::printing::PrintingPort;
use crate::api::receipts::ReceiptsPort;
use crate::api::reconciliation::ReconciliationPort;
use crate::api::refunds::RefundsPort;
use crate::api::reports::ReportsPort;
use crate::api::resident::ResidentPort;
use crate::api::roommates::{JoiningPort, RoommatesPort};
use crate::api::rooms::RoomsPort;
use crate::api::sales::SalesPort;
use crate::api::settings::SettingsPort;
use crate::api::setup::SetupPort;
use crate::api::shifts::ShiftsPort;
use crate::api::site_import::SiteImportPort;
use crate::api::tasks::TasksPort;
use crate::api::wechat_log_in::WechatLogInPort;
use crate::ui::theme::Theme;
use model::error::AppError;
use model::ids::Uuid;
use model::permission::Permission;
pub use model::person::{Role, Who};
use model::time::Timestamp;

/// All ports of one server, by page area. Cheap to clone.
#[derive(Clone)]
pub struct Ports {
    pub account_batches: Arc<dyn AccountBatchesPort>,
    pub account_numbers: Arc<dyn AccountNumbersPort>,
    pub account_lifecycle: Arc<dyn AccountLifecyclePort>,
    pub accounts: Arc<dyn AccountsPort>,
    pub alarm_rules: Arc<dyn AlarmRulesPort>,
    pub alarms: Arc<dyn AlarmsPort>,
    pub alerts: Arc<dyn AlertsPort>,
    pub approvals: Arc<dyn ApprovalsPort>,
    pub audit: Arc<dyn AuditPort>,
    pub auth: Arc<dyn AuthPort>,
    pub batches: Arc<dyn BatchesPort>,
    pub cases: Arc<dyn CasesPort>,
    pub channels: Arc<dyn ChannelsPort>,
    pub commissioning: Arc<dyn CommissioningPort>,
    pub discovery: Arc<dyn DiscoveryPort>,
    pub exports: Arc<dyn ExportsPort>,
    pub friendly_hours: Arc<dyn FriendlyHoursPort>,
    pub gateways: Arc<dyn GatewaysPort>,
    pub history: Arc<dyn HistoryPort>,
    pub instruments: Arc<dyn InstrumentsPort>,
    pub invitations: Arc<dyn InvitationsPort>,
    pub invoices: Arc<dyn InvoicesPort>,
    pub joining: Arc<dyn JoiningPort>,
    pub kiosks: Arc<dyn KiosksPort>,
    pub ledger: Arc<dyn LedgerPort>,
    pub message_texts: Arc<dyn MessageTextsPort>,
    pub meter_wall: Arc<dyn MeterWallPort>,
    pub meter_setup: Arc<dyn MeterSetupPort>,
    pub meters: Arc<dyn MetersPort>,
    pub notifications: Arc<dyn NotificationsPort>,
    pub operator_alerts: Arc<dyn OperatorAlertsPort>,
    pub operators: Arc<dyn OperatorsPort>,
    pub other_rooms: Arc<dyn OtherRoomsPort>,
    pub pay_links: Arc<dyn PayLinksPort>,
    pub personal: Arc<dyn PersonalPort>,
    pub phone_log_in: Arc<dyn PhoneLogInPort>,
    pub places: Arc<dyn PlacesPort>,
    pub prices: Arc<dyn PricesPort>,
    pub printing: Arc<dyn PrintingPort>,
    pub receipts: Arc<dyn ReceiptsPort>,
    pub reconciliation: Arc<dyn ReconciliationPort>,
    pub refunds: Arc<dyn RefundsPort>,
    pub reports: Arc<dyn ReportsPort>,
    pub resident: Arc<dyn ResidentPort>,
    pub roommates: Arc<dyn RoommatesPort>,
    pub rooms: Arc<dyn RoomsPort>,
    pub sales: Arc<dyn SalesPort>,
    pub settings: Arc<dyn SettingsPort>,
    pub setup: Arc<dyn SetupPort>,
    pub shifts: Arc<dyn ShiftsPort>,
    pub site_import: Arc<dyn SiteImportPort>,
    pub tasks: Arc<dyn TasksPort>,
    pub wechat_log_in: Arc<dyn WechatLogInPort>,
    /// Makes a key for a form: sent twice, the form acts once.
    pub form_key: Arc<dyn Fn() -> Uuid + Send + Sync>,
}

/// The parts of the HTTP response that a server function or page sets.
pub trait Reply: Send + Sync {
    /// Redirects (303) to a path on this site; anything else becomes `/`.
    fn redirect(&self, path: &str);
    /// Redirects (303) to an address of another site that this server made itself: a cashier's page.
    fn leave(&self, address: &str);
    /// Redirects a form to `back` with the error's code as `?e=`, or to the login page, and returns true. For a caller that is
    /// a program it sets the status and returns false.
    fn send_back(&self, error: AppError, back: &str) -> bool;
    /// Names the field of the posted form that a refusal is about, as the form calls it; `message` says more than the error
    /// does. The form comes back filled, with that at the field.
    fn wrong_field(&self, field: &str, message: Option<String>);
    /// Redirects to `back`, where the posted form is filled in again: for a refusal that the address of `back` explains.
    fn again(&self, back: &str);
    /// Sets the session cookie; an empty token removes it.
    fn session(&self, token: &str);
    /// Sets the session cookie of a query machine, which the browser forgets soon.
    fn kiosk_session(&self, token: &str);
    /// Sets the cookie of a registered query machine; an empty token removes it.
    fn kiosk(&self, token: &str);
    /// Sets the cookie by which a log-in recognises this browser; without tokens it is removed.
    fn known_device(&self, tokens: &str);
    /// Sets a cookie for a year; its value is a preference and no secret. An empty one removes it.
    fn remember(&self, name: &'static str, value: &'static str);
    /// Keeps a secret for the page that follows, which shows it and takes it back with an empty one.
    fn once(&self, secret: &str);
    /// Remembers for some time the page of the link by which this browser pays, so that it comes back there from the cashier.
    fn paying(&self, page: &str);
    /// The address of this server as people reach it, without `/` at its end.
    fn own_address(&self) -> String;
    /// Has the browser empty its storage of this site and remove its service worker; cookies stay.
    fn clear_storage(&self);
    /// Sets the status of the page being rendered.
    fn status(&self, code: u16);
}

/// The parts of a request that are known without a login.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    pub ip: String,
    /// Path and query.
    pub here: String,
    /// The session token; empty without a session.
    pub session: String,
    /// Tokens of people who logged in with this browser before.
    pub device: String,
    /// The secret that the request before left for this page ([`Reply::once`]); empty if there is none.
    pub once: String,
    /// The page of the link by which this browser pays; empty without one.
    pub paying: String,
    /// The user agent.
    pub agent: String,
    /// A script found that this is a tablet that calls itself a computer.
    pub is_tablet: bool,
    /// The token of a registered query machine; empty in any other browser.
    pub kiosk: String,
    /// The session is one at a query machine.
    pub at_kiosk: bool,
    pub theme: Theme,
    /// Whether the person of the session sees all buildings.
    pub whole_site: bool,
}

impl Visit {
    /// Whether the browser is WeChat's, where people are signed in to it.
    #[must_use]
    pub fn is_in_wechat(&self) -> bool {
        self.agent.contains("MicroMessenger")
    }
}

/// The time of the request by the server's clock; views show ages against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(pub Timestamp);

/// The ports of this request.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn ports() -> Result<Ports, AppError> {
    use_context().ok_or(AppError::Internal)
}

/// A new key for a form: sent twice, the form acts once.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn form_key() -> Result<Uuid, AppError> {
    Ok((ports()?.form_key)())
}

/// The response of this request.
///
/// # Errors
/// [`AppError::Internal`] outside a request.
pub fn reply() -> Result<Arc<dyn Reply>, AppError> {
    use_context().ok_or(AppError::Internal)
}

/// The person who is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`].
pub fn anyone() -> Result<Who, AppError> {
    use_context().ok_or(AppError::NotLoggedIn)
}

/// The resident who is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`], or [`AppError::Forbidden`] for an operator.
pub fn resident() -> Result<Who, AppError> {
    let who = anyone()?;
    if who.role == Role::Resident { Ok(who) } else { Err(AppError::Forbidden) }
}

/// The operator who is logged in.
///
/// # Errors
/// [`AppError::NotLoggedIn`], or [`AppError::Forbidden`] for a resident.
pub fn operator() -> Result<Who, AppError> {
    let who = anyone()?;
    if who.role == Role::Resident { Err(AppError::Forbidden) } else { Ok(who) }
}

/// Whether the person may do that; for what a page shows. The server refuses by [`crate::access`] in any case.
#[must_use]
pub fn may(permission: Permission) -> bool {
    operator().is_ok_and(|who| who.may(permission))
}

/// Whether the operator may open a page or call a server function. What they may not is not offered either.
#[must_use]
pub fn allowed(path: &str) -> bool {
    let is_seen = visit().whole_site || !access::needs_whole_site(path);
    is_seen && operator().is_ok_and(|who| access::is_allowed(&who, path))
}

/// The time of the request.
#[must_use]
pub fn now() -> Timestamp {
    use_context::<Now>().map_or(Timestamp(0), |now| now.0)
}

#[must_use]
pub fn visit() -> Visit {
    use_context().unwrap_or_default()
}
