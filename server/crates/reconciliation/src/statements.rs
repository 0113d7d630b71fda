//! Imports statements, each once by its digest. A day has one valid statement, whose fees are posted to the ledger.

use std::sync::LazyLock;

use model::audit::AuditAction;
use model::ids::StatementId;
use model::money::Money;
use model::order::Tender;
use model::person::Who;
use model::reconciliation::StatementProblem;
use model::time::{Date, MINUTE, Timestamp};

use super::foreign;
use crate::{audit_actor, subject};
use domain::ledger::{Account, fees};
use domain::rng::Rng;
use domain::statement::{Statement, StatementLine};
use store::audit::{self, Entry};
use store::bulk::Bulk;
use store::{Db, Result, StoreError, Tx, ledger, on, read};

/// An empty statement counts only if the channel reports it again after this time, ms.
const CONFIRM_AFTER: i64 = 30 * MINUTE;
/// Days for which an empty statement does not count if the ledger has transactions: the channel may still make the statement.
const DISBELIEVED_DAYS: i64 = 3;

static LINES: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO statement_lines (statement_id, line, kind, out_trade_no, trade_no, refund_no, amount_fen, fee_e4, at)",
        9,
        "",
    )
});

/// What an import did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    /// The statement is the valid one of its day from now on.
    New,
    /// It already was; nothing changed.
    Known,
}

/// Notes that the channel reports an empty statement. Gives whether that counts: reported twice, and the ledger has no
/// transaction of the day or the report is some days old.
pub async fn confirm_empty(db: &Db, at: Timestamp, channel: Tender, statement: &Statement) -> Result<bool> {
    let mut tx = db.begin().await?;
    let row: Option<(Timestamp,)> = on!(&mut tx, |c| sqlx::query_as(
        "INSERT INTO settlement_days (channel, day, tried_at, empty_since, problem) VALUES ($1, $2, $3, $3, $4)
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, problem = excluded.problem,
             problem_row = NULL, problem_column = NULL, empty_since = COALESCE(settlement_days.empty_since, excluded.empty_since)
         RETURNING empty_since"
    )
    .bind(channel)
    .bind(statement.day)
    .bind(at)
    .bind(StatementProblem::Empty)
    .fetch_optional(c)
    .await)?;
    let first_report = row.map_or(at, |(first,)| first);
    let posted: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COUNT(*) AS BIGINT) FROM ledger_transfers
         WHERE (debit = $1 OR credit = $1) AND operation NOT IN ('fees', 'settlement') AND at >= $2 AND at < $3"
    )
    .bind(Account::Clearing(channel.as_str()).code())
    .bind(statement.window.0)
    .bind(statement.window.1)
    .fetch_optional(c)
    .await)?;
    tx.commit().await?;
    let ledger_is_empty = posted.is_none_or(|(count,)| count == 0);
    let is_old = at.date().0 - statement.day.0 > DISBELIEVED_DAYS;
    Ok(at.since(first_report) >= CONFIRM_AFTER && (ledger_is_empty || is_old))
}

/// Why a day has no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayProblem<'a> {
    pub problem: StatementProblem,
    /// The row of the file, from 1, and the column that could not be read.
    pub row: Option<i64>,
    pub column: Option<&'a str>,
}

impl DayProblem<'_> {
    #[must_use]
    pub const fn of(problem: StatementProblem) -> Self {
        Self { problem, row: None, column: None }
    }
}

/// Our merchant numbers at the channel that were paid or refunded around a day: an earlier or later statement may have it.
pub async fn active_sellers(db: &Db, channel: Tender, day: Date) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = read!(db, |pool| sqlx::query_as(
        "SELECT DISTINCT p.seller_id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
         WHERE e.channel = $1 AND e.received_at >= $2 AND e.received_at < $3"
    )
    .bind(channel)
    .bind(day.plus(-1).start())
    .bind(day.plus(2).start())
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(seller,)| seller).collect())
}

/// Notes why a day has no statement.
pub async fn note_problem(db: &Db, at: Timestamp, channel: Tender, day: Date, problem: &DayProblem<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO settlement_days (channel, day, tried_at, problem, problem_row, problem_column)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, problem = excluded.problem,
             problem_row = excluded.problem_row, problem_column = excluded.problem_column"
    )
    .bind(channel)
    .bind(day)
    .bind(at)
    .bind(problem.problem)
    .bind(problem.row)
    .bind(problem.column)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Imports a statement, makes it the valid one of its day, and posts how the day's fees change. `by` is the person who requested
