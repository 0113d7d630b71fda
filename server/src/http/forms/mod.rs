//! A form that was refused comes back filled: what was posted is kept for minutes, and the page to which its sender is led back
//! is given its fields again, and its error at the field. It works for every form of every page, with and without scripts.
//!
//! Kept in memory, for one session and the address of that page; passwords are not kept. Another process of the server shows the
//! page without what was typed.

mod fill;
mod html;

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use app::i18n::errors;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::error::AppError;
use model::time::Timestamp;

use super::AppState;
use super::error::wants_html;
use super::session::RequestInfo;

/// The parameter that leads back to the form before a confirmation.
const AGAIN: &str = "again";

/// How long a form is kept, ms.
const KEPT_MS: i64 = 15 * 60 * 1000;
/// Of all sessions together.
const MOST: usize = 200;
/// Of one session.
const MOST_OF_SESSION: usize = 4;
/// More fields than any form has.
const MOST_FIELDS: usize = 4000;
/// Larger than any page.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;

/// The body of a request that is a posted form.
#[derive(Clone, Debug)]
pub struct PostedForm(pub axum::body::Bytes);

/// A form that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptForm {
    /// Where it was posted to.
    pub action: String,
    pub fields: Vec<(String, String)>,
    pub error: Option<AppError>,
    /// The fields that the error is about, where the server knows them.
    pub wrong: Vec<WrongField>,
}

/// A field that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongField {
    pub name: String,
    /// What the error means here, where that is more than its code says.
    pub message: Option<String>,
}

impl KeptForm {
    /// What was posted, without passwords; `None` for forms of which nothing is kept.
    pub fn of(action: &str, body: &[u8]) -> Option<Self> {
        if action.starts_with("/api/auth/") || action.starts_with("/api/site/") {
            return None;
        }
        let pairs = form_urlencoded::parse(body).take(MOST_FIELDS);
        let fields: Vec<(String, String)> = pairs
            .filter(|(name, _)| !name.contains("password") && name != "token")
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        (!fields.is_empty()).then(|| Self { action: action.to_owned(), fields, error: None, wrong: Vec::new() })
    }
}

struct Entry {
    session: String,
    /// The address of the page, with its query.
    page: String,
    until: Timestamp,
    form: KeptForm,
}

/// The forms that were refused in the last minutes.
#[derive(Default)]
pub struct KeptForms(Mutex<VecDeque<Entry>>);

impl KeptForms {
    pub fn keep(&self, session: &str, page: &str, now: Timestamp, form: KeptForm) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|entry| entry.until > now);
        while kept.len() >= MOST {
            kept.pop_front();
        }
        if kept.iter().filter(|entry| entry.session == session).count() >= MOST_OF_SESSION
            && let Some(oldest) = kept.iter().position(|entry| entry.session == session)
        {
            kept.remove(oldest);
        }
        kept.push_back(Entry { session: session.to_owned(), page: page.to_owned(), until: now.plus(KEPT_MS), form });
    }

    fn find(&self, session: &str, page: &str, now: Timestamp) -> Option<KeptForm> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |entry: &&Entry| entry.session == session && entry.page == page && entry.until > now;
        kept.iter().rev().find(is_it).map(|entry| entry.form.clone())
    }
}

/// Fills in the form of a page that a refused one leads back to, or whose address says itself what to fill in.
pub async fn restore(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let is_page = request.method() == Method::GET && wants_html(request.headers());
    let info = request.extensions().get::<RequestInfo>().cloned();
    let (true, Some(info)) = (is_page, info) else { return next.run(request).await };
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let kept = state.forms.find(&info.visit.session, &info.visit.here, info.now);
    let kept = kept.or_else(|| asked_again(request.uri().path(), value(AGAIN)?, &query));
    let Some(kept) = kept else { return next.run(request).await };
    let (mut parts, body) = next.run(request).await.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("text/html") {
        return Response::from_parts(parts, body);
    }
    let Ok(bytes) = to_bytes(body, MAX_PAGE_BYTES).await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let Ok(page) = std::str::from_utf8(&bytes) else { return Response::from_parts(parts, Body::from(bytes)) };
    let said = kept.error.map(|error| errors::message(error, info.lang)).unwrap_or_default();
    let filled = fill::fill(page, &kept, &fill::RefusalWords { error: said, typed: errors::typed(info.lang) });
    let page = filled.unwrap_or_else(|error| {
        tracing::warn!(%error, "a refused form could not be filled in");
        page.to_owned()
    });
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(page))
}

/// The form before a confirmation, from the address of the confirmation: `again` names the step that it asked for.
fn asked_again(path: &str, step: &str, query: &[(String, String)]) -> Option<KeptForm> {
    let mut fields: Vec<(String, String)> = query.iter().take(MOST_FIELDS).cloned().collect();
    fields.extend(["do", "step"].map(|name| (name.to_owned(), step.to_owned())));
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let error = value("e").and_then(|code| AppError::from_code(&code));
    let wrong = value("field").map(|name| WrongField { name, message: None }).into_iter().collect();
    Some(KeptForm { action: path.to_owned(), fields, error, wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(name: &str) -> KeptForm {
        KeptForm::of("/api/operator/places/add", format!("name={name}&password=x&residents[0][password]=y").as_bytes()).unwrap()
    }

    #[test]
    fn form_is_kept_for_its_session_and_a_time() {
        let (forms, now) = (KeptForms::default(), Timestamp(0));
        forms.keep("me", "/places?e=x", now, form("a"));
        let fields = |session: &str, page: &str, now| forms.find(session, page, now).map(|form| form.fields);
        assert_eq!(fields("me", "/places?e=x", now), Some(vec![("name".to_owned(), "a".to_owned())]));
        assert_eq!(fields("somebody", "/places?e=x", now), None);
        assert_eq!(fields("me", "/places", now), None, "a page that is opened anew is empty");
        assert_eq!(fields("me", "/places?e=x", now.plus(KEPT_MS)), None);
        forms.keep("me", "/places?e=x", now, form("b"));
        assert_eq!(fields("me", "/places?e=x", now), Some(vec![("name".to_owned(), "b".to_owned())]), "the newest");
        for n in 0..4 {
            forms.keep("me", &format!("/{n}"), now, form("c"));
        }
        assert_eq!(fields("me", "/places?e=x", now), None, "one session takes no more");
        assert!(fields("me", "/3", now).is_some());
    }

    #[test]
    fn form_before_a_confirmation_is_asked_again() {
        let query = [("again", "sale"), ("amount", "x"), ("e", "invalid-amount"), ("field", "amount")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let again = asked_again("/rooms/1", "sale", &query).unwrap();
        assert_eq!((again.error, &*again.wrong[0].name), (Some(AppError::InvalidAmount), "amount"));
        assert!(again.fields.contains(&("do".to_owned(), "sale".to_owned())), "it tells which of the page's forms");
    }

    #[test]
    fn nothing_is_kept_of_a_log_in() {
        assert_eq!(KeptForm::of("/api/auth/log-in", b"login=me&password=x"), None);
    }
}
