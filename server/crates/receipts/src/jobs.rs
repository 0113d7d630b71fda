//! Receipts on their way to a printer. A job is stored before anything is sent and marked before the first byte, so that whatever
//! crashes when, it is known whether something may be on paper.

use model::audit::AuditAction;
use model::console::{PrintDecision, PrintJob, PrintState, ReceiptNumber, ReceiptSeries};
use model::error::AppError;
use model::ids::{PrintJobId, PrinterId, UserId, Uuid};
use model::language::Lang;
use model::person::Who;
use model::receipt_sheet::{PrintOutcome, PrinterTrouble};
use model::time::{MINUTE, SECOND, Timestamp};
use serde_json::json;
use sqlx::FromRow;
use store::audit::{self, Entry};
use store::{Db, Result, Tx, on, read, receipts};

use domain::rng::Rng;

/// How long a printer that cannot print is tried again.
const GIVE_UP: i64 = 30 * MINUTE;

/// A receipt that somebody wants on a printer.
#[derive(Clone, Copy, Debug)]
pub struct NewJob {
    /// Made with the form: sent twice, it is one print.
    pub key: Uuid,
    pub printer: PrinterId,
    pub receipt: ReceiptNumber,
    pub lang: Lang,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueJob {
    pub id: PrintJobId,
    pub printer_id: PrinterId,
    pub series: ReceiptSeries,
    pub year: i64,
    pub number: i64,
    pub print: i64,
    pub language: String,
    pub asked_by: UserId,
    asked_at: Timestamp,
    tries: i64,
}

impl DueJob {
    #[must_use]
    pub const fn receipt(&self) -> ReceiptNumber {
        ReceiptNumber { series: self.series, year: self.year, number: self.number }
    }

    #[must_use]
    pub fn lang(&self) -> Lang {
        Lang::choose(&self.language).unwrap_or_default()
    }
}

/// Queues a print and counts it. The caller has checked that the person may see the receipt.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a printer that is not in use or a receipt that does not exist.
pub async fn ask(db: &Db, rng: &Rng, at: Timestamp, who: &Who, new: &NewJob) -> Result<PrintJobId> {
    let mut tx = db.begin().await?;
    let id = ask_within(&mut tx, rng, at, who, new).await?;
    tx.commit().await?;
    Ok(id)
}

async fn ask_within(tx: &mut Tx, rng: &Rng, at: Timestamp, who: &Who, new: &NewJob) -> Result<PrintJobId> {
    let number = new.receipt;
    // Of the same form sent twice at once, the second waits here for the first.
    receipts::lock(tx, number).await?;
    let known: Option<(PrintJobId,)> = on!(tx, |c| sqlx::query_as("SELECT id FROM print_jobs WHERE key = $1 AND asked_by = $2")
        .bind(new.key)
        .bind(who.user)
        .fetch_optional(c)
        .await)?;
    if let Some((id,)) = known {
        return Ok(id);
    }
    let printer: Option<(String,)> =
        on!(tx, |c| sqlx::query_as("SELECT name FROM printers WHERE id = $1 AND retired_at IS NULL")
            .bind(new.printer)
            .fetch_optional(c)
            .await)?;
    let (printer,) = printer.ok_or(AppError::NotFound)?;
    let print = receipts::print_within(tx, at, who, number, Some(&printer)).await?;
    let id = PrintJobId(rng.id(at));
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO print_jobs (id, key, printer_id, series, year, number, print, language, state, next_at, asked_by, asked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $10, $9) ON CONFLICT (key) DO NOTHING"
    )
    .bind(id)
    .bind(new.key)
    .bind(new.printer)
    .bind(number.series)
    .bind(number.year)
    .bind(number.number)
    .bind(print)
    .bind(new.lang.tag())
    .bind(at)
    .bind(who.user)
    .execute(c)
    .await
    })?;
    // A key of somebody else: nothing is counted.
    if inserted == 1 { Ok(id) } else { Err(AppError::Conflict.into()) }
}

/// Marks the prints that were being sent when the server ended as unknown, because nobody knows how far they came. Gives their
/// number of rows.
pub async fn interrupted(db: &Db, at: Timestamp) -> Result<u64> {
    let mut tx = db.begin().await?;
    let jobs = on!(&mut tx, |c| sqlx::query(
        "UPDATE print_jobs SET state = 'unknown', trouble = 'unreachable', finished_at = $1 WHERE state = 'sending'"
    )
    .bind(at)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(jobs)
}

/// The oldest job of each printer that is due.
pub async fn due(db: &Db, at: Timestamp) -> Result<Vec<DueJob>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT j.id, j.printer_id, j.series, j.year, j.number, j.print, j.language, j.asked_by, j.asked_at, j.tries
         FROM print_jobs j
         WHERE j.state = 'queued' AND j.next_at <= $1
           AND NOT EXISTS (SELECT 1 FROM print_jobs e WHERE e.printer_id = j.printer_id AND e.state = 'queued' AND e.id < j.id)
         ORDER BY j.id LIMIT 100",
        )
        .bind(at)
        .fetch_all(pool)
        .await
    })
}

