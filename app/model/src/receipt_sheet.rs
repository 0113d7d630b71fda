//! A receipt as it is laid out: what a template makes, and what pages, PDF files and receipt printers show.

use crate::error::AppError;
use crate::word_enum;

word_enum! {
    /// What a receipt is printed on.
    pub enum ReceiptPaper {
        A5 = "a5",
        A4 = "a4",
        /// A roll of 80 mm, of which 72 mm are printed.
        Roll = "roll",
    }

    /// For whom a part of the receipt is.
    pub enum ReceiptCopy {
        Customer = "customer",
        Finance = "finance",
        Office = "office",
        /// What a resident shows and saves; it is on no paper of the site.
        Electronic = "electronic",
    }
}

impl ReceiptCopy {
    /// What the site prints on paper.
    pub const TRIPLICATE: [Self; 3] = [Self::Customer, Self::Finance, Self::Office];
}

/// One line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// Large, in the middle.
    Title(String),
    Text {
        text: String,
        align: Align,
        strong: bool,
    },
    /// A label and its value.
    Row {
        label: String,
        value: String,
        strong: bool,
    },
    /// A label, and a line to sign on.
    Signature(String),
    Rule,
    Gap,
    /// The site's logo; nothing where it has none.
    Logo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Middle,
    Right,
}

/// The logo of a site: at most [`Logo::MAX`] pixels a side, 8 bits of grey a pixel, from the top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    pub width: usize,
    pub height: usize,
    pub grey: Vec<u8>,
}

impl Logo {
    /// Pixels a side.
    pub const MAX: usize = 512;
    /// Bytes of its file.
    pub const MAX_FILE: usize = 200_000;
}

/// Characters of a template.
pub const TEMPLATE_MAX: usize = 6_000;

/// A mistake in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateMistake {
    pub reason: TemplateReason,
    /// From 1, where it is known.
    pub line: Option<usize>,
    /// The name or tag that is wrong, where there is one.
    pub word: String,
}

word_enum! {
    /// Why a template cannot be used.
    pub enum TemplateReason {
        /// More than [`TEMPLATE_MAX`] characters.
        TooLong = "too_long",
        /// A value that receipts do not have.
        UnknownValue = "unknown_value",
        /// A tag other than `if`, `elif`, `else` and `endif`.
        UnknownTag = "unknown_tag",
        /// Something other than a value's name is to be printed.
        NotAName = "not_a_name",
        /// A condition has more than names, words in quotes, comparisons, `not`, `and` and `or`.
        Condition = "condition",
        /// `elif`, `else` or `endif` without an `if` before it.
        WithoutIf = "without_if",
        /// An `if` without `endif`.
        WithoutEndif = "without_endif",
        /// A bracket is not closed, or an expression is wrong in another way.
        Syntax = "syntax",
        /// It prints more lines than a receipt may have, or none.
        Lines = "lines",
        /// A receipt of it could lack its number or amount, or a copy its mark.
        Incomplete = "incomplete",
    }
}

impl From<TemplateMistake> for AppError {
    fn from(_: TemplateMistake) -> Self {
        Self::Invalid
    }
}

word_enum! {
    /// What keeps a receipt printer from printing.
    pub enum PrinterTrouble {
        /// No connection, or it broke.
        Unreachable = "unreachable",
        /// It does not answer, or not as ESC/POS printers do.
        Silent = "silent",
        PaperOut = "paper_out",
        CoverOpen = "cover_open",
        /// Switched offline, or with an error of its own.
        Offline = "offline",
    }
}

/// What is known of a print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintOutcome {
    Printed,
    /// Nothing was sent.
    NotPrinted(PrinterTrouble),
    /// All or a part of it may be on paper: a person must look.
    Unknown(PrinterTrouble),
}
