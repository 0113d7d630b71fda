//! UnionPay's statement (`INN...ZM_...`): GBK, one line per transaction, fixed-width fields (in bytes) separated by a space.

use model::money::Fen;
use model::time::{Civil, DAY, Date, Timestamp};

use super::message::fen;
use crate::statement::StatementError;
use crate::statement::fields::{Lines, StatementLines};
use crate::unpack::{gbk, unzip};
use domain::statement::{LineKind, StatementLine};

/// Widths of the required fields. Newer versions of the format append further fields.
const WIDTHS: [usize; 28] = [3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15];
/// Offset and width of `reqReserved`.
const RESERVED: (usize, usize) = (397, 32);
/// A trade may be settled up to three days before or after it was made.
const TOLERANCE: i64 = 3 * DAY;

/// # Errors
/// [`StatementError`], also if it is of another merchant or day, or a line's amounts do not add up.
pub fn read(mer_id: &str, window: (Timestamp, Timestamp), zip: &[u8]) -> Result<Lines, StatementError> {
    let mut details = None;
    for (name, bytes) in unzip(zip)? {
        let name = name.rsplit('/').next().unwrap_or_default();
        if name.starts_with("INN") && name.contains("ZM_") {
            if details.replace(bytes).is_some() {
                return Err(StatementError::Form("single file of details"));
            }
        } else if name.contains("ZME_") && !bytes.trim_ascii().is_empty() {
            // Interbank corrections, which follow from no request of the merchant; an operator must look at them.
            tracing::warn!(channel = "unionpay", "payment.statement.corrections");
        }
    }
    let details = details.ok_or(StatementError::Form("file of details"))?;
    // Fields are cut by bytes below, so the encoding is checked here.
    gbk(&details)?;
    let mut lines = StatementLines::default();
    for (at, line) in (1..).zip(details.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            lines.push(at, Record { at, line }.read(mer_id, window)?)?;
        }
    }
    Ok(lines.into_inner())
}

struct Record<'a> {
    at: usize,
    line: &'a [u8],
}

impl<'a> Record<'a> {
    /// Field `number`, from 1, without surrounding spaces.
    fn field(&self, number: usize, what: &'static str) -> Result<&'a str, StatementError> {
        let from: usize = WIDTHS.iter().take(number - 1).map(|width| width + 1).sum();
        let width = WIDTHS.get(number - 1).copied().unwrap_or_default();
        self.bytes(from, width).ok_or(self.invalid(what))
    }

    /// `None` unless both neighbours are spaces, so that a shifted line is rejected.
    fn bytes(&self, from: usize, width: usize) -> Option<&'a str> {
        let is_separator = |at: usize| self.line.get(at).is_none_or(|byte| *byte == b' ');
        let text = std::str::from_utf8(self.line.get(from..from + width)?).ok().filter(|text| text.is_ascii())?;
        (from.checked_sub(1).is_none_or(is_separator) && is_separator(from + width)).then(|| text.trim_matches(' '))
    }

    const fn invalid(&self, what: &'static str) -> StatementError {
        StatementError::Field { line: self.at, what }
    }

    fn word(&self, number: usize, what: &'static str) -> Result<String, StatementError> {
        let text = self.field(number, what)?;
        let valid = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if valid { Ok(text.to_owned()) } else { Err(self.invalid(what)) }
    }

    /// An amount with an optional direction letter (`C`, `D`), without its sign.
    fn unsigned_amount(&self, number: usize, what: &'static str) -> Result<Fen, StatementError> {
        let text = self.field(number, what)?;
        fen(text.strip_prefix(['C', 'D']).unwrap_or(text)).ok_or(self.invalid(what))
    }

