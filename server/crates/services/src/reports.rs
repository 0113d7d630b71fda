//! Reports: who may have which, and about which place; and those that somebody saved, which are sent when they are due.

mod files;

use std::sync::Arc;
use std::time::Duration;

use app::api::reports::{FITTING_ROOMS, ReportPlace, ReportsPort, SavedReports};
use app::i18n::saved_reports as words;
use async_trait::async_trait;
use model::error::AppError;
use model::gateway::SweepInterval;
use model::ids::SavedReportId;
use model::person::Who;
use model::report::{RangeProblem, Report, ReportKind, ReportQuery};
use model::saved_report::{NewSavedReport, ReportTrouble, SavedReport, SendOutcome};
use notify::outbox::{self, MailFile, NewMail};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::Context;
use ::reports::{Subject, saved, subject};
use domain::wall_layout::Scope;
use store::{Db, REPORT_LIMIT, REPORTS_AT_ONCE, users};

pub use files::{NotWritten, file_name, file_of, write_report};

/// The largest file that an e-mail brings: mail servers refuse larger e-mails, and a file grows by a third on the way.
const LARGEST_FILE: usize = 6 << 20;
/// How long a page or a download waits until fewer others are made.
const LONGEST_QUEUE: Duration = Duration::from_secs(2);

/// Cheap to clone.
#[derive(Clone)]
pub struct ReportsService {
    context: Context,
    /// For pages and downloads, which wait.
    own: Db,
    turns: Arc<Semaphore>,
    /// The configuration's interval of readings.
    usual_interval: SweepInterval,
    /// Whether the configuration names a mail server.
    can_mail: bool,
    /// There are e-mails to send.
    written: Arc<Notify>,
    /// A report is due at once.
    due: Arc<Notify>,
}

/// What an e-mail with a report says and brings.
struct Written {
    subject: String,
    body: String,
    file: MailFile,
}

impl Written {
    fn mail<'a>(&'a self, report: &'a SavedReport) -> NewMail<'a> {
        NewMail {
            report: report.id,
            recipients: &report.what.recipients,
            subject: &self.subject,
            body: &self.body,
            file: &self.file,
        }
    }
}

impl ReportsService {
    #[must_use]
    pub fn new(context: Context, usual_interval: SweepInterval, can_mail: bool) -> Self {
        let (own, turns) = (context.db.for_reports(), Arc::new(Semaphore::new(REPORTS_AT_ONCE as usize)));
        Self { context, own, turns, usual_interval, can_mail, written: Arc::default(), due: Arc::default() }
    }

    /// How often meters are read where nothing else is set.
    #[must_use]
    pub const fn usual_interval(&self) -> SweepInterval {
        self.usual_interval
    }

    /// Is signalled when there are e-mails to send.
    #[must_use]
    pub fn mails(&self) -> Arc<Notify> {
        self.written.clone()
    }

    /// Is signalled when a report is due at once.
    #[must_use]
    pub fn requests(&self) -> Arc<Notify> {
        self.due.clone()
    }

    /// Stores the e-mails of the saved reports that are due; gives how many reports were made. One that cannot be made says why,
    /// and keeps no other from being sent.
    pub async fn send_due(&self) -> Result<usize, AppError> {
        let (db, mut sent) = (&self.context.db, 0);
        while let Some(report) = saved::next(db, self.context.now()).await? {
            let made = self.made(&report).await.unwrap_or_else(|error| {
                tracing::error!(report = %report.id, ?error, "reports.not_made");
                Err(ReportTrouble::Failed)
            });
            let at = self.context.now();
            match made {
                Ok(written) => {
                    let is_stored = saved::send_due(db, &self.context.rng, at, &report, &written.mail(&report)).await?;
                    sent += usize::from(is_stored);
                    self.written.notify_one();
                }
                Err(trouble) => {
                    tracing::warn!(report = %report.id, trouble = trouble.as_str(), "reports.not_sent");
                    saved::miss(db, at, &report, trouble).await?;
                }
            }
        }
        Ok(sent)
    }

    /// Has the background task make and send a report as soon as it can.
    async fn send_in_background(&self, who: &Who, report: &SavedReport) -> Result<SendOutcome, AppError> {
        saved::send_soon(&self.context.db, self.context.now(), who, report).await?;
        self.due.notify_one();
        Ok(SendOutcome::InBackground)
    }

    /// A report, however long it takes: for what nobody waits for.
    pub async fn make(&self, who: &Who, kind: ReportKind, query: &ReportQuery) -> Result<Result<Report, RangeProblem>, AppError> {
        if !who.may(kind.permission()) {
            return Err(AppError::Forbidden);
        }
        Ok(self.make_with(&self.context.db, who, kind, query).await?)
    }

    async fn make_with(
        &self,
        db: &Db,
        who: &Who,
        kind: ReportKind,
        query: &ReportQuery,
    ) -> store::Result<Result<Report, RangeProblem>> {
        let subject = match Subject::find(db, who.user, kind, query).await? {
            Ok(subject) => subject,
            Err(problem) => return Ok(Err(problem)),
        };
        ::reports::make(db, self.context.now(), who.user, kind, query, &subject, self.usual_interval).await
    }

    /// Its owner with the buildings that they see now; `None` where they may not have it.
    async fn rights(&self, saved: &SavedReport) -> Result<Option<(Who, Scope)>, AppError> {
        let owner = users::operator(&self.context.db, saved.owner).await?;
        let Some(owner) = owner.filter(|owner| owner.may(saved.what.kind.permission())) else { return Ok(None) };
        let scope = queries::scope(&self.context.db, owner.user).await?;
        Ok(Some((owner, scope)))
    }