/// Marks a job before its first byte is sent; `false` where it is not to be sent any more.
pub async fn begin(db: &Db, job: PrintJobId) -> Result<bool> {
    let mut tx = db.begin().await?;
    let begun = on!(&mut tx, |c| sqlx::query(
        "UPDATE print_jobs SET state = 'sending', tries = tries + 1 WHERE id = $1 AND state = 'queued'"
    )
    .bind(job)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(begun == 1)
}

/// Stores what became of a job that was begun. What the printer could not take is tried again, with longer and longer pauses.
pub async fn finish(db: &Db, at: Timestamp, job: &DueJob, outcome: PrintOutcome) -> Result<()> {
    let (state, trouble) = match outcome {
        PrintOutcome::Printed => (PrintState::Printed, None),
        PrintOutcome::Unknown(trouble) => (PrintState::Unknown, Some(trouble)),
        PrintOutcome::NotPrinted(trouble) if at.0 - job.asked_at.0 >= GIVE_UP => (PrintState::GivenUp, Some(trouble)),
        PrintOutcome::NotPrinted(trouble) => (PrintState::Queued, Some(trouble)),
    };
    let next_at = at.plus(((5 * SECOND) << job.tries.clamp(0, 5)).min(2 * MINUTE));
    settle(db, at, job.id, (state, trouble), next_at).await
}

/// Ends a job that cannot be rendered any more: whoever asked for it may not see the receipt now.
pub async fn drop_job(db: &Db, at: Timestamp, job: PrintJobId) -> Result<()> {
    settle(db, at, job, (PrintState::Cancelled, None), at).await
}

async fn settle(
    db: &Db,
    at: Timestamp,
    job: PrintJobId,
    (state, trouble): (PrintState, Option<PrinterTrouble>),
    next_at: Timestamp,
) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| {
        sqlx::query(
            "UPDATE print_jobs SET state = $2, trouble = $3, next_at = $4, finished_at = $5
         WHERE id = $1 AND state IN ('sending', 'queued')",
        )
        .bind(job)
        .bind(state)
        .bind(trouble)
        .bind(next_at)
        .bind((state != PrintState::Queued).then_some(at))
        .execute(c)
        .await
    })?;
    tx.commit().await
}

/// What a person decides about a job of theirs, or of anybody where they answer for the site.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for a job that is not theirs, [`AppError::Conflict`] where it has gone on meanwhile.
pub async fn decide(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    (who, of_all): (&Who, bool),
    job: PrintJobId,
    decision: PrintDecision,
) -> Result<()> {
    let mut tx = db.begin().await?;
    // The update changes nothing; it locks the row where the engine locks rows.
    let row: Option<(PrintState, PrinterId, ReceiptSeries, i64, i64, String, UserId)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE print_jobs SET state = state WHERE id = $1
         RETURNING state, printer_id, series, year, number, language, asked_by"
    )
    .bind(job)
    .fetch_optional(c)
    .await)?;
    let found = row.filter(|(.., by)| of_all || *by == who.user);
    let (state, printer, series, year, number, language, _) = found.ok_or(AppError::NotFound)?;
    let receipt = ReceiptNumber { series, year, number };
    if !decision.is_open(state) {
        return Err(AppError::Conflict.into());
    }
    let decided = match decision {
        PrintDecision::Seen => PrintState::Seen,
        PrintDecision::Again => PrintState::Repeated,
        PrintDecision::Cancel => PrintState::Cancelled,
    };
    on!(&mut tx, |c| sqlx::query("UPDATE print_jobs SET state = $2, finished_at = $3 WHERE id = $1")
        .bind(job)
        .bind(decided)
        .bind(at)
        .execute(c)
        .await)?;
    if decision == PrintDecision::Again {
        let lang = Lang::choose(&language).unwrap_or_default();
        let new = NewJob { key: rng.id(at), printer, receipt, lang };
        ask_within(&mut tx, rng, at, who, &new).await?;
    }
    let (actor, subject) = (format!("user:{}", who.user), format!("receipt:{receipt}"));
    let detail = json!({ "decision": decision, "was": state }).to_string();
    let action = AuditAction::ReceiptPrintDecided;
    audit::append(&mut tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail }).await?;
    tx.commit().await
}

#[derive(FromRow)]
struct JobRow {
    id: PrintJobId,
    series: ReceiptSeries,
    year: i64,
    number: i64,
    print: i64,
    printer: String,
    state: PrintState,
    trouble: Option<PrinterTrouble>,
    by: String,
    asked_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// The newest 100 jobs that the person asked for, or that anybody did where the person answers for the site. Those that wait for
/// a person come first.
pub async fn recent(db: &Db, who: &Who, of_all: bool) -> Result<Vec<PrintJob>> {
    let rows: Vec<JobRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT j.id, j.series, j.year, j.number, j.print, p.name AS printer, j.state, j.trouble, u.name AS by,
                j.asked_at, j.finished_at
         FROM print_jobs j JOIN printers p ON p.id = j.printer_id JOIN users u ON u.id = j.asked_by
         WHERE $1 OR j.asked_by = $2
         ORDER BY CASE WHEN j.state IN ('unknown', 'given_up') THEN 0 ELSE 1 END, j.asked_at DESC, j.id DESC LIMIT 100",
        )
        .bind(of_all)
        .bind(who.user)
        .fetch_all(pool)
        .await
    })?;
    let job = |row: JobRow| PrintJob {
        id: row.id,
        receipt: ReceiptNumber { series: row.series, year: row.year, number: row.number },
        print: row.print,
        printer: row.printer,
        state: row.state,
        trouble: row.trouble,
        by: row.by,
        asked_at: row.asked_at,
        finished_at: row.finished_at,
    };
    Ok(rows.into_iter().map(job).collect())
}
