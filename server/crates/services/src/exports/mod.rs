//! Files that people have made in the background: asked for, listed, ended and downloaded. `run` makes them.

mod directory;
mod gauge;
pub mod lists;
mod run;
mod write;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use ::reports::{Subject, exports, too_large};
use app::api::exports::{ExportsPort, NewExport};
use async_trait::async_trait;
use model::error::AppError;
use model::export::{Export, ExportList, ExportSource, ExportState, MAX_QUERY};
use model::ids::{ExportId, Uuid};
use model::language::Lang;
use model::person::Who;
use model::report::{RangeProblem, ReportQuery};
use model::time::Date;
use tokio::sync::Notify;

use super::Context;
use super::console::ConsoleService;
use super::reports::ReportsService;
use directory::{Directory, ExportFiles};
use lists::Listing;

pub use gauge::Gauge;
pub use write::note;

/// Files that are made at the same time.
pub const RUNNING: usize = 2;

/// The choice of a page, as in its address.
pub struct Fields(Vec<(String, String)>);

impl Fields {
    #[must_use]
    pub const fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value of a name; empty where it has none.
    #[must_use]
    pub fn get(&self, name: &str) -> String {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct ExportsService {
    context: Context,
    console: Arc<ConsoleService>,
    reports: ReportsService,
    files: Arc<ExportFiles>,
    /// There is something to make: a signal for each of those that make files.
    asked: [Arc<Notify>; RUNNING],
}

/// A finished file that somebody may have.
pub struct ExportFile {
    /// ASCII, with its ending.
    pub name: String,
    pub export: Export,
    pub file: File,
}

impl ExportsService {
    /// `base` is where the files lie.
    #[must_use]
    pub fn new(context: Context, console: Arc<ConsoleService>, reports: ReportsService, base: PathBuf) -> Self {
        let files = Arc::new(ExportFiles::new(base, context.rng.clone()));
        Self { context, console, reports, files, asked: Default::default() }
    }

    /// The signals of those that make files.
    #[must_use]
    pub fn requests(&self) -> [Arc<Notify>; RUNNING] {
        self.asked.clone()
    }

    /// Leaves the files to the next process. Nothing must be made any more.
    pub fn close(&self) {
        self.files.close();
    }

    /// A list, to be sent to a browser.
    pub async fn listing(&self, who: &Who, list: ExportList, fields: &Fields, lang: Lang) -> Result<Listing, AppError> {
        lists::open((&self.context, &self.console), who, list, fields, lang).await
    }

    /// A finished file, with the rights that the person has now.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] where a right was taken away since, [`AppError::FileElsewhere`] where another process has it,
    /// [`AppError::FileExpired`] where it is not offered any more.
    pub async fn file(&self, who: &Who, id: ExportId) -> Result<ExportFile, AppError> {
        let directory = self.directory();
        let at = self.context.now();
        let export = exports::find(&self.context.db, who.user, id_of(directory.as_deref()), id).await?;
        if !who.may(export.source.permission()) {
            return Err(AppError::Forbidden);
        }
        match export.state {
            ExportState::Ready if export.until.is_some_and(|until| at < until) => {}
            ExportState::Ready | ExportState::Expired => return Err(AppError::FileExpired),
            _ => return Err(AppError::NotFound),
        }
        let directory = directory.filter(|_| export.is_here).ok_or(AppError::FileElsewhere)?;
        let file = directory.read(id).map_err(|error| {
            tracing::error!(export = %id, error = &error as &dyn std::error::Error, "exports.not_read");
            AppError::FileExpired
        })?;
        let name = export.source.to_string().replace('/', "-");
        let name = format!("{name}-{}.{}", export.asked_at.date(), export.file.as_str());
        Ok(ExportFile { name, export, file })
    }

    /// The directory, where there is one; where it cannot be opened, the log says why.
    fn directory(&self) -> Option<Arc<Directory>> {
        self.files.found(self.context.now()).unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "exports.no_directory");
            None
        })
    }

    /// What an address asks for, and about what and which days it is, for people; or why there is none.
    async fn about(&self, who: &Who, new: &NewExport) -> Result<Result<About, RangeProblem>, AppError> {
        let (db, fields) = (&self.context.db, Fields::parse(&new.query));
        let kind = match new.source {
            ExportSource::List(list) => return Ok(Ok(lists::about(&self.context, who, list, &fields).await?)),
            ExportSource::Report(kind) => kind,
        };
        let query = match ReportQuery::parse(kind, |name| fields.get(name), self.context.now().date()) {
            Ok(query) => query,
            Err(problem) => return Ok(Err(problem)),
        };
        let subject = match Subject::find(db, who.user, kind, &query).await? {
            Ok(subject) => subject,
            Err(problem) => return Ok(Err(problem)),
        };
        if let Some(problem) = too_large(db, who.user, kind, &query, &subject, self.reports.usual_interval()).await? {
            return Ok(Err(problem));
        }
        Ok(Ok((subject.name, Some((query.from, query.until)))))
    }
}

type About = (String, Option<(Date, Date)>);

/// Without a directory no file is here.
fn id_of(directory: Option<&Directory>) -> Uuid {
    directory.map_or(Uuid::nil(), |directory| directory.id)
}

#[async_trait]
impl ExportsPort for ExportsService {
    async fn exports(&self, who: &Who) -> Result<Vec<Export>, AppError> {
        Ok(exports::list(&self.context.db, who.user, id_of(self.directory().as_deref())).await?)
    }

    async fn start_export(&self, who: &Who, new: &NewExport) -> Result<Result<(), RangeProblem>, AppError> {
        if !who.may(new.source.permission()) {
            return Err(AppError::Forbidden);
        }
        if new.query.len() > MAX_QUERY {
            return Err(AppError::Invalid);
        }
        let (about, days) = match self.about(who, new).await? {
            Ok(about) => about,
            Err(problem) => return Ok(Err(problem)),
        };
        let at = self.context.now();
        let directory = self.files.made(at).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "exports.no_directory");
            AppError::Unavailable
        })?;
        let new = exports::NewExport {
            id: ExportId(self.context.rng.id(at)),
            owner: who.user,
            source: new.source,
            query: &new.query,
            file: new.file,
            lang: new.lang,
            about: &about,
            days,
            directory: directory.id,
        };
        exports::start(&self.context.db, at, &new).await?;
        self.asked.iter().for_each(|signal| signal.notify_one());
        Ok(Ok(()))
    }

    async fn cancel_export(&self, who: &Who, id: ExportId) -> Result<(), AppError> {
        Ok(exports::cancel(&self.context.db, self.context.now(), who.user, id).await?)
    }

    async fn remove_export(&self, who: &Who, id: ExportId) -> Result<(), AppError> {
        exports::remove(&self.context.db, who.user, id).await?;
        // Where another process has the file, that one finds out.
        if let Some(Err(error)) = self.directory().map(|directory| directory.remove(id)) {
            tracing::warn!(export = %id, error = &error as &dyn std::error::Error, "exports.not_removed");
        }
        Ok(())
    }
}
