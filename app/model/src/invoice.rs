//! Invoices for the e-invoice system (数电票): the seller's data, tax that a price includes, and batches of rows.

use std::fmt;
use std::str::FromStr;

use crate::console::{Page, ReceiptNumber, RoomName};
use crate::energy::Energy;
use crate::error::AppError;
use crate::ids::{AccountId, InvoiceBatchId, PlaceId};
use crate::money::{Fen, Money};
use crate::time::{Date, Timestamp};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// What a row asks for.
    pub enum InvoiceKind {
        /// An invoice of a payment.
        Blue = "blue",
        /// The reversal of an invoice, in whole or in part.
        Red = "red",
    }

    /// The files of a batch.
    pub enum InvoiceFile {
        /// The invoices, for the batch import of the e-invoice system.
        Import = "import",
        /// Reversals, and all rows with their tax to compare with.
        Reversals = "reversals",
    }
}

/// A rate of value-added tax, in 0.01 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct TaxRate(i64);

impl TaxRate {
    const WHOLE: i64 = 10_000;
    /// No rate of value-added tax is near to it.
    const MAX: i64 = 3_000;

    /// Splits an amount that includes the tax: both parts add up to it.
    #[must_use]
    pub const fn split(self, paid: Fen) -> Taxed {
        let whole = Self::WHOLE + self.0;
        // Half a fen is rounded up, as the e-invoice system does.
        let net = (paid.0 * Self::WHOLE + whole / 2) / whole;
        Taxed { net: Fen(net), tax: Fen(paid.0 - net) }
    }

    /// As the e-invoice system reads it: `0.13`.
    #[must_use]
    pub fn fraction(self) -> String {
        let digits = format!("{:04}", self.0);
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() { "0".to_owned() } else { format!("0.{digits}") }
    }
}

impl fmt::Display for TaxRate {
    /// In per cent, without a sign: `13`, `1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 100)?;
        match self.0 % 100 {
            0 => Ok(()),
            rest if rest % 10 == 0 => write!(f, ".{}", rest / 10),
            rest => write!(f, ".{rest:02}"),
        }
    }
}

impl FromStr for TaxRate {
    type Err = AppError;

    /// From per cent with at most two decimals: `13`, `13%`, `1.5`.
    fn from_str(text: &str) -> Result<Self, AppError> {
        let text = typed(text);
        let percent = text.strip_suffix('%').unwrap_or(&text).trim_end();
        let rate = Fen::parse_yuan(percent).map_err(|_| AppError::Invalid)?;
        if (0..=Self::MAX).contains(&rate.0) { Ok(Self(rate.0)) } else { Err(AppError::Invalid) }
    }
}

/// An amount without its tax, and the tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taxed {
    pub net: Fen,
    pub tax: Fen,
}

impl Taxed {
    /// Net and tax together: the amount paid.
    #[must_use]
    pub const fn sum(self) -> Fen {
        Fen(self.net.0 + self.tax.0)
    }
}

/// Who sells, and what is sold, as invoices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct InvoiceSeller {
    #[cfg_attr(feature = "sqlx", sqlx(rename = "seller"))]
    pub name: String,
    pub tax_number: String,
    /// May be empty, as the number of the account there.
    pub bank: String,
    pub bank_account: String,
    /// The name of the item.
    pub item: String,
    /// The tax classification code of the item: 19 digits.
    pub tax_code: String,
}

/// What the next batch is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlx", derive(sqlx::FromRow))]
pub struct InvoiceSettings {
    #[cfg_attr(feature = "sqlx", sqlx(flatten))]
    pub seller: InvoiceSeller,
    pub rate: TaxRate,
}

/// Characters of a name on an invoice.
pub const INVOICE_NAME_MAX: usize = 100;

/// A name on an invoice, between `least` and [`INVOICE_NAME_MAX`] characters.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn invoice_name(text: &str, least: usize) -> Result<String, AppError> {
    let text = text.trim();
    let fits = (least..=INVOICE_NAME_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(AppError::Invalid) }
}

/// The number of a tax payer: 15 to 20 capital letters and digits.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn tax_number(text: &str) -> Result<String, AppError> {
    let text = typed(text).to_ascii_uppercase();
    let fits = (15..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(text) } else { Err(AppError::Invalid) }
}

/// A tax classification code: 19 digits.
///
/// # Errors
/// [`AppError::Invalid`].
pub fn tax_code(text: &str) -> Result<String, AppError> {
    let text = typed(text);
    let fits = text.len() == 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { Ok(text) } else { Err(AppError::Invalid) }
}

/// To whom the invoices of an account are made out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceBuyer {
    pub name: String,
    /// `None` for a person.
    pub tax_number: Option<String>,
}

/// The days and the building that a batch is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvoiceRange {
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// `None`: all buildings of the operator.
    pub building: Option<PlaceId>,
}

impl InvoiceRange {
    /// Days of one batch.
    pub const MAX_DAYS: i64 = 366;

    /// # Errors
    /// [`InvoiceRangeProblem`] where it ends before it begins, or is too long.
    pub const fn check(self) -> Result<Self, InvoiceRangeProblem> {
        match self.until.0 - self.from.0 {
            ..0 => Err(InvoiceRangeProblem::Reversed),
            Self::MAX_DAYS.. => Err(InvoiceRangeProblem::TooLong),
            _ => Ok(self),
        }
    }
}

