//! Receipts on paper: their layouts and logo, printers in the network, and what was sent to them.

use async_trait::async_trait;
use leptos::prelude::*;

use super::form::{at, fits, parse};
use super::{ApiError, answer};
use crate::i18n::{Lang, lang, printing};
use crate::link;
use crate::ports::{Who, operator, ports, reply};
use model::console::{PrintDecision, PrintJob, Printer, Receipt, ReceiptNumber};
use model::error::AppError;
use model::gateway::Host;
use model::ids::{OrderId, PrintJobId, PrinterId, Uuid};
use model::receipt_sheet::{Block, PrintOutcome, ReceiptCopy, ReceiptPaper, TemplateMistake};

/// Characters of a printer's name.
const NAME_MAX: usize = 40;

#[async_trait]
pub trait PrintingPort: Send + Sync {
    /// Papers and languages whose layout the site has changed.
    async fn own_templates(&self, who: &Who) -> Result<Vec<(ReceiptPaper, Lang)>, AppError>;
    /// The template in use, and whether it is the site's own.
    async fn template(&self, who: &Who, paper: ReceiptPaper, lang: Lang) -> Result<(String, bool), AppError>;
    /// Sets a template where it has no mistake.
    async fn set_template(
        &self,
        who: &Who,
        of: (ReceiptPaper, Lang),
        template: &str,
    ) -> Result<Result<(), TemplateMistake>, AppError>;
    /// Goes back to the product's template.
    async fn reset_template(&self, who: &Who, of: (ReceiptPaper, Lang)) -> Result<(), AppError>;
    /// A sample receipt by that template, in that language.
    fn sample(&self, template: &str, lang: Lang) -> Result<Vec<Block>, TemplateMistake>;
    /// The values that templates may use, each with an example in that language.
    fn values(&self, lang: Lang) -> Vec<(&'static str, String)>;
    /// Where the logo is, another address for each logo; `None` where there is none.
    async fn logo_address(&self) -> Result<Option<String>, AppError>;
    async fn remove_logo(&self, who: &Who) -> Result<(), AppError>;
    async fn printers(&self) -> Result<Vec<Printer>, AppError>;
    async fn add_printer(&self, who: &Who, printer: (&str, &str, u16)) -> Result<PrinterId, AppError>;
    async fn retire_printer(&self, who: &Who, printer: PrinterId) -> Result<(), AppError>;
    /// Prints a test page.
    async fn test_printer(&self, who: &Who, printer: PrinterId, lang: Lang) -> Result<PrintOutcome, AppError>;
    /// A receipt and its sheets, one for each of `copies`; `is_copy` marks them as copies.
    async fn sheets(
        &self,
        who: &Who,
        number: ReceiptNumber,
        how: (ReceiptPaper, Lang, &[ReceiptCopy]),
        is_copy: bool,
    ) -> Result<(Receipt, Vec<Vec<Block>>), AppError>;
    /// The receipt of a resident's own payment, as it is shown and saved; it is no print.
    async fn own_sheet(&self, who: &Who, order: OrderId, lang: Lang) -> Result<(Receipt, Vec<Block>), AppError>;
    /// Sends a receipt to a printer.
    async fn print(
        &self,
        who: &Who,
        number: ReceiptNumber,
        printer: PrinterId,
        lang: Lang,
        key: Uuid,
    ) -> Result<PrintJobId, AppError>;
    /// The person's prints, or everybody's for who changes settings of the site.
    async fn print_jobs(&self, who: &Who) -> Result<Vec<PrintJob>, AppError>;
    async fn decide_print(&self, who: &Who, job: PrintJobId, decision: PrintDecision) -> Result<(), AppError>;
}

/// The page of a layout.
#[must_use]
pub fn layout_page(paper: ReceiptPaper, lang: Lang) -> String {
    format!("/printing/layout?paper={}&language={}", paper.as_str(), lang.tag())
}

fn layout(paper: &str, language: &str) -> Result<(ReceiptPaper, Lang), AppError> {
    Ok((ReceiptPaper::parse(paper).ok_or(AppError::Invalid)?, Lang::choose(language).ok_or(AppError::Invalid)?))
}

/// Sets a template; a mistake is said at its field.
#[server(name = SetReceiptTemplate, prefix = "/api", endpoint = "operator/printing/layouts/set")]
pub async fn set_receipt_template(paper: String, language: String, template: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let of = match layout(&paper, &language) {
        Ok(of) => of,
        Err(error) => return answer(Err(error), "/printing"),
    };
    let here = layout_page(of.0, of.1);
    match ports.printing.set_template(&who, of, &template).await {
        Ok(Ok(())) => answer(Ok(link::with(&here, "done", "saved")), &here),
        Ok(Err(mistake)) => {
            reply()?.wrong_field("template", Some(printing::mistake(&mistake, lang())));
            answer(Err(AppError::Invalid), &here)
        }
        Err(error) => answer(Err(error), &here),
    }
}

/// Goes back to the product's template.
#[server(name = ResetReceiptTemplate, prefix = "/api", endpoint = "operator/printing/layouts/reset")]
pub async fn reset_receipt_template(paper: String, language: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let of = layout(&paper, &language)?;
        ports.printing.reset_template(&who, of).await?;
        Ok(link::with(&layout_page(of.0, of.1), "done", "saved"))
    };
    answer(done.await, "/printing")
}

