//! Texts of receipt layouts and printers.

use super::Lang;
pub use super::catalogue::printing::*;
use model::console::PrintState;
use model::receipt_sheet::{PrinterTrouble, ReceiptCopy, ReceiptPaper, TemplateMistake, TemplateReason};

/// The name of a paper.
#[must_use]
pub const fn paper(paper: ReceiptPaper, lang: Lang) -> &'static str {
    let t = texts(lang).papers;
    match paper {
        ReceiptPaper::A5 => t.a5,
        ReceiptPaper::A4 => t.a4,
        ReceiptPaper::Roll => t.roll,
    }
}

/// For whom a copy is.
#[must_use]
pub const fn copy_for(copy: ReceiptCopy, lang: Lang) -> &'static str {
    let t = texts(lang);
    match copy {
        ReceiptCopy::Customer => t.for_customer,
        ReceiptCopy::Finance => t.for_finance,
        ReceiptCopy::Office => t.for_office,
        ReceiptCopy::Electronic => t.electronic,
    }
}

/// The state of a print.
#[must_use]
pub const fn state(state: PrintState, lang: Lang) -> &'static str {
    let t = texts(lang).state;
    match state {
        PrintState::Queued => t.queued,
        PrintState::Sending => t.sending,
        PrintState::Printed => t.printed,
        PrintState::Unknown => t.unknown,
        PrintState::Seen => t.seen,
        PrintState::Repeated => t.repeated,
        PrintState::GivenUp => t.given_up,
        PrintState::Cancelled => t.cancelled,
    }
}

/// What keeps a printer from printing.
#[must_use]
pub const fn trouble(trouble: PrinterTrouble, lang: Lang) -> &'static str {
    let t = texts(lang).trouble;
    match trouble {
        PrinterTrouble::Unreachable => t.unreachable,
        PrinterTrouble::Silent => t.silent,
        PrinterTrouble::PaperOut => t.paper_out,
        PrinterTrouble::CoverOpen => t.cover_open,
        PrinterTrouble::Offline => t.offline,
    }
}

/// A mistake in a template, with its line.
#[must_use]
pub fn mistake(mistake: &TemplateMistake, lang: Lang) -> String {
    let (t, word) = (texts(lang).reason, &mistake.word);
    let reason = match mistake.reason {
        TemplateReason::TooLong => t.too_long.to_owned(),
        TemplateReason::UnknownValue => ReasonUnknownValue { word }.text(lang),
        TemplateReason::UnknownTag => ReasonUnknownTag { word }.text(lang),
        TemplateReason::NotAName => t.not_a_name.to_owned(),
        TemplateReason::Condition => t.condition.to_owned(),
        TemplateReason::WithoutIf => ReasonWithoutIf { word }.text(lang),
        TemplateReason::WithoutEndif => t.without_endif.to_owned(),
        TemplateReason::Syntax => t.syntax.to_owned(),
        TemplateReason::Lines => t.lines.to_owned(),
        TemplateReason::Incomplete => ReasonIncomplete { word }.text(lang),
    };
    match mistake.line {
        Some(line) => format!("{}: {reason}", AtLine { line }.text(lang)),
        None => reason,
    }
}
