//! `/register.csv`, `/readings.xlsx` and the like: a list as a file. CSV is streamed, so that it is never whole in memory.

use app::access::Access;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use futures::{StreamExt, TryStreamExt, stream};
use model::error::AppError;
use model::export::ExportList;
use model::saved_report::ReportFile;

use super::listing::{XLSX_ROWS, XlsxFile, csv_file, rows_channel};
use crate::http::error::Refused;
use crate::http::router::Route;
use crate::http::{AppState, RequestInfo};
use services::exports::Fields;
use services::exports::lists::{Listing, csv_head, csv_rows};

/// Two files for each list, for whoever may open its page.
pub fn lists() -> Vec<Route> {
    let files = ExportList::ALL.into_iter().flat_map(|list| ReportFile::ALL.map(|file| (list, file)));
    let route = |(list, file): (ExportList, ReportFile)| {
        let path = format!("/{}.{}", list.as_str(), file.as_str());
        let answer = move |State(state): State<AppState>,
                           Query(fields): Query<Vec<(String, String)>>,
                           Extension(info): Extension<RequestInfo>| async move {
            download((list, file), &state, Fields::new(fields), &info).await.map_err(Refused)
        };
        (path.into(), Access::May(list.permission()), get(answer))
    };
    files.map(route).collect()
}

async fn download(
    (list, file): (ExportList, ReportFile),
    state: &AppState,
    fields: Fields,
    info: &RequestInfo,
) -> Result<Response, AppError> {
    let who = info.person()?;
    let listing = state.exports.listing(who, list, &fields, info.lang).await?;
    match file {
        ReportFile::Csv => Ok(csv(listing)),
        ReportFile::Xlsx => xlsx(listing).await,
    }
}

fn csv(listing: Listing) -> Response {
    let Listing { name, head, rows, .. } = listing;
    let pieces = stream::once(async move { Ok(Bytes::from(csv_head(&head))) });
    csv_file(&name, pieces.chain(rows.map_ok(|rows| Bytes::from(csv_rows(rows)))))
}

/// What would take longer than a browser waits is made in the background.
async fn xlsx(listing: Listing) -> Result<Response, AppError> {
    let Listing { name, title, head, total, mut rows } = listing;
    if total.is_some_and(|total| total > XLSX_ROWS) {
        return Err(AppError::TooManyRows);
    }
    let (send, receive) = rows_channel();
    let written = XlsxFile::begin(&name, title, &head, receive);
    let mut count = 0;
    while let Some(piece) = rows.next().await {
        let piece = piece?;
        count += i64::try_from(piece.len()).unwrap_or(XLSX_ROWS);
        if count > XLSX_ROWS {
            return Err(AppError::TooManyRows);
        }
        // The thread ends early only where writing fails, which its result says.
        if send.send(piece).await.is_err() {
            break;
        }
    }
    drop(send);
    Ok(written.finish().await)
}