/// Why there are no receipts of these days and this building.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceRangeProblem {
    /// Not a day of the calendar.
    NotADay,
    /// It ends before it begins.
    Reversed,
    /// More than [`InvoiceRange::MAX_DAYS`].
    TooLong,
    /// There is no such building, or the operator may not see it.
    UnknownBuilding,
}

/// Receipts and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptSum {
    pub receipts: i64,
    pub amount: Fen,
}

/// What the next export takes, as far as it is set who sells; what waits otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvoicesWaiting {
    pub blue: ReceiptSum,
    pub red: ReceiptSum,
    /// The first returns for which there are not enough invoices to reverse.
    pub without_invoice: Vec<(ReceiptNumber, RoomName, Fen)>,
}

/// Rows that were exported together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceBatch {
    pub id: InvoiceBatchId,
    pub number: i64,
    pub from: Date,
    pub until: Date,
    /// The buildings that it is about; `None`: all of the site.
    pub buildings: Option<String>,
    pub rows: i64,
    /// Sums with tax.
    pub blue: Fen,
    pub red: Fen,
    pub by: String,
    pub made_at: Timestamp,
    pub cancelled: Option<(String, Timestamp)>,
}

/// A row of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceRow {
    pub serial: InvoiceSerial,
    pub kind: InvoiceKind,
    pub receipt: ReceiptNumber,
    /// The row that it reverses.
    pub reverses: Option<InvoiceSerial>,
    pub buyer: InvoiceBuyer,
    pub account: AccountId,
    pub account_number: String,
    pub room: RoomName,
    /// With the price of a kWh with tax; `None` where several prices apply.
    pub energy: Option<(Energy, Money)>,
    pub rate: TaxRate,
    pub taxed: Taxed,
}

/// A batch with a page of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct InvoiceBatchView {
    pub batch: InvoiceBatch,
    pub rows: Page<InvoiceRow>,
}

/// The number (流水号) under which the e-invoice system gets a row: batch and line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvoiceSerial {
    pub batch: i64,
    pub line: i64,
}

impl fmt::Display for InvoiceSerial {
    /// At most 20 characters: `DW000012000034`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DW{:06}{:06}", self.batch, self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn net_and_tax_add_up_to_what_is_paid() {
        let rate: TaxRate = "13".parse().unwrap();
        assert_eq!(rate.split(Fen(11_300)), Taxed { net: Fen(10_000), tax: Fen(1_300) });
        assert_eq!(rate.split(Fen(1)), Taxed { net: Fen(1), tax: Fen(0) });
        for text in ["0", "1", "1.5", "3", "9", "13", "30"] {
            let rate: TaxRate = text.parse().unwrap();
            for paid in (0..5_000).chain([99_999_999]) {
                let taxed = rate.split(Fen(paid));
                assert_eq!(taxed.sum(), Fen(paid), "{text} of {paid}");
                assert!(taxed.net.0 >= 0 && taxed.tax.0 >= 0, "{text} of {paid}");
            }
        }
    }

    #[test]
    fn rates_go_round() {
        for (text, shown, fraction) in
            [("13", "13", "0.13"), ("13%", "13", "0.13"), ("1.50", "1.5", "0.015"), ("0", "0", "0"), ("0.25", "0.25", "0.0025")]
        {
            let rate: TaxRate = text.parse().unwrap();
            assert_eq!((rate.to_string().as_str(), rate.fraction().as_str()), (shown, fraction));
        }
        for text in ["", "31", "-1", "1.555", "x", "%"] {
            assert_eq!(text.parse::<TaxRate>(), Err(AppError::Invalid), "{text}");
        }
    }

    #[test]
    fn fields_are_bounded() {
        assert_eq!(tax_number(" 91330106ma2abcde1x "), Ok("91330106MA2ABCDE1X".to_owned()));
        assert!(["", "1234", "9133 0106MA2ABCDE1X", "91330106MA2ABCDE1X123"].iter().all(|text| tax_number(text).is_err()));
        assert_eq!(tax_code("1100101020200000000"), Ok("1100101020200000000".to_owned()));
        assert!(
            ["", "110010102020000000", "11001010202000000000", "110010102020000000x"].iter().all(|text| tax_code(text).is_err())
        );
        assert!(invoice_name(" ", 1).is_err() && invoice_name(&"电".repeat(101), 1).is_err() && invoice_name("a\nb", 1).is_err());
        assert_eq!((invoice_name("", 0), invoice_name(" 电费 ", 1)), (Ok(String::new()), Ok("电费".to_owned())));
    }

    #[test]
    fn a_range_has_between_one_and_366_days() {
        let check = |days: i64| InvoiceRange { from: Date(100), until: Date(100 + days), building: None }.check().err();
        assert_eq!([0, 365].map(check), [None, None]);
        assert_eq!([-1, 366].map(check), [Some(InvoiceRangeProblem::Reversed), Some(InvoiceRangeProblem::TooLong)]);
    }

    #[test]
    fn serials_fit_the_import() {
        let serial = InvoiceSerial { batch: 12, line: 34 };
        assert_eq!(serial.to_string(), "DW000012000034");
        assert!(InvoiceSerial { batch: 999_999, line: 999_999 }.to_string().len() <= 20);
    }
}
