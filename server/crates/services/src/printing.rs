//! Receipts on paper: layouts, sheets, and receipt printers.

mod values;

use std::sync::Arc;

use app::api::printing::PrintingPort;
use app::i18n::Lang;
use app::i18n::printing::texts;
use async_trait::async_trait;
use model::console::{PrintDecision, PrintJob, Printer, Receipt, ReceiptNumber, ReceiptSeries};
use model::error::AppError;
use model::ids::{OrderId, PrintJobId, PrinterId, Uuid};
use model::person::Who;
use model::receipt_sheet::{Align, Block, Logo, PrintOutcome, ReceiptCopy, ReceiptPaper, TemplateMistake};
use tokio::sync::Notify;

use super::Context;
use ::residents::other_rooms;
use receipts::jobs::{self, DueJob, NewJob};
use receipts::{Template, VALUES, default_template, printers, stored};

/// Cheap to clone.
#[derive(Clone)]
pub struct PrintingService {
    context: Context,
    /// Something is to be printed.
    asked: Arc<Notify>,
}

impl PrintingService {
    #[must_use]
    pub fn new(context: Context) -> Self {
        Self { context, asked: Arc::default() }
    }

    /// Is signalled when something is to be printed.
    #[must_use]
    pub fn requests(&self) -> Arc<Notify> {
        self.asked.clone()
    }

    /// The bytes of a job for its printer; `None` where whoever asked for it may not see the receipt any more.
    pub async fn bytes(&self, job: &DueJob) -> Result<Option<Vec<u8>>, AppError> {
        let db = &self.context.db;
        let Some(receipt) = queries::receipt(db, job.asked_by, job.receipt()).await? else { return Ok(None) };
        let how = (ReceiptPaper::Roll, job.lang(), &[ReceiptCopy::Customer][..]);
        let sheets = self.laid_out(&receipt, how, job.print > 1).await?;
        receipts::roll(&sheets, self.logo().await?.as_ref()).map(Some).map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, receipt = %job.receipt(), "printing.not_rendered");
            AppError::Internal
        })
    }

    /// A receipt as a PDF file.
    pub async fn pdf(
        &self,
        who: &Who,
        number: ReceiptNumber,
        how: (ReceiptPaper, Lang, &[ReceiptCopy]),
        is_copy: bool,
    ) -> Result<Vec<u8>, AppError> {
        let (_, sheets) = self.sheets(who, number, how, is_copy).await?;
        Ok(receipts::pdf(&sheets, how.0, self.logo().await?.as_ref()))
    }

    /// A resident's receipt of a payment as a PDF file, and its number.
    pub async fn own_pdf(&self, who: &Who, order: OrderId, lang: Lang) -> Result<(ReceiptNumber, Vec<u8>), AppError> {
        let (receipt, sheet) = self.own_sheet(who, order, lang).await?;
        Ok((receipt.number, receipts::pdf(&[sheet], ReceiptPaper::A5, self.logo().await?.as_ref())))
    }

    /// Sets the logo from a PNG file.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a file that cannot be one.
    pub async fn set_logo(&self, who: &Who, png: &[u8]) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        receipts::logo(png).map_err(|_| AppError::Invalid)?;
        Ok(stored::set_logo(&self.context.db, self.context.now(), who, Some(png)).await?)
    }

    async fn logo(&self) -> Result<Option<Logo>, AppError> {
        Ok(stored::logo_file(&self.context.db).await?.and_then(|png| receipts::logo(&png).ok()))
    }

    /// The template of receipts, and whether it is the site's own.
    async fn template_in_use(&self, paper: ReceiptPaper, lang: Lang) -> Result<(String, bool), AppError> {
        let own = stored::template(&self.context.db, paper, lang).await?;
        Ok(own.map_or_else(|| (default_template(lang).to_owned(), false), |own| (own, true)))
    }

    async fn laid_out(
        &self,
        receipt: &Receipt,
        (paper, lang, copies): (ReceiptPaper, Lang, &[ReceiptCopy]),
        is_copy: bool,
    ) -> Result<Vec<Vec<Block>>, AppError> {
        let (text, _) = self.template_in_use(paper, lang).await?;
        let (own, standard) = (Template::parse(&text), Template::parse(default_template(lang))?);
        // A template was checked when it was stored; one that was changed by hand must not keep receipts from being printed.
        let sheet = |copy: &ReceiptCopy| {
            let values = values::of(receipt, *copy, is_copy, lang);
            let sheet =
                own.as_ref().ok().and_then(|own| own.render(&values).ok()).map_or_else(|| standard.render(&values), Ok)?;
            // Nobody signs on a screen.
            let is_shown = |block: &Block| *copy != ReceiptCopy::Electronic || !matches!(block, Block::Signature(_));
            Ok::<_, TemplateMistake>(sheet.into_iter().filter(is_shown).collect::<Vec<_>>())
        };
        Ok(copies.iter().map(sheet).collect::<Result<_, _>>()?)
    }
}

#[async_trait]
impl PrintingPort for PrintingService {
    async fn own_templates(&self, who: &Who) -> Result<Vec<(ReceiptPaper, Lang)>, AppError> {
        self.context.require_whole_site(who).await?;
        let own = stored::own_templates(&self.context.db).await?;
        Ok(own.into_iter().filter_map(|(paper, language)| Some((paper, Lang::choose(&language)?))).collect())
    }

    async fn template(&self, who: &Who, paper: ReceiptPaper, lang: Lang) -> Result<(String, bool), AppError> {
        self.context.require_whole_site(who).await?;
        self.template_in_use(paper, lang).await
    }