/// What a template would print, as text for a preview: one element a line, `kind` and its texts; or the mistake in words.
#[server(name = PreviewReceipt, prefix = "/api", endpoint = "operator/printing/layouts/preview")]
pub async fn preview_receipt(
    template: String,
    #[server(default)] language: String,
) -> Result<Result<Vec<(String, Vec<String>)>, String>, ApiError> {
    let ports = ports()?;
    operator()?;
    let of = Lang::choose(&language).unwrap_or_else(lang);
    let sheet = ports.printing.sample(&template, of).map_err(|mistake| printing::mistake(&mistake, lang()));
    Ok(sheet.map(|sheet| sheet.iter().map(crate::ui::receipt_sheet::described).collect()))
}

#[server(name = RemoveReceiptLogo, prefix = "/api", endpoint = "operator/printing/logo/remove")]
pub async fn remove_receipt_logo() -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    answer(ports.printing.remove_logo(&who).await.map(|()| link::with("/printing", "done", "saved")), "/printing")
}

#[server(name = AddPrinter, prefix = "/api", endpoint = "operator/printing/printers/add")]
pub async fn add_printer(name: String, host: String, port: String) -> Result<(), ApiError> {
    let (ports, who, t) = (ports()?, operator()?, printing::texts(lang()));
    let done = async {
        let (name, host) = (name.trim(), host.trim());
        let has_name = (1..=NAME_MAX).contains(&name.chars().count());
        fits("name", (t.name, t.name_form), if has_name { Ok(()) } else { Err(AppError::Invalid) })?;
        fits("host", (t.host, t.host_form), Host::parse(host).ok_or(AppError::Invalid))?;
        let port: std::num::NonZeroU16 = fits("port", (t.port, t.port_form), parse(&port))?;
        ports.printing.add_printer(&who, (name, host, port.get())).await
    };
    answer(done.await.map(|_| link::with("/printing", "done", "added")), "/printing")
}

#[server(name = RetirePrinter, prefix = "/api", endpoint = "operator/printing/printers/remove")]
pub async fn retire_printer(printer: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.printing.retire_printer(&who, parse(&printer)?).await };
    answer(done.await.map(|()| "/printing".to_owned()), "/printing")
}

/// Prints a test page; the page says what became of it.
#[server(name = TestPrinter, prefix = "/api", endpoint = "operator/printing/printers/test")]
pub async fn test_printer(printer: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async { ports.printing.test_printer(&who, parse(&printer)?, lang()).await };
    let page = |outcome| {
        let (word, trouble) = match outcome {
            PrintOutcome::Printed => ("printed", ""),
            PrintOutcome::NotPrinted(trouble) => ("failed", trouble.as_str()),
            PrintOutcome::Unknown(trouble) => ("unknown", trouble.as_str()),
        };
        link::with(&link::with("/printing", "test", word), "trouble", trouble)
    };
    answer(done.await.map(page), "/printing")
}

/// Sends a receipt to a printer.
#[server(name = PrintOn, prefix = "/api", endpoint = "operator/print-on")]
pub async fn print_on(number: String, printer: String, key: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let back = format!("/receipts/{number}");
    let done = async {
        let (receipt, printer) = (parse::<ReceiptNumber>(&number)?, at("printer", parse(&printer))?);
        ports.printing.print(&who, receipt, printer, lang(), parse(&key)?).await
    };
    answer(done.await.map(|_| "/prints".to_owned()), &back)
}

/// Says what became of a print.
#[server(name = DecidePrint, prefix = "/api", endpoint = "operator/decide-print")]
pub async fn decide_print(job: String, decision: String) -> Result<(), ApiError> {
    let (ports, who) = (ports()?, operator()?);
    let done = async {
        let decision = PrintDecision::parse(&decision).ok_or(AppError::Invalid)?;
        ports.printing.decide_print(&who, parse(&job)?, decision).await
    };
    answer(done.await.map(|()| "/prints".to_owned()), "/prints")
}
