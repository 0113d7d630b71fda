//! Reads request bodies before a handler sees them: bounded, in time, and without NUL characters, which PostgreSQL stores in no
//! text.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use model::error::AppError;
use tokio::time::timeout;

use super::connections::Activity;
use super::error::Refused;
use super::forms::PostedForm;

/// Larger than any form and any notification; `form_too_large` in `app/locales` names it.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// So much of a body that is too large is read and dropped: a browser that is still sending when its connection ends shows an
/// error of its own instead of the answer.
const MAX_DROPPED_BYTES: usize = 1024 * 1024;
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// Refuses a request with a NUL character in its address or body (400), with a body that is too large (413) or too slow (408).
/// From here on the request is at work, and its connection is not closed for another one.
pub async fn read(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if is_nul_in_address(&parts.uri) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let bytes = match whole(body).await {
        Ok(bytes) => bytes,
        Err(StatusCode::PAYLOAD_TOO_LARGE) => return Refused(AppError::FormTooLarge).into_response(),
        Err(status) => return status.into_response(),
    };
    if is_nul_in_body(parts.uri.path(), &parts.headers, &bytes) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(activity) = parts.extensions.get_mut::<Activity>() {
        activity.begin();
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if parts.method == Method::POST && kind.starts_with("application/x-www-form-urlencoded") {
        parts.extensions.insert(PostedForm(bytes.clone()));
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// For a route that reads its body itself, with bounds of its own: refuses a NUL character in its address.
pub async fn streamed(mut request: Request, next: Next) -> Response {
    if is_nul_in_address(request.uri()) {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(activity) = request.extensions_mut().get_mut::<Activity>() {
        activity.begin();
    }
    next.run(request).await
}

async fn whole(body: Body) -> Result<Bytes, StatusCode> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > MAX_DROPPED_BYTES as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut chunks = body.into_data_stream();
    match timeout(BODY_TIMEOUT, bounded(&mut chunks)).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => {
            // Whether all of it came in that time or not, it is refused.
            let _ = timeout(DROP_TIMEOUT, drop_rest(&mut chunks)).await;
            Err(StatusCode::PAYLOAD_TOO_LARGE)
        }
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// All of a body; `None` where it is too large, or its caller went away and reads no answer.
async fn bounded(chunks: &mut BodyDataStream) -> Option<Bytes> {
    let mut whole = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        if whole.len() + chunk.len() > MAX_BODY_BYTES {
            return None;
        }
        whole.extend_from_slice(&chunk);
    }
    Some(whole.into())
}

async fn drop_rest(chunks: &mut BodyDataStream) {
    let mut dropped = 0;
    while let Some(Ok(chunk)) = chunks.next().await {
        dropped += chunk.len();
        if dropped > MAX_DROPPED_BYTES {
            return;
        }
    }
}

fn is_nul_in_address(address: &Uri) -> bool {
    address.path_and_query().is_some_and(|address| address.as_str().contains("%00"))
}

/// In every form that a handler may understand, whatever type the body is declared to have: handlers differ in what they believe.
/// JSON of a payment channel may hold `%00`, which its reader does not decode.
fn is_nul_in_body(path: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_json_of_a_channel = path.starts_with("/pay/") && kind.contains("json");
    body.contains(&0) || is_nul_in_json(body) || (!is_json_of_a_channel && body.windows(3).any(|part| part == b"%00"))
}

/// Whether an odd number of backslashes precedes a `u0000`.
fn is_nul_in_json(body: &[u8]) -> bool {
    let (mut is_escaped, mut rest) = (false, body);
    while let Some((&byte, after)) = rest.split_first() {
        if is_escaped && rest.starts_with(b"u0000") {
            return true;
        }
        is_escaped = byte == b'\\' && !is_escaped;
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";

    fn refused(path: &str, kind: &'static str, body: &str) -> bool {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        is_nul_in_body(path, &headers, body.as_bytes())
    }

    #[test]
    fn nul_is_found_whatever_the_declared_type() {
        for kind in [FORM, JSON, "text/plain", "application/json; charset=utf-8", ""] {
            for body in ["a=b%00c", "%00", "a=\0", r#"{"a":"\u0000"}"#, r#""\\\u0000""#] {
                assert!(refused("/api/x", kind, body), "{kind} {body}");
            }
            for body in ["a=%2500&b=%0&c=00", "", r#"{"a":"\\u0000","b":"%0","c":"\u0001"}"#] {
                assert!(!refused("/api/x", kind, body), "{kind} {body}");
            }
        }
    }

    #[test]
    fn json_of_a_channel_may_hold_a_percent_sign() {
        assert!(!refused("/pay/wechat/notify", JSON, r#"{"a":"%00"}"#));
        assert!(refused("/pay/wechat/notify", JSON, r#"{"a":"\u0000"}"#) && refused("/pay/wechat/notify", JSON, "\0"));
        assert!(refused("/pay/alipay/notify", FORM, "a=%00") && refused("/payments", JSON, "%00"));
    }

    #[test]
    fn nul_is_found_in_addresses() {
        for (address, is_refused) in [("/rooms/%00", true), ("/search?q=a%00", true), ("/search?q=%2500", false), ("/", false)] {
            assert_eq!(is_nul_in_address(&address.parse().unwrap()), is_refused, "{address}");
        }
    }
}
