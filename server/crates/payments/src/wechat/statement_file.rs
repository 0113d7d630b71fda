//! WeChat Pay's statement: UTF-8 with a byte order mark, a backtick before each value, and two lines of totals. It is not CSV:
//! goods names are free text without quotes, so fields are split at a comma followed by a backtick.

use model::money::Fen;
use model::time::Date;

use crate::statement::StatementError;
use crate::statement::fields::{ColumnIndex, LineText, StatementLines, decimal};
use crate::unpack::UnpackError;
use domain::statement::{LineKind, StatementLine};

/// Name of the first total.
const SUMS: &str = "总交易单数";

/// # Errors
/// [`StatementError`], also if it is of another merchant or day, or its totals do not match its lines.
pub fn read(mchid: &str, day: Date, plain: &[u8]) -> Result<Vec<StatementLine>, StatementError> {
    let text = std::str::from_utf8(plain).map_err(|_| UnpackError::Encoding)?;
    let mut rows = (1..).zip(text.trim_start_matches('\u{feff}').lines().map(|row| row.trim_end_matches('\r')));
    let (_, names) = rows.next().ok_or(StatementError::Form("line of column names"))?;
    let layout = Layout::of(&names_in(names))?;
    let (mut lines, mut fees) = (StatementLines::default(), 0_i64);
    for (at, row) in rows.by_ref() {
        if names_in(row).next() == Some(SUMS) {
            let columns = ColumnIndex::of(names_in(row));
            let (_, row) = rows.next().ok_or(StatementError::Form("line of sums"))?;
            check(&columns, &values(row).ok_or(StatementError::Form("line of sums"))?, &lines, fees)?;
            return if rows.all(|(_, row)| row.is_empty()) { Ok(lines.into_inner()) } else { Err(StatementError::Form("end")) };
        }
        let cells = values(row).ok_or(StatementError::Field { line: at, what: "form" })?;
        let (fee_e5, line) = layout.line(at, mchid, day, &cells)?;
        fees = fees.saturating_add(fee_e5);
        lines.push(at, line)?;
    }
    Err(StatementError::Form("sums"))
}

/// Splits column names, which may or may not have a backtick.
fn names_in(row: &str) -> impl Iterator<Item = &str> + Clone {
    row.split(',').map(|name| name.trim_start_matches('`'))
}

/// Splits values; `None` if the first has no backtick.
fn values(row: &str) -> Option<Vec<&str>> {
    Some(row.strip_prefix('`')?.split(",`").collect())
}

fn check(columns: &ColumnIndex, cells: &[&str], lines: &StatementLines, fees: i64) -> Result<(), StatementError> {
    let sum = |name, places| {
        let cell = cells.get(columns.at(name)?).ok_or(StatementError::Totals("a sum is missing"))?;
        decimal(cell, places).ok_or(StatementError::Totals("a sum is no number"))
    };
    let (paid, refunded) = (lines.sum(LineKind::Paid), lines.sum(LineKind::Refunded));
    if sum(SUMS, 0)? != paid.0 + refunded.0 {
        Err(StatementError::Totals("number of trades"))
    } else if Fen(sum("应结订单总金额", 2)?) != paid.1 {
        Err(StatementError::Totals("payments"))
    } else if Fen(sum("退款总金额", 2)?) != refunded.1 {
        Err(StatementError::Totals("refunds"))
    } else if sum("手续费总金额", 5)? != fees {
        Err(StatementError::Totals("fees"))
    } else {
        Ok(())
    }
}

/// Positions of the columns that are used.
struct Layout {
    time: usize,
    mchid: usize,
    trade_no: usize,
    out_trade_no: usize,
    state: usize,
    currency: usize,
    received: usize,
    refund_no: usize,
    refunded: usize,
    refund_state: usize,
    fee: usize,
}

