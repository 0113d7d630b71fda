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
pub fn site(is_trial: bool) -> Site {
    let find = |end: &str| Files::iter().find(|name| name.starts_with("pkg/dormwatt-") && name.ends_with(end));
    let bundle = find(".js").and_then(|path| path.strip_suffix(".js").map(|name| format!("/{name}")));
    let stylesheet = find(".css").map(|path| format!("/{path}"));
    if bundle.is_none() || stylesheet.is_none() {
        tracing::warn!("assets.missing: pages have no scripts or styles; `make site` builds them");
    }
    Site { bundle, stylesheet, is_trial }
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
    let tag = tag(&file, is_packed);
    if is_cached(request.headers(), &tag) {
        return not_modified(path, &tag);
    }
    answer(path, file, is_packed, &tag)
}

/// Weak where the file is not packed: the router may compress it on the way, and then its bytes are others.
fn tag(file: &EmbeddedFile, is_packed: bool) -> String {
    let hash = hex::encode(file.metadata.sha256_hash().get(..16).unwrap_or_default());
    if is_packed { format!("\"{hash}\"") } else { format!("W/\"{hash}\"") }
}

fn answer(path: &str, file: EmbeddedFile, is_packed: bool, tag: &str) -> Response {
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = if kind.type_() == "text" { format!("{kind}; charset=utf-8") } else { kind.to_string() };
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(&kind) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    set_caching(headers, path, tag);
    if is_packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    response
}

fn not_modified(path: &str, tag: &str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    set_caching(response.headers_mut(), path, tag);
    response
}

fn set_caching(headers: &mut HeaderMap, path: &str, tag: &str) {
    let caching = if path.starts_with("pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
}

fn not_found() -> Response {
    let mut response = StatusCode::NOT_FOUND.into_response();
    response.extensions_mut().insert(AppError::NotFound);
    response
}

/// Whether the browser has this version. Proxies that compress make a tag weak.
fn is_cached(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(header::IF_NONE_MATCH).into_iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(str::trim);
    let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    tags.any(|one| one == "*" || strong(one) == strong(tag))
}

/// Whether `br` is accepted, by its own weight or by that of `*`.
fn accepts_brotli(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    let (mut own, mut any) = (None, None);
    for coding in lines.flat_map(|line| line.split(',')) {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let is_wanted = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0));
        if name.eq_ignore_ascii_case("br") {
            own = Some(is_wanted);
        } else if name == "*" {
            any = Some(is_wanted);
        }
    }
    own.or(any).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (name.clone(), HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_accept_it() {
        for (line, accepted) in [
            ("br", true),
            ("gzip, br", true),
            ("gzip, BR;q=0.5", true),
            ("br;q=0", false),
            ("br; q=0.000, gzip", false),
            ("*", true),
            ("*;q=0", false),
            ("br;q=0, *", false),
            ("br, *;q=0", true),
            ("brotli", false),
            ("br;q=x", false),
            ("", false),
        ] {
            assert_eq!(accepts_brotli(&headers(header::ACCEPT_ENCODING, &[line])), accepted, "{line}");
        }
    }

    #[test]
    fn weak_tags_and_lists_of_tags_are_honoured() {
        let cached = |lines: &[&'static str]| is_cached(&headers(header::IF_NONE_MATCH, lines), "\"a\"");
        assert!(cached(&["\"a\""]) && cached(&["W/\"a\""]) && cached(&["\"b\", W/\"a\""]) && cached(&["\"b\"", "\"a\""]));
        assert!(cached(&["*"]));
        assert!(!cached(&["\"b\""]) && !cached(&["a"]) && !cached(&[]));
        let weakly = |lines: &[&'static str]| is_cached(&headers(header::IF_NONE_MATCH, lines), "W/\"a\"");
        assert!(weakly(&["\"a\""]) && weakly(&["W/\"a\""]) && !weakly(&["\"b\""]));
    }
}
