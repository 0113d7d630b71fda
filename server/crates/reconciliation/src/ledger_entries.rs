//! The ledger's entries of a channel's window, and those that its statement names.

use model::ids::{OrderId, StatementId};
use model::money::{Fen, Money};
use model::order::Tender;
use model::reconciliation::DifferenceReason;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::ledger::Account;
use domain::reconcile::{LedgerEntry, Window};
use domain::statement::LineKind;
use store::{Result, Tx, on};

#[derive(FromRow)]
struct EntryRow {
    kind: LineKind,
    out_trade_no: Option<String>,
    trade_no: Option<String>,
    /// Empty for a payment and for a refund that the channel reports without a number.
    refund_no: String,
    state: DifferenceReason,
    since: Option<Timestamp>,
    booked_e4: Option<Money>,
    at: Timestamp,
    order_id: Option<OrderId>,
    in_other_statement: bool,
}

impl From<EntryRow> for LedgerEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            kind: row.kind,
            out_trade_no: row.out_trade_no.unwrap_or_default(),
            trade_no: row.trade_no,
            refund_no: Some(row.refund_no).filter(|number| !number.is_empty()),
            booked: row.booked_e4.unwrap_or_default().split_fen().0,
            since: row.since.unwrap_or(row.at),
            at: row.at,
            state: row.state,
            order: row.order_id,
            in_other_statement: row.in_other_statement,
        }
    }
}

/// Everything posted in the window, and everything that the statement names, in the caller's transaction.
pub(super) async fn load(
    tx: &mut Tx,
    channel: Tender,
    day: Date,
    window: Window,
    statement: StatementId,
) -> Result<Vec<LedgerEntry>> {
    let mut rows = payments(tx, channel, day, window, statement).await?;
    rows.extend(unreported_payments(tx, channel, statement).await?);
    rows.extend(refunds(tx, channel, day, window, statement).await?);
    rows.extend(unreported_refunds(tx, channel, statement).await?);
    let mut entries: Vec<LedgerEntry> = rows.into_iter().map(LedgerEntry::from).collect();
    // Postings without a payment event are one more entry, so that the totals agree.
    let rest = posted_total(tx, channel, window).await? - total_of(&entries, window);
    if rest != Fen::ZERO {
        entries.push(LedgerEntry {
            kind: if rest > Fen::ZERO { LineKind::Paid } else { LineKind::Refunded },
            out_trade_no: String::new(),
            trade_no: None,
            refund_no: None,
            booked: Fen(rest.0.abs()),
            since: window.0,
            at: window.0,
            state: DifferenceReason::NoEvent,
            order: None,
            in_other_statement: false,
        });
    }
    Ok(entries)
}

fn total_of(entries: &[LedgerEntry], (from, to): Window) -> Fen {
    let within = entries.iter().filter(|entry| from <= entry.at && entry.at < to);
    within.map(|entry| entry.kind.signed(entry.booked)).sum()
}

/// By how much the channel's clearing account rose in the window, without fees and payouts to the bank.
async fn posted_total(tx: &mut Tx, channel: Tender, (from, to): Window) -> Result<Fen> {
    let row: Option<(Money,)> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(CASE WHEN debit = $1 THEN amount_e4 ELSE -amount_e4 END), 0) AS BIGINT) FROM ledger_transfers
         WHERE (debit = $1 OR credit = $1) AND operation NOT IN ('fees', 'settlement') AND at >= $2 AND at < $3"
    )
    .bind(Account::Clearing(channel.as_str()).code())
    .bind(from)
    .bind(to)
    .fetch_optional(c)
    .await
    })?;
    Ok(row.map_or(Fen::ZERO, |(total,)| total.split_fen().0))
}

/// Verified payments. Each is posted at the time at which its event was received.
async fn payments(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window, statement: StatementId) -> Result<Vec<EntryRow>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT 'paid' AS kind, p.out_trade_no, e.trade_no, '' AS refund_no, e.outcome AS state, p.created_at AS since,
                COALESCE(t.amount_e4, s.amount_e4) AS booked_e4, e.received_at AS at, p.order_id,
                EXISTS (SELECT 1 FROM statement_lines b JOIN settlement_days d ON d.statement_id = b.statement_id
                        WHERE d.channel = $1 AND d.day <> $2 AND b.kind = 'paid' AND b.trade_no = e.trade_no)
                    AS in_other_statement
         FROM payment_events e
              LEFT JOIN payment_attempts p ON p.id = e.attempt_id
              LEFT JOIN ledger_transfers t ON t.operation = 'payment' AND t.reference = p.order_id
                                              AND e.outcome IN ('credited', 'credited-late', 'undeliverable')
              LEFT JOIN ledger_transfers s ON s.operation = 'suspense' AND s.reference = e.id
         WHERE e.channel = $1 AND e.kind = 'paid'
           AND ((e.received_at >= $3 AND e.received_at < $4)
                OR e.trade_no IN (SELECT trade_no FROM statement_lines WHERE statement_id = $5 AND kind = 'paid')
                OR p.out_trade_no IN (SELECT out_trade_no FROM statement_lines WHERE statement_id = $5 AND kind = 'paid'))
         ORDER BY e.received_at, e.id"
    )
    .bind(channel)
    .bind(day)
    .bind(from)
    .bind(to)
    .bind(statement)
    .fetch_all(c)
    .await)
}

