//! Alipay's gateway, `gateway.do`.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use model::money::Fen;
use model::order::Tender;
use model::time::{Civil, Timestamp};
use serde_json::{Value, json};

use super::alipay_request::{Request, read};
use super::alipay_statement;
use super::bank::Bank;
use super::books::{Status, Trade};
use super::cashier;

pub(super) async fn by_get(state: State<Bank>, query: RawQuery, headers: HeaderMap) -> Response {
    by_post(state, query, headers, Bytes::new()).await
}

pub(super) async fn by_post(State(bank): State<Bank>, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes) -> Response {
    let request = read(&bank, query.unwrap_or_default().as_bytes(), &body);
    let request = match request {
        Ok(request) => request,
        Err((code, reason)) => {
            tracing::warn!(code, reason, "sandbox.refused");
            // Unsigned, as at the real gateway, because the requester is not authenticated.
            return axum::Json(json!({ "error_response": { "code": code, "msg": "Invalid Arguments", "sub_code": reason } }))
                .into_response();
        }
    };
    match request.method.as_str() {
        "alipay.trade.wap.pay" => wap_pay(&bank, &request),
        "alipay.trade.query" => called(&bank, &request, query_trade).await,
        "alipay.trade.close" => called(&bank, &request, close).await,
        "alipay.trade.refund" => called(&bank, &request, refund).await,
        "alipay.trade.fastpay.refund.query" => called(&bank, &request, query_refund).await,
        "alipay.data.dataservice.bill.downloadurl.query" => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
            called(&bank, &request, |bank, request| alipay_statement::address(bank, request, host)).await
        }
        _ => called(&bank, &request, |_, _| failure("40004", "isv.invalid-method")).await,
    }
}