impl Layout {
    fn of<'a>(names: &(impl Iterator<Item = &'a str> + Clone)) -> Result<Self, StatementError> {
        let columns = ColumnIndex::of(names.clone());
        Ok(Self {
            time: columns.at("交易时间")?,
            mchid: columns.at("商户号")?,
            trade_no: columns.at("微信订单号")?,
            out_trade_no: columns.at("商户订单号")?,
            state: columns.at("交易状态")?,
            currency: columns.at("货币种类")?,
            // The amount received; the amount charged differs if the merchant's coupon was used.
            received: columns.at("应结订单金额")?,
            refund_no: columns.at("商户退款单号")?,
            refunded: columns.at("退款金额")?,
            refund_state: columns.at("退款状态")?,
            fee: columns.at("手续费")?,
        })
    }

    /// Returns the line and its fee in 1e-5 yuan, which the totals are checked with.
    fn line(&self, line: usize, mchid: &str, day: Date, cells: &[&str]) -> Result<(i64, StatementLine), StatementError> {
        let invalid = |what| StatementError::Field { line, what };
        let cell = |at: usize, what| cells.get(at).copied().ok_or(invalid(what));
        if cell(self.mchid, "merchant")? != mchid {
            return Err(StatementError::Owner);
        }
        if cell(self.currency, "currency")? != "CNY" {
            return Err(invalid("currency"));
        }
        let (kind, sum) = match cell(self.state, "state")? {
            "SUCCESS" => (LineKind::Paid, cell(self.received, "amount")?),
            // The refund is deducted when it starts; failed refunds have other states.
            "REFUND" if ["SUCCESS", "PROCESSING", "CHANGE"].contains(&cell(self.refund_state, "refund state")?) => {
                (LineKind::Refunded, cell(self.refunded, "amount")?)
            }
            _ => return Err(invalid("state")),
        };
        let text = LineText {
            line,
            kind,
            out_trade_no: cell(self.out_trade_no, "order number")?,
            trade_no: cell(self.trade_no, "trade number")?,
            refund_no: cell(self.refund_no, "refund number")?,
            amount: sum,
            at: cell(self.time, "time")?,
            fee_e5: decimal(cell(self.fee, "fee")?, 5).ok_or(invalid("fee"))?,
        };
        Ok((text.fee_e5, text.parse(day)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::money::Money;

    const STATEMENT: &str = include_str!("vectors/statement.csv");
    const MCHID: &str = "1900000001";

    fn day() -> Date {
        Date::from_ymd(2026, 11, 23).unwrap()
    }

    fn parse(text: &str) -> Result<Vec<StatementLine>, StatementError> {
        read(MCHID, day(), text.as_bytes())
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
            (STATEMENT.replace("`SUCCESS,`OTHERS,`CNY,`50.00", "`REVOKED,`OTHERS,`CNY,`50.00"), field("state")),
            (STATEMENT.lines().take(4).collect::<Vec<_>>().join("\n"), StatementError::Form("sums")),
            (STATEMENT.lines().take(5).collect::<Vec<_>>().join("\n"), StatementError::Form("line of sums")),
            (format!("{STATEMENT}`more\n"), StatementError::Form("end")),
            ("{\"code\":\"NO_AUTH\"}".to_owned(), StatementError::Column("交易时间")),
            (String::new(), StatementError::Form("line of column names")),
        ] {
            assert_eq!(parse(&text), Err(error), "{text}");
        }
        let (gbk, ..) = encoding_rs::GBK.encode(STATEMENT);
        assert_eq!(read(MCHID, day(), &gbk), Err(StatementError::Packed(UnpackError::Encoding)));
    }

    #[test]
    fn fuzz_wechat_statement() {
        test_support::fuzz::run(
            "wechat_statement",
            |_| (),
            |input| {
                let Ok(lines) = read(MCHID, day(), input) else { return };
                assert!(lines.iter().all(|line| line.amount > Fen::ZERO && line.at.date() == day()));
            },
        );
    }
}
