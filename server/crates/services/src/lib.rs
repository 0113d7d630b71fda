//! The operations behind pages, server functions and background tasks: one service an area, over the store, the meters and the
//! payment channels. A service authorises what it does and maps rows of the store to the view types of the pages.

pub mod account_lifecycle;
mod attempt_limits;
pub mod auth;
pub mod cash_desk;
pub mod channels;
pub mod checklist;
pub mod console;
mod context;
mod day_cost;
pub mod discovery;
pub mod exports;
mod friendly;
pub mod host;
pub mod instruments;
pub mod invoices;
pub mod kiosks;
pub mod log_limit;
mod meter_gateway;
pub mod meter_setup;
pub mod notifications;
pub mod personal;
pub mod printing;
mod qr;
pub mod reconciliation;
pub mod reports;
pub mod residents;
pub mod roommates;
pub mod setup;
pub mod site;
pub mod site_import;
pub mod tasks;
pub mod text_requests;

use std::sync::Arc;

use app::ports::Ports;
use model::error::AppError;

pub use context::Context;
pub use meter_gateway::{MeterGateway, NoMeterGateway};

use account_lifecycle::AccountLifecycleService;
use auth::{AuthService, Passwords};
use cash_desk::CashDeskService;
use channels::ChannelsService;
use console::ConsoleService;
use discovery::DiscoveryService;
use domain::returns::Rules;
use exports::ExportsService;
use instruments::InstrumentsService;
use invoices::InvoicesService;
use kiosks::KiosksService;
use meter_setup::MeterSetupService;
use meters::profile::Profiles;
use notifications::NotificationsService;
use payments::Payments;
use personal::PersonalService;
use printing::PrintingService;
use reconciliation::ReconciliationService;
use reports::ReportsService;
use residents::ResidentService;
use roommates::RoommatesService;
use setup::SetupService;
use site::SiteService;
use site_import::SiteImportService;
use tasks::{TaskBoard, TasksService};

/// The services that tasks and routes hold too.
pub struct SharedServices {
    pub console: Arc<ConsoleService>,
    pub exports: ExportsService,
    pub setup: Arc<SetupService>,
    pub site_import: SiteImportService,
    pub printing: PrintingService,
    pub reports: ReportsService,
    pub notifications: NotificationsService,
    pub tasks: TaskBoard,
}

/// The services as the ports of pages and server functions. `rules` say when a return needs a second person.
pub fn ports(
    context: &Context,
    payments: &Payments,
    profiles: Profiles,
    rules: Rules,
    shared: SharedServices,
) -> Result<Ports, AppError> {
    let SharedServices { console, exports, setup, site_import, printing, reports, notifications, tasks } = shared;
    let passwords = Passwords::new(context.rng.clone())?;
    let (limits, refund_rules) = (payments.limits(), payments.refund_rules());
    let cash_desk = Arc::new(CashDeskService::new(context.clone(), limits, rules, refund_rules));
    let auth = Arc::new(AuthService::new(context.clone(), passwords.clone()).with_channels(&notifications));
    let residents = Arc::new(ResidentService::new(context.clone(), payments.clone()));
    let keys = context.clone();
    let site = SiteService::new(context.clone(), passwords.clone(), &profiles, limits);
    let discovery = Arc::new(DiscoveryService::new(context.clone(), site, profiles.clone()));
    Ok(Ports {
        account_batches: console.clone(),
        account_numbers: console.clone(),
        account_lifecycle: Arc::new(AccountLifecycleService::new(context.clone(), passwords.clone(), profiles.clone())),
        accounts: console.clone(),
        alarm_rules: console.clone(),
        alarms: console.clone(),
        alerts: Arc::new(notifications.clone()),
        approvals: console.clone(),
        audit: console.clone(),
        auth: auth.clone(),
        batches: console.clone(),
        cases: console.clone(),
        channels: Arc::new(ChannelsService::new(context.clone(), payments.clone())),
        commissioning: console.clone(),
        discovery,
        exports: Arc::new(exports),
        friendly_hours: console.clone(),
        gateways: console.clone(),
        history: console.clone(),
        instruments: Arc::new(InstrumentsService::new(context.clone(), profiles.clone())),
        invitations: auth.clone(),
        invoices: Arc::new(InvoicesService::new(context.clone())),
        joining: auth.clone(),
        kiosks: Arc::new(KiosksService::new(context.clone())),
        ledger: cash_desk.clone(),
        message_texts: Arc::new(notifications.clone()),
        meter_wall: console.clone(),
        meter_setup: Arc::new(MeterSetupService::new(context.clone(), profiles)),
        meters: console.clone(),
        operator_alerts: Arc::new(notifications.clone()),
        notifications: Arc::new(notifications),
        operators: console.clone(),
        other_rooms: residents.clone(),
        pay_links: residents.clone(),
        personal: Arc::new(PersonalService::new(context.clone())),
        phone_log_in: auth.clone(),
        places: console.clone(),
        prices: console.clone(),
        printing: Arc::new(printing),
        receipts: cash_desk.clone(),
        reconciliation: Arc::new(ReconciliationService::new(context.clone(), payments.clone())),
        refunds: cash_desk.clone(),
        reports: Arc::new(reports),
        resident: residents,
        roommates: Arc::new(RoommatesService::new(context.clone())),
        rooms: console.clone(),
        sales: cash_desk.clone(),
        settings: console,
        setup,
        shifts: cash_desk,
        site_import: Arc::new(site_import),
        tasks: Arc::new(TasksService::new(context.clone(), tasks)),
        wechat_log_in: auth,
        form_key: Arc::new(move || keys.form_key()),
    })
}
