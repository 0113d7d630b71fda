//! `/invoices.xlsx`: the files of a batch, made again from its rows.

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::error::AppError;
use model::ids::InvoiceBatchId;
use model::invoice::InvoiceFile;
use serde::Deserialize;

use super::listing::refusal;
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
    let asked = query.batch.parse::<InvoiceBatchId>().ok().zip(InvoiceFile::parse(&query.file));
    let Some((batch, file)) = asked else { return refusal(AppError::NotFound) };
    match state.invoices.file(who, batch, file).await {
        Ok((number, bytes)) => {
            let name = format!("attachment; filename=\"invoices-{number:06}-{}.xlsx\"", file.as_str());
            let headers = [
                (header::CONTENT_TYPE, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned()),
                (header::CONTENT_DISPOSITION, name),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => refusal(error),
    }
}
