//! Alipay's statement: a zip archive of GBK-encoded CSV files, of which the detail file is parsed. Remark lines above and below
//! the transactions begin with `#`.

use model::money::Fen;
use model::time::Date;

use crate::statement::StatementError;
use crate::statement::fields::{ColumnIndex, LineText, Lines, StatementLines, decimal};
use crate::unpack::{gbk, unzip};
use domain::statement::{LineKind, StatementLine};

/// First line of the detail file; the other file is a summary by shop.
const TITLE: &str = "#支付宝业务明细查询";

/// # Errors
/// [`StatementError`], also if it is of another merchant or day, or its totals do not match its lines.
pub fn read(seller_id: &str, day: Date, packed: &[u8]) -> Result<Lines, StatementError> {
    let mut detail = None;
    for (_, bytes) in unzip(packed)? {
        let text = gbk(&bytes)?;
        if text.lines().next().is_some_and(|title| title.trim_end() == TITLE) {
            if detail.is_some() {
                return Err(StatementError::Form("single file of details"));
            }
            detail = Some(text);
        }
    }
    read_detail(seller_id, day, &detail.ok_or(StatementError::Form("file of details"))?)
}

/// The contents of the remark lines.
#[derive(Default)]
struct Remarks {
    account: bool,
    day: bool,
    paid: Option<(i64, Fen)>,
    refunded: Option<(i64, Fen)>,
}

fn read_detail(seller_id: &str, day: Date, text: &str) -> Result<Lines, StatementError> {
    let (mut remarks, mut columns, mut lines) = (Remarks::default(), None, StatementLines::default());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    for (at, record) in (1..).zip(reader.records()) {
        let record = record.map_err(|_| StatementError::Field { line: at, what: "form" })?;
        let first = record.get(0).unwrap_or_default();
        if first.starts_with('#') {
            // The CSV reader splits remarks that contain commas.
            remarks.read(seller_id, day, &record.iter().collect::<Vec<_>>().join(","))?;
            continue;
        }
        match &columns {
            None => columns = Some(Layout::of(&record)?),
            Some(layout) => lines.push(at, layout.line(at, day, &record)?)?,
        }
    }
    if columns.is_none() {
        return Err(StatementError::Form("line of column names"));
    }
    remarks.check(&lines)?;
    Ok(lines.into_inner())
}

impl Remarks {
    fn read(&mut self, seller_id: &str, day: Date, remark: &str) -> Result<(), StatementError> {
        if let Some(account) = between(remark, "#账号：[", "]") {
            // The account is the merchant number followed by four digits.
            if account.get(..seller_id.len()) != Some(seller_id) || account.len() > seller_id.len() + 4 {
                return Err(StatementError::Owner);
            }
            self.account = true;
        } else if let Some(from) = between(remark, "#起始日期：[", "]") {
            let (year, month, of) = day.ymd();
            if from != format!("{year:04}年{month:02}月{of:02}日 00:00:00") {
                return Err(StatementError::Day);
            }
            self.day = true;
        } else if let Some(sum) = remark.strip_prefix("#交易合计：") {
            self.paid = Some(total(sum, "商家实收共").ok_or(StatementError::Form("proper sum of payments"))?);
        } else if let Some(sum) = remark.strip_prefix("#退款合计：") {
            let (count, sum) = total(sum, "商家实收退款共").ok_or(StatementError::Form("proper sum of refunds"))?;
            self.refunded = Some((count, -sum));
        }
        Ok(())
    }

    fn check(&self, lines: &StatementLines) -> Result<(), StatementError> {
        if !self.account || !self.day {
            return Err(StatementError::Form("head with account and day"));
        }
        let paid = self.paid.ok_or(StatementError::Form("sum of payments"))?;
        let refunded = self.refunded.ok_or(StatementError::Form("sum of refunds"))?;
        if paid != lines.sum(LineKind::Paid) {
            return Err(StatementError::Totals("payments"));
        }
        if refunded != lines.sum(LineKind::Refunded) { Err(StatementError::Totals("refunds")) } else { Ok(()) }
    }
}

