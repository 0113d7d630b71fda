//! Settlement days and differences, for pages and for the scheduled task.

use model::ids::{CaseId, MeterId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::reconciliation::{DifferenceClass, DifferenceReason, StatementProblem};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::statement::LineKind;
use store::{Db, Result, read};

/// A channel's settlement day.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayRow {
    pub channel: Tender,
    pub day: Date,
    /// What the valid statement covers.
    pub from_at: Option<Timestamp>,
    pub to_at: Option<Timestamp>,
    /// When the statement was last requested.
    pub tried_at: Timestamp,
    /// Why there is no statement.
    pub problem: Option<StatementProblem>,
    /// The row and column of the file that could not be read.
    pub problem_row: Option<i64>,
    pub problem_column: Option<String>,
    /// Lines of other systems under the same merchant number, and their total.
    pub foreign_lines: i64,
    #[sqlx(rename = "foreign_fen")]
    pub foreign: Fen,
    pub compared_at: Option<Timestamp>,
    /// Payments minus refunds by the statement.
    #[sqlx(rename = "statement_fen")]
    pub statement: Fen,
    /// Payments minus refunds by the ledger.
    #[sqlx(rename = "ledger_fen")]
    pub ledger: Fen,
    /// The sum of the open differences.
    #[sqlx(rename = "gaps_fen")]
    pub gaps: Fen,
    /// What the channel keeps, by the statement.
    #[sqlx(rename = "fee_e4")]
    pub fees: Money,
    /// What the bank received.
    #[sqlx(rename = "received_fen")]
    pub received: Fen,
    pub equal_lines: i64,
    /// Orders that the channel's payments paid.
    pub purchases: i64,
    /// Purchases that were delivered.
    pub delivered: i64,
    /// Purchases in the meters' journals.
    pub in_journal: i64,
    pub differences: i64,
    /// Differences about which nobody has decided.
    pub undecided: i64,
    /// When a person closed the day.
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
    /// Why it was closed with open differences.
    pub reason: Option<String>,
}

macro_rules! day_columns {
    () => {
        "SELECT s.channel, s.day, b.from_at, b.to_at, s.tried_at, s.problem, s.problem_row, s.problem_column, s.compared_at,
                s.statement_fen, s.ledger_fen,
                COALESCE((SELECT CAST(SUM(d.gap_fen) AS BIGINT) FROM settlement_differences d
                          WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL), 0) AS gaps_fen,
                COALESCE((SELECT CAST(SUM(f.fee_e4) AS BIGINT) FROM settlement_statements f
                          WHERE f.channel = s.channel AND f.day = s.day), 0) AS fee_e4,
                COALESCE((SELECT CAST(SUM(r.amount_fen) AS BIGINT) FROM settlement_receipts r
                          WHERE r.channel = s.channel AND r.day = s.day), 0) AS received_fen,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM foreign_statement_lines l
                 WHERE l.statement_id = s.statement_id) AS foreign_lines,
                COALESCE((SELECT CAST(SUM(CASE WHEN l.kind = 'paid' THEN l.amount_fen ELSE -l.amount_fen END) AS BIGINT)
                          FROM foreign_statement_lines l WHERE l.statement_id = s.statement_id), 0) AS foreign_fen,
                s.equal_lines, s.purchases, s.delivered, s.in_journal,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d
                 WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL AND d.class <> 'edge') AS differences,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d JOIN cases k ON k.id = d.case_id
                 WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL AND k.closed_at IS NULL) AS undecided,
                s.closed_at, u.name AS closed_by, s.reason
         FROM settlement_days s LEFT JOIN statements b ON b.id = s.statement_id LEFT JOIN users u ON u.id = s.closed_by "
    };
}

/// The days of a span (both included) of all channels, newest first.
pub async fn days(db: &Db, from: Date, to: Date) -> Result<Vec<DayRow>> {
    read!(db, |pool| sqlx::query_as(concat!(day_columns!(), "WHERE s.day >= $1 AND s.day <= $2 ORDER BY s.day DESC, s.channel"))
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await)
}

