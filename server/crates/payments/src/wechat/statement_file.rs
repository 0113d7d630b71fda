//! WeChat Pay's statement: UTF-8 with a byte order mark, a backtick before each value, and two lines of totals. It is not CSV:
//! goods names are free text without quotes, so fields are split at a comma followed by a backtick.

use model::money::Fen;
use model::time::Date;

use crate::statement::StatementError;
use crate::statement::fields::{ColumnIndex, LineText, Lines, StatementLines, decimal};
use crate::unpack::UnpackError;
use domain::statement::LineKind;

/// Name of the first total.
const SUMS: &str = "总交易单数";

/// `apps` are our applications under this merchant number; rows of others are set apart.
///
/// # Errors
/// [`StatementError`], also if it is of another merchant or day, or its totals do not match its lines.
pub fn read(mchid: &str, apps: &[String], day: Date, plain: &[u8]) -> Result<Lines, StatementError> {
    let text = std::str::from_utf8(plain).map_err(|_| UnpackError::Encoding)?;
    let mut rows = (1..).zip(text.trim_start_matches('\u{feff}').lines().map(|row| row.trim_end_matches('\r')));
    let (_, names) = rows.next().ok_or(StatementError::Form("line of column names"))?;
    let layout = Layout::of(&names_in(names))?;
    let (mut lines, mut rest) = (StatementLines::default(), Rest::default());
    for (at, row) in rows.by_ref() {
        if names_in(row).next() == Some(SUMS) {
            let columns = ColumnIndex::of(names_in(row));
            let (_, row) = rows.next().ok_or(StatementError::Form("line of sums"))?;
            check(&columns, &values(row).ok_or(StatementError::Form("line of sums"))?, &lines, &rest)?;
            return if rows.all(|(_, row)| row.is_empty()) { Ok(lines.into_inner()) } else { Err(StatementError::Form("end")) };
        }
        let cells = values(row).ok_or(StatementError::Field { line: at, what: "form" })?;
        let row = layout.row(at, mchid, &cells)?;
        rest.fees = rest.fees.saturating_add(row.text.fee_e5);
        match row.moved {
            Moved::Money => {
                let line = row.text.parse(day)?;
                if apps.iter().any(|app| app == row.app_id) { lines.push(at, line)? } else { lines.push_as(at, line, false)? }
            }
            Moved::Nothing { failed } => {
                rest.count += 1;
                rest.failed = rest.failed + failed;
                rest.failed_fees = rest.failed_fees.saturating_add(row.text.fee_e5);
            }
        }
    }
    Err(StatementError::Form("sums"))
}

/// What the totals count beside the lines.
#[derive(Default)]
struct Rest {
    /// Fees of all rows, 1e-5 yuan.
    fees: i64,
    /// Rows that moved no money.
    count: i64,
    /// Amounts of refunds that failed, and the fees in their rows.
    failed: Fen,
    failed_fees: i64,
}

/// Splits column names, which may or may not have a backtick.
fn names_in(row: &str) -> impl Iterator<Item = &str> + Clone {
    row.split(',').map(|name| name.trim_start_matches('`'))
}

/// Splits values; `None` if the first has no backtick.
fn values(row: &str) -> Option<Vec<&str>> {
    Some(row.strip_prefix('`')?.split(",`").collect())
}