/// Parses `2笔，商家实收共100.00元，...` into count and amount.
fn total(text: &str, name: &str) -> Option<(i64, Fen)> {
    let (count, rest) = text.split_once('笔')?;
    let sum = between(rest.trim_start_matches(['，', ',']), name, "元")?;
    Some((decimal(count, 0).filter(|count| *count >= 0)?, Fen(decimal(sum, 2)?)))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.strip_prefix(before)?.split_once(after).map(|(value, _)| value)
}

/// Positions of the columns that are used.
struct Layout {
    trade_no: usize,
    out_trade_no: usize,
    kind: usize,
    done: usize,
    received: usize,
    refund_no: usize,
    fee: usize,
}

impl Layout {
    fn of(names: &csv::StringRecord) -> Result<Self, StatementError> {
        let columns = ColumnIndex::of(names.iter());
        Ok(Self {
            trade_no: columns.at("支付宝交易号")?,
            out_trade_no: columns.at("商户订单号")?,
            kind: columns.at("业务类型")?,
            done: columns.at("完成时间")?,
            // The amount received; the amount charged differs if the merchant's coupon was used.
            received: columns.at("商家实收（元）")?,
            refund_no: columns.at("退款批次号/请求号")?,
            fee: columns.at("服务费（元）")?,
        })
    }

