//! `/invoices.xlsx`: the files of a batch, made again from its rows.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::error::AppError;
use model::ids::InvoiceBatchId;
use model::invoice::InvoiceFile;
use serde::Deserialize;

use super::listing::{XLSX, attachment};
use crate::http::error::Refused;
use crate::http::{AppState, RequestInfo};

/// Which batch, and which of its files.
#[derive(Deserialize)]
pub struct FileQuery {
    batch: String,
    #[serde(default)]
    file: String,
}

/// The access table allows operators with the permission only; the query checks that they may see the batch.
pub async fn download(
    State(state): State<AppState>,
    Query(query): Query<FileQuery>,
    Extension(info): Extension<RequestInfo>,
) -> Result<Response, Refused> {
    let who = info.person()?;
    let requested = query.batch.parse::<InvoiceBatchId>().ok().zip(InvoiceFile::parse(&query.file));
    let (batch, file) = requested.ok_or(AppError::NotFound)?;
    let (number, bytes) = state.invoices.file(who, batch, file).await?;
    Ok(attachment(XLSX, &format!("invoices-{number:06}-{}.xlsx", file.as_str()), bytes))
}
