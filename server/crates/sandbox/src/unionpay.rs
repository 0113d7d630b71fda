//! UnionPay's gateway: verifies every request; every message contains its signer's certificate.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::SandboxError;
use super::bank::Bank;
use super::books::{Status, Trade};
use super::cashier;
use super::faults::Faults;
use super::keys::{Chain, Keys};
use payments::form::{self, Fields, encode};
use payments::rsa::PrivateKey;
use payments::unionpay::message::fen;
use payments::unionpay::sign::{SIGN_METHOD, VERSION, fields, signed_text};
use payments::unionpay::{read_wire_time, wire_time};
use payments::x509::Certificate;

/// The product's merchant number.
pub const MER_ID: &str = "777290058110048";

pub(super) struct Unionpay {
    cert_id: String,
    certificate: String,
    /// Signer certificate of the forger's own chain.
    forged: String,
    requests: Mutex<BTreeMap<String, TransactionRequest>>,
}

/// The fields of a request that queries must match and notifications repeat.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TransactionRequest {
    txn_time: String,
    reserved: String,
}

impl TransactionRequest {
    /// Of a payment.
    pub(super) fn at(time: Timestamp) -> Self {
        Self { txn_time: wire_time(time), reserved: String::new() }
    }
}

impl Unionpay {
    pub fn of(keys: &Keys, forger: &PrivateKey) -> Result<Self, SandboxError> {
        let ours = Certificate::parse(&keys.certificate).map_err(|_| payments::rsa::KeyError::Rejected)?;
        // Messages contain certificates with CRLF line ends.
        let wire = |pem: &str| pem.trim_end().lines().collect::<Vec<_>>().join("\r\n");
        Ok(Self {
            cert_id: ours.serial_decimal,
            certificate: wire(&keys.chain.signer),
            forged: wire(&Chain::of(forger)?.signer),
            requests: Mutex::default(),
        })
    }

    pub fn transaction_requests(&self) -> MutexGuard<'_, BTreeMap<String, TransactionRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn transaction_request(&self, number: &str) -> Option<TransactionRequest> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    /// Records a transaction; false if its number was used with another time.
    fn note(&self, request: &Fields) -> bool {
        let (txn_time, reserved) = (get(request, "txnTime").to_owned(), get(request, "reqReserved").to_owned());
        let mut asked = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = asked.entry(get(request, "orderId").to_owned()).or_insert_with(|| TransactionRequest { txn_time, reserved });
        noted.txn_time == get(request, "txnTime")
    }
}

/// Opens the cashier. Queries find the trade only after payment.
pub(super) async fn front(State(bank): State<Bank>, body: Bytes) -> Response {
    let request = match bank.unionpay_request(&body) {
        Ok(request) => request,
        Err((code, reason)) => {
            tracing::warn!(code, reason, "sandbox.unionpay.refused");
            return cashier::refused(reason);
        }
    };
    let now = bank.now();
    let get = |name: &str| get(&request, name);
    let usual = [("txnType", "01"), ("txnSubType", "01"), ("bizType", "000201"), ("currencyCode", "156")];
    let proper = usual.iter().all(|(name, value)| get(name) == *value) && matches!(get("channelType"), "07" | "08");
    let urls = ["frontUrl", "backUrl"].iter().all(|name| get(name).starts_with("http"));
    let (true, true, Some(_), Some(expires_at)) =
        (proper, urls, read_wire_time(get("txnTime")), read_wire_time(get("payTimeout")))
    else {
        return cashier::refused("报文交易要素缺失");
    };
    let Some(amount) = fen(get("txnAmt")).filter(|amount| *amount > Fen::ZERO) else { return cashier::refused("金额有误") };
    if now >= expires_at {
        return cashier::refused("订单已超时");
    }
    let number = get("orderId");
    let same = bank.0.unionpay.note(&request);
    let (token, trade_no) = (hex::encode(bank.0.rng.bytes::<16>()), format!("95{:019}", bank.0.rng.below(10_u64.pow(18))));
    let mut trades = bank.trades();
    let trade = trades.entry(number.to_owned()).or_insert_with(|| Trade {
        tender: Tender::UnionPay,
        out_trade_no: number.to_owned(),
        trade_no,
        token,
        amount,
        subject: get("orderDesc").to_owned(),
        notify_url: get("backUrl").to_owned(),
        return_url: get("frontUrl").to_owned(),
        quit_url: get("frontUrl").to_owned(),
        way: String::new(),
        status: Status::WaitBuyerPay,
        expires_at,
        paid_at: None,
        refunds: Default::default(),
        pending: Default::default(),
        notified: 0,
        acknowledged: 0,
    });
    trade.expire(now);
    if !same || trade.amount != amount || trade.expires_at != expires_at {
        return cashier::refused("重复交易");
    }
    Redirect::to(&format!("/cashier/{}", trade.token)).into_response()
}