    fn read(&self, mer_id: &str, window: (Timestamp, Timestamp)) -> Result<StatementLine, StatementError> {
        if self.field(28, "merchant")? != mer_id {
            return Err(StatementError::Owner);
        }
        let kind = match self.field(20, "type")? {
            "01" => LineKind::Paid,
            // 04: refund. 31: payment revoked on the same day.
            "04" | "31" => LineKind::Refunded,
            _ => return Err(self.invalid("type")),
        };
        let amount = fen(self.field(7, "amount")?).filter(|amount| *amount > Fen::ZERO).ok_or(self.invalid("amount"))?;
        let (fee, settled) = (self.unsigned_amount(16, "fee")?, self.unsigned_amount(17, "settled amount")?);
        // The settled amount is the amount less the fee; for a refund, less the returned fee.
        let kept = if kind == LineKind::Paid { amount - settled } else { settled - amount };
        if kept != fee && kept != -fee {
            return Err(StatementError::Totals("what is settled of a line"));
        }
        let order_id = self.word(12, "order number")?;
        let (out_trade_no, refund_no, trade_no) = match kind {
            LineKind::Paid => (order_id, None, self.word(10, "query number")?),
            LineKind::Refunded => (self.original_order_id(), Some(order_id), self.word(27, "query number of the trade")?),
        };
        let at = self.instant(window)?;
        Ok(StatementLine { kind, out_trade_no, trade_no, refund_no, amount, fee: kept.money(), at })
    }

    /// The trade's number, which refund requests put into `reqReserved`; empty if invalid.
    fn original_order_id(&self) -> String {
        let text = self.bytes(RESERVED.0, RESERVED.1).unwrap_or_default();
        if text.bytes().all(|b| b.is_ascii_alphanumeric()) { text.to_owned() } else { String::new() }
    }

    /// Parses `MMDDhhmmss`, with the year that places it near the settlement day.
    fn instant(&self, (from, to): (Timestamp, Timestamp)) -> Result<Timestamp, StatementError> {
        let text = self.field(5, "time")?;
        let digits = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit());
        let part = |at: usize| text.get(at..at + 2).and_then(|part| part.parse().ok()).filter(|_| digits);
        let read = |year: i64| {
            Civil { year, month: part(0)?, day: part(2)?, hour: part(4)?, minute: part(6)?, second: part(8)? }.timestamp()
        };
        let years = [from.date(), to.date()].map(|date: Date| date.ymd().0);
        let near = |at: &Timestamp| from.plus(-TOLERANCE) <= *at && *at < to.plus(TOLERANCE);
        let [first, last] = years.map(read);
        if first.is_none() && last.is_none() {
            return Err(self.invalid("time"));
        }
        first.filter(near).or(last.filter(near)).ok_or(StatementError::Day)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use model::money::Money;
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use crate::unpack::UnpackError;

    const MER_ID: &str = "777290058110048";
    const DETAILS: &[u8] = include_bytes!("vectors/INN26112388ZM_777290058110048");

