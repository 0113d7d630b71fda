//! WeChat's OAuth2 sign-in (`snsapi_base`): redirects without user interaction; a code is valid once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::bank::Bank;
use super::cashier;
use super::wechat::APP_ID;
use payments::form::{self, Fields, encode};

/// Secret of the product's application.
pub const APP_SECRET: &str = "5a4d3c2b1a0f9e8d7c6b5a4d3c2b1a0f";

/// Issued codes and ids.
#[derive(Default)]
pub(super) struct OAuth {
    codes: Mutex<BTreeSet<String>>,
    payers: Mutex<BTreeSet<String>>,
}

impl OAuth {
    pub fn knows(&self, payer: &str) -> bool {
        self.payers.lock().unwrap_or_else(PoisonError::into_inner).contains(payer)
    }
}

fn read(query: Option<String>) -> Fields {
    form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default()
}

/// Redirects the payer back with a code.
pub(super) async fn authorize(State(bank): State<Bank>, RawQuery(query): RawQuery) -> Response {
    let query = read(query);
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let proper = get("appid") == APP_ID && get("response_type") == "code" && get("scope") == "snsapi_base";
    if !proper || !get("redirect_uri").starts_with("http") || get("state").len() > 128 {
        return cashier::refused("参数错误");
    }
    let code = hex::encode(bank.0.rng.bytes::<16>());
    bank.0.oauth.codes.lock().unwrap_or_else(PoisonError::into_inner).insert(code.clone());
    let back = encode([("code", code.as_str()), ("state", get("state"))]);
    Redirect::to(&format!("{}?{back}", get("redirect_uri"))).into_response()
}

/// Exchanges a code for the payer's id.
pub(super) async fn token(State(bank): State<Bank>, RawQuery(query): RawQuery) -> Response {
    let query = read(query);
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let is_valid = get("appid") == APP_ID && get("secret") == APP_SECRET && get("grant_type") == "authorization_code";
    let answer = if !is_valid {
        json!({ "errcode": 40_125, "errmsg": "invalid appsecret" })
    } else if !bank.0.oauth.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(get("code")) {
        json!({ "errcode": 40_163, "errmsg": "code been used" })
    } else {
        let payer = format!("o{}", hex::encode(bank.0.rng.bytes::<13>()));
        bank.0.oauth.payers.lock().unwrap_or_else(PoisonError::into_inner).insert(payer.clone());
        json!({ "access_token": "sandbox", "expires_in": 7_200, "openid": payer, "scope": "snsapi_base" })
    };
    // The content type of the real service.
    ([(CONTENT_TYPE, "text/plain")], answer.to_string()).into_response()
}