pub(super) async fn query(State(bank): State<Bank>, body: Bytes) -> Response {
    bank.answer("query", &body, |request, faults| {
        let number = get(request, "orderId");
        let asked = bank.0.unionpay.transaction_request(number).filter(|asked| asked.txn_time == get(request, "txnTime"));
        if let Some(trade) = bank.books().iter().find(|trade| trade.pending.contains_key(number)) {
            bank.end_refunds(&trade.out_trade_no);
        }
        let transaction = asked.and_then(|_| bank.transaction(number));
        let Some((trade, amount)) = transaction.filter(|_| get(request, "txnType") == "00") else {
            return response_fields("34", &[]);
        };
        let usual = if trade.pending.contains_key(number) { "05" } else { "00" };
        let code = faults.code.as_deref().unwrap_or(usual);
        let amount = amount.0.to_string();
        let more = [("origRespCode", code), ("txnAmt", &amount), ("currencyCode", "156"), ("queryId", &trade.trade_no)];
        response_fields("00", &more)
    })
    .await
}

pub(super) async fn refund(State(bank): State<Bank>, body: Bytes) -> Response {
    bank.answer("refund", &body, |request, _| {
        let original = bank.books().into_iter().find(|trade| trade.trade_no == get(request, "origQryId"));
        let amount = fen(get(request, "txnAmt"));
        let proper = get(request, "txnType") == "04" && get(request, "currencyCode") == "156";
        let (Some(trade), Some(amount), true) = (original, amount, proper) else { return response_fields("35", &[]) };
        if !bank.0.unionpay.note(request) {
            return response_fields("12", &[]);
        }
        let accepted = !bank.faults().refund_refused && bank.refund(&trade.out_trade_no, get(request, "orderId"), amount);
        response_fields(if accepted { "00" } else { "36" }, &[])
    })
    .await
}

pub(super) fn get<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

pub(super) fn response_fields(code: &str, more: &[(&str, &str)]) -> Fields {
    fields([("respCode", code), ("respMsg", "sandbox[0000000]")].into_iter().chain(more.iter().copied()))
}

impl Bank {
    /// Answers a request with the configured faults. `name` is the method's name in [`Faults::silent_on`].
    pub(super) async fn answer(&self, name: &str, body: &[u8], act: impl FnOnce(&Fields, &Faults) -> Fields) -> Response {
        let faults = self.faults();
        if let Some(status) = faults.status {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        let (request, mut answer) = match self.unionpay_request(body) {
            Ok(request) => {
                let answer = act(&request, &faults);
                (request, answer)
            }
            Err((code, reason)) => {
                tracing::warn!(code, reason, "sandbox.unionpay.refused");
                (Fields::new(), response_fields(code, &[]))
            }
        };
        if faults.silent_on.iter().any(|silent| silent == name) {
            self.0.stop.cancelled().await;
        }
        // Responses repeat these request fields.
        for name in ["orderId", "txnTime", "txnType", "txnSubType", "bizType", "merId", "reqReserved"] {
            answer.insert(name.to_owned(), get(&request, name).to_owned());
        }
        let signed = self.unionpay_signed(answer, &faults);
        // Not URL-encoded.
        let text: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text.join("&").into_response()
    }

    /// Parses and verifies a request; the error is UnionPay's code and reason.
    fn unionpay_request(&self, body: &[u8]) -> Result<Fields, (&'static str, &'static str)> {
        let request = form::parse(body).map_err(|_| ("10", "报文格式错误"))?;
        let number = get(&request, "orderId");
        let proper = (8..=40).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric());
        let versions = get(&request, "version") == VERSION && get(&request, "encoding") == "UTF-8";
        if !proper && get(&request, "txnType") != "76" || !versions || get(&request, "accessType") != "0" {
            return Err(("10", "报文格式错误"));
        }
        let good = get(&request, "signMethod") == SIGN_METHOD
            && get(&request, "certId") == self.0.unionpay.cert_id
            && get(&request, "merId") == MER_ID
            && self.0.app_key.verifies(signed_text(&request).as_bytes(), get(&request, "signature"));
        if good { Ok(request) } else { Err(("11", "验证签名失败")) }
    }