/// it, `None` for the scheduled task.
pub async fn import(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    channel: Tender,
    statement: &Statement,
    by: Option<&Who>,
) -> Result<Imported> {
    let mut tx = db.begin().await?;
    // Locks the day, so that two imports run one after the other.
    let day: Option<(Option<StatementId>,)> = on!(&mut tx, |c| sqlx::query_as(
        "INSERT INTO settlement_days (channel, day, tried_at) VALUES ($1, $2, $3)
         ON CONFLICT (channel, day) DO UPDATE SET tried_at = excluded.tried_at, problem = NULL,
             problem_row = NULL, problem_column = NULL
         RETURNING statement_id"
    )
    .bind(channel)
    .bind(statement.day)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let valid = day.and_then(|(valid,)| valid);
    let id = match find(&mut tx, channel, statement).await? {
        Some(known) => known,
        None => insert(&mut tx, rng, at, channel, statement).await?,
    };
    if valid == Some(id) {
        tx.commit().await?;
        return Ok(Imported::Known);
    }
    let posted: Option<(Money,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(fee_e4), 0) AS BIGINT) FROM settlement_statements WHERE channel = $1 AND day = $2"
    )
    .bind(channel)
    .bind(statement.day)
    .fetch_optional(c)
    .await)?;
    let (change, fee) = (rng.id(at), statement.fees() - posted.map_or(Money::ZERO, |(posted,)| posted));
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO settlement_statements (id, channel, day, statement_id, fee_e4, at) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(change)
    .bind(channel)
    .bind(statement.day)
    .bind(id)
    .bind(fee)
    .bind(at)
    .execute(c)
    .await)?;
    on!(&mut tx, |c| sqlx::query("UPDATE settlement_days SET statement_id = $3 WHERE channel = $1 AND day = $2")
        .bind(channel)
        .bind(statement.day)
        .bind(id)
        .execute(c)
        .await)?;
    if let Some(transfer) = fees(change, channel.as_str(), fee) {
        ledger::post(&mut tx, rng, at, &transfer).await?;
    }
    let detail = serde_json::json!({
        "digest": hex::encode(&statement.digest), "lines": statement.lines.len(), "foreign": statement.foreign.len(),
        "total_fen": statement.total(), "fees_e4": statement.fees(),
    });
    let (subject, detail, (actor, ip)) = (subject(channel, statement.day), detail.to_string(), audit_actor(by));
    audit::append(
        &mut tx,
        at,
        &Entry { actor: &actor, ip, action: AuditAction::StatementImport, subject: &subject, detail: &detail },
    )
    .await?;
    tx.commit().await?;
    Ok(Imported::New)
}

async fn find(tx: &mut Tx, channel: Tender, statement: &Statement) -> Result<Option<StatementId>> {
    let row: Option<(StatementId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM statements WHERE channel = $1 AND day = $2 AND digest = $3")
            .bind(channel)
            .bind(statement.day)
            .bind(&statement.digest)
            .fetch_optional(c)
            .await)?;
    Ok(row.map(|(id,)| id))
}

async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, channel: Tender, statement: &Statement) -> Result<StatementId> {
    let id = StatementId(rng.id(at));
    on!(tx, |c| sqlx::query(
        "INSERT INTO statements (id, channel, day, from_at, to_at, digest, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    )
    .bind(id)
    .bind(channel)
    .bind(statement.day)
    .bind(statement.window.0)
    .bind(statement.window.1)
    .bind(&statement.digest)
    .bind(at)
    .execute(c)
    .await)?;
    let numbered: Vec<(i64, &StatementLine)> = (1..).zip(&statement.lines).collect();
    for (text, piece) in LINES.pieces(tx, &numbered) {
        let inserted = on!(tx, |c| {
            let mut query = sqlx::query(text);
            for (number, line) in piece {
                query = query
                    .bind(id)
                    .bind(*number)
                    .bind(line.kind)
                    .bind(&line.out_trade_no)
                    .bind(&line.trade_no)
                    .bind(line.refund_no.as_deref())
                    .bind(line.amount)
                    .bind(line.fee)
                    .bind(line.at);
            }
            query.execute(c).await
        })?;
        if inserted != piece.len() as u64 {
            return Err(StoreError::Inconsistent { table: "statement_lines", column: "line" });
        }
    }
    foreign::insert(tx, id, &statement.foreign).await?;
    Ok(id)
}
