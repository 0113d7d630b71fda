//! What pages and the task read of reconciliation.

use model::order::Tender;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Db, Result, read};

/// A channel's day.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DayRow {
    /// A word of [`Tender`].
    pub channel: String,
    /// Days since 1970-01-01.
    pub day: i64,
    /// Where a bill is there: what it covers.
    pub from_at: Option<i64>,
    pub to_at: Option<i64>,
    /// When it was last asked for.
    pub tried_at: i64,
    /// Why it did not come.
    pub note: Option<String>,
    /// The row and column of the file that could not be read.
    pub note_row: Option<i64>,
    pub note_column: Option<String>,
    /// Lines of other systems under the same merchant number, and their total, fen.
    pub foreign_lines: i64,
    pub foreign_fen: i64,
    /// When it was last compared.
    pub compared_at: Option<i64>,
    /// By the bill, fen.
    pub bill_fen: i64,
    /// By the ledger, fen.
    pub ledger_fen: i64,
    /// What is listed between the two, fen.
    pub gaps_fen: i64,
    /// What the channel keeps, by the bill.
    pub fee_e4: i64,
    /// What the bank took in, fen.
    pub received_fen: i64,
    /// Lines that are equal.
    pub equal_lines: i64,
    /// Orders paid by it.
    pub purchases: i64,
    /// Of these, delivered.
    pub delivered: i64,
    /// Of these, in the meters' own journals.
    pub in_journal: i64,
    pub differences: i64,
    /// And of that, nobody has decided about.
    pub undecided: i64,
    /// When a person closed it.
    pub closed_at: Option<i64>,
    pub closed_by: Option<String>,
    /// And why, where something differed.
    pub reason: Option<String>,
}

macro_rules! day_columns {
    () => {
        "SELECT s.channel, s.day, b.from_at, b.to_at, s.tried_at, s.note, s.note_row, s.note_column, s.compared_at,
                s.bill_fen, s.ledger_fen,
                COALESCE((SELECT CAST(SUM(d.gap_fen) AS BIGINT) FROM settlement_differences d
                          WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL), 0) AS gaps_fen,
                COALESCE((SELECT CAST(SUM(f.fee_e4) AS BIGINT) FROM settlement_bills f
                          WHERE f.channel = s.channel AND f.day = s.day), 0) AS fee_e4,
                COALESCE((SELECT CAST(SUM(r.amount_fen) AS BIGINT) FROM settlement_receipts r
                          WHERE r.channel = s.channel AND r.day = s.day), 0) AS received_fen,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM foreign_bill_lines l WHERE l.bill_id = s.bill_id) AS foreign_lines,
                COALESCE((SELECT CAST(SUM(CASE WHEN l.kind = 'paid' THEN l.amount_fen ELSE -l.amount_fen END) AS BIGINT)
                          FROM foreign_bill_lines l WHERE l.bill_id = s.bill_id), 0) AS foreign_fen,
                s.equal_lines, s.purchases, s.delivered, s.in_journal,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d
                 WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL AND d.class <> 'edge') AS differences,
                (SELECT CAST(COUNT(*) AS BIGINT) FROM settlement_differences d JOIN cases k ON k.id = d.case_id
                 WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL AND k.closed_at IS NULL) AS undecided,
                s.closed_at, u.name AS closed_by, s.reason
         FROM settlement_days s LEFT JOIN bills b ON b.id = s.bill_id LEFT JOIN users u ON u.id = s.closed_by "
    };
}

/// The days of a span, newest first.
pub async fn days(db: &Db, from: Date, to: Date) -> Result<Vec<DayRow>> {
    read!(db, |pool| sqlx::query_as(concat!(day_columns!(), "WHERE s.day >= $1 AND s.day <= $2 ORDER BY s.day DESC, s.channel"))
        .bind(from.0)
        .bind(to.0)
        .fetch_all(pool)
        .await)
}

/// One day of a channel.
pub async fn day(db: &Db, channel: Tender, day: Date) -> Result<Option<DayRow>> {
    read!(db, |pool| sqlx::query_as(concat!(day_columns!(), "WHERE s.channel = $1 AND s.day = $2"))
        .bind(channel.as_str())
        .bind(day.0)
        .fetch_optional(pool)
        .await)
}

/// A difference, or what is booked on another day.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DifferenceRow {
    /// A word of [`domain::reconcile::Class`].
    pub class: String,
    /// `paid` or `refunded`.
    pub kind: String,
    pub out_trade_no: String,
    pub trade_no: String,
    pub refund_no: String,
    /// By the bill, fen.
    pub bill_fen: Option<i64>,
    /// By us, fen.
    pub ours_fen: Option<i64>,
    /// What it adds, fen.
    pub gap_fen: i64,
    /// Why, in a word.
    pub why: String,
    /// The meter of the order's room.
    pub meter_id: Option<Uuid>,
    /// The order's number.
    pub order_number: Option<i64>,
    pub case_id: Option<Uuid>,
    /// When it was found.
    pub found_at: i64,
    /// When a person decided.
    pub decided_at: Option<i64>,
    pub decision: Option<String>,
    pub decided_by: Option<String>,
}

/// What is open of a day, differences first.
pub async fn differences(db: &Db, channel: Tender, day: Date) -> Result<Vec<DifferenceRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT d.class, d.kind, d.out_trade_no, d.trade_no, d.refund_no, d.bill_fen, d.ours_fen, d.gap_fen, d.why, o.meter_id,
                o.number AS order_number, d.case_id, d.found_at, k.closed_at AS decided_at, k.resolution AS decision,
                u.name AS decided_by
         FROM settlement_differences d LEFT JOIN orders o ON o.id = d.order_id LEFT JOIN cases k ON k.id = d.case_id
              LEFT JOIN users u ON u.id = k.closed_by
         WHERE d.channel = $1 AND d.day = $2 AND d.gone_at IS NULL
         ORDER BY (CASE WHEN d.class = 'edge' THEN 1 ELSE 0 END), d.found_at, d.id"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .fetch_all(pool)
    .await)
}

/// What a day still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct SinceRow {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Whether its bill is there.
    pub has_bill: bool,
    /// Whether something is listed that may have changed.
    pub listed: bool,
}

/// The day of a channel's first attempt, and the days since then of which anything is known. `None` where it was never used.
pub async fn due(db: &Db, channel: Tender, from: Date) -> Result<Option<(Date, Vec<SinceRow>)>> {
    let first: Option<(Option<i64>,)> =
        read!(db, |pool| sqlx::query_as("SELECT MIN(created_at) FROM payment_attempts WHERE channel = $1")
            .bind(channel.as_str())
            .fetch_optional(pool)
            .await)?;
    let Some(first) = first.and_then(|(at,)| at) else { return Ok(None) };
    let known = read!(db, |pool| sqlx::query_as(
        "SELECT s.day, s.bill_id IS NOT NULL AS has_bill,
                s.compared_at IS NULL OR s.compared_at < (SELECT MAX(f.at) FROM settlement_bills f
                                                          WHERE f.channel = s.channel AND f.day = s.day)
                OR s.delivered < s.purchases
                OR EXISTS (SELECT 1 FROM settlement_differences d
                           WHERE d.channel = s.channel AND d.day = s.day AND d.gone_at IS NULL) AS listed
         FROM settlement_days s WHERE s.channel = $1 AND s.day >= $2"
    )
    .bind(channel.as_str())
    .bind(from.0)
    .fetch_all(pool)
    .await)?;
    Ok(Some((Timestamp(first).date(), known)))
}
