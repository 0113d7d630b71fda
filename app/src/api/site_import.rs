//! The import of the site's workbook: upload, dry run, import, and where it is.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::i18n::Lang;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::ids::Uuid;
use model::site_workbook::{Counts, RowChange, Sheet};
use model::time::Timestamp;

/// The largest upload, MB; all of its files together.
pub const MAX_UPLOAD_MB: u32 = 32;
/// The largest single file, MB.
pub const MAX_FILE_MB: u32 = 16;
/// The most files of an upload.
pub const MAX_UPLOAD_FILES: usize = 10;

/// What somebody uploaded, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingImport {
    pub id: Uuid,
    /// The names of the files, and their bytes.
    pub files: Vec<(String, u64)>,
    /// When it is removed.
    pub until: Timestamp,
    pub state: ImportState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// What importing it would do, or what is in its way. Nothing is stored.
    Checked(ImportReport),
    Running(ImportPhase),
    Done(ImportReport),
    /// Nothing was stored.
    Failed(AppError),
}

/// What an import does, or what is in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportReport {
    /// In the order of [`Sheet::ALL`].
    pub counts: [Counts; Sheet::ALL.len()],
    /// The first rows of each sheet and effect.
    pub rows: Vec<RowChange>,
    /// The first of them.
    pub problems: Vec<ProblemLine>,
    pub problem_count: u32,
    /// Nothing is created or changed.
    pub is_idle: bool,
}

/// What is wrong in a file, and its remedy, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemLine {
    pub sheet: String,
    /// As a spreadsheet names it: `B7`.
    pub place: String,
    pub text: String,
}

/// What an import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportPhase {
    Reading,
    /// First passwords are being hashed: so many of so many.
    Passwords(u32, u32),
    /// This sheet is being stored.
    Storing(Sheet),
}

#[async_trait]
pub trait SiteImportPort: Send + Sync {
    /// What this person uploaded, if it is still there.
    async fn pending(&self, who: &Who, lang: Lang) -> Result<Option<PendingImport>, AppError>;
    /// Imports what was shown, beside the answer. Fails with [`AppError::Conflict`] where something else was uploaded meanwhile.
    async fn start(&self, who: &Who, id: Uuid) -> Result<(), AppError>;
    /// Removes what was uploaded.
    async fn discard(&self, who: &Who, id: Uuid) -> Result<(), AppError>;
}

/// Imports what was uploaded.
#[server(name = ImportSite, prefix = "/api", endpoint = "operator/site/import")]
pub async fn import_site(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.site_import.start(&who, parse(&id)?).await };
    answer(done.await.map(|()| "/import".to_owned()), "/import")
}

/// Removes what was uploaded.
#[server(name = DiscardUpload, prefix = "/api", endpoint = "operator/site/discard")]
pub async fn discard_upload(id: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.site_import.discard(&who, parse(&id)?).await };
    answer(done.await.map(|()| "/import".to_owned()), "/import")
}
