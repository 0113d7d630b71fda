//! Receipts as files: the PDF, and the logo.

use axum::Extension;
use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use model::console::ReceiptNumber;
use model::error::AppError;
use model::ids::OrderId;
use model::receipt_sheet::{Logo, ReceiptCopy, ReceiptPaper};
use serde::Deserialize;

use super::error::Refused;
use super::{AppState, RequestInfo, one_file};
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
) -> Result<Response, Refused> {
    let who = info.person()?;
    let asked = query.number.parse::<ReceiptNumber>().ok().zip(ReceiptPaper::parse(&query.paper));
    let (number, paper) = asked.ok_or(AppError::NotFound)?;
    let copies: &[ReceiptCopy] = if query.copies == "all" { &ReceiptCopy::TRIPLICATE } else { &[ReceiptCopy::Customer] };
    let file = state.printing.pdf(who, number, (paper, info.lang, copies), query.print.is_empty()).await?;
    Ok(pdf_file(number, file))
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
) -> Result<Response, Refused> {
    let who = info.person()?;
    let order: OrderId = query.order.parse().map_err(|_| AppError::NotFound)?;
    let (number, file) = state.printing.own_pdf(who, order, info.lang).await?;
    Ok(pdf_file(number, file))
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
    let kept = async { state.printing.set_logo(&who, &one_file::read(request, MAX_BYTES).await?).await };
    match kept.await {
        Ok(()) => Redirect::to("/printing?done=saved").into_response(),
        Err(AppError::Invalid | AppError::FileTooLarge) => Redirect::to(WRONG).into_response(),
        Err(error) => Refused(error).into_response(),
    }
}
