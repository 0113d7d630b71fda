//! Alipay's statements: a URL that is valid for 30 seconds, and a zip archive of GBK files.

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use encoding_rs::GBK;
use model::order::Tender;
use model::time::{Date, SECOND};
use serde::Deserialize;
use serde_json::{Value, json};

use super::alipay::failure;
use super::alipay_request::Request;
use super::bank::Bank;
use super::statements::{StatementRow, StatementTotals, zip_bomb_content, zipped};
use domain::statement::LineKind;

const HEAD: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
                    订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,\
                    商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

/// The response with the download URL, at the host of the request.
pub(super) fn address(bank: &Bank, request: &Request, host: &str) -> Value {
    let day = request.text("bill_date").and_then(parse_day);
    let (Some(day), Some("trade")) = (day, request.text("bill_type")) else {
        return failure("40004", "isp.invalid_arguments");
    };
    let faults = bank.faults().statement;
    if faults.not_ready || bank.now() < day.plus(1).start() {
        return failure("20000", "isp.unknow-error");
    }
    if faults.reports_empty || bank.statement_rows(Tender::Alipay, (day.start(), day.plus(1).start())).is_empty() {
        return failure("40004", "isp.bill_not_exist");
    }
    let until = bank.now().plus(30 * SECOND).0;
    let url = format!("http://{host}/statements/alipay?day={day}&until={until}");
    json!({ "code": "10000", "msg": "Success", "bill_download_url": url })
}

#[derive(Deserialize)]
pub(super) struct Token {
    day: String,
    until: i64,
}

pub(super) async fn download(State(bank): State<Bank>, Query(token): Query<Token>) -> Response {
    let Some(day) = parse_day(&token.day).filter(|_| bank.now().0 <= token.until) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let faults = bank.faults().statement;
    let mut file = if faults.bomb {
        zipped(&[("bomb.csv", zip_bomb_content())])
    } else {
        let (detail, ..) = GBK.encode("#支付宝业务汇总查询\r\n门店编号,门店名称\r\n");
        let text = text(&bank, day);
        let (lines, ..) = GBK.encode(&text);
        zipped(&[("summary.csv", detail.into_owned()), ("detail.csv", lines.into_owned())])
    };
    if faults.wrong_hash {
        let half = file.len() / 2;
        file.truncate(half);
    }
    ([(header::CONTENT_TYPE, "application/zip")], file).into_response()
}

fn text(bank: &Bank, day: Date) -> String {
    let faults = bank.faults().statement;
    let rows = bank.statement_rows(Tender::Alipay, (day.start(), day.plus(1).start()));
    let seller = if faults.wrong_merchant { "2088999999999999" } else { &bank.0.seller_id };
    let name = |day: Date| {
        let (year, month, of) = day.ymd();
        format!("{year:04}年{month:02}月{of:02}日 00:00:00")
    };
    let mut text = format!(
        "#支付宝业务明细查询\r\n#账号：[{seller}0156]\r\n#起始日期：[{}]   终止日期：[{}]\r\n#----业务明细列表----\r\n{HEAD}\r\n",
        name(day),
        name(day.plus(1))
    );
    for row in &rows {
        text.push_str(&line(row));
    }
    let sums = StatementTotals::of(&rows, &faults);
    text.push_str(&format!(
        "#----业务明细列表结束----\r\n#交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n\
         #退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n#导出时间：[{}]\r\n",
        sums.paid.0,
        sums.paid.1,
        sums.refunded.0,
        -sums.refunded.1,
        bank.now()
    ));
    text
}

fn line(row: &StatementRow) -> String {
    let (kind, amount) = match row.kind {
        LineKind::Paid => ("交易", row.amount),
        LineKind::Refunded => ("退款", -row.amount),
    };
    let (trade, order, refund) = (&row.trade_no, &row.out_trade_no, row.refund_no.as_deref().unwrap_or_default());
    format!(
        "{trade}\t,{order}\t,{kind}\t,{},{at},{at},\t,\t,\t,\t,*三(san***@sandbox),{amount},{amount},\
         0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{refund}\t,{},0.00,\r\n",
        row.subject,
        -row.fee,
        at = row.at,
    )
}

pub(super) fn parse_day(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let day = Date::from_ymd(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)?;
    parts.next().is_none().then_some(day)
}