fn check(columns: &ColumnIndex, cells: &[&str], lines: &StatementLines, rest: &Rest) -> Result<(), StatementError> {
    let sum = |column: Result<usize, StatementError>, places| {
        let cell = cells.get(column?).ok_or(StatementError::Totals("a sum is missing"))?;
        decimal(cell, places).ok_or(StatementError::Totals("a sum is no number"))
    };
    let (paid, refunded) = (lines.sum(LineKind::Paid), lines.sum(LineKind::Refunded));
    let (back, fees) = (Fen(sum(columns.at_or("退款总金额", "总退款金额"), 2)?), sum(columns.at("手续费总金额"), 5)?);
    if sum(columns.at(SUMS), 0)? != paid.0 + refunded.0 + rest.count {
        Err(StatementError::Totals("number of trades"))
    } else if Fen(sum(columns.at_or("应结订单总金额", "总交易额"), 2)?) != paid.1 {
        Err(StatementError::Totals("payments"))
    // WeChat Pay does not document whether the totals count refunds that failed.
    } else if back != refunded.1 && back != refunded.1 + rest.failed {
        Err(StatementError::Totals("refunds"))
    } else if fees != rest.fees && fees != rest.fees.saturating_sub(rest.failed_fees) {
        Err(StatementError::Totals("fees"))
    } else {
        Ok(())
    }
}

/// Positions of the columns that are used.
struct Layout {
    time: usize,
    app_id: usize,
    mchid: usize,
    trade_no: usize,
    out_trade_no: usize,
    state: usize,
    currency: usize,
    received: usize,
    channel_refund_no: usize,
    refund_no: usize,
    refunded: usize,
    refund_state: usize,
    fee: usize,
}

/// Whether a row moved money.
enum Moved {
    Money,
    /// A refund that failed, or a reversed trade that was never paid.
    Nothing {
        failed: Fen,
    },
}

struct Row<'a> {
    app_id: &'a str,
    moved: Moved,
    text: LineText<'a>,
}

