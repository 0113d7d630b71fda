//! Reads the person of the session from the cookie, before all other handlers.

use app::ports::{Visit, Who};
use app::ui::theme::Theme;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use model::error::AppError;
use model::language::Lang;
use model::time::{SECOND, Timestamp};

use super::log::AnsweredTo;
use super::{AppState, caller};
use crate::config;
use services::auth::{expires, hash, kiosk_expires, worth_writing};
use store::sessions;

/// The use of a session at a query machine is stored at most so often, ms: its end moves by minutes.
const KIOSK_SEEN: i64 = 10 * SECOND;

/// An extension of every request.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    pub who: Option<Who>,
    /// Somebody else chose their password: they choose another before anything else.
    pub password_due: bool,
    pub visit: Visit,
    pub lang: Lang,
    pub now: Timestamp,
    /// The database could not look the session up.
    pub lookup_failed: bool,
}

impl RequestInfo {
    /// Who asks, for what the access table gives to nobody without a session.
    pub fn person(&self) -> Result<&Who, AppError> {
        self.who.as_ref().ok_or(AppError::NotLoggedIn)
    }
}

/// `__Host-` makes browsers require TLS, this host and the whole site.
#[must_use]
pub const fn cookie_name(server: &config::Server) -> &'static str {
    if server.insecure_cookies { "dormwatt" } else { "__Host-dormwatt" }
}

/// The cookie of browsers that have logged in before.
#[must_use]
pub const fn device_cookie_name(server: &config::Server) -> &'static str {
    if server.insecure_cookies { "dormwatt-device" } else { "__Host-dormwatt-device" }
}

/// The cookie of a registered query machine.
#[must_use]
pub const fn kiosk_cookie_name(server: &config::Server) -> &'static str {
    if server.insecure_cookies { "dormwatt-kiosk" } else { "__Host-dormwatt-kiosk" }
}

/// The cookie of a secret that the next page shows.
#[must_use]
pub const fn once_cookie_name(server: &config::Server) -> &'static str {
    if server.insecure_cookies { "dormwatt-once" } else { "__Host-dormwatt-once" }
}

/// The cookie of a browser that pays by a link.
#[must_use]
pub const fn paying_cookie_name(server: &config::Server) -> &'static str {
    if server.insecure_cookies { "dormwatt-paying" } else { "__Host-dormwatt-paying" }
}

/// Adds [`RequestInfo`].
pub async fn read(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let now = state.context.now();
    let ip = caller::of(&request).to_string();
    let session = cookie(headers, cookie_name(&state.server)).unwrap_or_default().to_owned();
    let device = cookie(headers, device_cookie_name(&state.server)).unwrap_or_default().to_owned();
    let once = cookie(headers, once_cookie_name(&state.server)).unwrap_or_default().to_owned();
    let paying = cookie(headers, paying_cookie_name(&state.server)).unwrap_or_default().to_owned();
    let is_tablet = cookie(headers, "tablet") == Some("1");
    let kiosk = cookie(headers, kiosk_cookie_name(&state.server)).unwrap_or_default().to_owned();
    let theme = cookie(headers, "theme").and_then(Theme::parse).unwrap_or_default();
    let lang =
        cookie(headers, "lang").and_then(Lang::choose).or_else(|| text(headers, header::ACCEPT_LANGUAGE).and_then(Lang::choose));
    let agent = text(headers, header::USER_AGENT).unwrap_or_default().to_owned();
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();

    let found = if session.is_empty() { Ok(None) } else { find_person(&state, &session, &ip, now).await };
    let lookup_failed = found.is_err();
    let found = found.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "session.lookup_failed");
        None
    });
    // A registered machine has only sessions that were opened as one, which end by themselves.
    let found = found.filter(|person| kiosk.is_empty() || person.at_kiosk);
    let whole_site = found.as_ref().is_some_and(|person| person.whole_site);
    let at_kiosk = found.as_ref().is_some_and(|person| person.at_kiosk);
    let (who, password_due) = found.map_or((None, false), |person| (Some(person.who), person.password_due));
    let visit = Visit { ip, here, session, device, once, paying, agent, is_tablet, kiosk, at_kiosk, theme, whole_site };
    let user = who.as_ref().map(|who| who.user);
    request.extensions_mut().insert(RequestInfo { who, password_due, visit, lang: lang.unwrap_or_default(), now, lookup_failed });
    let mut response = next.run(request).await;
    if let Some(user) = user {
        response.extensions_mut().insert(AnsweredTo(user));
    }
    response
}

struct Found {
    who: Who,
    password_due: bool,
    whole_site: bool,
    at_kiosk: bool,
}

async fn find_person(state: &AppState, token: &str, ip: &str, now: Timestamp) -> store::Result<Option<Found>> {
    let hash = hash(token);
    let Some(session) = sessions::find(&state.context.db, &hash, now).await? else { return Ok(None) };
    let (is_worth, until) = if session.at_kiosk {
        (now.since(session.seen_at) >= KIOSK_SEEN, kiosk_expires(session.created_at, now))
    } else {
        (worth_writing(session.seen_at, now), expires(session.role, session.created_at, now))
    };
    if is_worth {
        // A full disk must not log people out.
        if let Err(error) = sessions::touch(&state.context.db, &hash, now, until).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "session.touch_failed");
        }
    }
    let who = Who {
        user: session.user_id,
        role: session.role,
        permissions: session.permissions,
        name: session.name,
        ip: ip.to_owned(),
    };
    Ok(Some(Found { who, password_due: session.password_due, whole_site: session.whole_site, at_kiosk: session.at_kiosk }))
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in cookies {
            headers.append(header::COOKIE, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn cookie_is_found_in_any_position() {
        let headers = headers(&["a=1; dormwatt=x=y ;b=2", "lang=en"]);
        assert_eq!(cookie(&headers, "dormwatt"), Some("x=y"));
        assert_eq!(cookie(&headers, "lang"), Some("en"));
        assert_eq!(cookie(&headers, "watt"), None);
    }
}
