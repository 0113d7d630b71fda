//! Makes the open differences of a day those that were found: opens what is new with its case, and closes what is gone.

use model::case::{BillCase, CaseDetail};
use std::collections::HashMap;

use model::ids::CaseId;
use model::order::Tender;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::cases;
use crate::{Result, Tx, on};
use domain::reconcile::{Class, Finding};
use domain::rng::Rng;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    class: String,
    kind: String,
    out_trade_no: String,
    trade_no: String,
    refund_no: String,
    bill_fen: Option<i64>,
    ours_fen: Option<i64>,
    gap_fen: i64,
    why: String,
    case_id: Option<CaseId>,
}

/// What tells a difference from another one. A doubled one is told by how often it is there.
type Key = (String, String, String, String, String, Option<i64>, Option<i64>, i64, String);

impl Row {
    fn key(&self) -> Key {
        let (class, kind) = (self.class.clone(), self.kind.clone());
        let numbers = (self.out_trade_no.clone(), self.trade_no.clone(), self.refund_no.clone());
        (class, kind, numbers.0, numbers.1, numbers.2, self.bill_fen, self.ours_fen, self.gap_fen, self.why.clone())
    }
}

fn key(finding: &Finding) -> Key {
    let words = (finding.class.as_str().to_owned(), finding.kind.as_str().to_owned());
    let numbers = (finding.out_trade_no.clone(), finding.trade_no.clone(), finding.refund_no.clone());
    let (bill, ours) = (finding.bill.map(|fen| fen.0), finding.ours.map(|fen| fen.0));
    (words.0, words.1, numbers.0, numbers.1, numbers.2, bill, ours, finding.gap.0, finding.why.clone())
}

/// How many differences came and went; what is merely across the edge is kept and not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub came: usize,
    pub went: usize,
}

/// In the caller's transaction, which has locked the day.
pub(super) async fn keep(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    channel: Tender,
    day: Date,
    findings: &[Finding],
) -> Result<Change> {
    let open: Vec<Row> = on!(tx, |c| sqlx::query_as(
        "SELECT id, class, kind, out_trade_no, trade_no, refund_no, bill_fen, ours_fen, gap_fen, why, case_id
         FROM settlement_differences WHERE channel = $1 AND day = $2 AND gone_at IS NULL ORDER BY found_at, id"
    )
    .bind(channel.as_str())
    .bind(day.0)
    .fetch_all(c)
    .await)?;
    let (mut wanted, mut change): (HashMap<Key, usize>, _) = (HashMap::new(), Change::default());
    for finding in findings {
        *wanted.entry(key(finding)).or_default() += 1;
    }
    for row in open {
        match wanted.get_mut(&row.key()) {
            Some(times) if *times > 0 => *times -= 1,
            _ => {
                end(tx, at, &row).await?;
                change.went += usize::from(row.class != Class::Edge.as_str());
            }
        }
    }
    for finding in findings {
        if let Some(times) = wanted.get_mut(&key(finding)).filter(|times| **times > 0) {
            *times -= 1;
            begin(tx, rng, at, channel, day, finding).await?;
            change.came += usize::from(finding.class.is_difference());
        }
    }
    Ok(change)
}

async fn end(tx: &mut Tx, at: Timestamp, row: &Row) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE settlement_differences SET gone_at = $1 WHERE id = $2")
        .bind(at.0)
        .bind(row.id)
        .execute(c)
        .await)?;
    match row.case_id {
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
        "INSERT INTO settlement_differences (id, channel, day, class, kind, out_trade_no, trade_no, refund_no, bill_fen, ours_fen,
                                             gap_fen, why, order_id, case_id, found_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
    )
    .bind(rng.id(at))
    .bind(channel.as_str())
    .bind(day.0)
    .bind(finding.class.as_str())
    .bind(finding.kind.as_str())
    .bind(&finding.out_trade_no)
    .bind(&finding.trade_no)
    .bind(&finding.refund_no)
    .bind(finding.bill.map(|fen| fen.0))
    .bind(finding.ours.map(|fen| fen.0))
    .bind(finding.gap.0)
    .bind(&finding.why)
    .bind(finding.order.map(|order| order.0))
    .bind(case)
    .bind(at.0)
    .execute(c)
    .await
    })?;
    Ok(())
}

/// The case that a finding opens; none for what is no difference.
fn case(channel: Tender, day: Date, finding: &Finding) -> Option<CaseDetail> {
    let bill = BillCase {
        channel,
        day,
        out_trade_no: finding.out_trade_no.clone(),
        trade_no: finding.trade_no.clone(),
        refund_no: finding.refund_no.clone(),
        bill: finding.bill,
        ours: finding.ours,
        reason: finding.why.clone(),
    };
    Some(match finding.class {
        Class::ChannelOnly => CaseDetail::BillChannelOnly(bill),
        Class::OursOnly => CaseDetail::BillOursOnly(bill),
        Class::Amount => CaseDetail::BillAmount(bill),
        Class::State => CaseDetail::BillState(bill),
        Class::Meter => CaseDetail::BillMeter(bill),
        Class::Edge => return None,
    })
}