    /// Finds a payment or refund by its number, with its amount.
    fn transaction(&self, number: &str) -> Option<(Trade, Fen)> {
        self.books().into_iter().filter(|trade| trade.tender == Tender::UnionPay).find_map(|trade| {
            let refunded = trade.refunds.get(number).or_else(|| trade.pending.get(number)).copied();
            let paid = (trade.out_trade_no == number && trade.paid_at.is_some()).then_some(trade.amount);
            refunded.or(paid).map(|amount| (trade, amount))
        })
    }

    fn unionpay_signed(&self, mut message: Fields, faults: &Faults) -> Fields {
        let ours = &self.0.unionpay;
        let (key, certificate) =
            if faults.falsify { (&self.0.forger_key, &ours.forged) } else { (&self.0.gateway_key, &ours.certificate) };
        for (name, value) in [
            ("version", VERSION),
            ("encoding", "UTF-8"),
            ("signMethod", SIGN_METHOD),
            ("accessType", "0"),
            ("signPubKeyCert", certificate),
        ] {
            message.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        message.retain(|_, value| !value.is_empty());
        let signature = key.sign(signed_text(&message).as_bytes()).unwrap_or_default();
        message.insert("signature".to_owned(), signature);
        message
    }

    /// Notifies of the payment or the latest refund, except for refunds made in the console.
    pub(super) fn unionpay_notification(&self, trade: &Trade, faults: &Faults) -> Option<String> {
        self.unionpay_form(trade, faults, &[])
    }

    /// The same, with some fields changed before signing.
    pub(super) fn unionpay_form(&self, trade: &Trade, faults: &Faults, changes: &[(&str, &str)]) -> Option<String> {
        let refund = self.newest_refund(trade);
        let (kind, number, amount) = match refund {
            Some((number, amount)) => ("04", number, *amount),
            None if trade.paid_at.is_some() => ("01", &trade.out_trade_no, trade.amount),
            // Only success is notified.
            None => return None,
        };
        let asked = self.0.unionpay.transaction_request(number)?;
        let other = if refund.is_some() { &faults.refund_amount } else { &faults.amount };
        let amount = other.as_deref().and_then(|text| Fen::parse_yuan(text).ok()).unwrap_or(amount).0.to_string();
        let code = faults.code.as_deref().unwrap_or("00");
        // A refund is a separate transaction with its own number.
        let query_id = if refund.is_some() { format!("R{number}") } else { trade.trade_no.clone() };
        let mut message = response_fields(
            code,
            &[
                ("txnType", kind),
                ("txnSubType", "01"),
                ("bizType", "000201"),
                ("merId", faults.seller_id.as_deref().unwrap_or(MER_ID)),
                ("orderId", number),
                ("txnTime", &asked.txn_time),
                ("txnAmt", &amount),
                ("currencyCode", faults.currency.as_deref().unwrap_or("156")),
                ("queryId", &query_id),
                ("origQryId", if refund.is_some() { &trade.trade_no } else { "" }),
                ("reqReserved", &asked.reserved),
                ("settleAmt", &amount),
                ("accNo", "6217****0001"),
            ],
        );
        message.extend(changes.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let signed = self.unionpay_signed(message, faults);
        Some(encode(signed.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
    }
}
