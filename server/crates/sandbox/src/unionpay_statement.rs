//! UnionPay's statements: base64 of a zlib-compressed zip archive with a GBK file of fixed-width fields, inside the response.

use std::io::Write;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::GBK;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use model::order::Tender;
use model::time::{Date, HOUR, Timestamp};

use super::bank::Bank;
use super::faults::Faults;
use super::statements::{StatementRow, zip_bomb_content, zipped};
use super::unionpay::{MER_ID, get, response_fields};
use domain::statement::LineKind;
use payments::form::Fields;
use payments::unionpay::wire_time;

const WIDTHS: [usize; 41] = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32,
    13, 13, 12, 2, 1, 131,
];

pub(super) async fn file(State(bank): State<Bank>, body: Bytes) -> Response {
    bank.answer("file", &body, |request, faults| answer(&bank, request, faults)).await
}

fn answer(bank: &Bank, request: &Fields, faults: &Faults) -> Fields {
    let proper = get(request, "txnType") == "76" && get(request, "fileType") == "00";
    let Some(day) = settlement_day(bank.now(), get(request, "settleDate")).filter(|_| proper) else {
        return response_fields("10", &[]);
    };
    let window = (day.start().plus(-HOUR), day.plus(1).start().plus(-HOUR));
    let statement = &faults.statement;
    if statement.not_ready || bank.now() < window.1 {
        return response_fields("02", &[]);
    }
    let rows = bank.statement_rows(Tender::UnionPay, window);
    if statement.reports_empty || rows.is_empty() {
        return response_fields("98", &[]);
    }
    let (year, month, of) = day.ymd();
    let name = format!("INN{:02}{month:02}{of:02}88ZM_{MER_ID}", year % 100);
    let text: String =
        rows.iter().enumerate().map(|(n, row)| line(row, statement.wrong_merchant, statement.wrong_sum && n == 0)).collect();
    let plain = if statement.bomb { zip_bomb_content() } else { GBK.encode(&text).0.into_owned() };
    let mut packed = deflated(&zipped(&[(&name, plain), (&name.replace("ZM_", "ZME_"), Vec::new())]));
    if statement.wrong_hash {
        packed.truncate(packed.len() / 2);
    }
    response_fields(
        "00",
        &[("settleDate", get(request, "settleDate")), ("fileName", &name), ("fileContent", &STANDARD.encode(packed))],
    )
}

/// The latest past day with this month and day of month.
fn settlement_day(now: Timestamp, text: &str) -> Option<Date> {
    let (month, day) = (text.get(..2)?.parse().ok()?, text.get(2..)?.parse().ok()?);
    let year = now.date().ymd().0;
    let days = [year + 1, year, year - 1].into_iter().filter_map(|year| Date::from_ymd(year, month, day));
    days.into_iter().find(|day| day.start().plus(-HOUR) <= now)
}

fn line(row: &StatementRow, wrong_merchant: bool, wrong: bool) -> String {
    let (kind, sub, trade, carried) = match row.kind {
        LineKind::Paid => ("01", "01", "", ""),
        LineKind::Refunded => ("04", "00", row.trade_no.as_str(), row.out_trade_no.as_str()),
    };
    let own = row.refund_no.as_deref().unwrap_or(&row.out_trade_no);
    let query_id = if trade.is_empty() { row.trade_no.clone() } else { format!("R{own}").chars().take(21).collect() };
    let settled = row.amount.0 - row.fee.0.abs() + i64::from(wrong);
    let (fee, net) = if row.fee.0 < 0 || !trade.is_empty() { ('C', 'D') } else { ('D', 'C') };
    let time = wire_time(row.at);
    let columns = [
        (1, "S22".to_owned()),
        (5, time.get(4..).unwrap_or_default().to_owned()),
        (6, "621700****0001".to_owned()),
        (7, format!("{:012}", row.amount.0)),
        (10, query_id),
        (12, own.to_owned()),
        (16, format!("{fee}{:012}", row.fee.0.abs())),
        (17, format!("{net}{settled:012}")),
        (20, kind.to_owned()),
        (21, sub.to_owned()),
        (22, "000201".to_owned()),
        (27, trade.to_owned()),
        (28, if wrong_merchant { "777290058119999".to_owned() } else { MER_ID.to_owned() }),
        (35, carried.to_owned()),
    ];
    let field = |number: usize| columns.iter().find(|(at, _)| *at == number).map(|(_, text)| text.as_str()).unwrap_or_default();
    let fields: Vec<String> = (1..).zip(WIDTHS).map(|(number, width)| format!("{:<width$}", field(number))).collect();
    fields.join(" ") + "\r\n"
}

fn deflated(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(plain) {
        Ok(()) => encoder.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}
