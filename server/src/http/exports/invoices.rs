//! `/invoices.xlsx`: the files of a batch, made again from its rows.

use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use model::error::AppError;
use model::ids::InvoiceBatchId;
use model::invoice::InvoiceFile;
use serde::Deserialize;

use super::listing::{XLSX, attachment, refusal};
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
) -> Response {
    let Some(who) = &info.who else { return refusal(AppError::NotLoggedIn) };
    let requested = query.batch.parse::<InvoiceBatchId>().ok().zip(InvoiceFile::parse(&query.file));
    let Some((batch, file)) = requested else { return refusal(AppError::NotFound) };
    match state.invoices.file(who, batch, file).await {
        Ok((number, bytes)) => attachment(XLSX, &format!("invoices-{number:06}-{}.xlsx", file.as_str()), bytes),
        Err(error) => refusal(error),
    }
}
