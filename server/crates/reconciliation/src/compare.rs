//! Compares a day's statement with the ledger and the meters. Repeated, it finds the same, and closes what was resolved.

use model::audit::AuditAction;
use model::case::CaseDetail;
use model::ids::StatementId;
use model::money::{Fen, Money};
use model::order::Tender;
use model::person::Who;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use super::{differences, ledger_entries, meters, unbooked_refunds};
use crate::{audit_actor, subject};
use domain::reconcile::{self, Window};
use domain::rng::Rng;
use domain::statement::{LineKind, StatementLine};
use store::audit::{self, Entry};
use store::cases;
use store::{Db, Result, StoreError, Tx, on};

/// The result of a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Number of equal lines.
    pub equal: i64,
    /// Open differences, decided or not.
    pub differences: usize,
    /// Lines and postings of other days.
    pub edge: usize,
    /// Whether a difference opened or closed.
    pub changed: bool,
    /// Whether a closed day was reopened.
    pub reopened: bool,
}

#[derive(FromRow)]
struct StatementLineRow {
    kind: LineKind,
    out_trade_no: String,
    trade_no: String,
    refund_no: Option<String>,
    amount_fen: Fen,
    fee_e4: Money,
    at: Timestamp,
}

impl From<StatementLineRow> for StatementLine {
    fn from(row: StatementLineRow) -> Self {
        Self {
            kind: row.kind,
            out_trade_no: row.out_trade_no,
            trade_no: row.trade_no,
            refund_no: row.refund_no,
            amount: row.amount_fen,
            fee: row.fee_e4,
            at: row.at,
        }
    }
}

/// Compares the valid statement of a day; `None` without one. `by` is the person who requested it, `None` for the scheduled task.
pub async fn compare(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    channel: Tender,
    day: Date,
    by: Option<&Who>,
) -> Result<Option<Compared>> {
    let mut tx = db.begin().await?;
    // Locks the day, so that two comparisons run one after the other.
    let row: Option<(StatementId, Option<Timestamp>, Option<Timestamp>)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE settlement_days SET tried_at = tried_at WHERE channel = $1 AND day = $2 AND statement_id IS NOT NULL
         RETURNING statement_id, closed_at,
                   (SELECT MAX(s.at) FROM settlement_statements s WHERE s.channel = settlement_days.channel
                       AND s.day = settlement_days.day)"
    )
    .bind(channel)
    .bind(day)
    .fetch_optional(c)
    .await)?;
    let Some((statement, closed_at, valid_since)) = row else { return Ok(None) };
    let (window, lines) = read_statement(&mut tx, statement).await?;
    let entries = ledger_entries::load(&mut tx, channel, day, window, statement).await?;
    let missing = missing_windows(&mut tx, channel, day, window).await?;
    let mut found = reconcile::compare(window, &lines, &entries, &missing);
    unbooked_refunds::link(&mut tx, channel, &mut found.findings).await?;
    let meters = meters::compare(&mut tx, at, channel, statement).await?;
    found.findings.extend(meters.findings);
    let change = differences::replace(&mut tx, rng, at, channel, day, &found.findings).await?;
    let changed = change.opened + change.closed > 0;
    let new_statement = closed_at.zip(valid_since).is_some_and(|(closed, valid)| valid > closed);
    // A difference that was resolved after the closing does not reopen the day.
    let reopened = closed_at.is_some() && (change.opened > 0 || new_statement);
    on!(&mut tx, |c| sqlx::query(
        "UPDATE settlement_days SET compared_at = $3, statement_fen = $4, ledger_fen = $5, equal_lines = $6, purchases = $7,
                                    delivered = $8, in_journal = $9
         WHERE channel = $1 AND day = $2"
    )
    .bind(channel)
    .bind(day)
    .bind(at)
    .bind(found.statement)
    .bind(found.ledger)
    .bind(found.equal)
    .bind(meters.purchases)
    .bind(meters.delivered)
    .bind(meters.in_journal)
    .execute(c)
    .await)?;
    if reopened {
        reopen(&mut tx, rng, at, channel, day).await?;
    }
    let differences = found.findings.iter().filter(|finding| finding.class.is_difference()).count();
    let compared = Compared { equal: found.equal, differences, edge: found.findings.len() - differences, changed, reopened };
    if changed || reopened {
        let detail = serde_json::json!({
            "equal": compared.equal, "differences": differences, "came": change.opened, "went": change.closed,
            "reopened": reopened,
        });
        let (subject, detail, (actor, ip)) = (subject(channel, day), detail.to_string(), audit_actor(by));
        audit::append(
            &mut tx,
            at,
            &Entry { actor: &actor, ip, action: AuditAction::StatementCompare, subject: &subject, detail: &detail },
        )
        .await?;
    }
    tx.commit().await?;
    Ok(Some(compared))
}

async fn read_statement(tx: &mut Tx, statement: StatementId) -> Result<(Window, Vec<StatementLine>)> {
    let window: Option<Window> = on!(tx, |c| sqlx::query_as("SELECT from_at, to_at FROM statements WHERE id = $1")
        .bind(statement)
        .fetch_optional(c)
        .await)?;
    let window = window.ok_or(StoreError::Inconsistent { table: "settlement_days", column: "statement_id" })?;
    let rows: Vec<StatementLineRow> = on!(tx, |c| {
        sqlx::query_as(
            "SELECT kind, out_trade_no, trade_no, refund_no, amount_fen, fee_e4, at FROM statement_lines
             WHERE statement_id = $1 ORDER BY line",
        )
        .bind(statement)
        .fetch_all(c)
        .await
    })?;
    Ok((window, rows.into_iter().map(StatementLine::from).collect()))
}

/// The windows of the neighbouring days whose statements are still to come.
async fn missing_windows(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window) -> Result<Vec<Window>> {
    let present: Vec<(Date,)> = on!(tx, |c| sqlx::query_as(
        "SELECT day FROM settlement_days WHERE channel = $1 AND day IN ($2, $3) AND statement_id IS NOT NULL"
    )
    .bind(channel)
    .bind(day.plus(-1))
    .bind(day.plus(1))
    .fetch_all(c)
    .await)?;
    let length = to.since(from);
    let windows = [(day.plus(-1), (from.plus(-length), from)), (day.plus(1), (to, to.plus(length)))];
    Ok(windows.into_iter().filter(|(day, _)| !present.contains(&(*day,))).map(|(_, window)| window).collect())
}

/// Reopens a closed day that changed, with a case.
async fn reopen(tx: &mut Tx, rng: &Rng, at: Timestamp, channel: Tender, day: Date) -> Result<()> {
    let case = cases::open_site_case(tx, rng, at, &CaseDetail::StatementReopened { channel, day }).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE settlement_days SET closed_at = NULL, closed_by = NULL, reason = NULL, case_id = $3
         WHERE channel = $1 AND day = $2"
    )
    .bind(channel)
    .bind(day)
    .bind(case)
    .execute(c)
    .await)?;
    Ok(())
}
