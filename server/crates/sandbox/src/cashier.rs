//! The cashier page with buttons to pay and to cancel, in plain HTML and CSS.

use axum::extract::{Path, RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use model::order::Tender;

use super::bank::Bank;
use super::books::{Status, Trade};
use payments::alipay::sign::{SIGN_TYPE, request_text};
use payments::form::{self, Fields, encode};

const STYLE: &str = include_str!("cashier.css");

pub(super) async fn front() -> Response {
    page(
        "支付沙箱",
        "<p class=note>这里是支付沙箱。请从商户页面发起付款。</p><a class=cancel href=\"/control\">渠道后台（仅限本机）</a>",
    )
    .into_response()
}

pub(super) async fn show(State(bank): State<Bank>, Path(token): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some(mut trade) = bank.by_token(&token) else { return refused("没有这笔订单") };
    // For WeChat H5 the return URL comes as a query parameter.
    let mut query = form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    if let Some(back) = query.remove("redirect_url").filter(|_| trade.tender == Tender::WechatPay) {
        (trade.return_url, trade.quit_url) = (back.clone(), back);
        bank.trades().insert(trade.out_trade_no.clone(), trade.clone());
    }
    match trade.status {
        Status::WaitBuyerPay => page("确认付款", &confirm(&trade)).into_response(),
        Status::TradeSuccess => page("已付款", &ended(&trade, "付款成功", &returning(&bank, &trade))).into_response(),
        Status::TradeClosed => page("已关闭", &ended(&trade, "订单已关闭", &trade.quit_url)).into_response(),
    }
}

pub(super) async fn pay(State(bank): State<Bank>, Path(token): Path<String>) -> Response {
    let Some(trade) = bank.by_token(&token) else { return refused("没有这笔订单") };
    if !bank.pay(&trade.out_trade_no) && trade.status == Status::TradeClosed {
        return Redirect::to(&format!("/cashier/{token}")).into_response();
    }
    let back = returning(&bank, &trade);
    // UnionPay's page posts the browser back; 307 keeps the method.
    if trade.tender == Tender::UnionPay { Redirect::temporary(&back) } else { Redirect::to(&back) }.into_response()
}

/// Cancelling leaves the trade open until it expires, as at the real channels.
pub(super) async fn cancel(State(bank): State<Bank>, Path(token): Path<String>) -> Response {
    match bank.by_token(&token) {
        Some(trade) => Redirect::to(&trade.quit_url).into_response(),
        None => refused("没有这笔订单"),
    }
}

pub(super) fn refused(why: &str) -> Response {
    let body = format!("<p class=note>{}</p>", escape(why));
    (StatusCode::BAD_REQUEST, page("无法付款", &body)).into_response()
}

/// The return URL with signed parameters. Like Alipay's it has no status, because it is no proof of payment.
fn returning(bank: &Bank, trade: &Trade) -> String {
    if trade.tender != Tender::Alipay {
        return trade.return_url.clone();
    }
    let mut fields: Fields = [
        ("app_id", bank.0.app_id.clone()),
        ("charset", "utf-8".into()),
        ("method", "alipay.trade.wap.pay.return".into()),
        ("out_trade_no", trade.out_trade_no.clone()),
        ("seller_id", bank.0.seller_id.clone()),
        ("sign_type", SIGN_TYPE.into()),
        ("timestamp", bank.now().to_string()),
        ("total_amount", trade.amount.to_string()),
        ("trade_no", trade.trade_no.clone()),
        ("version", "1.0".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Ok(sign) = bank.0.gateway_key.sign(request_text(&fields).as_bytes()) {
        fields.insert("sign".into(), sign);
    }
    let query = encode(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let separator = if trade.return_url.contains('?') { '&' } else { '?' };
    format!("{}{separator}{query}", trade.return_url)
}

fn confirm(trade: &Trade) -> String {
    format!(
        "<p class=subject>{subject}</p>
<p class=amount><span class=sign>¥</span>{amount}</p>
<dl><dt>商户订单号</dt><dd>{number}</dd><dt>请在此前付款</dt><dd>{until}</dd></dl>
<form method=post action=\"/cashier/{token}/pay\"><button class=pay>确认付款 ¥{amount}</button></form>
<form method=post action=\"/cashier/{token}/cancel\"><button class=cancel>取消</button></form>",
        subject = escape(&trade.subject),
        amount = trade.amount,
        number = escape(&trade.out_trade_no),
        until = trade.expires_at.clock(),
        token = trade.token,
    )
}

fn ended(trade: &Trade, word: &str, back: &str) -> String {
    format!(
        "<p class=subject>{word}</p>
<p class=amount><span class=sign>¥</span>{}</p>
<a class=pay href=\"{}\">返回商户</a>",
        trade.amount,
        escape(back),
    )
}

pub(super) fn page(title: &str, body: &str) -> impl IntoResponse + use<> {
    let html = format!(
        "<!DOCTYPE html>
<html lang=zh-CN><head><meta charset=utf-8><meta name=viewport content=\"width=device-width, initial-scale=1\">
<title>{title} - 支付沙箱</title><style>{STYLE}</style></head>
<body><header><strong>支付沙箱</strong><span>仅供测试，不会真实扣款</span></header><main>{body}</main></body></html>"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    ([(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")], Html(html))
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