    async fn set_template(
        &self,
        who: &Who,
        of: (ReceiptPaper, Lang),
        template: &str,
    ) -> Result<Result<(), TemplateMistake>, AppError> {
        self.context.require_whole_site(who).await?;
        match Template::parse(template) {
            Ok(template) => {
                stored::set_template(&self.context.db, self.context.now(), who, of, Some(&template)).await?;
                Ok(Ok(()))
            }
            Err(mistake) => Ok(Err(mistake)),
        }
    }

    async fn reset_template(&self, who: &Who, of: (ReceiptPaper, Lang)) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(stored::set_template(&self.context.db, self.context.now(), who, of, None).await?)
    }

    fn sample(&self, template: &str, lang: Lang) -> Result<Vec<Block>, TemplateMistake> {
        Template::parse(template)?.render(&values::sample(lang))
    }

    fn values(&self, lang: Lang) -> Vec<(&'static str, String)> {
        let sample = values::sample(lang);
        Vec::from(VALUES.map(|name| (name, sample.get(name).unwrap_or_default().to_owned())))
    }

    async fn logo_address(&self) -> Result<Option<String>, AppError> {
        let changed_at = stored::logo_changed_at(&self.context.db).await?;
        Ok(changed_at.map(|at| format!("/receipt-logo.png?v={}", at.0)))
    }

    async fn remove_logo(&self, who: &Who) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(stored::set_logo(&self.context.db, self.context.now(), who, None).await?)
    }

    async fn printers(&self) -> Result<Vec<Printer>, AppError> {
        Ok(printers::all(&self.context.db).await?)
    }

    async fn add_printer(&self, who: &Who, printer: (&str, &str, u16)) -> Result<PrinterId, AppError> {
        self.context.require_whole_site(who).await?;
        let Context { db, rng, .. } = &self.context;
        Ok(printers::add(db, rng, self.context.now(), who, printer).await?)
    }

    async fn retire_printer(&self, who: &Who, printer: PrinterId) -> Result<(), AppError> {
        self.context.require_whole_site(who).await?;
        Ok(printers::retire(&self.context.db, self.context.now(), who, printer).await?)
    }

    async fn test_printer(&self, who: &Who, printer: PrinterId, lang: Lang) -> Result<PrintOutcome, AppError> {
        self.context.require_whole_site(who).await?;
        let printer = printers::find(&self.context.db, printer).await?.ok_or(AppError::NotFound)?;
        let text = |text: String| Block::Text { text, align: Align::Middle, strong: false };
        let title = Block::Title(texts(lang).test_title.to_owned());
        let sheet = vec![Block::Logo, title, text(printer.name), text(self.context.now().to_string())];
        let bytes = receipts::roll(&[sheet], self.logo().await?.as_ref()).map_err(|_| AppError::Internal)?;
        Ok(receipts::print(&printer.host, printer.port, &bytes).await)
    }

    async fn sheets(
        &self,
        who: &Who,
        number: ReceiptNumber,
        how: (ReceiptPaper, Lang, &[ReceiptCopy]),
        is_copy: bool,
    ) -> Result<(Receipt, Vec<Vec<Block>>), AppError> {
        let receipt = queries::receipt(&self.context.db, who.user, number).await?.ok_or(AppError::NotFound)?;
        let is_copy = is_copy || !receipt.is_original(self.context.now());
        let sheets = self.laid_out(&receipt, how, is_copy).await?;
        Ok((receipt, sheets))
    }

    async fn own_sheet(&self, who: &Who, order: OrderId, lang: Lang) -> Result<(Receipt, Vec<Block>), AppError> {
        let mut receipt = queries::own_receipt(&self.context.db, who.user, order).await?.ok_or(AppError::NotFound)?;
        if other_rooms::paid_for(&self.context.db, who.user, order).await?.is_some() {
            // Of another room its payer sees nothing but its name.
            let (account, serial, residents) = (String::new(), String::new(), who.name.clone());
            receipt = Receipt { account, serial, residents, count: None, remaining: None, ..receipt };
        }
        let how = (ReceiptPaper::A5, lang, &[ReceiptCopy::Electronic][..]);
        // What the cash desk sold and printed has its original on paper.
        let is_copy = receipt.number.series != ReceiptSeries::Online && receipt.prints > 0;
        let sheet = self.laid_out(&receipt, how, is_copy).await?.into_iter().next().ok_or(AppError::Internal)?;
        Ok((receipt, sheet))
    }

    async fn print(
        &self,
        who: &Who,
        number: ReceiptNumber,
        printer: PrinterId,
        lang: Lang,
        key: Uuid,
    ) -> Result<PrintJobId, AppError> {
        let Context { db, rng, .. } = &self.context;
        queries::receipt(db, who.user, number).await?.ok_or(AppError::NotFound)?;
        let job = jobs::ask(db, rng, self.context.now(), who, &NewJob { key, printer, receipt: number, lang }).await?;
        self.asked.notify_one();
        Ok(job)
    }

    async fn print_jobs(&self, who: &Who) -> Result<Vec<PrintJob>, AppError> {
        let of_all = self.context.answers_for_site(who).await?;
        Ok(jobs::recent(&self.context.db, who, of_all).await?)
    }

    async fn decide_print(&self, who: &Who, job: PrintJobId, decision: PrintDecision) -> Result<(), AppError> {
        let Context { db, rng, .. } = &self.context;
        let of_all = self.context.answers_for_site(who).await?;
        jobs::decide(db, rng, self.context.now(), (who, of_all), job, decision).await?;
        self.asked.notify_one();
        Ok(())
    }
}