/// Answers a request of the product's server, with the configured faults.
async fn called(bank: &Bank, request: &Request, act: impl Fn(&Bank, &Request) -> Value) -> Response {
    let faults = bank.faults();
    if let Some(status) = faults.status {
        return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
    }
    let inner = act(bank, request).to_string();
    if faults.silent_on.contains(&request.method) {
        bank.0.stop.cancelled().await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    let Ok(sign) = bank.0.gateway_key.sign(inner.as_bytes()) else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let name = request.method.replace('.', "_");
    let body = format!("{{\"{name}_response\":{inner},\"sign\":\"{sign}\"}}");
    ([(header::CONTENT_TYPE, "application/json;charset=utf-8")], body).into_response()
}

/// Creates the trade when the payer reaches the cashier.
fn wap_pay(bank: &Bank, request: &Request) -> Response {
    let now = bank.now();
    let amount = request.text("total_amount").and_then(|text| Fen::parse_yuan(text).ok()).filter(|fen| *fen > Fen::ZERO);
    let number = |text: &&str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let subject = request.text("subject").filter(|text| !text.contains(['/', '=', '&']));
    let (Some(out_trade_no), Some(amount), Some(subject), Some(expires_at), Some("QUICK_WAP_WAY")) = (
        request.text("out_trade_no").filter(number),
        amount,
        subject,
        request.text("time_expire").and_then(beijing),
        request.text("product_code"),
    ) else {
        return cashier::refused("参数有误，无法付款");
    };
    if now >= expires_at {
        return cashier::refused("订单已超时关闭");
    }
    let mut trades = bank.trades();
    let trade = trades.entry(out_trade_no.to_owned()).or_insert_with(|| Trade {
        tender: Tender::Alipay,
        out_trade_no: out_trade_no.to_owned(),
        trade_no: trade_no(bank, now),
        token: hex::encode(bank.0.rng.bytes::<16>()),
        amount,
        subject: subject.to_owned(),
        notify_url: request.field("notify_url"),
        return_url: request.field("return_url"),
        quit_url: request.text("quit_url").unwrap_or_default().to_owned(),
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
    if trade.amount != amount {
        return cashier::refused("订单信息不一致");
    }
    Redirect::to(&format!("/cashier/{}", trade.token)).into_response()
}

fn query_trade(bank: &Bank, request: &Request) -> Value {
    let Some(trade) = request.text("out_trade_no").and_then(|number| bank.find(number)) else {
        return failure("40004", "ACQ.TRADE_NOT_EXIST");
    };
    let mut answer = json!({
        "code": "10000", "msg": "Success",
        "buyer_logon_id": "san***@sandbox", "out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no,
        "total_amount": trade.amount.to_string(), "trade_status": bank.faults().trade_status(trade.status),
    });
    if let (Some(paid_at), Some(fields)) = (trade.paid_at, answer.as_object_mut()) {
        fields.insert("send_pay_date".into(), paid_at.to_string().into());
    }
    answer
}

fn close(bank: &Bank, request: &Request) -> Value {
    let now = bank.now();
    let mut trades = bank.trades();
    let Some(trade) = request.text("out_trade_no").and_then(|number| trades.get_mut(number)) else {
        return failure("40004", "ACQ.TRADE_NOT_EXIST");
    };
    trade.expire(now);
    if trade.status != Status::WaitBuyerPay {
        return failure("40004", "ACQ.TRADE_STATUS_ERROR");
    }
    trade.status = Status::TradeClosed;
    json!({ "code": "10000", "msg": "Success", "out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no })
}

fn refund(bank: &Bank, request: &Request) -> Value {
    let amount = request.text("refund_amount").and_then(|text| Fen::parse_yuan(text).ok());
    let (Some(number), Some(amount)) = (request.text("out_trade_no"), amount) else {
        return failure("40004", "ACQ.INVALID_PARAMETER");
    };
    if bank.faults().finished {
        return failure("40004", "ACQ.TRADE_HAS_FINISHED");
    }
    if bank.faults().refund_not_enough {
        return failure("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH");
    }
    if bank.faults().refund_refused {
        return failure("40004", "ACQ.TRADE_NOT_ALLOW_REFUND");
    }
    let before = bank.find(number).map(|trade| trade.refunded());
    if !bank.refund(number, request.text("out_request_no").unwrap_or(number), amount) {
        return failure("40004", "ACQ.REASON_TRADE_STATUS_INVALID");
    }
    let after = bank.find(number);
    let refunded = after.as_ref().map(Trade::refunded).unwrap_or_default();
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": number, "trade_no": after.map(|trade| trade.trade_no),
        "refund_fee": refunded.to_string(), "fund_change": if before == Some(refunded) { "N" } else { "Y" },
    })
}

/// Without refund fields if there is no refund of this number.
fn query_refund(bank: &Bank, request: &Request) -> Value {
    if let Some(number) = request.text("out_trade_no") {
        bank.end_refunds(number);
    }
    let Some(trade) = request.text("out_trade_no").and_then(|number| bank.find(number)) else {
        return failure("40004", "ACQ.TRADE_NOT_EXIST");
    };
    let refund_no = request.text("out_request_no").unwrap_or_default();
    let (done, under_way) = (trade.refunds.get_key_value(refund_no), trade.pending.get_key_value(refund_no));
    let Some((number, amount)) = done.or(under_way) else {
        return json!({ "code": "10000", "msg": "Success" });
    };
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": trade.out_trade_no, "trade_no": trade.trade_no,
        "out_request_no": number, "refund_amount": amount.to_string(), "total_amount": trade.amount.to_string(),
        "refund_status": if done.is_some() { "REFUND_SUCCESS" } else { "REFUND_PROCESSING" },
    })
}

pub(super) fn failure(code: &str, sub_code: &str) -> Value {
    json!({ "code": code, "msg": "Business Failed", "sub_code": sub_code, "sub_msg": sub_code })
}

/// 28 digits starting with the date, as at the real gateway.
pub(super) fn trade_no(bank: &Bank, now: Timestamp) -> String {
    let (year, month, day) = now.date().ymd();
    format!("{year:04}{month:02}{day:02}22001{:015}", bank.0.rng.below(1_000_000_000_000_000))
}

/// Parses `2026-11-23 21:15:00`, seconds optional.
fn beijing(text: &str) -> Option<Timestamp> {
    let (date, clock) = text.split_once(' ')?;
    let date: Vec<&str> = date.split('-').collect();
    let clock: Vec<&str> = clock.split(':').collect();
    let ([year, month, day], [hour, minute, seconds @ ..]) = (date.as_slice(), clock.as_slice()) else { return None };
    let second = match seconds {
        [] => 0,
        [second] => second.parse().ok()?,
        _ => return None,
    };
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    Civil { year, month, day, hour: hour.parse().ok()?, minute: minute.parse().ok()?, second }.timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alipay_expiry_times_are_parsed() {
        let at = Timestamp(1_795_438_800_000);
        assert_eq!(beijing(&at.to_string()), Some(at));
        assert_eq!(beijing("2026-11-23 21:00"), Some(at));
        for text in ["", "2026-11-23", "2026-11-23 21", "2026-11-23 21:00:00:00", "2026-13-01 00:00", "x y"] {
            assert_eq!(beijing(text), None, "{text}");
        }
    }
}
