//! Imports that people upload: each person has one file, or several of one upload, for an hour.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::api::site_import::{ImportPhase, ImportReport, ImportState, PendingImport, ProblemLine, SiteImportPort};
use app::i18n::{Lang, site_workbook};
use async_trait::async_trait;
use model::error::AppError;
use model::ids::{UserId, Uuid};
use model::person::Who;
use model::site_workbook::Preview;
use model::time::{HOUR, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Context;
use super::site::{SiteFiles, SiteService};
use estate::site_import::ImportWay;

/// How long an upload is kept, ms.
const KEPT: i64 = HOUR;
/// Uploads of all people that are kept at the same time.
const MAX_KEPT: usize = 16;
/// Uploads that are received and checked at the same time.
const MAX_RECEIVED: usize = 2;
/// Bodies that are thrown away at the same time.
const MAX_DRAINED: usize = 4;
/// The site's name where nobody has named it.
const SITE: &str = "园区";

/// An uploaded file. It has no name on the disk, so that nothing is left of it when the process ends.
pub struct UploadedFile {
    pub name: String,
    pub file: File,
    pub bytes: u64,
}

struct Upload {
    id: Uuid,
    files: Vec<UploadedFile>,
    until: Timestamp,
    stage: Mutex<Stage>,
}

#[derive(Clone)]
enum Stage {
    Checked(Arc<Preview>),
    Running(ImportPhase),
    Done(Arc<Preview>),
    Failed(AppError),
}

impl Upload {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, stage: Stage) {
        *self.stage() = stage;
    }

    fn is_running(&self) -> bool {
        matches!(*self.stage(), Stage::Running(_))
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct SiteImportService {
    context: Context,
    site: Arc<SiteService>,
    kept: Arc<Mutex<HashMap<UserId, Arc<Upload>>>>,
    received: Arc<Semaphore>,
    drained: Arc<Semaphore>,
}

/// The place of an upload among those that are received at the same time.
pub type UploadPermit = OwnedSemaphorePermit;

impl SiteImportService {
    #[must_use]
    pub fn new(context: Context, site: Arc<SiteService>) -> Self {
        let (received, drained) = (Arc::new(Semaphore::new(MAX_RECEIVED)), Arc::new(Semaphore::new(MAX_DRAINED)));
        Self { context, site, kept: Arc::default(), received, drained }
    }

    /// The workbook of the site as it is.
    pub async fn export(&self, who: &Who, lang: Lang) -> Result<Vec<u8>, AppError> {
        self.context.require_whole_site(who).await?;
        self.site.export(lang).await
    }

    /// The workbook to fill in.
    pub fn template(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        self.site.template(lang)
    }

    /// What importing this person's upload would do with each row: XLSX.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where nothing is kept that could be imported, [`AppError::Unavailable`] where many files are read.
    pub async fn changes(&self, who: &Who, lang: Lang) -> Result<Vec<u8>, AppError> {
        self.context.require_whole_site(who).await?;
        let upload = self.kept().get(&who.user).cloned().ok_or(AppError::NotFound)?;
        if !matches!(&*upload.stage(), Stage::Checked(preview) if preview.problem_count == 0) {
            return Err(AppError::NotFound);
        }
        let permit = self.received.clone().try_acquire_owned().map_err(|_| AppError::Unavailable)?;
        let file = self.site.changes((ImportWay::Page, who), &self.files(&upload).await?, lang).await;
        drop(permit);
        file
    }

    /// Lets a person upload now; until the permit is dropped, few others can.
    ///
    /// # Errors
    /// [`AppError::Conflict`] while an import of theirs runs, [`AppError::Unavailable`] where many uploads are received or kept.
    pub async fn admit(&self, who: &Who) -> Result<UploadPermit, AppError> {
        self.context.require_whole_site(who).await?;
        may_keep(&self.kept(), who.user)?;
        self.received.clone().try_acquire_owned().map_err(|_| AppError::Unavailable)
    }

    /// Lets a body that is refused be read and thrown away; `None` where enough others are.
    #[must_use]
    pub fn may_drain(&self) -> Option<OwnedSemaphorePermit> {
        self.drained.clone().try_acquire_owned().ok()
    }

    /// Checks what was uploaded, and keeps it in place of what this person uploaded before.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub async fn keep(&self, who: &Who, files: Vec<UploadedFile>, permit: UploadPermit) -> Result<(), AppError> {
        let now = self.context.now();
        let stage = Mutex::new(Stage::Running(ImportPhase::Reading));
        let upload = Arc::new(Upload { id: self.context.rng.id(now), files, until: now.plus(KEPT), stage });
        let preview = self.site.dry_run_of((ImportWay::Page, who), &self.files(&upload).await?).await?;
        upload.set(Stage::Checked(Arc::new(preview)));
        {
            let mut kept = self.kept();
            may_keep(&kept, who.user)?;
            kept.insert(who.user, upload);
        }
        drop(permit);
        // Its disk space is free after an hour also where nobody comes back.
        let service = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(KEPT.unsigned_abs())).await;
            drop(service.kept());
        });
        Ok(())
    }

    /// What is kept, without what is over.
    fn kept(&self) -> MutexGuard<'_, HashMap<UserId, Arc<Upload>>> {
        let now = self.context.now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, upload| now < upload.until || upload.is_running());
        kept
    }

    fn found(&self, who: &Who, id: Uuid) -> Result<Arc<Upload>, AppError> {
        let found = self.kept().get(&who.user).cloned();
        found.filter(|upload| upload.id == id).ok_or(AppError::Conflict)
    }

    /// Reads the files one after the other: at most one of them is in memory.
    async fn files(&self, upload: &Arc<Upload>) -> Result<SiteFiles, AppError> {
        let (site, upload) = (self.site.clone(), upload.clone());
        let read = tokio::task::spawn_blocking(move || {
            site.files(upload.files.iter().map(|file| bytes(file).map(|bytes| (file.name.as_str(), bytes))))
        });
        let files = read.await.map_err(|_| AppError::Internal)?;
        files.map_err(|error: std::io::Error| {
            tracing::error!(error = &error as &dyn std::error::Error, "site.upload_not_read");
            AppError::Internal
        })
    }

    async fn run(&self, who: &Who, upload: &Arc<Upload>) -> Result<Preview, AppError> {
        let files = self.files(upload).await?;
        let progress = |phase| upload.set(Stage::Running(phase));
        self.site.import_files((ImportWay::Page, who), SITE, files, &progress).await
    }
}