/// Attempts that are paid by the statement and of which no payment event came.
async fn unreported_payments(tx: &mut Tx, channel: Tender, statement: StatementId) -> Result<Vec<EntryRow>> {
    on!(tx, |c| {
        sqlx::query_as(
            "SELECT 'paid' AS kind, p.out_trade_no, p.trade_no, '' AS refund_no, p.state, p.created_at AS since,
                CAST(0 AS BIGINT) AS booked_e4, p.created_at AS at, p.order_id, (1 = 0) AS in_other_statement
         FROM payment_attempts p
         WHERE p.channel = $1
           AND p.out_trade_no IN (SELECT out_trade_no FROM statement_lines WHERE statement_id = $2 AND kind = 'paid')
           AND NOT EXISTS (SELECT 1 FROM payment_events e WHERE e.attempt_id = p.id AND e.kind = 'paid')
         ORDER BY p.out_trade_no",
        )
        .bind(channel)
        .bind(statement)
        .fetch_all(c)
        .await
    })
}

/// Verified refunds: those of this system by their numbers, and those that were made at the channel's console.
async fn refunds(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window, statement: StatementId) -> Result<Vec<EntryRow>> {
    on!(tx, |c| sqlx::query_as(
        "SELECT 'refunded' AS kind, p.out_trade_no, e.trade_no, e.refund_no, e.outcome AS state,
                COALESCE(r.asked_at, p.created_at) AS since, COALESCE(t.amount_e4, x.amount_e4) AS booked_e4,
                e.received_at AS at, p.order_id,
                EXISTS (SELECT 1 FROM statement_lines b JOIN settlement_days d ON d.statement_id = b.statement_id
                        WHERE d.channel = $1 AND d.day <> $2 AND b.kind = 'refunded' AND b.trade_no = e.trade_no
                          AND (b.refund_no = e.refund_no OR b.amount_fen * 100 = x.amount_e4)) AS in_other_statement
         FROM payment_events e
              LEFT JOIN payment_attempts p ON p.id = e.attempt_id
              LEFT JOIN refunds r ON e.outcome = 'returned' AND r.refund_no = e.refund_no
              LEFT JOIN ledger_transfers t ON t.operation = 'refund' AND t.reference = r.id
              LEFT JOIN ledger_transfers x ON x.operation = 'refund-elsewhere' AND x.reference = e.id
         WHERE e.channel = $1 AND e.kind IN ('refunded', 'refund-total')
           AND ((e.received_at >= $3 AND e.received_at < $4)
                OR e.trade_no IN (SELECT trade_no FROM statement_lines WHERE statement_id = $5 AND kind = 'refunded'))
         ORDER BY e.received_at, e.id"
    )
    .bind(channel)
    .bind(day)
    .bind(from)
    .bind(to)
    .bind(statement)
    .fetch_all(c)
    .await)
}

/// Refunds of this system that are made by the statement and of which no event came.
async fn unreported_refunds(tx: &mut Tx, channel: Tender, statement: StatementId) -> Result<Vec<EntryRow>> {
    on!(tx, |c| {
        sqlx::query_as(
            "SELECT 'refunded' AS kind, p.out_trade_no, p.trade_no, r.refund_no, r.state, r.asked_at AS since,
                CAST(0 AS BIGINT) AS booked_e4, r.asked_at AS at, r.order_id, (1 = 0) AS in_other_statement
         FROM refunds r JOIN payment_attempts p ON p.id = r.attempt_id
         WHERE p.channel = $1
           AND r.refund_no IN (SELECT refund_no FROM statement_lines WHERE statement_id = $2 AND kind = 'refunded')
           AND NOT EXISTS (SELECT 1 FROM payment_events e
                           WHERE e.channel = $1 AND e.kind = 'refunded' AND e.refund_no = r.refund_no)
         ORDER BY r.refund_no",
        )
        .bind(channel)
        .bind(statement)
        .fetch_all(c)
        .await
    })
}
