//! What each interface of the provider answers, and what it refuses by itself.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::oauth::ACCESS_TOKEN;
use super::{ProviderRequest, ProviderState};

const WECHAT_SEND: &str = "/cgi-bin/message/template/send";

/// A status, and what WeChat says with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal(StatusCode, Value);

impl Refusal {
    fn wechat(code: i64) -> Self {
        Self(StatusCode::OK, json!({ "errcode": code, "errmsg": "" }))
    }

    /// Nobody is behind the address any more.
    pub fn gone(path: &str) -> Self {
        if path == WECHAT_SEND { Self::wechat(43_004) } else { Self(StatusCode::GONE, Value::Null) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, axum::Json(self.1)).into_response()
    }
}

impl ProviderState {
    /// WeChat's access token at this time.
    pub fn token(&self) -> String {
        format!("token-{}", self.ended_tokens)
    }

    /// What real services refuse: unknown browsers, bodies that were not made for one, tokens that have ended, and codes
    /// that were used.
    pub fn refusal(&self, request: &ProviderRequest) -> Option<Refusal> {
        if request.path.starts_with("/push/") {
            let Some(browser) = self.browsers.get(&request.path) else { return Some(Refusal::gone(&request.path)) };
            let is_whole = request.header("content-encoding") == "aes128gcm"
                && request.header("ttl").parse::<u32>().is_ok()
                && request.bytes.len() <= 4_096
                && browser.open(&request.bytes).is_ok();
            let is_signed = request.header("authorization").starts_with("vapid t=");
            return match (is_signed, is_whole) {
                (false, _) => Some(Refusal(StatusCode::UNAUTHORIZED, Value::Null)),
                (true, false) => Some(Refusal(StatusCode::BAD_REQUEST, Value::Null)),
                (true, true) => None,
            };
        }
        if request.path == ACCESS_TOKEN && !self.sign_ins.has(&request.query) {
            return Some(Refusal::wechat(40_029));
        }
        let is_ended = request.path == WECHAT_SEND && request.query != format!("access_token={}", self.token());
        is_ended.then(|| Refusal::wechat(42_001))
    }
}

/// `given` is the token or the id that the interface gives.
pub(super) fn answer(path: &str, takes: bool, given: &str) -> Response {
    let code = i64::from(!takes);
    let body = match path {
        "/sms" => json!({ "code": code, "message": "" }),
        "/wecom" | "/dingtalk" => json!({ "errcode": code, "errmsg": "" }),
        "/feishu" => json!({ "code": code, "msg": "", "data": {} }),
        "/webhook" if takes => return StatusCode::NO_CONTENT.into_response(),
        "/webhook" => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        "/cgi-bin/stable_token" => json!({ "access_token": given, "expires_in": 7_200 }),
        ACCESS_TOKEN if takes => json!({ "access_token": "oauth", "openid": given, "expires_in": 7_200 }),
        WECHAT_SEND if takes => json!({ "errcode": 0, "errmsg": "ok", "msgid": 1 }),
        WECHAT_SEND | ACCESS_TOKEN => json!({ "errcode": 40_003, "errmsg": "invalid openid" }),
        path if path.starts_with("/push/") => {
            return if takes { StatusCode::CREATED } else { StatusCode::BAD_REQUEST }.into_response();
        }
        _ => json!({ "Code": if takes { "OK" } else { "isv.MOBILE_NUMBER_ILLEGAL" }, "Message": "", "RequestId": "1" }),
    };
    axum::Json(body).into_response()
}
