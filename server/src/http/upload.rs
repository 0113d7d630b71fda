//! The upload of a site workbook, streamed to files without names; and the workbook as a download.
//!
//! The route has its own bounds, so it is not behind [`super::body::read`].

use std::time::Duration;

use app::api::site_import::{MAX_FILE_MB, MAX_UPLOAD_FILES, MAX_UPLOAD_MB};
use app::i18n::Lang;
use app::link;
use axum::body::{Body, HttpBody};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures::StreamExt;
use model::error::AppError;
use model::ids::GatewayId;
use multer::{Constraints, Multipart, SizeLimit};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::exports::{XLSX, attachment};
use super::session::RequestInfo;
use super::{AppState, error};
use services::site_import::UploadedFile;

/// What an upload may take altogether; also the time of its answer.
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);
/// How long nothing may arrive.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// Of a body that is refused for its size, this is read and thrown away: a browser that is still sending shows no answer.
const DRAINED_BYTES: usize = 512 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(60);
const _: () = assert!(workbook::MAX_FILE_BYTES == (MAX_FILE_MB as usize) << 20, "the page says how large a file may be");
const MAX_BYTES: u64 = (MAX_UPLOAD_MB as u64) << 20;
/// Characters of a file's name that are kept.
const MAX_NAME: usize = 100;

/// Takes a form with files and leads to the page that shows what importing them would do.
pub async fn upload(State(state): State<AppState>, request: Request) -> Response {
    let Some(who) = request.extensions().get::<RequestInfo>().and_then(|info| info.who.clone()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let is_page = error::wants_html(request.headers());
    let kept = async {
        let permit = match state.site_import.admit(&who).await {
            Ok(permit) => permit,
            Err(error) => {
                throw_away(&state, request.into_body());
                return Err(error);
            }
        };
        state.site_import.keep(&who, receive(&state, request).await?, permit).await
    };
    match kept.await {
        Ok(()) => Redirect::to("/import").into_response(),
        Err(error) if is_page => Redirect::to(&link::with("/import", "e", error.code())).into_response(),
        Err(error) => (error::status(error), axum::Json(error)).into_response(),
    }
}

async fn receive(state: &AppState, request: Request) -> Result<Vec<UploadedFile>, AppError> {
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > MAX_BYTES {
        throw_away(state, body);
        return Err(AppError::FileTooLarge);
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| AppError::Invalid)?;
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_BYTES));
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut files = Vec::new();
    while let Some(field) = in_time(form.next_field()).await? {
        let name = file_name(field.file_name().unwrap_or_default());
        if name.is_empty() {
            continue;
        }
        if files.len() >= MAX_UPLOAD_FILES {
            return Err(AppError::ListTooLong);
        }
        files.push(store(name, field).await?);
    }
    if files.is_empty() { Err(AppError::NoFile) } else { Ok(files) }
}

async fn store(name: String, mut field: multer::Field<'_>) -> Result<UploadedFile, AppError> {
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(|error| full(&error))?);
    let mut bytes = 0;
    while let Some(chunk) = in_time(field.chunk()).await? {
        file.write_all(&chunk).await.map_err(|error| full(&error))?;
        bytes += chunk.len() as u64;
    }
    file.flush().await.map_err(|error| full(&error))?;
    Ok(UploadedFile { name, file: file.into_std().await, bytes })
}

async fn in_time<T>(next: impl Future<Output = multer::Result<T>>) -> Result<T, AppError> {
    match timeout(LONGEST_PAUSE, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(multer::Error::StreamSizeExceeded { .. })) => Err(AppError::FileTooLarge),
        Ok(Err(_)) => Err(AppError::Invalid),
        Err(_) => Err(AppError::Unavailable),
    }
}

fn full(error: &std::io::Error) -> AppError {
    tracing::error!(error = error as &dyn std::error::Error, "site.upload_not_stored");
    AppError::Unavailable
}

/// The last part of a path, without what cannot be shown. Empty where no file was chosen.
fn file_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect::<String>().trim().to_owned()
}

/// Reads the rest of a body, where few others are read so.
fn throw_away(state: &AppState, body: Body) {
    if let Some(permit) = state.site_import.may_drain() {
        tokio::spawn(async move {
            drain(body).await;
            drop(permit);
        });
    }
}

async fn drain(body: Body) {
    let mut left = DRAINED_BYTES;
    let mut chunks = body.into_data_stream();
    let reading = async {
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(rest) = left.checked_sub(chunk.len()) else { break };
            left = rest;
        }
    };
    // A caller who takes longer reads no answer.
    let _ = timeout(DRAIN_TIMEOUT, reading).await;
}

/// `/site.xlsx`: the workbook of the site as it is.
pub async fn export(State(state): State<AppState>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    download(state.site_import.export(&who, lang).await, "dormwatt-site.xlsx")
}

/// `/import-changes.xlsx`: what importing the caller's upload would do with each row.
pub async fn changes(State(state): State<AppState>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    download(state.site_import.changes(&who, lang).await, "dormwatt-import.xlsx")
}

/// `/template.xlsx`: the workbook to fill in.
pub async fn template(State(state): State<AppState>, request: Request) -> Response {
    let lang = request.extensions().get::<RequestInfo>().map_or_else(Lang::default, |info| info.lang);
    download(state.site_import.template(lang), "dormwatt-template.xlsx")
}

/// The gateway whose found meters are downloaded.
#[derive(Deserialize)]
pub struct Found {
    gateway: GatewayId,
}

/// `/found-meters.xlsx?gateway=ID`: the new meters that a scan found, to give rooms to.
pub async fn found_meters(State(state): State<AppState>, Query(found): Query<Found>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some((who, lang)) = info.and_then(|info| Some((info.who.clone()?, info.lang))) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    download(state.ports.discovery.found_workbook(&who, found.gateway, lang).await, "dormwatt-meters.xlsx")
}

fn download(file: Result<Vec<u8>, AppError>, name: &str) -> Response {
    match file {
        Ok(bytes) => attachment(XLSX, name, bytes),
        Err(error) => {
            let mut response = error::status(error).into_response();
            response.extensions_mut().insert(error);
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_the_end_of_its_path() {
        assert_eq!(file_name("C:\\sites\\meters.csv"), "meters.csv");
        assert_eq!(file_name("/tmp/a/rooms.csv "), "rooms.csv");
        assert_eq!(file_name("a\r\nb.csv"), "ab.csv");
        assert_eq!((file_name(""), file_name("/")), (String::new(), String::new()));
        assert_eq!(file_name(&"电".repeat(500)).chars().count(), MAX_NAME);
    }
}
