//! Files that are made in the background.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::parse;
use super::{ApiError, answer};
use crate::i18n::{Lang, lang};
use crate::link;
use crate::ports::{Who, operator, ports};
use model::error::AppError;
use model::export::{Export, ExportSource};
use model::ids::ExportId;
use model::report::RangeProblem;
use model::saved_report::ReportFile;

/// The page that lists them.
const PAGE: &str = "/exports";

/// A file that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExport {
    pub source: ExportSource,
    /// The choice in the address of its page.
    pub query: String,
    pub file: ReportFile,
    pub lang: Lang,
}

#[async_trait]
pub trait ExportsPort: Send + Sync {
    /// What the person asked for, the newest first.
    async fn exports(&self, who: &Who) -> Result<Vec<Export>, AppError>;
    /// Asks for a file, or says why there is none of that place, room or range. Refused with [`AppError::TooManyExports`] where
    /// the person has many.
    async fn start_export(&self, who: &Who, new: &NewExport) -> Result<Result<(), RangeProblem>, AppError>;
    /// Ends one that waits or is being made.
    async fn cancel_export(&self, who: &Who, export: ExportId) -> Result<(), AppError>;
    /// Forgets one that is over, and its file.
    async fn remove_export(&self, who: &Who, export: ExportId) -> Result<(), AppError>;
}

/// Asks for a file in the language of the page. `back` is the page, which says why there is none.
#[server(name = StartExport, prefix = "/api", endpoint = "operator/exports/start")]
pub async fn start_export(source: String, query: String, file: String, back: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = link::without_error(link::local(&back));
    let done = async {
        let file = ReportFile::parse(&file).ok_or(AppError::Invalid)?;
        let new = NewExport { source: parse(&source)?, query, file, lang: lang() };
        ports.exports.start_export(&who, &new).await
    };
    let page = |started: Result<(), RangeProblem>| if started.is_ok() { PAGE.to_owned() } else { back.clone() };
    answer(done.await.map(page), &back)
}

/// Ends the making of a file.
#[server(name = CancelExport, prefix = "/api", endpoint = "operator/exports/cancel")]
pub async fn cancel_export(export: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.exports.cancel_export(&who, parse(&export)?).await };
    answer(done.await.map(|()| PAGE.to_owned()), PAGE)
}

/// Removes a file before its day is over.
#[server(name = RemoveExport, prefix = "/api", endpoint = "operator/exports/remove")]
pub async fn remove_export(export: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.exports.remove_export(&who, parse(&export)?).await };
    answer(done.await.map(|()| PAGE.to_owned()), PAGE)
}