/// One day of a channel.
pub async fn day(db: &Db, channel: Tender, day: Date) -> Result<Option<DayRow>> {
    read!(db, |pool| sqlx::query_as(concat!(day_columns!(), "WHERE s.channel = $1 AND s.day = $2"))
        .bind(channel)
        .bind(day)
        .fetch_optional(pool)
        .await)
}

/// An open difference, or what belongs to another day.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DifferenceRow {
    pub class: DifferenceClass,
    pub kind: LineKind,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: String,
    /// The amount in the statement.
    #[sqlx(rename = "statement_fen")]
    pub statement: Option<Fen>,
    /// The amount in the ledger.
    #[sqlx(rename = "ledger_fen")]
    pub ledger: Option<Fen>,
    /// By how much it raises the statement's total above the ledger's.
    #[sqlx(rename = "gap_fen")]
    pub gap: Fen,
    pub reason: DifferenceReason,
    /// The meter of the order's room.
    pub meter_id: Option<MeterId>,
    pub order_number: Option<i64>,
    pub case_id: Option<CaseId>,
    pub found_at: Timestamp,
    /// When a person closed its case, how, and who.
    pub decided_at: Option<Timestamp>,
    pub decision: Option<String>,
    pub decided_by: Option<String>,
}

/// The open differences of a day; those of the class `Edge` last.
pub async fn differences(db: &Db, channel: Tender, day: Date) -> Result<Vec<DifferenceRow>> {
    read!(db, |pool| {
        sqlx::query_as(
            "SELECT d.class, d.kind, d.out_trade_no, d.trade_no, d.refund_no, d.statement_fen, d.ledger_fen, d.gap_fen, d.reason,
                o.meter_id, o.number AS order_number, d.case_id, d.found_at, k.closed_at AS decided_at, k.resolution AS decision,
                u.name AS decided_by
         FROM settlement_differences d LEFT JOIN orders o ON o.id = d.order_id LEFT JOIN cases k ON k.id = d.case_id
              LEFT JOIN users u ON u.id = k.closed_by
         WHERE d.channel = $1 AND d.day = $2 AND d.gone_at IS NULL
         ORDER BY (CASE WHEN d.class = 'edge' THEN 1 ELSE 0 END), d.found_at, d.id",
        )
        .bind(channel)
        .bind(day)
        .fetch_all(pool)
        .await
    })
}

/// What the scheduled task must know of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct DayProgress {
    pub day: Date,
    pub has_statement: bool,
    /// Whether a comparison can have another result than the last one.
    pub unsettled: bool,
}

/// The day of a channel's first attempt, and the days on record since `from`. `None` if the channel was never used.
pub async fn due(db: &Db, channel: Tender, from: Date) -> Result<Option<(Date, Vec<DayProgress>)>> {
    let first: Option<(Option<Timestamp>,)> =
        read!(db, |pool| sqlx::query_as("SELECT MIN(created_at) FROM payment_attempts WHERE channel = $1")
            .bind(channel)
            .fetch_optional(pool)
            .await)?;
    let Some(first) = first.and_then(|(at,)| at) else { return Ok(None) };
    let days = read!(db, |pool| sqlx::query_as(
        "SELECT s.day, s.statement_id IS NOT NULL AS has_statement,
                s.compared_at IS NULL OR s.compared_at < (SELECT MAX(f.at) FROM settlement_statements f
                                                          WHERE f.channel = s.channel AND f.day = s.day)
                OR s.delivered < s.purchases
                OR EXISTS (SELECT 1 FROM settlement_differences d
                           WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL) AS unsettled
         FROM settlement_days s WHERE s.channel = $1 AND s.day >= $2"
    )
    .bind(channel)
    .bind(from)
    .fetch_all(pool)
    .await)?;
    Ok(Some((first.date(), days)))
}
