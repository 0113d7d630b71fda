//! The writing of one file, by a thread of its own: the rows of a list arrive piece by piece, a report is there as a whole.

use std::fs::File;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::PathBuf;
use std::sync::Arc;

use app::pages::operator::reports::query;
use futures::StreamExt;
use model::error::AppError;
use model::export::{ExportSource, ExportTrouble, MAX_FILE_BYTES, MAX_WORKBOOK_ROWS};
use model::person::Who;
use model::report::{RangeProblem, ReportKind};
use model::saved_report::ReportFile;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use workbook::Cell;

use super::gauge::{Gauge, Measured};
use super::lists::{Listing, csv_head, csv_rows};
use super::{ExportsService, Fields};
use crate::reports::write_report;
use ::reports::exports::runs::ExportJob;

/// Pieces that wait for the thread that writes the file.
const WAITING: usize = 4;
/// CSV has no bound of rows.
const ANY: i64 = i64::MAX;

/// Where a file goes.
pub struct Target {
    pub file: File,
    /// For what a workbook keeps on the disk until its end.
    pub directory: PathBuf,
    pub gauge: Arc<Gauge>,
}

type Written = Result<u64, ExportTrouble>;
type Out = BufWriter<Measured<File>>;

impl ExportsService {
    /// Writes a file and gives its bytes. It can be dropped at any time: the thread ends with the gauge.
    pub(super) async fn write(&self, job: &ExportJob, who: &Who, target: Target) -> Written {
        match job.source {
            ExportSource::Report(kind) => self.write_report(job, who, kind, target).await,
            ExportSource::List(list) => {
                let listing = self.listing(who, list, &Fields::parse(&job.query), job.lang).await.map_err(trouble)?;
                write_list(job.file, listing, target).await
            }
        }
    }

    async fn write_report(&self, job: &ExportJob, who: &Who, kind: ReportKind, target: Target) -> Written {
        let (fields, lang, file) = (Fields::parse(&job.query), job.lang, job.file);
        let range = |problem| match problem {
            RangeProblem::TooManyMeters { .. } | RangeProblem::TooLong(_) => ExportTrouble::TooLarge,
            _ => ExportTrouble::NoSuchPlace,
        };
        let query = query(kind, |name| fields.get(name), self.context.now().date()).map_err(range)?;
        let report = self.reports.make(who, kind, &query).await.map_err(trouble)?.map_err(range)?;
        finished(spawn_blocking(move || {
            let Target { file: to, directory, gauge } = target;
            let mut out = out(to, &gauge);
            let written = write_report(&report, file, lang, &mut out, (Some(&directory), &gauge));
            end(written.is_ok(), out, &gauge)
        }))
        .await
    }
}

/// Sends the rows to the thread as they are read.
async fn write_list(file: ReportFile, listing: Listing, target: Target) -> Written {
    let Listing { title, head, mut rows, .. } = listing;
    let (send, mut receive) = mpsc::channel::<Vec<Vec<Cell>>>(WAITING);
    let gauge = target.gauge.clone();
    let thread = spawn_blocking(move || {
        let pieces = std::iter::from_fn(move || receive.blocking_recv());
        match file {
            ReportFile::Csv => write_csv(&head, pieces, target),
            ReportFile::Xlsx => write_workbook(title, &head, pieces.flatten(), target),
        }
    });
    while let Some(piece) = rows.next().await {
        match piece {
            // The thread ends early only where it says why.
            Ok(rows) => {
                if send.send(rows).await.is_err() {
                    break;
                }
            }
            Err(error) => {
                gauge.fail(trouble(error));
                break;
            }
        }
    }
    drop(send);
    finished(thread).await
}

fn write_csv(head: &[&str], mut pieces: impl Iterator<Item = Vec<Vec<Cell>>>, Target { file, gauge, .. }: Target) -> Written {
    let mut out = out(file, &gauge);
    let is_head_written = out.write_all(csv_head(head).as_bytes()).is_ok();
    let is_written = is_head_written
        && pieces.all(|rows| {
            let text = csv_rows(rows.into_iter().take_while(|_| gauge.count(ANY)));
            gauge.outcome().is_ok() && out.write_all(text.as_bytes()).is_ok()
        });
    end(is_written, out, &gauge)
}

