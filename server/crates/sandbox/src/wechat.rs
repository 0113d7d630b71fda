//! WeChat Pay's gateway: verifies every request and signs every response.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use model::money::Fen;
use model::order::Tender;
use model::time::{MINUTE, SECOND};
use serde_json::{Value, json};

use super::SandboxError;
use super::alipay_request::rfc3339;
use super::bank::Bank;
use super::books::{Status, Trade};
use super::faults::Faults;
use super::keys::Keys;
use super::notify::NotificationRequest;
use payments::form;
use payments::wechat::api_v3_key::ApiV3Key;
use payments::wechat::sign::{SCHEME, answer_text, request_text};
use payments::x509::Certificate;

/// The product's application id.
pub const APP_ID: &str = "wx2026112300000001";
/// The product's merchant number.
pub const MCHID: &str = "1900000001";
/// Id of the public key with which responses are signed.
pub const KEY_ID: &str = "PUB_KEY_ID_0119000000012026112300000000000000";

pub(super) struct Wechat {
    api_key: ApiV3Key,
    serial: String,
    /// Serial number and platform certificate in certificate mode.
    platform: Mutex<Option<(String, String)>>,
}

pub(super) struct Call<'a> {
    pub bank: &'a Bank,
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

pub(super) type Refusal = (u16, &'static str);

impl Wechat {
    pub fn of(keys: &Keys) -> Result<Self, SandboxError> {
        let serial = Certificate::parse(&keys.certificate).map(|certificate| certificate.serial_hex);
        let api_key = ApiV3Key::parse(keys.api_v3_key.expose());
        let (Ok(serial), Some(api_key)) = (serial, api_key) else { return Err(payments::rsa::KeyError::Rejected.into()) };
        Ok(Self { api_key, serial, platform: Mutex::default() })
    }

    pub fn sign_by(&self, serial: String, certificate: String) {
        *self.platform.lock().unwrap_or_else(PoisonError::into_inner) = Some((serial, certificate));
    }

    fn platform(&self) -> Option<(String, String)> {
        self.platform.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Call<'_> {
    /// Answers a request with the configured faults. `name` is the method's name in [`Faults::silent_on`].
    pub(super) async fn answer(&self, name: &str, act: impl FnOnce(&Value) -> Result<Value, Refusal>) -> Response {
        let faults = self.bank.faults();
        if let Some(status) = faults.status {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        let done = self.verified().and_then(|content| act(&content));
        if faults.silent_on.iter().any(|silent| silent == name) {
            self.bank.0.stop.cancelled().await;
        }
        tokio::time::sleep(Duration::from_millis(faults.answer_delay_ms)).await;
        let (status, body) = match done {
            Ok(Value::Null) => (204, String::new()),
            Ok(value) => (200, value.to_string()),
            Err((status, code)) => {
                tracing::warn!(status, code, "sandbox.wechat.refused");
                (status, json!({ "code": code, "message": code }).to_string())
            }
        };
        let headers = self.bank.signed(body.as_bytes(), &faults);
        (StatusCode::from_u16(status).unwrap_or_default(), headers, body).into_response()
    }

    /// Verifies a request and parses its body; an empty body is `Null`.
    pub(super) fn verified(&self) -> Result<Value, Refusal> {
        let bad = (401, "SIGN_ERROR");
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let parameters = header("authorization").strip_prefix(SCHEME).ok_or(bad)?;
        let field = |name: &str| {
            let pair = parameters.split(',').find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix("=\""));
            pair.and_then(|value| value.strip_suffix('"')).ok_or(bad)
        };
        let seconds: i64 = field("timestamp")?.parse().map_err(|_| bad)?;
        let target = self.uri.path_and_query().map_or("", |target| target.as_str());
        let body = std::str::from_utf8(self.body).map_err(|_| bad)?;
        let text = request_text(self.method.as_str(), target, seconds, field("nonce_str")?, body);
        let good = field("mchid")? == MCHID
            && field("serial_no")? == self.bank.0.wechat.serial
            && (self.bank.now().0 - seconds * SECOND).abs() <= 5 * MINUTE
            && self.bank.0.app_key.verifies(text.as_bytes(), field("signature")?);
        if !good || header("accept") != "application/json" || header("user-agent").is_empty() {
            return Err(bad);
        }
        if !["", KEY_ID].contains(&header("wechatpay-serial")) {
            return Err((400, "PARAM_ERROR"));
        }
        if self.body.is_empty() { Ok(Value::Null) } else { serde_json::from_str(body).map_err(|_| (400, "PARAM_ERROR")) }
    }

    fn check_mchid(&self) -> Result<(), Refusal> {
        let query = form::parse(self.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        if query.get("mchid").is_some_and(|mchid| mchid == MCHID) { Ok(()) } else { Err((400, "PARAM_ERROR")) }
    }
}

macro_rules! call {
    ($bank:ident, $method:ident, $uri:ident, $headers:ident, $body:ident) => {
        Call { bank: &$bank, method: &$method, uri: &$uri, headers: &$headers, body: &$body }
    };
}

pub(super) async fn prepay(
    State(bank): State<Bank>,
    Path(kind): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let act = |content: &Value| bank.prepay(&kind, host, content);
    call!(bank, method, uri, headers, body).answer("prepay", act).await
}

pub(super) async fn certificates(
    State(bank): State<Bank>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |_: &Value| {
        let (serial, certificate) = bank.0.wechat.platform().ok_or((404, "RESOURCE_NOT_EXISTS"))?;
        let nonce = hex::encode(bank.0.rng.bytes::<6>());
        let sealed = bank.0.wechat.api_key.seal(&nonce, "certificate", certificate.as_bytes()).ok_or((500, "SYSTEM_ERROR"))?;
        Ok(json!({ "data": [{ "serial_no": serial, "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate", "ciphertext": sealed } }] }))
    };
    call!(bank, method, uri, headers, body).answer("certificates", act).await
}

pub(super) async fn query(
    State(bank): State<Bank>,
    Path(number): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = call!(bank, method, uri, headers, body);
    let act = |_: &Value| {
        call.check_mchid()?;
        let trade = bank.wechat_trade(&number).ok_or((404, "ORDER_NOT_EXIST"))?;
        Ok(trade_object(&trade, &Faults::default()))
    };
    call.answer("query", act).await
}

pub(super) async fn close(
    State(bank): State<Bank>,
    Path(number): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |content: &Value| {
        let trade = bank.wechat_trade(&number).ok_or((404, "ORDER_NOT_EXIST"))?;
        match trade.status {
            _ if at(content, "/mchid") != MCHID => Err((400, "PARAM_ERROR")),
            Status::TradeSuccess => Err((400, "ORDER_PAID")),
            Status::WaitBuyerPay | Status::TradeClosed => {
                bank.trades().entry(number.clone()).and_modify(|trade| trade.status = Status::TradeClosed);
                Ok(Value::Null)
            }
        }
    };
    call!(bank, method, uri, headers, body).answer("close", act).await
}

pub(super) async fn refund(State(bank): State<Bank>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let act = |content: &Value| {
        let text = |name: &str| at(content, &format!("/{name}")).as_str().unwrap_or_default().to_owned();
        let (number, request) = (text("out_trade_no"), text("out_refund_no"));
        let trade = bank.wechat_trade(&number).ok_or((404, "RESOURCE_NOT_EXISTS"))?;
        let amount = at(content, "/amount/refund").as_i64().map(Fen).ok_or((400, "PARAM_ERROR"))?;
        if at(content, "/amount/total").as_i64() != Some(trade.amount.0) || request.is_empty() {
            return Err((400, "PARAM_ERROR"));
        }
        if bank.faults().refund_not_enough {
            return Err((403, "NOT_ENOUGH"));
        }
        if bank.faults().refund_refused || !bank.refund(&number, &request, amount) {
            return Err((400, "INVALID_REQUEST"));
        }
        Ok(refund_object(&trade, &request, amount, "PROCESSING"))
    };
    call!(bank, method, uri, headers, body).answer("refund", act).await
}

pub(super) async fn query_refund(
    State(bank): State<Bank>,
    Path(request): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |_: &Value| {
        let here = |trade: &Trade| trade.refunds.contains_key(&request) || trade.pending.contains_key(&request);
        if let Some(trade) = bank.books().iter().find(|trade| here(trade)) {
            bank.end_refunds(&trade.out_trade_no);
        }
        let found = bank.books().into_iter().find_map(|trade| match (trade.refunds.get(&request), trade.pending.get(&request)) {
            (Some(amount), _) => Some(refund_object(&trade, &request, *amount, "SUCCESS")),
            (None, Some(amount)) => Some(refund_object(&trade, &request, *amount, "PROCESSING")),
            (None, None) => None,
        });
        found.ok_or((404, "RESOURCE_NOT_EXISTS"))
    };
    call!(bank, method, uri, headers, body).answer("query_refund", act).await
}

impl Bank {
    fn wechat_trade(&self, number: &str) -> Option<Trade> {
        self.find(number).filter(|trade| trade.tender == Tender::WechatPay)
    }

    fn prepay(&self, kind: &str, host: &str, content: &Value) -> Result<Value, Refusal> {
        let bad = (400, "PARAM_ERROR");
        let text = |name: &str| at(content, &format!("/{name}")).as_str().unwrap_or_default();
        let number = text("out_trade_no");
        let amount = at(content, "/amount/total").as_i64().map(Fen).filter(|fen| *fen > Fen::ZERO).ok_or(bad)?;
        let proper = (6..=32).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-|*".contains(&b))
            && at(content, "/amount/currency") == "CNY"
            && (1..=127).contains(&text("description").len())
            && text("notify_url").starts_with("http")
            && !text("notify_url").contains('?');
        let scene = at(content, "/scene_info");
        let from: Result<std::net::IpAddr, _> = at(scene, "/payer_client_ip").as_str().unwrap_or_default().parse();
        match kind {
            "h5" if from.is_ok() && at(scene, "/h5_info/type") == "Wap" => {}
            "native" => {}
            "jsapi" if self.0.oauth.knows(at(content, "/payer/openid").as_str().unwrap_or_default()) => {}
            _ => return Err(bad),
        }
        if text("appid") != APP_ID || text("mchid") != MCHID {
            return Err((400, "APPID_MCHID_NOT_MATCH"));
        }
        let (true, Some(expires_at)) = (proper, rfc3339(text("time_expire"))) else { return Err(bad) };
        let now = self.now();
        if now >= expires_at {
            return Err(bad);
        }
        let (token, trade_no) = (hex::encode(self.0.rng.bytes::<16>()), format!("42{:026}", self.0.rng.next_u64()));
        let way = format!("{kind} {}", at(content, "/payer/openid").as_str().unwrap_or_default());
        let mut trades = self.trades();
        let trade = trades.entry(number.to_owned()).or_insert_with(|| Trade {
            tender: Tender::WechatPay,
            out_trade_no: number.to_owned(),
            trade_no,
            token,
            amount,
            subject: text("description").to_owned(),
            notify_url: text("notify_url").to_owned(),
            return_url: "/".to_owned(),
            quit_url: "/".to_owned(),
            way: way.clone(),
            status: Status::WaitBuyerPay,
            expires_at,
            paid_at: None,
            refunds: Default::default(),
            pending: Default::default(),
            notified: 0,
            acknowledged: 0,
        });
        match trade.status {
            Status::TradeSuccess => Err((400, "ORDERPAID")),
            Status::TradeClosed => Err((400, "ORDER_CLOSED")),
            // A number is of one way and one payer.
            Status::WaitBuyerPay if trade.amount != amount || trade.expires_at != expires_at || trade.way != way => {
                Err((400, "INVALID_REQUEST"))
            }
            Status::WaitBuyerPay => {
                let cashier = format!("http://{host}/cashier/{}", trade.token);
                Ok(match kind {
                    "jsapi" => json!({ "prepay_id": format!("wx{}", trade.token) }),
                    "h5" => json!({ "h5_url": format!("{cashier}?package=1") }),
                    _ => json!({ "code_url": cashier }),
                })
            }
        }
    }

    /// Signature headers for a body.
    fn signed(&self, body: &[u8], faults: &Faults) -> HeaderMap {
        let (seconds, nonce) = ((self.now().0 / SECOND).to_string(), hex::encode(self.0.rng.bytes::<16>()));
        let key = if faults.falsify { &self.0.forger_key } else { &self.0.gateway_key };
        let signature = key.sign(&answer_text(&seconds, &nonce, body)).unwrap_or_default();
        let signature = if faults.probe { format!("WECHATPAY/SIGNTEST/{signature}") } else { signature };
        let mut headers = HeaderMap::new();
        let serial = self.0.wechat.platform().map_or_else(|| KEY_ID.to_owned(), |(serial, _)| serial);
        for (name, value) in [
            ("wechatpay-timestamp", seconds.as_str()),
            ("wechatpay-nonce", &nonce),
            ("wechatpay-serial", &serial),
            ("wechatpay-signature", &signature),
            ("content-type", "application/json; charset=utf-8"),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        headers
    }

    /// Notifies of the payment or the latest refund.
    pub(super) fn wechat_notification(&self, trade: &Trade, faults: &Faults) -> Option<NotificationRequest> {
        let (kind, resource) = match self.newest_refund(trade) {
            Some((request, amount)) => {
                let other = faults.refund_amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok());
                let mut object = refund_object(trade, request, other.unwrap_or(*amount), "SUCCESS");
                let fields = object.as_object_mut()?;
                let status = fields.remove("status")?;
                fields.insert("refund_status".into(), status);
                fields.insert("mchid".into(), faults.seller_id.as_deref().unwrap_or(MCHID).into());
                ("REFUND.SUCCESS", object)
            }
            None if trade.status == Status::TradeSuccess => ("TRANSACTION.SUCCESS", trade_object(trade, faults)),
            // Only success is notified.
            None => return None,
        };
        let nonce = hex::encode(self.0.rng.bytes::<6>());
        let sealed = self.0.wechat.api_key.seal(&nonce, "transaction", resource.to_string().as_bytes())?;
        let body = json!({
            "id": hex::encode(self.0.rng.bytes::<16>()), "event_type": kind, "resource_type": "encrypt-resource",
            "resource": { "algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed, "nonce": nonce,
                          "associated_data": "transaction", "original_type": "transaction" },
        });
        // Escaped slashes, so that parsing and serialising the body again changes its bytes.
        let body = body.to_string().replace('/', "\\/").into_bytes();
        Some(NotificationRequest { headers: self.signed(&body, faults), body })
    }
}

/// A value by JSON pointer; `Null` if missing.
fn at<'a>(content: &'a Value, path: &str) -> &'a Value {
    content.pointer(path).unwrap_or(&Value::Null)
}

