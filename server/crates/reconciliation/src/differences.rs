//! Replaces the open differences of a day by those that were found: opens new ones with their cases, and closes the others.

use std::collections::HashMap;

use model::case::{CaseDetail, StatementCase};
use model::ids::{CaseId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::reconciliation::{DifferenceClass, DifferenceReason};
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::reconcile::Finding;
use domain::rng::Rng;
use domain::statement::LineKind;
use store::cases;
use store::{Result, Tx, on};

#[derive(FromRow)]
struct OpenDifference {
    id: Uuid,
    case_id: Option<CaseId>,
    #[sqlx(flatten)]
    key: DifferenceKey,
}

/// What identifies a difference. Several of one key are told apart by their number.
#[derive(Clone, PartialEq, Eq, Hash, FromRow)]
struct DifferenceKey {
    class: DifferenceClass,
    kind: LineKind,
    out_trade_no: String,
    trade_no: String,
    refund_no: String,
    statement_fen: Option<Fen>,
    ledger_fen: Option<Fen>,
    gap_fen: Fen,
    reason: DifferenceReason,
}

impl From<&Finding> for DifferenceKey {
    fn from(finding: &Finding) -> Self {
        Self {
            class: finding.class,
            kind: finding.kind,
            out_trade_no: finding.out_trade_no.clone(),
            trade_no: finding.trade_no.clone(),
            refund_no: finding.refund_no.clone(),
            statement_fen: finding.statement,
            ledger_fen: finding.ledger,
            gap_fen: finding.gap,
            reason: finding.reason,
        }
    }
}

/// Number of differences that opened and closed, without those of the class `Edge`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub opened: usize,
    pub closed: usize,
}

/// In the caller's transaction, which has locked the day.
pub(super) async fn replace(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    channel: Tender,
    day: Date,
    findings: &[Finding],
) -> Result<Change> {
    let open: Vec<OpenDifference> = on!(tx, |c| sqlx::query_as(
        "SELECT id, class, kind, out_trade_no, trade_no, refund_no, statement_fen, ledger_fen, gap_fen, reason, case_id
         FROM settlement_differences WHERE channel = $1 AND day = $2 AND gone_at IS NULL ORDER BY found_at, id"
    )
    .bind(channel)
    .bind(day)
    .fetch_all(c)
    .await)?;
    let (mut wanted, mut change): (HashMap<DifferenceKey, usize>, _) = (HashMap::new(), Change::default());
    for finding in findings {
        *wanted.entry(finding.into()).or_default() += 1;
    }
    for row in open {
        match wanted.get_mut(&row.key) {
            Some(times) if *times > 0 => *times -= 1,
            _ => {
                end(tx, at, &row).await?;
                change.closed += usize::from(row.key.class.is_difference());
            }
        }
    }
    for finding in findings {
        if let Some(times) = wanted.get_mut(&finding.into()).filter(|times| **times > 0) {
            *times -= 1;
            begin(tx, rng, at, channel, day, finding).await?;
            change.opened += usize::from(finding.class.is_difference());
        }
    }
    Ok(change)
}

async fn end(tx: &mut Tx, at: Timestamp, difference: &OpenDifference) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE settlement_differences SET gone_at = $1 WHERE id = $2")
        .bind(at)
        .bind(difference.id)
        .execute(c)
        .await)?;
    match difference.case_id {
        Some(case) => cases::mend(tx, at, case).await.map(|_| ()),
        None => Ok(()),
    }
}

async fn begin(tx: &mut Tx, rng: &Rng, at: Timestamp, channel: Tender, day: Date, finding: &Finding) -> Result<()> {
    let case = match case(channel, day, finding) {
        Some(detail) => Some(cases::open_site_case(tx, rng, at, &detail).await?),
        None => None,
    };
    on!(tx, |c| {
        sqlx::query(
            "INSERT INTO settlement_differences (id, channel, day, class, kind, out_trade_no, trade_no, refund_no, statement_fen,
                                             ledger_fen, gap_fen, reason, order_id, case_id, found_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        )
        .bind(rng.id(at))
        .bind(channel)
        .bind(day)
        .bind(finding.class)
        .bind(finding.kind)
        .bind(&finding.out_trade_no)
        .bind(&finding.trade_no)
        .bind(&finding.refund_no)
        .bind(finding.statement)
        .bind(finding.ledger)
        .bind(finding.gap)
        .bind(finding.reason)
        .bind(finding.order)
        .bind(case)
        .bind(at)
        .execute(c)
        .await
    })?;
    Ok(())
}

/// The case that a finding opens; `None` for the class `Edge`.
fn case(channel: Tender, day: Date, finding: &Finding) -> Option<CaseDetail> {
    let detail = StatementCase {
        channel,
        day,
        out_trade_no: finding.out_trade_no.clone(),
        trade_no: finding.trade_no.clone(),
        refund_no: finding.refund_no.clone(),
        statement: finding.statement,
        ledger: finding.ledger,
        reason: finding.reason,
    };
    Some(match finding.class {
        DifferenceClass::ChannelOnly => CaseDetail::StatementChannelOnly(detail),
        DifferenceClass::LedgerOnly => CaseDetail::StatementLedgerOnly(detail),
        DifferenceClass::Amount => CaseDetail::StatementAmount(detail),
        DifferenceClass::State => CaseDetail::StatementState(detail),
        DifferenceClass::Meter => CaseDetail::StatementMeter(detail),
        DifferenceClass::Edge => return None,
    })
}