fn write_workbook(title: &str, head: &[&str], rows: impl Iterator<Item = Vec<Cell>>, target: Target) -> Written {
    let Target { file, directory, gauge } = target;
    let mut out = out(file, &gauge);
    let rows = rows.take_while(|_| gauge.count(MAX_WORKBOOK_ROWS));
    let written = workbook::write_listing(&mut out, Some(&directory), title, head, rows);
    if let Err(error) = &written {
        note(error, &gauge);
    }
    end(written.is_ok(), out, &gauge)
}

fn out(file: File, gauge: &Arc<Gauge>) -> Out {
    BufWriter::new(Measured::new(file, MAX_FILE_BYTES, gauge.clone()))
}

/// What the thread that fails to write a workbook knows of it.
pub fn note(error: &workbook::WriteError, gauge: &Gauge) {
    if error.is_of_space() {
        gauge.fail(ExportTrouble::NoSpace);
    }
    if gauge.outcome().is_ok() {
        tracing::error!(error = error as &dyn std::error::Error, "exports.not_written");
        gauge.fail(ExportTrouble::Failed);
    }
}

/// The bytes of a file that is complete and on the disk.
fn end(is_written: bool, out: Out, gauge: &Gauge) -> Written {
    let bytes = out.into_inner().map_err(IntoInnerError::into_error).and_then(Measured::finish);
    if !is_written || bytes.is_err() {
        gauge.fail(ExportTrouble::Failed);
    }
    gauge.outcome()?;
    bytes.map_err(|_| ExportTrouble::Failed)
}

async fn finished(thread: JoinHandle<Written>) -> Written {
    thread.await.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "exports.thread_failed");
        Err(ExportTrouble::Failed)
    })
}

fn trouble(error: AppError) -> ExportTrouble {
    match error {
        AppError::Forbidden => ExportTrouble::NotAllowed,
        AppError::NotFound => ExportTrouble::NoSuchPlace,
        AppError::TooManyRows => ExportTrouble::TooManyRows,
        _ => ExportTrouble::Failed,
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn listing(pieces: Vec<Result<usize, AppError>>) -> Listing {
        let rows = |piece: Result<usize, AppError>| piece.map(|count| vec![vec![Cell::number(1), Cell::text("x")]; count]);
        let rows = stream::iter(pieces.into_iter().map(rows)).boxed();
        Listing { name: "list".to_owned(), title: "List", head: vec!["a", "b"], total: None, rows }
    }

    fn target() -> (tempfile::TempDir, Target) {
        let directory = tempfile::tempdir().unwrap();
        let file = File::create(directory.path().join("file")).unwrap();
        let target = Target { file, directory: directory.path().to_owned(), gauge: Arc::default() };
        (directory, target)
    }

    #[tokio::test]
    async fn a_list_is_counted_while_it_is_written() {
        for file in ReportFile::ALL {
            let (directory, target) = target();
            let gauge = target.gauge.clone();
            let bytes = write_list(file, listing(vec![Ok(500), Ok(500), Ok(3)]), target).await.unwrap();
            assert_eq!(gauge.rows(), 1_003, "{file:?}");
            assert_eq!(std::fs::metadata(directory.path().join("file")).unwrap().len(), bytes, "{file:?}");
            assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "{file:?}");
        }
    }

    #[tokio::test]
    async fn a_list_that_cannot_be_read_on_is_no_file() {
        for file in ReportFile::ALL {
            let (_directory, target) = target();
            let written = write_list(file, listing(vec![Ok(500), Err(AppError::NotFound)]), target).await;
            assert_eq!(written, Err(ExportTrouble::NoSuchPlace), "{file:?}");
        }
    }

    #[tokio::test]
    async fn a_stopped_file_ends_in_the_middle() {
        for file in ReportFile::ALL {
            let (_directory, target) = target();
            let gauge = target.gauge.clone();
            let pieces = stream::unfold(0, move |n| {
                let gauge = gauge.clone();
                async move {
                    if n == 10 {
                        gauge.stop();
                    }
                    Some((Ok(vec![vec![Cell::number(n)]; 10]), n + 1))
                }
            });
            let listing = Listing { rows: pieces.boxed(), ..listing(Vec::new()) };
            assert_eq!(write_list(file, listing, target).await, Err(ExportTrouble::Failed), "it would never end by itself");
        }
    }
}