fn trade_object(trade: &Trade, faults: &Faults) -> Value {
    let state = match trade.status {
        _ if !trade.refunds.is_empty() => "REFUND",
        Status::WaitBuyerPay => "NOTPAY",
        Status::TradeSuccess => "SUCCESS",
        Status::TradeClosed => "CLOSED",
    };
    let mut object = json!({
        "appid": faults.app_id.as_deref().unwrap_or(APP_ID), "mchid": faults.seller_id.as_deref().unwrap_or(MCHID),
        "out_trade_no": trade.out_trade_no, "trade_state": state,
    });
    if let (true, Some(fields)) = (trade.paid_at.is_some(), object.as_object_mut()) {
        let total = faults.amount.as_deref().and_then(|text| Fen::parse_yuan(text).ok()).unwrap_or(trade.amount);
        fields.insert("transaction_id".into(), trade.trade_no.as_str().into());
        let currency = faults.currency.as_deref().unwrap_or("CNY");
        fields.insert("amount".into(), json!({ "total": total.0, "payer_total": total.0, "currency": currency }));
    }
    object
}

fn refund_object(trade: &Trade, request: &str, amount: Fen, status: &str) -> Value {
    json!({
        "refund_id": format!("50{request}"), "out_refund_no": request, "out_trade_no": trade.out_trade_no,
        "transaction_id": trade.trade_no, "status": status,
        "amount": { "total": trade.amount.0, "refund": amount.0, "currency": "CNY" },
    })
}
