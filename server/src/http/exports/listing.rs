//! Lists as files: CSV streamed in pieces, XLSX written by a thread of its own.

use axum::body::{Body, Bytes};
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use model::error::AppError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use workbook::Cell;

use crate::http::error::Refused;

/// The most rows of an XLSX file that a browser waits for; CSV has no bound.
pub const XLSX_ROWS: i64 = 100_000;
/// Pieces that wait for the thread that writes the file.
const WAITING: usize = 4;

pub const CSV: &str = "text/csv; charset=utf-8";
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

fn headers(kind: &'static str, name: &str) -> [(HeaderName, String); 3] {
    [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ]
}

/// A CSV file in pieces. `name` is ASCII without its ending.
pub fn csv_file<E>(name: &str, pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Response
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    (headers(CSV, &format!("{name}.csv")), Body::from_stream(pieces)).into_response()
}

/// An XLSX file that a thread writes while its rows arrive.
pub struct XlsxFile {
    name: String,
    thread: JoinHandle<Result<Vec<u8>, workbook::WriteError>>,
}

impl XlsxFile {
    /// Starts the thread; the file ends with the last sender.
    pub fn begin(name: &str, title: &str, head: &[&'static str], mut rows: mpsc::Receiver<Vec<Vec<Cell>>>) -> Self {
        let (title, head) = (title.to_owned(), head.to_vec());
        let thread = tokio::task::spawn_blocking(move || {
            let pieces = std::iter::from_fn(move || rows.blocking_recv());
            workbook::listing(&title, &head, pieces.flatten())
        });
        Self { name: name.to_owned(), thread }
    }

    pub async fn finish(self) -> Response {
        written(&self.name, self.thread).await
    }
}

async fn written(name: &str, thread: JoinHandle<Result<Vec<u8>, workbook::WriteError>>) -> Response {
    match thread.await {
        Ok(Ok(bytes)) => attachment(XLSX, &format!("{name}.xlsx"), bytes),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "export.not-written");
            Refused(AppError::Internal).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "export.thread-failed");
            Refused(AppError::Internal).into_response()
        }
    }
}

/// A file to be saved. `name` is ASCII.
pub fn attachment(kind: &'static str, name: &str, contents: impl Into<Body>) -> Response {
    (headers(kind, name), contents.into()).into_response()
}

/// The channel to an [`XlsxFile`].
pub fn rows_channel() -> (mpsc::Sender<Vec<Vec<Cell>>>, mpsc::Receiver<Vec<Vec<Cell>>>) {
    mpsc::channel(WAITING)
}
