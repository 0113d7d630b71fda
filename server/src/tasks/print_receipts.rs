//! Sends receipts to their printers. What was sent and not confirmed is never sent again by itself: a person looks at the paper.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use model::receipt_sheet::{PrintOutcome, PrinterTrouble};
use model::task::TaskKind;

use super::{Done, Failure, Task};
use receipts::jobs::{self, DueJob};
use receipts::printers;
use services::Context;
use services::printing::PrintingService;

pub struct PrintReceipts {
    pub context: Context,
    pub printing: PrintingService,
}

impl PrintReceipts {
    async fn print(&self, job: &DueJob) -> Result<(), Failure> {
        let db = &self.context.db;
        let (printer, bytes) = (printers::find(db, job.printer_id).await?, self.printing.bytes(job).await?);
        let Some((printer, bytes)) = printer.zip(bytes) else {
            return Ok(jobs::drop_job(db, self.context.now(), job.id).await?);
        };
        if !jobs::begin(db, job.id).await? {
            return Ok(());
        }
        let outcome = receipts::print(&printer.host, printer.port, &bytes).await;
        match outcome {
            PrintOutcome::Printed => {}
            PrintOutcome::NotPrinted(trouble) | PrintOutcome::Unknown(trouble) => {
                let (receipt, trouble) = (job.receipt(), PrinterTrouble::as_str(trouble));
                tracing::warn!(printer = printer.name, %receipt, trouble, ?outcome, "printing.not_confirmed");
            }
        }
        Ok(jobs::finish(db, self.context.now(), job, outcome).await?)
    }
}

#[async_trait]
impl Task for PrintReceipts {
    fn kind(&self) -> TaskKind {
        TaskKind::PrintReceipts
    }

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn run(&self) -> Result<Done, Failure> {
        let db = &self.context.db;
        // This task waits for all that it begins: what is still being sent was begun by a server that ended.
        let interrupted = jobs::interrupted(db, self.context.now()).await?;
        let mut printed = 0;
        loop {
            let due = jobs::due(db, self.context.now()).await?;
            if due.is_empty() {
                return Ok(Done::new(printed + interrupted, format!("{printed} sent, {interrupted} interrupted")));
            }
            // One of each printer at a time.
            for result in join_all(due.iter().map(|job| self.print(job))).await {
                result?;
                printed += 1;
            }
        }
    }
}
