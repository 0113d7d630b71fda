//! Scripts, styles and icons: built into the release binary, read from `target/site` in a debug build.
//!
//! Names under `pkg/` contain a hash of the content, so that browsers can cache them for ever; `name.br` is the same file
//! compressed at build time.

use app::app::Site;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use model::error::AppError;
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Files;

/// Finds the files that documents link to. Pages work without the bundle, except for live updates.
#[must_use]
pub fn site() -> Site {
    let find = |end: &str| Files::iter().find(|name| name.starts_with("pkg/dormwatt-") && name.ends_with(end));
    let bundle = find(".js").and_then(|path| path.strip_suffix(".js").map(|name| format!("/{name}")));
    let stylesheet = find(".css").map(|path| format!("/{path}"));
    if bundle.is_none() || stylesheet.is_none() {
        tracing::warn!("assets.missing: pages have no scripts or styles; `make site` builds them");
    }
    Site { bundle, stylesheet }
}

/// Serves a file by its path; the fallback of all routes.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.ends_with(".br") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_found();
    }
    let packed = accepts_brotli(request.headers()).then(|| Files::get(&format!("{path}.br"))).flatten();
    let (file, is_packed) = match packed {
        Some(file) => (file, true),
        None => match Files::get(path) {
            Some(file) => (file, false),
            None => return not_found(),
        },
    };
    let tag = format!("\"{}\"", hex::encode(file.metadata.sha256_hash().get(..16).unwrap_or_default()));
    if request.headers().get(header::IF_NONE_MATCH).is_some_and(|cached| cached.as_bytes() == tag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    answer(path, file, is_packed, &tag)
}

fn answer(path: &str, file: EmbeddedFile, is_packed: bool, tag: &str) -> Response {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    let caching = if path.starts_with("pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    for (name, value) in [(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, caching), (header::ETAG, tag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn not_found() -> Response {
    let mut response = StatusCode::NOT_FOUND.into_response();
    response.extensions_mut().insert(AppError::NotFound);
    response
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| coding.trim() == "br" || coding.trim().starts_with("br;"))
}
