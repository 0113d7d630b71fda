//! A form with one small file.

use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::header;
use futures::StreamExt;
use model::error::AppError;
use multer::{Constraints, Multipart, SizeLimit};

/// Of a body that is refused for its size, so many times the limit are read and thrown away.
const DRAINED: u64 = 50;

/// The file of a form whose body may have so many bytes.
///
/// # Errors
/// [`AppError::FileTooLarge`], or [`AppError::Invalid`] where there is no file.
pub async fn read(request: Request, most: u64) -> Result<Vec<u8>, AppError> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind).map_err(|_| AppError::Invalid)?;
    if body.size_hint().lower() > most {
        // A browser that is still sending shows no answer: what it sends is read.
        let mut chunks = body.into_data_stream();
        let mut left = DRAINED * most;
        while let Some(Ok(chunk)) = chunks.next().await {
            let Some(rest) = left.checked_sub(chunk.len() as u64) else { break };
            left = rest;
        }
        return Err(AppError::FileTooLarge);
    }
    let constraints = Constraints::new().size_limit(SizeLimit::new().whole_stream(most));
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let field = form.next_field().await.map_err(|_| AppError::Invalid)?.ok_or(AppError::Invalid)?;
    Ok(field.bytes().await.map_err(|_| AppError::Invalid)?.to_vec())
}
