//! Compares a day's bill with the ledger and the meters. Run again it finds the same, and what was mended closes by itself.

use model::case::CaseDetail;
use model::money::Fen;
use model::order::Tender;
use model::person::Who;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::{audit_actor, differences, meters, subject, unbooked_refunds};
use crate::audit::{self, Entry};
use crate::cases;
use crate::reconcile::ledger_entries;
use crate::{Db, Result, StoreError, Tx, on};
use domain::reconcile::{self, Window};
use domain::rng::Rng;
use domain::statement::{LineKind, StatementLine};

/// What a comparison found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Lines that are equal.
    pub equal: i64,
    /// What differs now, decided or not.
    pub differences: usize,
    /// What is booked on another day, or waits for another bill.
    pub edge: usize,
    /// Whether something came or went since the last comparison.
    pub changed: bool,
    /// Whether the day was closed, and is open again because of it.
    pub reopened: bool,
}

#[derive(FromRow)]
struct Line {
    kind: String,
    out_trade_no: String,
    trade_no: String,
    refund_no: Option<String>,
    amount_fen: i64,
    fee_e4: i64,
    at: i64,
}

/// Compares the bill that the day stands by; `None` where there is none. `by` is the person who asked, if one did.
///
/// # Errors
/// Where the database fails; then nothing was changed.
pub async fn compare(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    channel: Tender,
    day: Date,
    by: Option<&Who>,
) -> Result<Option<Compared>> {
    let mut tx = db.begin().await?;
    // Locks the day: two comparisons at once follow each other.
    let row: Option<(Uuid, Option<i64>, Option<i64>)> = on!(&mut tx, |c| sqlx::query_as(
        "UPDATE settlement_days SET tried_at = tried_at WHERE channel = $1 AND day = $2 AND bill_id IS NOT NULL
         RETURNING bill_id, closed_at,
                   (SELECT MAX(s.at) FROM settlement_bills s WHERE s.channel = settlement_days.channel
                       AND s.day = settlement_days.day)"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .fetch_optional(c)
    .await)?;
    let Some((bill, closed_at, stood_by)) = row else { return Ok(None) };
    let (window, lines) = bill_of(&mut tx, bill).await?;
    let ours = ledger_entries::load(&mut tx, channel, day, window, bill).await?;
    let unbilled = neighbours(&mut tx, channel, day, window).await?;
    let mut found = reconcile::compare(window, &lines, &ours, &unbilled);
    unbooked_refunds::link(&mut tx, channel, &mut found.findings).await?;
    let meters = meters::meters(&mut tx, at, channel, bill).await?;
    found.findings.extend(meters.findings);
    let change = differences::keep(&mut tx, rng, at, channel, day, &found.findings).await?;
    let changed = change.came + change.went > 0;
    let other_bill = closed_at.zip(stood_by).is_some_and(|(closed, stood)| stood > closed);
    // What was mended since then does not open it again.
    let reopened = closed_at.is_some() && (change.came > 0 || other_bill);
    on!(&mut tx, |c| sqlx::query(
        "UPDATE settlement_days SET compared_at = $3, bill_fen = $4, ledger_fen = $5, equal_lines = $6, purchases = $7,
                                    delivered = $8, in_journal = $9
         WHERE channel = $1 AND day = $2"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .bind(at.0)
    .bind(found.bill.0)
    .bind(found.ledger.0)
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
            "equal": compared.equal, "differences": differences, "came": change.came, "went": change.went, "reopened": reopened,
        });
        let (subject, detail, (actor, ip)) = (subject(channel, day), detail.to_string(), audit_actor(by));
        audit::append(&mut tx, at, &Entry { actor: &actor, ip, action: "bill.compare", subject: &subject, detail: &detail })
            .await?;
    }
    tx.commit().await?;
    Ok(Some(compared))
}

async fn bill_of(tx: &mut Tx, bill: Uuid) -> Result<(Window, Vec<StatementLine>)> {
    let window: Option<(i64, i64)> =
        on!(tx, |c| sqlx::query_as("SELECT from_at, to_at FROM bills WHERE id = $1").bind(bill).fetch_optional(c).await)?;
    let (from, to) = window.ok_or(StoreError::Inconsistent { table: "settlement_days", column: "bill_id" })?;
    let rows: Vec<Line> = on!(tx, |c| {
        sqlx::query_as(
        "SELECT kind, out_trade_no, trade_no, refund_no, amount_fen, fee_e4, at FROM bill_lines WHERE bill_id = $1 ORDER BY line"
    )
    .bind(bill)
    .fetch_all(c)
    .await
    })?;
    let line = |row: Line| {
        Ok(StatementLine {
            kind: LineKind::parse(&row.kind).ok_or(StoreError::Inconsistent { table: "bill_lines", column: "kind" })?,
            out_trade_no: row.out_trade_no,
            trade_no: row.trade_no,
            refund_no: row.refund_no,
            amount: Fen(row.amount_fen),
            fee: model::money::Money(row.fee_e4),
            at: Timestamp(row.at),
        })
    };
    Ok(((Timestamp(from), Timestamp(to)), rows.into_iter().map(line).collect::<Result<_>>()?))
}

/// The windows of the days before and after whose bills are still to come.
async fn neighbours(tx: &mut Tx, channel: Tender, day: Date, (from, to): Window) -> Result<Vec<Window>> {
    let there: Vec<(i64,)> = on!(tx, |c| sqlx::query_as(
        "SELECT day FROM settlement_days WHERE channel = $1 AND day IN ($2, $3) AND bill_id IS NOT NULL"
    )
    .bind(channel.as_str())
    .bind(day.plus(-1).0)
    .bind(day.plus(1).0)
    .fetch_all(c)
    .await)?;
    let length = to.since(from);
    let windows = [(day.plus(-1), (from.plus(-length), from)), (day.plus(1), (to, to.plus(length)))];
    Ok(windows.into_iter().filter(|(of, _)| !there.contains(&(of.0,))).map(|(_, window)| window).collect())
}

/// A closed day changed: a person must close it anew, and a case says so.
async fn reopen(tx: &mut Tx, rng: &Rng, at: Timestamp, channel: Tender, day: Date) -> Result<()> {
    let case = cases::open_site_case(tx, rng, at, &CaseDetail::BillReopened { channel, day }).await?;
    on!(tx, |c| sqlx::query(
        "UPDATE settlement_days SET closed_at = NULL, closed_by = NULL, reason = NULL, case_id = $3
         WHERE channel = $1 AND day = $2"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .bind(case)
    .execute(c)
    .await)?;
    Ok(())
}
