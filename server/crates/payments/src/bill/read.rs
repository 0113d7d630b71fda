//! What the readers of all bills do in the same way: strictly, and without a word of what is in the file in an error.

use std::collections::{BTreeSet, HashMap};

use model::money::{Fen, Money};
use model::time::{Civil, Date, Timestamp};

use crate::unpack::UnpackError;
use domain::statement::{BillLine, LineKind};

/// Why a bill cannot be believed as it is. Nothing of it is used then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// It does not unpack.
    #[error("{0}")]
    Packed(#[from] UnpackError),
    /// Not of the form that the channel documents.
    #[error("has no {0}")]
    Form(&'static str),
    /// A column that is needed.
    #[error("has no column {0}")]
    Column(&'static str),
    /// A value that is none.
    #[error("has no proper {what} in line {line}")]
    Field {
        /// Which line of the file, from 1.
        line: usize,
        /// What should be there.
        what: &'static str,
    },
    #[error("is another merchant's")]
    Owner,
    #[error("is of another day")]
    Day,
    /// The same line again.
    #[error("names a trade twice, in line {0}")]
    Twice(usize),
    /// The sum that it states is not its lines'.
    #[error("does not add up: {0}")]
    Totals(&'static str),
    /// The channel's own digest of it is another.
    #[error("is not what the channel's digest is of")]
    Digest,
}

/// A decimal number in units of its last place, of which it may have at most `places`: `1.5` with two places is 150. Digits, a point
/// and a minus; no exponent, plus, blank or comma, and no more than twelve digits before the point.
#[must_use]
pub fn decimal(text: &str, places: usize) -> Option<i64> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    // Zeros after the last place say nothing.
    let significant = decimals.trim_end_matches('0');
    if !digits(whole, 12) || !digits(decimals, 9) || significant.len() > places {
        return None;
    }
    let number: i64 = format!("{whole}{significant:0<places$}").parse().ok()?;
    Some(sign * number)
}

/// An amount in yuan, positive, in fen.
#[must_use]
pub fn amount(text: &str) -> Option<Fen> {
    decimal(text, 2).map(Fen).filter(|fen| (Fen(1)..=Fen::MAX).contains(fen))
}

/// A fee in units of 0.00001 yuan as the ledger has it, the half away from zero.
#[must_use]
pub const fn fee(e5: i64) -> Money {
    Money((e5 + 5 * e5.signum()) / 10)
}

/// `2026-11-23 21:15:02` of Beijing.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    let part = |at: usize, len: usize| {
        let digits = text.get(at..at + len).filter(|part| part.bytes().all(|b| b.is_ascii_digit()))?;
        digits.parse::<u16>().ok()
    };
    let small = |at: usize| part(at, 2).and_then(|n| u8::try_from(n).ok());
    let marks = [(4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":")];
    if text.len() != 19 || marks.iter().any(|&(at, mark)| text.get(at..=at) != Some(mark)) {
        return None;
    }
    let (year, month, day) = (i64::from(part(0, 4)?), small(5)?, small(8)?);
    Civil { year, month, day, hour: small(11)?, minute: small(14)?, second: small(17)? }.timestamp()
}

/// A number of a trade or refund: what is stored and shown of it.
#[must_use]
pub fn number(text: &str) -> Option<String> {
    let proper = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    proper.then(|| text.to_owned())
}

/// What a line says, as it is written; what it must be is the same in every bill that is written in decimal yuan.
pub struct Told<'a> {
    /// Which line of the file, from 1.
    pub line: usize,
    /// What it is.
    pub kind: LineKind,
    pub out_trade_no: &'a str,
    pub trade_no: &'a str,
    /// The refund's; a payment has none.
    pub refund_no: &'a str,
    /// Yuan, without a sign.
    pub amount: &'a str,
    /// `2026-11-23 21:15:02`.
    pub at: &'a str,
    /// What the channel keeps, in 0.00001 yuan.
    pub e5: i64,
}

impl Told<'_> {
    /// The line of that day.
    ///
    /// # Errors
    /// [`BillError::Field`], or [`BillError::Day`].
    pub fn read(&self, day: Date) -> Result<BillLine, BillError> {
        let wrong = |what| BillError::Field { line: self.line, what };
        let at = instant(self.at).ok_or(wrong("time"))?;
        if at.date() != day {
            return Err(BillError::Day);
        }
        Ok(BillLine {
            kind: self.kind,
            out_trade_no: number(self.out_trade_no).ok_or(wrong("order number"))?,
            trade_no: number(self.trade_no).ok_or(wrong("trade number"))?,
            refund_no: match self.kind {
                LineKind::Paid => None,
                LineKind::Refunded => Some(number(self.refund_no).ok_or(wrong("refund number"))?),
            },
            amount: amount(self.amount).ok_or(wrong("amount"))?,
            fee: fee(self.e5),
            at,
        })
    }
}

/// Where each column is, by its name; the first of a name counts.
pub struct Columns(HashMap<String, usize>);

impl Columns {
    /// From the line of names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut columns = HashMap::new();
        for (at, name) in names.into_iter().enumerate() {
            columns.entry(name.trim().to_owned()).or_insert(at);
        }
        Self(columns)
    }

    /// Where a column is.
    ///
    /// # Errors
    /// [`BillError::Column`] where it is not there.
    pub fn at(&self, name: &'static str) -> Result<usize, BillError> {
        self.0.get(name).copied().ok_or(BillError::Column(name))
    }
}

/// The lines as they are read: none may come twice.
#[derive(Default)]
pub struct Lines {
    all: Vec<BillLine>,
    seen: BTreeSet<(LineKind, String, Option<String>)>,
}

impl Lines {
    /// Adds line number `line` of the file.
    ///
    /// # Errors
    /// [`BillError::Twice`].
    pub fn push(&mut self, line: usize, bill: BillLine) -> Result<(), BillError> {
        if !self.seen.insert((bill.kind, bill.trade_no.clone(), bill.refund_no.clone())) {
            return Err(BillError::Twice(line));
        }
        self.all.push(bill);
        Ok(())
    }

    /// How many of a kind, and their sum.
    #[must_use]
    pub fn sum(&self, kind: LineKind) -> (i64, Fen) {
        let of_kind = self.all.iter().filter(|line| line.kind == kind);
        of_kind.fold((0, Fen::ZERO), |(count, sum), line| (count + 1, sum + line.amount))
    }

    /// All of them.
    #[must_use]
    pub fn into_inner(self) -> Vec<BillLine> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly() {
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
    fn a_fee_below_the_ledgers_unit_is_rounded() {
        for (e5, e4) in [(0, 0), (4, 0), (5, 1), (14, 1), (15, 2), (-4, 0), (-5, -1), (2_400, 240)] {
            assert_eq!(fee(e5), Money(e4), "{e5}");
        }
    }

    #[test]
    fn instants_are_of_beijing() {
        assert_eq!(instant("2026-11-23 21:00:00"), Some(Timestamp(1_795_438_800_000)));
        for text in ["", "2026-11-23", "2026-11-23T21:00:00", "2026-13-23 21:00:00", "2026-11-23 24:00:00", "2026-1１-23 21:00:0"]
        {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
