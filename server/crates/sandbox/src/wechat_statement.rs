//! WeChat Pay's statements: a signed response with URL and digest, and a gzip file whose download must be signed as well.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use model::money::Fen;
use model::order::Tender;
use model::time::Date;
use serde_json::{Value, json};

use super::alipay_statement::parse_day;
use super::bank::Bank;
use super::statements::{StatementRow, StatementTotals, gzipped, zip_bomb_content};
use super::wechat::{APP_ID, Call, MCHID};
use domain::statement::LineKind;
use payments::form::{self, Fields};

const HEAD: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,\
                    应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,\
                    手续费,费率,订单金额,申请退款金额,费率备注";
const SUMS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

fn query(uri: &Uri) -> Fields {
    form::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default()
}

pub(super) async fn address(State(bank): State<Bank>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (host, asked) = (headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default(), query(&uri));
    let field = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let act = |_: &Value| {
        let day = parse_day(field("bill_date")).ok_or((400, "PARAM_ERROR"))?;
        if field("bill_type") != "ALL" || field("tar_type") != "GZIP" {
            return Err((400, "PARAM_ERROR"));
        }
        let faults = bank.faults().statement;
        if faults.not_ready || bank.now() < day.plus(1).start() {
            return Err((400, "STATEMENT_CREATING"));
        }
        if faults.reports_empty || bank.statement_rows(Tender::WechatPay, (day.start(), day.plus(1).start())).is_empty() {
            return Err((400, "NO_STATEMENT_EXIST"));
        }
        let of = if faults.wrong_hash { Vec::new() } else { text(&bank, day).into_bytes() };
        Ok(json!({
            "hash_type": "SHA1", "hash_value": hex::encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &of)),
            "download_url": format!("http://{host}/v3/billdownload/file?token={day}"),
        }))
    };
    Call { bank: &bank, method: &method, uri: &uri, headers: &headers, body: &body }.answer("bill", act).await
}

/// The response is unsigned, as at the real gateway.
pub(super) async fn download(State(bank): State<Bank>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let call = Call { bank: &bank, method: &method, uri: &uri, headers: &headers, body: &body };
    let day = query(&uri).get("token").and_then(|token| parse_day(token));
    let (Ok(_), Some(day)) = (call.verified(), day) else { return StatusCode::UNAUTHORIZED.into_response() };
    let file = if bank.faults().statement.bomb { gzipped(&zip_bomb_content()) } else { gzipped(text(&bank, day).as_bytes()) };
    ([(header::CONTENT_TYPE, "application/octet-stream")], file).into_response()
}

fn text(bank: &Bank, day: Date) -> String {
    let faults = bank.faults().statement;
    let rows = bank.statement_rows(Tender::WechatPay, (day.start(), day.plus(1).start()));
    let mchid = if faults.wrong_merchant { "1900009999" } else { MCHID };
    let mut text = format!("\u{feff}{HEAD}\r\n");
    for row in &rows {
        text.push_str(&line(row, mchid));
    }
    if faults.unknown_state {
        text = text.replacen("`SUCCESS,`OTHERS", "`SETTLED,`OTHERS", 1);
    }
    let sums = StatementTotals::of(&rows, &faults);
    let fees: Fen = rows.iter().map(|row| row.fee).sum();
    text.push_str(&format!(
        "{SUMS}\r\n`{}.0,`{},`{},`0.0,`{fees},`{},`{}\r\n",
        rows.len(),
        sums.paid.1,
        sums.refunded.1,
        sums.paid.1,
        sums.refunded.1
    ));
    if faults.old_columns {
        text = text
            .replace("应结订单金额", "总金额")
            .replace("应结订单总金额", "总交易额")
            .replace("退款总金额,充值券退款总金额", "总退款金额,总企业红包退款金额");
    }
    text
}

fn line(row: &StatementRow, mchid: &str) -> String {
    let (trade, order) = (&row.trade_no, &row.out_trade_no);
    let refund = row.refund_no.as_deref().unwrap_or("0");
    let (state, paid, back, of_refund) = match row.kind {
        LineKind::Paid => ("SUCCESS", row.amount, Fen::ZERO, ["", ""]),
        LineKind::Refunded => ("REFUND", Fen::ZERO, row.amount, ["ORIGINAL", "SUCCESS"]),
    };
    let [refund_type, refund_state] = of_refund;
    let (state, refund_state) = match row.special {
        Some("REVOKED") => ("REVOKED", refund_state),
        Some(failed) => (state, failed),
        None => (state, refund_state),
    };
    let app_id = if row.foreign { "wx9999999999999999" } else { APP_ID };
    // WeChat Pay's own number of a refund that we did not ask for.
    let of_channel = if refund == "0" && row.kind == LineKind::Refunded { format!("50{trade}") } else { format!("50{refund}") };
    format!(
        "`{},`{app_id},`{mchid},`0,`,`{trade},`{order},`o-sandbox,`MWEB,`{state},`OTHERS,`CNY,`{paid},`0.00,`{of_channel},\
         `{refund},`{back},`0.00,`{refund_type},`{refund_state},`{},`,`{}000,`0.60%,`{paid},`{back},`\r\n",
        row.at, row.subject, row.fee
    )
}