    /// Made with the rights that its owner has from its beginning to its end, which can be minutes later.
    async fn made(&self, saved: &SavedReport) -> Result<Result<Written, ReportTrouble>, AppError> {
        let Some((owner, scope)) = self.rights(saved).await? else { return Ok(Err(ReportTrouble::NotAllowed)) };
        let Ok(query) = saved.what.query(self.context.now().date()) else { return Ok(Err(ReportTrouble::NoSuchPlace)) };
        let report = match self.make(&owner, saved.what.kind, &query).await? {
            Ok(report) => report,
            Err(RangeProblem::TooManyMeters { .. }) => return Ok(Err(ReportTrouble::TooManyMeters)),
            Err(_) => return Ok(Err(ReportTrouble::NoSuchPlace)),
        };
        let lang = saved.what.lang;
        let [kind, about, period] = files::title(&report, lang);
        let site = users::site_name(&self.context.db).await?;
        let mail = words::ReportMail { name: saved.what.name.clone(), report: kind, about, period, site, owner: owner.name };
        let (subject, body) = (mail.subject(lang), mail.body(lang));
        let name = file_name(&report, saved.what.file);
        let contents = file_of(report, saved.what.file, lang).await?;
        if contents.len() > LARGEST_FILE {
            return Ok(Err(ReportTrouble::TooLarge));
        }
        // What was read may be of buildings that they see no longer.
        if self.rights(saved).await?.is_none_or(|(_, now)| now != scope) {
            return Ok(Err(ReportTrouble::NotAllowed));
        }
        Ok(Ok(Written { subject, body, file: MailFile { name, contents } }))
    }

    /// Who answers for the site sees and ends what anybody saved.
    async fn of_all(&self, who: &Who) -> Result<bool, AppError> {
        self.context.answers_for_site(who).await
    }
}

#[async_trait]
impl ReportsPort for ReportsService {
    async fn report_places(&self, who: &Who) -> Result<Vec<ReportPlace>, AppError> {
        let db = &self.context.db;
        let places = subject::places(db, who.user).await?;
        let groups = subject::groups(db).await?;
        let places = places.into_iter().map(|(id, name)| ReportPlace { id: id.to_string(), name, is_group: false });
        let groups = groups.into_iter().map(|(id, name)| ReportPlace { id: id.to_string(), name, is_group: true });
        Ok(places.chain(groups).collect())
    }

    async fn report(&self, who: &Who, kind: ReportKind, query: &ReportQuery) -> Result<Result<Report, RangeProblem>, AppError> {
        if !who.may(kind.permission()) {
            return Err(AppError::Forbidden);
        }
        let end = Instant::now() + REPORT_LIMIT;
        let Ok(Ok(_turn)) = timeout(LONGEST_QUEUE, self.turns.acquire()).await else {
            return Ok(Err(RangeProblem::OthersBeingMade));
        };
        match timeout_at(end, self.make_with(&self.own, who, kind, query)).await {
            Err(_) => Ok(Err(RangeProblem::TooSlow)),
            Ok(Err(error)) if error.is_overdue() => Ok(Err(RangeProblem::TooSlow)),
            Ok(Err(error)) if error.is_without_connection() => Ok(Err(RangeProblem::OthersBeingMade)),
            Ok(made) => Ok(made?),
        }
    }

    fn can_mail(&self) -> bool {
        self.can_mail
    }

    async fn saved_reports(&self, who: &Who) -> Result<SavedReports, AppError> {
        let (db, of_all) = (&self.context.db, self.of_all(who).await?);
        let reports = saved::list(db, who.user, of_all).await?;
        Ok(SavedReports { reports, mails: outbox::newest(db, who.user, of_all).await? })
    }

    async fn fitting_rooms(&self, who: &Who, text: &str) -> Result<Vec<String>, AppError> {
        Ok(subject::fitting_rooms(&self.context.db, who.user, text, FITTING_ROOMS).await?)
    }

    async fn save_report(&self, who: &Who, new: &NewSavedReport, replaces: bool) -> Result<SavedReportId, AppError> {
        if !who.may(new.kind.permission()) {
            return Err(AppError::Forbidden);
        }
        let at = self.context.now();
        let query = new.query(at.date()).map_err(|_| AppError::Invalid)?;
        // A place of other buildings, or a room that does not exist, is refused now and not each time that it is due.
        if Subject::find(&self.context.db, who.user, new.kind, &query).await?.is_err() {
            return Err(AppError::NotFound);
        }
        Ok(saved::save(&self.context.db, &self.context.rng, at, who, new, replaces).await?)
    }

    async fn remove_report(&self, who: &Who, report: SavedReportId) -> Result<(), AppError> {
        Ok(saved::remove(&self.context.db, self.context.now(), who, self.of_all(who).await?, report).await?)
    }

    async fn send_report(&self, who: &Who, report: SavedReportId) -> Result<Result<SendOutcome, ReportTrouble>, AppError> {
        let db = &self.context.db;
        let report = saved::find(db, who.user, self.of_all(who).await?, report).await?;
        if !self.can_mail || report.what.recipients.is_empty() {
            return Err(AppError::Invalid);
        }
        let written = match timeout(REPORT_LIMIT, self.made(&report)).await {
            Ok(made) => match made? {
                Ok(written) => written,
                Err(trouble) => return Ok(Err(trouble)),
            },
            Err(_) => return Ok(Ok(self.send_in_background(who, &report).await?)),
        };
        saved::send_now(db, &self.context.rng, self.context.now(), who, &report, &written.mail(&report)).await?;
        self.written.notify_one();
        Ok(Ok(SendOutcome::Written))
    }
}
