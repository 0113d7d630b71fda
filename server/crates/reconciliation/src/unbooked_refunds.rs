//! Refunds that only a statement tells of: made at the channel's console, and never notified. A statement moves no money; a
//! person books what it says of a payment of ours, and settles it as if it had been notified.

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind, PaymentCase, PaymentReason, PaymentSource};
use model::error::AppError;
use model::ids::{AttemptId, CaseId, OrderId};
use model::money::Fen;
use model::order::Tender;
use model::person::Who;
use model::reconciliation::{DifferenceClass, DifferenceReason};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::ledger::refund_elsewhere;
use domain::reconcile::Finding;
use domain::rng::Rng;
use domain::statement::LineKind;
use store::audit::{self, Entry};
use store::{Db, Result, Tx, cases, ledger, on, refunds};

/// Names the order of each refund that only the statement has, where its payment is in our books.
pub(super) async fn link(tx: &mut Tx, channel: Tender, findings: &mut [Finding]) -> Result<()> {
    for finding in findings {
        if finding.class == DifferenceClass::ChannelOnly && finding.kind == LineKind::Refunded && finding.order.is_none() {
            finding.order = order_of(tx, channel, &finding.out_trade_no, &finding.trade_no).await?;
            if finding.order.is_some() {
                finding.reason = DifferenceReason::Unbooked;
            }
        }
    }
    Ok(())
}

async fn order_of(tx: &mut Tx, channel: Tender, out_trade_no: &str, trade_no: &str) -> Result<Option<OrderId>> {
    let row: Option<(OrderId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT p.order_id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
         WHERE e.channel = $1 AND e.kind = 'paid' AND (e.trade_no = $2 OR p.out_trade_no = $3)
         ORDER BY CASE WHEN e.trade_no = $2 THEN 0 ELSE 1 END LIMIT 1"
    )
    .bind(channel)
    .bind(trade_no)
    .bind(out_trade_no)
    .fetch_optional(c)
    .await)?;
    Ok(row.map(|(order,)| order))
}

/// A refund that was booked from a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookedRefund {
    pub order: OrderId,
    pub channel: Tender,
    pub day: Date,
}

#[derive(FromRow)]
struct Line {
    attempt_id: AttemptId,
    order_id: OrderId,
    out_trade_no: String,
    paid_no: String,
    paid_fen: Fen,
    refund_no: String,
    statement_fen: Fen,
    channel: Tender,
    day: Date,
    digest: Vec<u8>,
}

/// Books the refund that a case of a statement is about: from then on it is settled as if the channel had notified it.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where the case is about no refund of a payment in our books, or [`AppError::Conflict`]
/// where it is closed, or more would go back than was paid.
pub async fn book_refund(db: &Db, rng: &Rng, at: Timestamp, who: &Who, case: CaseId) -> Result<BookedRefund> {
    let mut tx = db.begin().await?;
    let line: Option<Line> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT p.id AS attempt_id, p.order_id, p.out_trade_no, e.trade_no AS paid_no, e.amount_fen AS paid_fen, d.refund_no,
                d.statement_fen, d.channel, d.day, b.digest
         FROM settlement_differences d
              JOIN settlement_days s ON s.channel = d.channel AND s.day = d.day JOIN statements b ON b.id = s.statement_id
              JOIN payment_events e ON e.channel = d.channel AND e.kind = 'paid'
              JOIN payment_attempts p ON p.id = e.attempt_id AND p.order_id = d.order_id
         WHERE d.case_id = $1 AND d.gone_at IS NULL AND d.kind = 'refunded' AND d.class = 'channel-only'
           AND (e.trade_no = d.trade_no OR p.out_trade_no = d.out_trade_no)
         ORDER BY CASE WHEN e.trade_no = d.trade_no THEN 0 ELSE 1 END LIMIT 1"
    )
    .bind(case)
    .fetch_optional(c)
    .await)?;
    let line = line.ok_or(AppError::NotFound)?;
    // The attempt before its case: two people at once follow each other.
    on!(&mut tx, |c| sqlx::query("UPDATE payment_attempts SET state = state WHERE id = $1")
        .bind(line.attempt_id)
        .execute(c)
        .await)?;
    let closed = on!(&mut tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, closed_by = $2, resolution = 'booked' WHERE id = $3 AND closed_at IS NULL"
    )
    .bind(at)
    .bind(who.user)
    .bind(case)
    .execute(c)
    .await)?;
    let known = refunds::refunded_sums(&mut tx, line.attempt_id).await?;
    if closed != 1 || line.statement_fen + known.done() + known.console_refund() > line.paid_fen {
        return Err(AppError::Conflict.into());
    }
    let event = rng.id(at);
    let inserted = on!(&mut tx, |c| {
        sqlx::query(
        "INSERT INTO payment_events (id, channel, trade_no, kind, refund_no, refund_total_fen, source, attempt_id, amount_fen,
                                     digest, outcome, received_at)
         VALUES ($1, $2, $3, 'refunded', $4, 0, 'statement', $5, $6, $7, 'refunded', $8)
         ON CONFLICT (channel, trade_no, kind, refund_no, refund_total_fen) DO NOTHING"
    )
    .bind(event)
    .bind(line.channel)
    .bind(&line.paid_no)
    .bind(&line.refund_no)
    .bind(line.attempt_id)
    .bind(line.statement_fen)
    .bind(&line.digest)
    .bind(at)
    .execute(c)
    .await
    })?;
    if inserted != 1 {
        return Err(AppError::Conflict.into());
    }
    ledger::post(&mut tx, rng, at, &refund_elsewhere(event, line.channel.as_str(), line.statement_fen.money())).await?;
    let detail = PaymentCase {
        reason: PaymentReason::Refunded,
        channel: line.channel,
        source: PaymentSource::Statement,
        out_trade_no: line.out_trade_no.clone(),
        trade_no: Some(line.paid_no.clone()),
        amount: line.paid_fen,
        refunded: Some(line.statement_fen),
        expected: None,
        order_was: None,
    };
    cases::open(&mut tx, rng, at, None, Some(line.order_id), &CaseDetail::RefundElsewhere(detail)).await?;
    let detail = serde_json::json!({
        "kind": CaseKind::StatementChannelOnly, "resolution": "booked", "order": line.order_id, "refund_no": line.refund_no,
        "amount_fen": line.statement_fen,
    });
    let entry = Entry {
        actor: &format!("user:{}", who.user),
        ip: &who.ip,
        action: AuditAction::StatementBookRefund,
        subject: &format!("case:{case}"),
        detail: &detail.to_string(),
    };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await?;
    Ok(BookedRefund { order: line.order_id, channel: line.channel, day: line.day })
}
