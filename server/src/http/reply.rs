//! The parts of the response that pages and server functions set.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use app::link;
use app::ports::Reply;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use leptos_axum::ResponseOptions;
use model::error::AppError;
use model::ids::UserId;
use model::time::Timestamp;

use super::forms::{KeptForm, KeptForms, WrongField};
use super::session::{cookie_name, device_cookie_name, kiosk_cookie_name, once_cookie_name, paying_cookie_name};
use super::{AppState, log};
use crate::config;

/// Where the form of the set-up page goes.
const SET_UP: &str = "/api/setup/site";
/// Leptos' own client reads this header instead of a redirect, which `fetch` would follow by itself.
const REDIRECT: HeaderName = HeaderName::from_static("serverfnredirect");
const YEAR: u32 = 365 * 24 * 60 * 60;
/// How long a browser keeps the cookie of a session at a query machine, s: as long as the session lasts at most.
const KIOSK_SESSION: u32 = 15 * 60;
/// Browsers keep no page: all of them are `no-store`. Cookies are not named, since one of them is the machine's registration.
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// How long a secret waits for its page, s.
const ONCE: u32 = 60;
/// How long a browser that pays by a link is led back to it, s.
const PAYING: u32 = 60 * 60;

pub struct HttpReply {
    options: ResponseOptions,
    /// The caller is a browser's form or page, not a program.
    html: bool,
    server: Arc<config::Server>,
    source: RequestSource,
    posted: Posted,
    forms: Arc<KeptForms>,
    /// The fields of the form that are wrong.
    wrong: Mutex<Vec<WrongField>>,
}

/// The form of the request, and what it is kept by where it is refused.
pub struct Posted {
    pub form: Option<Bytes>,
    pub session: String,
    pub now: Timestamp,
}

/// Who asked for what, for the log.
pub struct RequestSource {
    pub address: IpAddr,
    pub user: Option<UserId>,
    pub path: String,
}

impl HttpReply {
    /// `html` is whether the caller shows pages.
    pub fn new((options, html): (ResponseOptions, bool), state: &AppState, source: RequestSource, posted: Posted) -> Self {
        let (server, forms) = (state.server.clone(), state.forms.clone());
        Self { options, html, server, source, posted, forms, wrong: Mutex::default() }
    }

    /// Keeps the posted form for the page of that address, where it comes back filled.
    fn keep_form(&self, back: &str, error: Option<AppError>) {
        // A stranger, who has no session to keep it by, has one form: the set-up page of an empty database.
        if self.source.user.is_none() && self.source.path != SET_UP {
            return;
        }
        let form = self.posted.form.as_ref().and_then(|body| KeptForm::of(&self.source.path, body));
        let Some(mut form) = form else { return };
        form.wrong = std::mem::take(&mut *self.wrong.lock().unwrap_or_else(PoisonError::into_inner));
        form.error = error;
        self.forms.keep(&self.posted.session, back, self.posted.now, form);
    }

    fn location(&self, address: &str) {
        let Ok(value) = HeaderValue::from_str(address) else { return };
        self.options.insert_header(header::LOCATION, value);
        if self.html {
            self.options.set_status(StatusCode::SEE_OTHER);
        } else {
            self.options.insert_header(REDIRECT, HeaderValue::from_static(""));
        }
    }

    fn cookie(&self, name: &str, value: &str, seconds: u32, flags: &str) {
        let secure = if self.server.insecure_cookies { "" } else { "; Secure" };
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax{flags}{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            self.options.append_header(header::SET_COOKIE, cookie);
        }
    }
}

impl Reply for HttpReply {
    fn redirect(&self, path: &str) {
        self.location(link::local(path));
    }

    fn leave(&self, address: &str) {
        self.location(address);
    }

    fn send_back(&self, error: AppError, back: &str) -> bool {
        if !self.html {
            self.status(error.status());
            return false;
        }
        log::refusal(self.source.address, self.source.user, &self.source.path, error);
        let back = link::without_error(link::local(back));
        if error == AppError::NotLoggedIn {
            self.redirect(&link::with("/login?e=not-logged-in", "next", &back));
        } else {
            let back = link::with(&back, "e", error.code());
            self.keep_form(&back, Some(error));
            self.redirect(&back);
        }
        true
    }

    fn wrong_field(&self, field: &str, message: Option<String>) {
        let field = WrongField { name: field.to_owned(), message };
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(field);
    }

    fn again(&self, back: &str) {
        let back = link::without_error(link::local(back));
        self.keep_form(&back, None);
        self.redirect(&back);
    }

    fn session(&self, token: &str) {
        // The server ends sessions; the cookie only has to live longer.
        let seconds = if token.is_empty() { 0 } else { YEAR };
        self.cookie(cookie_name(&self.server), token, seconds, "; HttpOnly");
    }

    fn kiosk_session(&self, token: &str) {
        self.cookie(cookie_name(&self.server), token, KIOSK_SESSION, "; HttpOnly");
    }

    fn kiosk(&self, token: &str) {
        let seconds = if token.is_empty() { 0 } else { YEAR };
        self.cookie(kiosk_cookie_name(&self.server), token, seconds, "; HttpOnly");
    }

    fn known_device(&self, tokens: &str) {
        let seconds = if tokens.is_empty() { 0 } else { YEAR };
        self.cookie(device_cookie_name(&self.server), tokens, seconds, "; HttpOnly");
    }

    fn remember(&self, name: &'static str, value: &'static str) {
        let seconds = if value.is_empty() { 0 } else { YEAR };
        self.cookie(name, value, seconds, "");
    }

    fn once(&self, secret: &str) {
        let seconds = if secret.is_empty() { 0 } else { ONCE };
        self.cookie(once_cookie_name(&self.server), secret, seconds, "; HttpOnly");
    }

    fn paying(&self, page: &str) {
        self.cookie(paying_cookie_name(&self.server), page, PAYING, "; HttpOnly");
    }

    fn own_address(&self) -> String {
        self.server.public_url.trim_end_matches('/').to_owned()
    }

    fn clear_storage(&self) {
        self.options.insert_header(CLEAR_SITE_DATA, HeaderValue::from_static("\"storage\""));
    }

    fn status(&self, code: u16) {
        if let Ok(status) = StatusCode::from_u16(code) {
            self.options.set_status(status);
        }
    }
}
