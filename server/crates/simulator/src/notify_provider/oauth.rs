//! WeChat's sign-in (`snsapi_base`): it leads back at once, with a code that is valid once. Each browser is a person of its own.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::SimulatedProvider;

pub(super) const AUTHORIZE: &str = "/connect/oauth2/authorize";
pub(super) const ACCESS_TOKEN: &str = "/sns/oauth2/access_token";

/// Codes that were given and not used, and whose they are.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    openids: HashMap<String, String>,
    given: u32,
}

impl SignIns {
    fn give(&mut self, agent: &str) -> String {
        self.given += 1;
        let mut person = DefaultHasher::new();
        agent.hash(&mut person);
        let code = format!("code{}", self.given);
        self.openids.insert(code.clone(), format!("oSimulated{:016x}", person.finish()));
        code
    }

    pub fn has(&self, query: &str) -> bool {
        self.openids.contains_key(code_in(query))
    }

    /// The person of a code, which is used up.
    pub fn take(&mut self, query: Option<&str>) -> Option<String> {
        self.openids.remove(code_in(query?))
    }
}

fn code_in(query: &str) -> &str {
    query.split('&').find_map(|pair| pair.strip_prefix("code=")).unwrap_or_default()
}

#[derive(Deserialize)]
pub(super) struct SignInRequest {
    #[serde(default)]
    appid: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    response_type: String,
    #[serde(default)]
    scope: String,
    /// OAuth's `state`, which goes back as it came.
    #[serde(default, rename = "state")]
    echo: String,
}

impl SignInRequest {
    fn is_valid(&self) -> bool {
        let is_state = self.echo.len() <= 128 && self.echo.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_plain = self.response_type == "code" && self.scope == "snsapi_base" && !self.appid.is_empty();
        is_state && is_plain && self.redirect_uri.starts_with("http")
    }
}

/// Leads the person of this browser back with a code.
pub(super) async fn authorize(
    State(provider): State<SimulatedProvider>,
    Query(request): Query<SignInRequest>,
    headers: HeaderMap,
) -> Response {
    if !request.is_valid() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let code = provider.lock().sign_ins.give(agent);
    let SignInRequest { redirect_uri, echo, .. } = request;
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let back = format!("{redirect_uri}{joint}code={code}&state={echo}");
    (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
}
