//! A receipt, as it is printed.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::super::frame::{Frame, Section};
use super::super::parts::param;
use crate::api::form::parse;
use crate::i18n::cash_desk::{PrintRecorded, receipt, texts};
use crate::i18n::invoices::texts as invoice_texts;
use crate::i18n::printing::paper as paper_name;
use crate::i18n::{common, lang, printing};
use crate::link;
use crate::ports::{allowed, form_key, operator, ports};
use crate::ui::callout::{Callout, Tone};
use crate::ui::load::load;
use crate::ui::notice::Notice;
use crate::ui::receipt_sheet::ReceiptSheets;
use model::console::{Printer, Receipt, ReceiptNumber, ReceiptOf};
use model::error::AppError;
use model::ids::{InvoiceBatchId, Uuid};
use model::invoice::InvoiceSerial;
use model::receipt_sheet::{Block, ReceiptCopy, ReceiptPaper};

/// How it is printed, from the address: `?paper=a5&copies=all`.
#[derive(Clone, Copy)]
struct How {
    paper: ReceiptPaper,
    all: bool,
    /// A print was just recorded.
    printing: bool,
}

impl How {
    fn of_address() -> Self {
        let paper = ReceiptPaper::parse(&param("paper")).unwrap_or(ReceiptPaper::A5);
        Self { paper, all: param("copies") == "all", printing: !param("print").is_empty() }
    }

    const fn copies(self) -> &'static [ReceiptCopy] {
        if self.all { &ReceiptCopy::TRIPLICATE } else { &[ReceiptCopy::Customer] }
    }

    const fn copies_word(self) -> &'static str {
        if self.all { "all" } else { "one" }
    }
}

struct Shown {
    receipt: Receipt,
    sheets: Vec<Vec<Block>>,
    /// The address of the logo.
    logo: Option<String>,
    printers: Vec<Printer>,
    /// The rows of invoice batches that it was exported in.
    invoices: Vec<(InvoiceBatchId, InvoiceSerial)>,
    /// The receipt of what was sold with an opening.
    first_purchase: Option<ReceiptNumber>,
    key: Uuid,
}

/// The page: `/receipts/:number`; with `?print=1` a print was just recorded.
#[component]
pub fn ReceiptPage() -> impl IntoView {
    let number = use_params_map().with_untracked(|params| params.get("number")).unwrap_or_default();
    let how = How::of_address();
    let read = async move {
        let (ports, who) = (ports()?, operator()?);
        let number = parse::<ReceiptNumber>(&number).map_err(|_| AppError::NotFound)?;
        let form = (how.paper, lang(), how.copies());
        // A print that was not recorded is marked as a copy.
        let (receipt, sheets) = ports.printing.sheets(&who, number, form, !how.printing).await?;
        let may_see = allowed("/invoices");
        let invoices = if may_see { ports.invoices.of_receipt(&who, number).await? } else { Vec::new() };
        let (logo, printers) = (ports.printing.logo_address().await?, ports.printing.printers().await?);
        let first_purchase = match receipt.of {
            ReceiptOf::Opening => ports.receipts.first_purchase(&who, number).await?,
            _ => None,
        };
        Ok(Shown { receipt, sheets, logo, printers, invoices, first_purchase, key: form_key()? })
    };
    load(read, move |shown| view! { <Body shown how /> }.into_any())
}