/// Whether an upload of this person can be kept, in place of an earlier one of theirs.
fn may_keep(kept: &HashMap<UserId, Arc<Upload>>, user: UserId) -> Result<(), AppError> {
    match kept.get(&user) {
        Some(upload) if upload.is_running() => Err(AppError::Conflict),
        None if kept.len() >= MAX_KEPT => Err(AppError::Unavailable),
        _ => Ok(()),
    }
}

fn bytes(file: &UploadedFile) -> std::io::Result<Vec<u8>> {
    let mut open = &file.file;
    open.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.bytes).unwrap_or(0));
    open.take(file.bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[async_trait]
impl SiteImportPort for SiteImportService {
    async fn pending(&self, who: &Who, lang: Lang) -> Result<Option<PendingImport>, AppError> {
        self.context.require_whole_site(who).await?;
        let Some(upload) = self.kept().get(&who.user).cloned() else { return Ok(None) };
        let stage = upload.stage().clone();
        let state = match stage {
            Stage::Checked(preview) => ImportState::Checked(report(&preview, lang)),
            Stage::Running(phase) => ImportState::Running(phase),
            Stage::Done(preview) => ImportState::Done(report(&preview, lang)),
            Stage::Failed(error) => ImportState::Failed(error),
        };
        let files = upload.files.iter().map(|file| (file.name.clone(), file.bytes)).collect();
        Ok(Some(PendingImport { id: upload.id, files, until: upload.until, state }))
    }

    async fn start(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        let upload = self.found(who, id)?;
        {
            let mut stage = upload.stage();
            let may_start = match &*stage {
                Stage::Checked(preview) => preview.problem_count == 0,
                // It failed for a reason of the moment.
                Stage::Failed(_) => true,
                Stage::Running(_) | Stage::Done(_) => false,
            };
            if !may_start {
                return Err(AppError::Conflict);
            }
            *stage = Stage::Running(ImportPhase::Reading);
        }
        let (service, who) = (self.clone(), who.clone());
        tokio::spawn(async move {
            // In a task of its own, so that a panic does not leave it running for ever.
            let work = tokio::spawn({
                let (service, upload) = (service.clone(), upload.clone());
                async move { service.run(&who, &upload).await }
            });
            upload.set(match work.await.unwrap_or(Err(AppError::Internal)) {
                Ok(preview) if preview.problem_count == 0 => Stage::Done(Arc::new(preview)),
                // The site was changed since the dry run.
                Ok(preview) => Stage::Checked(Arc::new(preview)),
                Err(error) => {
                    tracing::warn!(reason = error.code(), "site.import_failed");
                    Stage::Failed(error)
                }
            });
        });
        Ok(())
    }

    async fn discard(&self, who: &Who, id: Uuid) -> Result<(), AppError> {
        let upload = self.found(who, id)?;
        if upload.is_running() {
            return Err(AppError::Conflict);
        }
        self.kept().remove(&who.user);
        Ok(())
    }
}

fn report(preview: &Preview, lang: Lang) -> ImportReport {
    let line = |problem: &model::site_workbook::Problem| ProblemLine {
        sheet: problem.sheet.clone(),
        place: site_workbook::position(problem, lang),
        text: site_workbook::fault(&problem.fault, lang),
    };
    ImportReport {
        counts: preview.counts,
        rows: preview.rows.clone(),
        problems: preview.problems.iter().map(line).collect(),
        problem_count: preview.problem_count,
        is_idle: preview.is_idle(),
    }
}