    fn window() -> (Timestamp, Timestamp) {
        let day = Date::from_ymd(2026, 11, 23).unwrap();
        (day.start().plus(-3_600_000), day.plus(1).start().plus(-3_600_000))
    }

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, plain) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(plain).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn details(bytes: &[u8]) -> Result<Vec<StatementLine>, StatementError> {
        read(MER_ID, window(), &zipped(&[("INN26112388ZM_777290058110048", bytes)])).map(|lines| lines.ours)
    }

    /// The first line of the test vector with `from` replaced by `to`, which must have the same length.
    fn changed(from: &str, to: &str) -> Result<Vec<StatementLine>, StatementError> {
        assert_eq!(from.len(), to.len());
        let line = DETAILS.split(|b| *b == b'\n').next().unwrap();
        let at = line.windows(from.len()).position(|piece| piece == from.as_bytes()).expect(from);
        let mut line = line.to_vec();
        line[at..at + to.len()].copy_from_slice(to.as_bytes());
        details(&line)
    }

    #[test]
    fn unionpay_statement_is_parsed_with_fees() {
        let lines = details(DETAILS).unwrap();
        let [paid, refunded, late] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((paid.kind, paid.out_trade_no.as_str(), paid.amount), (LineKind::Paid, "D7531000N1", Fen(5_000)));
        assert_eq!((paid.trade_no.as_str(), paid.refund_no.as_deref()), ("952611232100009999998", None));
        assert_eq!((paid.fee, paid.at.to_string().as_str()), (Money(3_000), "2026-11-23 21:00:05"));
        assert_eq!((refunded.kind, refunded.amount, refunded.fee), (LineKind::Refunded, Fen(2_000), Money(-1_200)));
        assert_eq!((refunded.out_trade_no.as_str(), refunded.refund_no.as_deref()), ("D7531000N1", Some("D7531000N1R1")));
        assert_eq!(refunded.trade_no, paid.trade_no, "of the refunded trade");
        assert_eq!(late.at.to_string(), "2026-11-22 23:10:00", "the day begins at 23:00");
    }

    #[test]
    fn invalid_unionpay_statement_lines_are_rejected() {
        let invalid = |what| Err(StatementError::Field { line: 1, what });
        assert_eq!(changed("000000005000", "00000000500x"), invalid("amount"));
        assert_eq!(changed("000000005000", "000000000000"), invalid("amount"));
        assert_eq!(changed("000000005000", "000000005001"), Err(StatementError::Totals("what is settled of a line")));
        assert_eq!(changed("1123210005", "1323210005"), invalid("time"));
        assert_eq!(changed("1123210005", "1123210x05"), invalid("time"));
        assert_eq!(changed("1123210005", "0523210005"), Err(StatementError::Day));
        assert_eq!(changed("777290058110048", "777290058110049"), Err(StatementError::Owner));
        assert_eq!(changed(" 01 01 000201", " 79 01 000201"), invalid("type"));
        let line = DETAILS.split(|b| *b == b'\n').next().unwrap();
        for end in [1, 100, 300, 307] {
            assert!(matches!(details(&line[..end]), Err(StatementError::Field { .. })), "{end}");
        }
        let shifted = [b" ", line].concat();
        assert!(matches!(details(&shifted), Err(StatementError::Field { .. })));
        assert_eq!(details(&[line, b"\n", line].concat()), Err(StatementError::Twice(2)));
    }

    #[test]
    fn invalid_unionpay_statement_files_are_rejected() {
        assert_eq!(details(b""), Ok(vec![]));
        assert_eq!(details(&[0xff, 0xfe, b'\n']), Err(StatementError::Packed(UnpackError::Encoding)));
        let named = |name| read(MER_ID, window(), &zipped(&[(name, DETAILS)]));
        assert_eq!(named("INN26112388ZME_777290058110048"), Err(StatementError::Form("file of details")));
        assert_eq!(named("readme.txt"), Err(StatementError::Form("file of details")));
        let two: [(&str, &[u8]); 2] = [("INN26112388ZM_1", b""), ("INN26112388ZM_2", b"")];
        assert_eq!(read(MER_ID, window(), &zipped(&two)), Err(StatementError::Form("single file of details")));
        assert_eq!(read(MER_ID, window(), b"<html>"), Err(StatementError::Packed(UnpackError::Form)));
    }

    #[test]
    fn unionpay_statement_year_is_the_nearest() {
        let day = Date::from_ymd(2027, 1, 1).unwrap();
        let window = (day.start().plus(-3_600_000), day.plus(1).start().plus(-3_600_000));
        let at = |text: &str| {
            let line = String::from_utf8_lossy(DETAILS.split(|b| *b == b'\n').next().unwrap()).replace("1123210005", text);
            let lines = read(MER_ID, window, &zipped(&[("INN27010188ZM_1", line.as_bytes())]))?;
            Ok::<_, StatementError>(lines.ours[0].at.to_string())
        };
        assert_eq!(at("1231233000"), Ok("2026-12-31 23:30:00".into()));
        assert_eq!(at("0101000500"), Ok("2027-01-01 00:05:00".into()));
        assert_eq!(at("0701000500"), Err(StatementError::Day));
    }

    proptest::proptest! {
        #[test]
        fn unionpay_statement_parsing_never_panics(at in 0usize..600, byte: u8) {
            let mut bytes = DETAILS.to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            let _ = details(&bytes);
        }
    }
}