    fn line(&self, line: usize, day: Date, record: &csv::StringRecord) -> Result<StatementLine, StatementError> {
        let invalid = |what| StatementError::Field { line, what };
        // Alipay pads numbers with tabs, so that spreadsheets treat them as text.
        let cell = |at: usize, what| record.get(at).map(str::trim).ok_or(invalid(what));
        let kind = match cell(self.kind, "kind")? {
            "交易" => LineKind::Paid,
            "退款" => LineKind::Refunded,
            _ => return Err(invalid("kind")),
        };
        let received = cell(self.received, "amount")?;
        let received = if kind == LineKind::Refunded { received.strip_prefix('-').ok_or(invalid("amount"))? } else { received };
        // The sign of a payment's fee differs between versions of the file format.
        let fee_e5 = decimal(cell(self.fee, "fee")?, 5).ok_or(invalid("fee"))?.abs();
        let text = LineText {
            line,
            kind,
            out_trade_no: cell(self.out_trade_no, "order number")?,
            trade_no: cell(self.trade_no, "trade number")?,
            refund_no: cell(self.refund_no, "refund number")?,
            amount: received,
            at: cell(self.done, "time")?,
            fee_e5: if kind == LineKind::Paid { fee_e5 } else { -fee_e5 },
        };
        text.parse(day)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;
    use encoding_rs::GBK;
    use model::money::Money;
    use zip::write::{SimpleFileOptions, ZipWriter};

    const SELLER: &str = "2088000000000001";
    const DETAIL: &str = include_str!("vectors/statement.csv");

    fn day() -> Date {
        Date::from_ymd(2026, 11, 23).unwrap()
    }

    fn zipped(files: &[&[u8]]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (n, file) in files.iter().enumerate() {
            writer.start_file(n.to_string(), SimpleFileOptions::default()).unwrap();
            writer.write_all(file).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn parse(text: &str) -> Result<Vec<StatementLine>, StatementError> {
        let (bytes, ..) = GBK.encode(text);
        let (summary, ..) = GBK.encode("#支付宝业务汇总查询\r\n门店编号\r\n");
        read(SELLER, day(), &zipped(&[&summary, &bytes])).map(|lines| lines.ours)
    }

    #[test]
    fn alipay_statement_is_read_by_column_names() {
        let lines = parse(DETAIL).unwrap();
        let summary: Vec<_> = lines.iter().map(|line| (line.kind, &*line.out_trade_no, line.amount, line.fee)).collect();
        assert_eq!(
            summary,
            [
                (LineKind::Paid, "D1N1", Fen(5_000), Money(3_000)),
                (LineKind::Paid, "D2N1", Fen(10_000), Money(6_000)),
                (LineKind::Refunded, "D1N1", Fen(1_000), Money(0)),
            ]
        );
        assert_eq!(lines[0].trade_no, "2026112322001400000000000001");
        assert_eq!(lines[2].refund_no.as_deref(), Some("R1"));
        assert_eq!(lines[0].at.to_string(), "2026-11-23 10:00:30");
        // ColumnIndex come and go, and move.
        let (first, rest) = DETAIL.split_once("支付宝交易号,").unwrap();
        let moved = format!("{first}新列,支付宝交易号,{rest}").replace("\n2026", "\nx,2026");
        assert_eq!(parse(&moved).unwrap(), lines);
    }

    #[test]
    fn rows_of_other_systems_are_set_apart() {
        let text = DETAIL.replace("D2N1", "SHOP2");
        let (bytes, ..) = GBK.encode(&text);
        let lines = read(SELLER, day(), &zipped(&[&bytes])).unwrap();
        assert_eq!((lines.ours.len(), lines.foreign.len()), (2, 1));
        assert_eq!((&*lines.foreign[0].out_trade_no, lines.foreign[0].amount), ("SHOP2", Fen(10_000)));
    }

    #[test]
    fn invalid_alipay_statements_are_rejected() {
        let field = |what| StatementError::Field { line: 6, what };
        let twice = DETAIL.lines().find(|line| line.contains("D2N1")).unwrap();
        for (text, error) in [
            (DETAIL.replace("2088000000000001", "2088000000000002"), StatementError::Owner),
            (DETAIL.replace("2026年11月23日", "2026年11月22日"), StatementError::Day),
            (DETAIL.replace("2026-11-23 10:00:30", "2026-11-24 00:00:00"), StatementError::Day),
            (DETAIL.replace("150.00元", "150.01元"), StatementError::Totals("payments")),
            (DETAIL.replace("合计：2笔", "合计：3笔"), StatementError::Totals("payments")),
            (DETAIL.replace("共-10.00元", "共-9.00元"), StatementError::Totals("refunds")),
            (DETAIL.replace(twice, &format!("{twice}\n{twice}")), StatementError::Twice(8)),
            (DETAIL.replace("服务费（元）", "服务费"), StatementError::Column("服务费（元）")),
            (DETAIL.replace(",50.00,50.00,", ",50.00,5e1,"), field("amount")),
            (DETAIL.replace(",50.00,50.00,", ",50.00,-50.00,"), field("amount")),
            (DETAIL.replace("-0.30", "zero"), field("fee")),
            (DETAIL.replace("D1N1\t,交易", "D1N1\t,红包"), field("kind")),
            (DETAIL.replace("D1N1\t,交易", "\t,交易"), field("order number")),
            (DETAIL.lines().take(8).collect::<Vec<_>>().join("\n"), StatementError::Form("sum of payments")),
            (DETAIL.lines().take(3).collect::<Vec<_>>().join("\n"), StatementError::Form("line of column names")),
            (String::new(), StatementError::Form("file of details")),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
        let utf8 = read(SELLER, day(), &zipped(&[DETAIL.as_bytes()]));
        assert!(matches!(utf8, Err(StatementError::Packed(_) | StatementError::Form(_))), "{utf8:?}");
        let (bytes, ..) = GBK.encode(DETAIL);
        assert_eq!(read(SELLER, day(), &zipped(&[&bytes, &bytes])), Err(StatementError::Form("single file of details")));
        assert!(read(SELLER, day(), b"<html>").is_err());
    }

    #[test]
    fn fuzz_alipay_statement() {
        test_support::fuzz::run(
            "alipay_statement",
            |_| (),
            |input| {
                let Ok(text) = gbk(input) else { return };
                let Ok(lines) = read_detail(SELLER, day(), &text) else { return };
                assert!(lines.ours.iter().chain(&lines.foreign).all(|line| line.amount > Fen::ZERO && line.at.date() == day()));
            },
        );
    }
}
