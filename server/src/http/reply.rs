//! The parts of the response that pages and server functions set.

use std::net::IpAddr;
use std::sync::Arc;

use app::link;
use app::ports::Reply;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use leptos_axum::ResponseOptions;
use model::error::AppError;
use model::ids::UserId;

use super::log;
use super::session::{cookie_name, device_cookie_name, once_cookie_name};
use crate::config;

/// Leptos' own client reads this header instead of a redirect, which `fetch` would follow by itself.
const REDIRECT: HeaderName = HeaderName::from_static("serverfnredirect");
const YEAR: u32 = 365 * 24 * 60 * 60;
/// How long a secret waits for its page, s.
const ONCE: u32 = 60;

pub struct HttpReply {
    options: ResponseOptions,
    /// The caller is a browser's form or page, not a program.
    html: bool,
    server: Arc<config::Server>,
    source: RequestSource,
}

/// Who asked for what, for the log.
pub struct RequestSource {
    pub address: IpAddr,
    pub user: Option<UserId>,
    pub path: String,
}

impl HttpReply {
    pub fn new(options: ResponseOptions, html: bool, server: Arc<config::Server>, source: RequestSource) -> Self {
        Self { options, html, server, source }
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
            self.redirect(&link::with(&back, "e", error.code()));
        }
        true
    }

    fn session(&self, token: &str) {
        // The server ends sessions; the cookie only has to live longer.
        let seconds = if token.is_empty() { 0 } else { YEAR };
        self.cookie(cookie_name(&self.server), token, seconds, "; HttpOnly");
    }

    fn known_device(&self, tokens: &str) {
        self.cookie(device_cookie_name(&self.server), tokens, YEAR, "; HttpOnly");
    }

    fn remember(&self, name: &'static str, value: &'static str) {
        self.cookie(name, value, YEAR, "");
    }

    fn once(&self, secret: &str) {
        let seconds = if secret.is_empty() { 0 } else { ONCE };
        self.cookie(once_cookie_name(&self.server), secret, seconds, "; HttpOnly");
    }

    fn own_address(&self) -> String {
        self.server.public_url.trim_end_matches('/').to_owned()
    }

    fn status(&self, code: u16) {
        if let Ok(status) = StatusCode::from_u16(code) {
            self.options.set_status(status);
        }
    }
}
