//! Parsers shared by the statement formats of all channels. They are strict, and errors contain nothing of the file's content.

use std::collections::{BTreeSet, HashMap};

use model::money::{Fen, Money};
use model::time::{Civil, Date, Timestamp};

use crate::unpack::UnpackError;
use domain::payment::is_out_trade_no;
use domain::statement::{LineKind, StatementLine};

/// Why a statement is rejected as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("{0}")]
    Packed(#[from] UnpackError),
    /// A part of the documented structure is missing.
    #[error("has no {0}")]
    Form(&'static str),
    #[error("has no column {0}")]
    Column(&'static str),
    #[error("has an invalid {what} in line {line}")]
    Field {
        /// Line of the file, from 1.
        line: usize,
        what: &'static str,
    },
    #[error("belongs to another merchant")]
    Owner,
    #[error("belongs to another day")]
    Day,
    #[error("lists a trade twice, in line {0}")]
    Twice(usize),
    /// A stated total differs from the sum of the lines.
    #[error("does not add up: {0}")]
    Totals(&'static str),
    #[error("does not match the channel's digest")]
    Digest,
}

/// Parses a decimal number in units of 10^-`places`: `1.5` with two places is 150. Accepts a minus, up to twelve digits, and a
/// point with up to nine digits, of which those beyond `places` must be zero.
/// Rejects exponents, plus signs, spaces and separators.
#[must_use]
pub fn decimal(text: &str, places: usize) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, max: usize| (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let significant = decimals.trim_end_matches('0');
    if !digits(whole, 12) || !digits(decimals, 9) || significant.len() > places {
        return None;
    }
    let number: i64 = format!("{whole}{significant:0<places$}").parse().ok()?;
    Some(sign * number)
}

/// Parses a positive amount in yuan with at most two decimal places.
#[must_use]
pub fn amount(text: &str) -> Option<Fen> {
    decimal(text, 2).map(Fen).filter(|fen| (Fen(1)..=Fen::MAX).contains(fen))
}

/// Converts a fee from 1e-5 yuan to the ledger's 1e-4 yuan, rounding half away from zero.
#[must_use]
pub const fn fee(fee_e5: i64) -> Money {
    Money((fee_e5 + 5 * fee_e5.signum()) / 10)
}

/// Parses `2026-11-23 21:15:02` in Beijing time.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let part = |at: usize, len: usize| {
        let digits = text.get(at..at + len).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u16>().ok()
    };
    let two_digits = |at: usize| part(at, 2).and_then(|n| u8::try_from(n).ok());
    let separators = [(4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":")];
    if text.len() != 19 || separators.iter().any(|&(at, separator)| text.get(at..=at) != Some(separator)) {
        return None;
    }
    let (year, month, day) = (i64::from(part(0, 4)?), two_digits(5)?, two_digits(8)?);
    Civil { year, month, day, hour: two_digits(11)?, minute: two_digits(14)?, second: two_digits(17)? }.timestamp()
}

/// Accepts a trade or refund number: 1 to 64 printable ASCII characters without spaces.
#[must_use]
pub fn number(text: &str) -> Option<String> {
    let valid = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    valid.then(|| text.to_owned())
}

/// The fields of a statement line as text, for the channels that write amounts in decimal yuan.
pub struct LineText<'a> {
    /// Line of the file, from 1.
    pub line: usize,
    pub kind: LineKind,
    pub out_trade_no: &'a str,
    pub trade_no: &'a str,
    /// Ignored for payments.
    pub refund_no: &'a str,
    /// Yuan, positive for payments and refunds.
    pub amount: &'a str,
    /// `2026-11-23 21:15:02`.
    pub at: &'a str,
    /// The channel's fee in 1e-5 yuan; negative if it is given back.
    pub fee_e5: i64,
}

impl LineText<'_> {
    /// # Errors
    /// [`StatementError::Field`] for an invalid field, [`StatementError::Day`] for a line of another day.
    pub fn parse(&self, day: Date) -> Result<StatementLine, StatementError> {
        let invalid = |what| StatementError::Field { line: self.line, what };
        let at = instant(self.at).ok_or(invalid("time"))?;
        if at.date() != day {
            return Err(StatementError::Day);
        }
        Ok(StatementLine {
            kind: self.kind,
            out_trade_no: number(self.out_trade_no).ok_or(invalid("order number"))?,
            trade_no: number(self.trade_no).ok_or(invalid("trade number"))?,
            refund_no: match self.kind {
                LineKind::Paid => None,
                LineKind::Refunded => Some(number(self.refund_no).ok_or(invalid("refund number"))?),
            },
            amount: amount(self.amount).ok_or(invalid("amount"))?,
            fee: fee(self.fee_e5),
            at,
        })
    }
}

