//! `/export-file?export=ID`: a file that was made in the background.

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use futures::stream;
use model::error::AppError;
use model::ids::ExportId;
use model::saved_report::ReportFile;
use serde::Deserialize;
use tokio::io::AsyncReadExt;

use super::listing::{CSV, XLSX, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

#[derive(Deserialize)]
pub struct FileQuery {
    #[serde(default)]
    export: String,
}

/// The access table allows operators only; the service gives a person their own files, with the rights that they have now.
pub async fn finished(
    State(state): State<AppState>,
    Query(query): Query<FileQuery>,
    Extension(info): Extension<RequestInfo>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let id: ExportId = query.export.parse().map_err(|_| AppError::NotFound)?;
    let file = state.exports.file(who, id).await?;
    let kind = match file.export.file {
        ReportFile::Csv => CSV,
        ReportFile::Xlsx => XLSX,
    };
    let pieces = stream::try_unfold(tokio::fs::File::from_std(file.file), |mut file| async move {
        let mut bytes = vec![0; CHUNK];
        let length = file.read(&mut bytes).await?;
        bytes.truncate(length);
        Ok::<_, std::io::Error>((length > 0).then(|| (Bytes::from(bytes), file)))
    });
    let mut response = attachment(kind, &file.name, Body::from_stream(pieces));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(file.export.bytes));
    Ok(response)
}
