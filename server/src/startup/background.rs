//! The background tasks: which there are, and what each works with.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::channels;
use crate::http::AppState;
use crate::tasks::Driver;
use crate::tasks::abandoned_orders::CloseAbandoned;
use crate::tasks::account_batches::AdvanceAccountBatches;
use crate::tasks::anchor::AnchorAudit;
use crate::tasks::ask_digests::AskDigests;
use crate::tasks::clock::SetClocks;
use crate::tasks::closings::AdvanceClosings;
use crate::tasks::collect_notifications::CollectNotifications;
use crate::tasks::consumption::PostConsumption;
use crate::tasks::expire_approvals::ExpireApprovals;
use crate::tasks::expiries::WatchExpiries;
use crate::tasks::exports::{MakeExports, TendExports};
use crate::tasks::friendly_hours::KeepFriendlyHours;
use crate::tasks::place_energy::RollPlaceEnergy;
use crate::tasks::print_receipts::PrintReceipts;
use crate::tasks::purge_sessions::PurgeSessions;
use crate::tasks::query_payments::QueryPayments;
use crate::tasks::reconcile::Reconcile;
use crate::tasks::refunds::SendRefunds;
use crate::tasks::remind_top_ups::RemindTopUps;
use crate::tasks::send_mail::SendMail;
use crate::tasks::send_notifications::SendNotifications;
use crate::tasks::send_reports::SendReports;
use crate::tasks::subsidies::GiveSubsidies;
use crate::tasks::switch_schedules::SwitchSchedules;
use crate::tasks::warn_tonight::WarnTonight;
use crate::tasks::watch_alarms::WatchAlarms;
use crate::tasks::watch_use::WatchUse;
use domain::returns::Rules;
use notify::Mailer;
use payments::Payments;
use services::exports::ExportsService;
use services::host::Host;
use services::notifications::NotificationsService;
use services::reports::ReportsService;
use services::residents::ResidentService;

/// What only tasks work with.
pub struct Background {
    pub payments: Payments,
    pub rules: Rules,
    pub reports: ReportsService,
    pub notifications: NotificationsService,
    /// `None` where the configuration names no mail server.
    pub mailer: Option<Mailer>,
    pub anchor_file: Option<PathBuf>,
    pub host: Host,
}

impl Background {
    /// Starts all of them.
    pub async fn start(self, driver: &Driver, tasks: &TaskTracker, state: &AppState) {
        let Self { payments, rules, reports, notifications, mailer, anchor_file, host } = self;
        let context = &state.context;
        let signal = payments.query_requests();
        driver.start(QueryPayments { context: context.clone(), payments: payments.clone() }, signal);
        driver.start(SendRefunds { context: context.clone(), payments: payments.clone() }, Arc::default());
        let config = payments.reconcile_config();
        driver.start(Reconcile { context: context.clone(), payments: payments.clone(), config }, Arc::default());
        let limits = payments.limits();
        let residents = ResidentService::new(context.clone(), payments.clone());
        driver.start(WarnTonight::new(context.clone(), residents), Arc::default());
        let residents = ResidentService::new(context.clone(), payments.clone());
        let address = state.server.public_url.trim_end_matches('/').to_owned();
        driver.start(RemindTopUps { residents, address }, Arc::default());
        channels::run_modem(tasks, state, &notifications, ResidentService::new(context.clone(), payments.clone()));
        let residents = ResidentService::new(context.clone(), payments.clone());
        driver.start(SwitchSchedules { context: context.clone(), residents }, Arc::default());
        let messages = notifications.channels().clone();
        driver.start(WatchAlarms::new(context.clone(), payments.clone(), messages, host.clone()), Arc::default());
        driver.start(WatchUse::new(context.clone()), Arc::default());
        driver.start(WatchExpiries { context: context.clone(), payments, host }, Arc::default());
        driver.start(CloseAbandoned(context.clone()), Arc::default());
        driver.start(PurgeSessions(context.clone()), Arc::default());
        driver.start(PostConsumption(context.clone()), Arc::default());
        driver.start(RollPlaceEnergy(context.clone()), Arc::default());
        driver.start(GiveSubsidies { context: context.clone(), limits }, Arc::default());
        driver.start(ExpireApprovals(context.clone()), Arc::default());
        driver.start(AdvanceClosings { context: context.clone(), rules }, Arc::default());
        driver.start(AdvanceAccountBatches(context.clone()), Arc::default());
        driver.start(SetClocks(context.clone()), Arc::default());
        driver.start(KeepFriendlyHours(context.clone()), Arc::default());
        let printing = state.printing.clone();
        let requests = printing.requests();
        driver.start(PrintReceipts { context: context.clone(), printing }, requests);
        let (mails, due) = (reports.mails(), reports.requests());
        driver.start(SendReports(reports), due);
        driver.start(SendMail { context: context.clone(), mailer }, mails);
        start_exports(driver, &state.exports, &state.stopping).await;
        for channel in notifications.channels().iter().cloned() {
            let signal = notifications.requests(channel.channel());
            driver.start(SendNotifications { notifications: notifications.clone(), channel }, signal);
        }
        driver.start(AskDigests::new(context.clone(), notifications.clone()), Arc::default());
        driver.start(CollectNotifications(notifications), Arc::default());
        if let Some(file) = anchor_file {
            driver.start(AnchorAudit { context: context.clone(), file }, Arc::default());
        }
    }
}

/// What the process before this one was making is made again, before anything else is.
async fn start_exports(driver: &Driver, exports: &ExportsService, stopping: &CancellationToken) {
    if let Err(error) = exports.resume().await {
        tracing::error!(%error, "exports.not_resumed");
    }
    for (kind, signal) in MakeExports::KINDS.into_iter().zip(exports.requests()) {
        driver.start(MakeExports { kind, exports: exports.clone(), stop: stopping.clone() }, signal);
    }
    driver.start(TendExports(exports.clone()), Arc::default());
}