impl Layout {
    fn of<'a>(names: &(impl Iterator<Item = &'a str> + Clone)) -> Result<Self, StatementError> {
        let columns = ColumnIndex::of(names.clone());
        Ok(Self {
            time: columns.at("交易时间")?,
            app_id: columns.at("公众账号ID")?,
            mchid: columns.at("商户号")?,
            trade_no: columns.at("微信订单号")?,
            out_trade_no: columns.at("商户订单号")?,
            state: columns.at("交易状态")?,
            currency: columns.at("货币种类")?,
            // The amount received; the amount charged differs if the merchant's coupon was used.
            received: columns.at_or("应结订单金额", "总金额")?,
            channel_refund_no: columns.at("微信退款单号")?,
            refund_no: columns.at("商户退款单号")?,
            refunded: columns.at("退款金额")?,
            refund_state: columns.at("退款状态")?,
            fee: columns.at("手续费")?,
        })
    }

    fn row<'a>(&self, line: usize, mchid: &str, cells: &[&'a str]) -> Result<Row<'a>, StatementError> {
        let invalid = |what| StatementError::Field { line, what };
        let cell = |at: usize, what| cells.get(at).copied().ok_or(invalid(what));
        if cell(self.mchid, "merchant")? != mchid {
            return Err(StatementError::Owner);
        }
        if cell(self.currency, "currency")? != "CNY" {
            return Err(invalid("currency"));
        }
        let (state, refund_state) = (cell(self.state, "state")?, cell(self.refund_state, "refund state")?);
        let refunded = cell(self.refunded, "amount")?;
        let back = decimal(refunded, 2).filter(|fen| *fen >= 0).map(Fen).ok_or(invalid("amount"))?;
        let (kind, amount, moved) = match (state, refund_state) {
            ("SUCCESS", _) => (LineKind::Paid, cell(self.received, "amount")?, Moved::Money),
            ("REFUND" | "REVOKED", "FAIL") => (LineKind::Refunded, refunded, Moved::Nothing { failed: back }),
            // A trade that was reversed: refunded where it had been paid.
            ("REVOKED", _) if back == Fen::ZERO => (LineKind::Refunded, refunded, Moved::Nothing { failed: Fen::ZERO }),
            // The refund is deducted when it starts.
            ("REFUND" | "REVOKED", "SUCCESS" | "PROCESSING" | "CHANGE") | ("REVOKED", "" | "0") => {
                (LineKind::Refunded, refunded, Moved::Money)
            }
            ("REFUND" | "REVOKED", _) => return Err(invalid("refund state")),
            _ => return Err(invalid("state")),
        };
        let refund_no = match cell(self.refund_no, "refund number")? {
            "" | "0" => cell(self.channel_refund_no, "refund number")?,
            number => number,
        };
        let text = LineText {
            line,
            kind,
            out_trade_no: cell(self.out_trade_no, "order number")?,
            trade_no: cell(self.trade_no, "trade number")?,
            refund_no,
            amount,
            at: cell(self.time, "time")?,
            fee_e5: decimal(cell(self.fee, "fee")?, 5).ok_or(invalid("fee"))?,
        };
        Ok(Row { app_id: cell(self.app_id, "application")?, moved, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::statement::StatementLine;
    use model::money::Money;

    const STATEMENT: &str = include_str!("vectors/statement.csv");
    const MCHID: &str = "1900000001";
    const APP: &str = "wx2026112300000001";

    fn day() -> Date {
        Date::from_ymd(2026, 11, 23).unwrap()
    }

    fn parse(text: &str) -> Result<Vec<StatementLine>, StatementError> {
        all(text).map(|lines| lines.ours)
    }

    fn all(text: &str) -> Result<Lines, StatementError> {
        read(MCHID, &[APP.to_owned()], day(), text.as_bytes())
    }

    #[test]
    fn wechat_statement_is_parsed() {
        let lines = parse(STATEMENT).unwrap();
        let summary: Vec<_> = lines.iter().map(|line| (line.kind, &*line.out_trade_no, line.amount, line.fee)).collect();
        assert_eq!(
            summary,
            [
                (LineKind::Paid, "D1N1", Fen(5_000), Money(3_000)),
                (LineKind::Paid, "D2N1", Fen(10_000), Money(6_000)),
                (LineKind::Refunded, "D1N1", Fen(1_000), Money(-600)),
            ]
        );
        assert_eq!(lines[2].refund_no.as_deref(), Some("R1"));
        assert_eq!(parse(&format!("\u{feff}{}", STATEMENT.replace('\n', "\r\n"))), Ok(lines.clone()));
        // Column names may have backticks.
        let (names, rest) = STATEMENT.split_once('\n').unwrap();
        let marked: Vec<String> = names.split(',').map(|name| format!("`{name}")).collect();
        assert_eq!(parse(&format!("{}\n{rest}", marked.join(","))), Ok(lines));
    }

    #[test]
    fn older_wechat_columns_are_read() {
        let old = STATEMENT
            .replace("应结订单金额", "总金额")
            .replace("应结订单总金额", "总交易额")
            .replace("退款总金额,充值券退款总金额", "总退款金额,总企业红包退款金额");
        assert!(old.contains("总交易额") && old.contains("总退款金额"));
        assert_eq!(parse(&old), parse(STATEMENT));
    }

    #[test]
    fn reversed_and_failed_rows_are_told_apart() {
        // A reversed trade that was paid is money that went back, under WeChat Pay's number if it has none of ours.
        let revoked = STATEMENT.replace("`REFUND,`OTHERS", "`REVOKED,`OTHERS").replace("`R1,`10.00", "`0,`10.00");
        let lines = parse(&revoked).unwrap();
        assert_eq!((lines.len(), lines[2].kind, lines[2].refund_no.as_deref()), (3, LineKind::Refunded, Some("5000000001")));
        // One that was never paid moved nothing.
        let unpaid = revoked.replace("`0,`10.00", "`0,`0.00").replace("`150.00,`10.00,`0.0,", "`150.00,`0.00,`0.0,");
        assert_eq!(parse(&unpaid).unwrap().len(), 2);
        // Neither did a refund that failed, whether the totals count it or not.
        let failed = STATEMENT.replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`FAIL");
        assert_eq!(parse(&failed).unwrap().len(), 2);
        let uncounted = failed.replace("`150.00,`10.00,`0.0,`0.84", "`150.00,`0.00,`0.0,`0.90");
        assert_ne!(uncounted, failed);
        assert_eq!(parse(&uncounted).unwrap().len(), 2);
    }

    #[test]
    fn rows_of_other_applications_are_set_apart() {
        let shared = STATEMENT.replacen(APP, "wx9999999999999999", 1);
        let lines = all(&shared).unwrap();
        assert_eq!((lines.ours.len(), lines.foreign.len()), (2, 1));
        assert_eq!(lines.foreign[0].fee, Money(3_000), "its fee is not ours");
        let lines = all(&STATEMENT.replace("`D2N1", "`SHOP-2")).unwrap();
        assert_eq!((lines.ours.len(), &*lines.foreign[0].out_trade_no), (2, "SHOP-2"));
    }

    #[test]
    fn invalid_wechat_statements_are_rejected() {
        let field = |what| StatementError::Field { line: 2, what };
        let twice = STATEMENT.lines().find(|line| line.contains("D2N1")).unwrap();
        for (text, error) in [
            (STATEMENT.replace("`1900000001", "`1900000002"), StatementError::Owner),
            (STATEMENT.replace("2026-11-23 10:00:30", "2026-11-22 23:59:59"), StatementError::Day),
            (STATEMENT.replace("`3.0,", "`4.0,"), StatementError::Totals("number of trades")),
            (STATEMENT.replace("`150.00", "`150.01"), StatementError::Totals("payments")),
            (STATEMENT.replace(",`10.00,`0.0,", ",`9.00,`0.0,"), StatementError::Totals("refunds")),
            (STATEMENT.replace("`0.84", "`0.85"), StatementError::Totals("fees")),
            (STATEMENT.replace("`0.84", "`8.4e-1"), StatementError::Totals("a sum is no number")),
            (STATEMENT.replace(twice, &format!("{twice}\n{twice}")), StatementError::Twice(4)),
            (STATEMENT.replace(",手续费,", ",费,"), StatementError::Column("手续费")),
            (STATEMENT.replace("手续费总金额", "总手续费"), StatementError::Column("手续费总金额")),
            (STATEMENT.replace("`CNY,`50.00", "`CNY,`5e1"), field("amount")),
            (STATEMENT.replace("`CNY,`50.00", "`CNY,`0.00"), field("amount")),
            (STATEMENT.replace("`CNY,`50.00", "`USD,`50.00"), field("currency")),
            (STATEMENT.replace("`0.30000", "`0.300000001"), field("fee")),
            (STATEMENT.replace("`SUCCESS,`OTHERS,`CNY,`50.00", "`ACCEPT,`OTHERS,`CNY,`50.00"), field("state")),
            (
                STATEMENT.replace("`ORIGINAL,`SUCCESS", "`ORIGINAL,`LATER"),
                StatementError::Field { line: 4, what: "refund state" },
            ),
            (STATEMENT.lines().take(4).collect::<Vec<_>>().join("\n"), StatementError::Form("sums")),
            (STATEMENT.lines().take(5).collect::<Vec<_>>().join("\n"), StatementError::Form("line of sums")),
            (format!("{STATEMENT}`more\n"), StatementError::Form("end")),
            ("{\"code\":\"NO_AUTH\"}".to_owned(), StatementError::Column("交易时间")),
            (String::new(), StatementError::Form("line of column names")),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
        let (gbk, ..) = encoding_rs::GBK.encode(STATEMENT);
        assert_eq!(read(MCHID, &[], day(), &gbk), Err(StatementError::Packed(UnpackError::Encoding)));
    }

    #[test]
    fn fuzz_wechat_statement() {
        test_support::fuzz::run(
            "wechat_statement",
            |_| (),
            |input| {
                let Ok(lines) = read(MCHID, &[APP.to_owned()], day(), input) else { return };
                assert!(lines.ours.iter().chain(&lines.foreign).all(|line| line.amount > Fen::ZERO && line.at.date() == day()));
            },
        );
    }
}