/// Column positions by name; of equal names the first counts.
pub struct ColumnIndex(HashMap<String, usize>);

impl ColumnIndex {
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut columns = HashMap::new();
        for (at, name) in names.into_iter().enumerate() {
            columns.entry(name.trim().to_owned()).or_insert(at);
        }
        Self(columns)
    }

    /// # Errors
    /// [`StatementError::Column`] if there is no such column.
    pub fn at(&self, name: &'static str) -> Result<usize, StatementError> {
        self.0.get(name).copied().ok_or(StatementError::Column(name))
    }

    /// The column of this name, or of the one that it had in older files.
    ///
    /// # Errors
    /// [`StatementError::Column`] with the current name.
    pub fn at_or(&self, name: &'static str, older: &str) -> Result<usize, StatementError> {
        self.at(name).or_else(|error| self.0.get(older).copied().ok_or(error))
    }
}

/// The lines of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    pub ours: Vec<StatementLine>,
    /// Of other systems under the same merchant number.
    pub foreign: Vec<StatementLine>,
}

/// Collects lines and rejects duplicates.
#[derive(Default)]
pub struct StatementLines {
    all: Lines,
    keys: BTreeSet<(LineKind, String, Option<String>)>,
}

impl StatementLines {
    /// # Errors
    /// [`StatementError::Twice`] if the trade or refund was added before; `line` is its line in the file.
    pub fn push(&mut self, line: usize, entry: StatementLine) -> Result<(), StatementError> {
        // A refund that was made at the channel's console may not name its payment; the ledger finds it by the trade's number.
        let ours = is_out_trade_no(&entry.out_trade_no) || (entry.kind == LineKind::Refunded && entry.out_trade_no.is_empty());
        self.push_as(line, entry, ours)
    }

    /// Adds a line of which the caller knows whether it is of another system.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_as(&mut self, line: usize, entry: StatementLine, ours: bool) -> Result<(), StatementError> {
        if !self.keys.insert((entry.kind, entry.trade_no.clone(), entry.refund_no.clone())) {
            return Err(StatementError::Twice(line));
        }
        if ours {
            self.all.ours.push(entry)
        } else {
            self.all.foreign.push(entry)
        }
        Ok(())
    }

    /// Number and total amount of the lines of a kind, whoever they are of.
    #[must_use]
    pub fn sum(&self, kind: LineKind) -> (i64, Fen) {
        let of_kind = self.all.ours.iter().chain(&self.all.foreign).filter(|line| line.kind == kind);
        of_kind.fold((0, Fen::ZERO), |(count, sum), line| (count + 1, sum + line.amount))
    }

    #[must_use]
    pub fn into_inner(self) -> Lines {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_numbers_are_rejected() {
        for (text, places, number) in [
            ("0.00", 2, 0),
            ("50", 2, 5_000),
            ("50.5", 2, 5_050),
            ("-310.00", 2, -31_000),
            ("0.02400", 5, 2_400),
            ("45.0", 0, 45),
            ("1.2300", 2, 123),
            ("999999999999.99", 2, 99_999_999_999_999),
        ] {
            assert_eq!(decimal(text, places), Some(number), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e5", "1E5", "+1", " 1", "1 ", "1,000.00", "--1", "1.234", "0x1", "NaN", "１", "1.-2"]
        {
            assert_eq!(decimal(text, 2), None, "{text}");
        }
        assert_eq!(decimal("9999999999999", 2), None);
        assert_eq!((amount("0.00"), amount("-1.00"), amount("100000000.01")), (None, None, None));
        assert_eq!(amount("0.01"), Some(Fen(1)));
    }

    #[test]
    fn fees_are_rounded_to_the_ledger_unit() {
        for (fee_e5, e4) in [(0, 0), (4, 0), (5, 1), (14, 1), (15, 2), (-4, 0), (-5, -1), (2_400, 240)] {
            assert_eq!(fee(fee_e5), Money(e4), "{fee_e5}");
        }
    }

    #[test]
    fn statement_times_are_beijing_time() {
        assert_eq!(instant("2026-11-23 21:00:00"), Some(Timestamp(1_795_438_800_000)));
        for text in ["", "2026-11-23", "2026-11-23T21:00:00", "2026-13-23 21:00:00", "2026-11-23 24:00:00", "2026-1１-23 21:00:0"]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
