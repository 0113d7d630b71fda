//! Receipts as files: the PDF, and the logo.

use app::ports::Who;
use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use futures::StreamExt;
use model::console::ReceiptNumber;
use model::error::AppError;
use model::ids::OrderId;
use model::receipt_sheet::{Logo, ReceiptCopy, ReceiptPaper};
use multer::{Constraints, Multipart, SizeLimit};
use serde::Deserialize;

use super::{AppState, RequestInfo, error};
use ::receipts::stored;

/// The logo's file, and what surrounds it in a form.
const MAX_BYTES: u64 = Logo::MAX_FILE as u64 + 10_000;
/// Where a wrong file leads back to.
const WRONG: &str = "/printing?logo=wrong";

/// Which receipt, and how it is printed.
#[derive(Deserialize)]
pub struct PdfQuery {
    number: String,
    paper: String,
    copies: String,
    #[serde(default)]
    print: String,
}

/// `/receipt.pdf`: marked as a copy unless a first print was just recorded.
pub async fn pdf(
    State(state): State<AppState>,
    Extension(info): Extension<RequestInfo>,
    Query(query): Query<PdfQuery>,
) -> Response {
    let Some(who) = &info.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let asked = query.number.parse::<ReceiptNumber>().ok().zip(ReceiptPaper::parse(&query.paper));
    let Some((number, paper)) = asked else { return StatusCode::NOT_FOUND.into_response() };
    let copies: &[ReceiptCopy] = if query.copies == "all" { &ReceiptCopy::TRIPLICATE } else { &[ReceiptCopy::Customer] };
    match state.printing.pdf(who, number, (paper, info.lang, copies), query.print.is_empty()).await {
        Ok(file) => pdf_file(number, file),
        Err(error) => error::status(error).into_response(),
    }
}

/// Which payment of the resident's own.
#[derive(Deserialize)]
pub struct OwnPdfQuery {
    order: String,
}

/// `/own-receipt.pdf`: what a resident saves of a payment.
pub async fn own_pdf(
    State(state): State<AppState>,
    Extension(info): Extension<RequestInfo>,
    Query(query): Query<OwnPdfQuery>,
) -> Response {
    let Some(who) = &info.who else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(order) = query.order.parse::<OrderId>() else { return StatusCode::NOT_FOUND.into_response() };
    match state.printing.own_pdf(who, order, info.lang).await {
        Ok((number, file)) => pdf_file(number, file),
        Err(error) => error::status(error).into_response(),
    }
}

fn pdf_file(number: ReceiptNumber, file: Vec<u8>) -> Response {
    let name = format!("inline; filename=\"receipt-{number}.pdf\"");
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, file).into_response()
}

/// `/receipt-logo.png`: nothing where there is none. Pages name it with a version, so that it may be kept.
pub async fn logo(State(state): State<AppState>) -> Response {
    match stored::logo_file(&state.context.db).await {
        Ok(Some(png)) => {
            let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "private, max-age=86400")];
            (headers, png).into_response()
        }
        // Not an error: it was removed after a page had named it.
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "printing.logo_not_read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Takes a form with the logo's file.
pub async fn set_logo(State(state): State<AppState>, request: Request) -> Response {
    let info = request.extensions().get::<RequestInfo>();
    let Some(who) = info.and_then(|info| info.who.clone()) else { return StatusCode::UNAUTHORIZED.into_response() };
    match keep(&state, &who, request).await {
        Ok(()) => Redirect::to("/printing?done=saved").into_response(),
        Err(AppError::Invalid | AppError::FileTooLarge) => Redirect::to(WRONG).into_response(),
        Err(error) => error::status(error).into_response(),
    }
}

async fn keep(state: &AppState, who: &Who, request: Request) -> Result<(), AppError> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| AppError::Invalid)?;
    state.printing.set_logo(who, &file(body, boundary).await?).await
}

async fn file(body: Body, boundary: String) -> Result<Vec<u8>, AppError> {
    if body.size_hint().lower() > MAX_BYTES {
        // A browser that is still sending shows no answer: what it sends is read, as far as a picture may be large.
        let mut chunks = body.into_data_stream();
        let mut left = 50 * MAX_BYTES;
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(rest) = left.checked_sub(chunk.len() as u64) else { break };
            left = rest;
        }
        return Err(AppError::FileTooLarge);
    }
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(MAX_BYTES));
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let field = form.next_field().await.map_err(|_| AppError::Invalid)?.ok_or(AppError::Invalid)?;
    Ok(field.bytes().await.map_err(|_| AppError::Invalid)?.to_vec())
}
