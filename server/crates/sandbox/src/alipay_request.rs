//! Parses and verifies the product's requests to Alipay's gateway.

use model::time::{Civil, Timestamp};
use serde_json::Value;

use super::bank::Bank;
use payments::alipay::sign::{SIGN_TYPE, request_text};
use payments::form::{self, Fields};

/// A request with a valid signature.
pub(super) struct Request {
    pub method: String,
    pub fields: Fields,
    pub content: Value,
}

/// The error is the gateway's `code` and `sub_code`.
pub(super) fn read(bank: &Bank, query: &[u8], body: &[u8]) -> Result<Request, (&'static str, &'static str)> {
    let bad = ("40002", "isv.invalid-parameter");
    let mut fields = form::parse(query).map_err(|_| bad)?;
    for (name, value) in form::parse(body).map_err(|_| bad)? {
        if fields.insert(name, value).is_some() {
            return Err(bad);
        }
    }
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    if field("app_id") != bank.0.app_id {
        return Err(("40002", "isv.invalid-app-id"));
    }
    if field("sign_type") != SIGN_TYPE || field("charset") != "utf-8" || field("version") != "1.0" {
        return Err(bad);
    }
    if !bank.0.app_key.verifies(request_text(&fields).as_bytes(), field("sign")) {
        return Err(("40002", "isv.invalid-signature"));
    }
    let content = serde_json::from_str(field("biz_content")).map_err(|_| bad)?;
    Ok(Request { method: field("method").to_owned(), content, fields })
}

impl Request {
    /// A non-empty string of `biz_content`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.content.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A public parameter.
    pub fn field(&self, name: &str) -> String {
        self.fields.get(name).cloned().unwrap_or_default()
    }
}

/// Parses `2026-11-23T21:15:00+08:00`.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u8>().ok();
    let civil = Civil {
        year: text.get(..4)?.parse().ok()?,
        month: part(5, 7)?,
        day: part(8, 10)?,
        hour: part(11, 13)?,
        minute: part(14, 16)?,
        second: part(17, 19)?,
    };
    text.get(19..).filter(|zone| *zone == "+08:00").and_then(|_| civil.timestamp())
}