#[component]
fn Body(shown: Shown, how: How) -> impl IntoView {
    let (t, lang) = (texts(lang()), lang());
    let title = receipt(shown.receipt.of, lang);
    let number = shown.receipt.number.to_string();
    let facts = facts(&shown.receipt, shown.invoices);
    let may_print = allowed("/api/operator/print-receipt");
    let pdf = ["number", "paper", "copies"].into_iter().zip([number.as_str(), how.paper.as_str(), how.copies_word()]);
    let pdf = pdf.fold("/receipt.pdf".to_owned(), |address, (name, value)| link::with(&address, name, value));
    let pdf = if how.printing { link::with(&pdf, "print", "1") } else { pdf };
    let on_printer = may_print.then(|| on_printer(&number, shown.printers, shown.key));
    let first_purchase = shown.first_purchase.map(|number| {
        view! { <p><a class="num" href=format!("/receipts/{number}")>{t.first_purchase}" "{number.to_string()}</a></p> }
    });
    let recorded = how.printing.then(|| recorded(&shown.receipt)).flatten();
    // Whoever presses it again wants another print.
    let (class, word) = if recorded.is_some() { ("", printing::texts(lang).again) } else { ("primary", t.print) };
    let (meter, print_number) = (shown.receipt.meter, number.clone());
    let print = may_print.then(move || {
        view! {
            <form class="stack-tight" method="post" action="/api/operator/print-receipt">
                <input type="hidden" name="number" value=print_number />
                <input type="hidden" name="paper" value=how.paper.as_str() />
                <input type="hidden" name="copies" value=how.copies_word() />
                <div class="buttons">
                    <button class=class>{word}</button>
                    <a class="button" href=pdf>{printing::texts(lang).pdf}</a>
                    <a class="button" href=format!("/rooms/{meter}")>{t.back}</a>
                </div>
                <p class="hint">{t.print_hint}</p>
            </form>
            {on_printer}
        }
    });
    view! {
        <Frame title=format!("{title} {number}") section=Section::Sales>
            <Notice />
            <div class="no-print stack-tight">
                <h1>{title}" "{number}</h1>
                {facts}
                {first_purchase}
                {recorded}
                {chooser(how)}
                {print}
            </div>
            <ReceiptSheets sheets=shown.sheets paper=how.paper logo=shown.logo />
        </Frame>
    }
}

/// That a print was recorded, and what is to be done now; `None` before the first.
fn recorded(receipt: &Receipt) -> Option<AnyView> {
    let words = PrintRecorded { number: receipt.prints, time: receipt.printed_at?.to_string() }.text(lang());
    Some(view! { <Callout tone=Tone::Good><p>{words}</p></Callout> }.into_any())
}

/// What became of the money, and the serial numbers under which the e-invoice system gets the receipt.
fn facts(receipt: &Receipt, invoices: Vec<(InvoiceBatchId, InvoiceSerial)>) -> impl IntoView + use<> {
    let refunded =
        receipt.refunded().map(|state| view! { <p><span class="state quiet">{common::order(state, lang())}</span></p> });
    let serials = invoices.into_iter().map(|(batch, serial)| {
        view! { " "<a class="num" href=format!("/invoices/{batch}")>{serial.to_string()}</a> }
    });
    let serials = serials.collect_view();
    let exported = (!serials.is_empty()).then(|| view! { <p>{invoice_texts(lang()).of_receipt}":"{serials}</p> });
    view! { {refunded} {exported} }
}

/// Paper and copies.
fn chooser(how: How) -> impl IntoView {
    let (p, lang) = (printing::texts(lang()), lang());
    let papers = ReceiptPaper::ALL.map(|one| {
        view! { <option value=one.as_str() selected=one == how.paper>{paper_name(one, lang)}</option> }
    });
    view! {
        <form class="filter" method="get">
            <label class="field"><span>{p.paper}</span><select class="input" name="paper">{papers.to_vec()}</select></label>
            <label class="field">
                <span>{p.copies}</span>
                <select class="input" name="copies">
                    <option value="one" selected=!how.all>{p.one_copy}</option>
                    <option value="all" selected=how.all>{p.all_copies}</option>
                </select>
            </label>
            <button>{p.show}</button>
        </form>
    }
}

fn on_printer(number: &str, printers: Vec<Printer>, key: Uuid) -> Option<AnyView> {
    let p = printing::texts(lang());
    let number = number.to_owned();
    let choices = printers.iter().map(|one| view! { <option value=one.id.to_string()>{one.name.clone()}</option> });
    let choices = choices.collect_view();
    (!printers.is_empty()).then(|| {
        view! {
            <form class="filter" method="post" action="/api/operator/print-on">
                <input type="hidden" name="number" value=number />
                <input type="hidden" name="key" value=key.to_string() />
                <label class="field"><span>{p.printer}</span><select class="input" name="printer">{choices}</select></label>
                <button>{p.print_on}</button>
            </form>
        }
        .into_any()
    })
}
