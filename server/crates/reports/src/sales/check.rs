//! The sums of the report against the ledger's own: what every transfer moved in and out of cash, cards, the bank and channels.

use model::ids::{PlaceId, UserId};
use model::money::Money;
use model::report::{Heading, Note, ReportQuery, Section};

use super::Sums;
use super::moves::{Move, MoveKind};
use crate::ledger_check::{self, Compared};
use crate::subject::sees_all;
use store::console::{above, within};
use store::{Result, Tx, on};

/// Whether an account of the ledger is where money is.
macro_rules! is_money {
    ($code:literal) => {
        concat!("(", $code, " IN ('cash', 'card', 'bank') OR ", $code, " LIKE 'clearing:%')")
    };
}

/// The comparison, and whether it agrees. Counting a drawer, and what a channel settles, is not of this report.
pub async fn section(
    tx: &mut Tx,
    operator: UserId,
    query: &ReportQuery,
    place: Option<PlaceId>,
    moves: &[Move],
) -> Result<(Section, Vec<Note>)> {
    let mut report = Sums::default();
    moves.iter().for_each(|one| report.add(one.kind, one.amount));
    let (ledger, unknown) = ledger(tx, operator, query, place).await?;
    let has_fees = place.is_none() && sees_all(tx, operator).await?;
    let fees = |sums: &Sums| sums.0.get(MoveKind::Fee as usize).copied().unwrap_or_default();
    let kinds = MoveKind::ALL.into_iter().zip(report.0.into_iter().zip(ledger.0));
    let lines = kinds.filter(|(kind, _)| has_fees || *kind != MoveKind::Fee).map(|(kind, sums)| (kind.heading(), sums));
    let nets = if has_fees { (report.net(), ledger.net()) } else { (report.net() - fees(&report), ledger.net() - fees(&ledger)) };
    let lines = lines.chain([(Heading::Net, (nets.0, nets.1 + unknown))]);
    let sums: Vec<Compared> = lines.map(|(heading, (report, ledger))| Compared { heading, report, ledger }).collect();
    let (section, verdict) = ledger_check::section(&sums);
    let notes = std::iter::once(verdict).chain((!has_fees).then_some(Note::FeesNotCompared)).collect();
    Ok((section, notes))
}

/// The ledger's sums by kind, and what it moved in a way that no kind names. A transfer whose order, return or refund is missing
/// is in no building: whoever sees the whole site sees it.
async fn ledger(tx: &mut Tx, operator: UserId, query: &ReportQuery, place: Option<PlaceId>) -> Result<(Sums, Money)> {
    let (from, to) = query.instants();
    let rows: Vec<(String, Money)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT x.kind, CAST(SUM(x.e4) AS BIGINT)
         FROM (SELECT CASE t.operation
                          WHEN 'payment' THEN CASE WHEN pv.id IS NULL THEN 'sale' ELSE 'correction' END
                          WHEN 'payout' THEN CASE WHEN v.kind <> 'return' THEN 'correction' ELSE 'return' END
                          WHEN 'refund' THEN CASE WHEN fv.id IS NULL THEN 'refund' WHEN fv.kind = 'return' THEN 'return'
                                                  ELSE 'correction' END
                          WHEN 'suspense' THEN 'unassigned'
                          WHEN 'suspense-back' THEN 'unassigned'
                          WHEN 'refund-elsewhere' THEN 'unassigned'
                          WHEN 'fees' THEN 'fee'
                          ELSE '' END AS kind,
                      CASE WHEN ",
        is_money!("t.debit"),
        " THEN t.amount_e4 ELSE 0 END - CASE WHEN ",
        is_money!("t.credit"),
        " THEN t.amount_e4 ELSE 0 END AS e4,
                      COALESCE(po.account_id, v.account_id, fo.account_id, eo.account_id) AS account_id
               FROM ledger_transfers t
                    LEFT JOIN orders po ON t.operation = 'payment' AND po.id = t.reference
                    LEFT JOIN returns pv ON pv.sale_id = po.id
                    LEFT JOIN returns v ON t.operation = 'payout' AND v.id = t.reference
                    LEFT JOIN refunds f ON t.operation = 'refund' AND f.id = t.reference
                    LEFT JOIN returns fv ON fv.id = f.return_id
                    LEFT JOIN orders fo ON fo.id = f.order_id
                    LEFT JOIN payment_events e ON e.id = t.reference
                    LEFT JOIN payment_attempts p ON p.id = e.attempt_id
                    LEFT JOIN orders eo ON eo.id = p.order_id
               WHERE t.at >= $2 AND t.at < $3 AND t.operation NOT IN ('settlement', 'drawer')) AS x
         LEFT JOIN accounts a ON a.id = x.account_id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE x.e4 <> 0 AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY x.kind"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(c)
    .await)?;
    let (mut sums, mut unknown) = (Sums::default(), Money::ZERO);
    for (kind, amount) in rows {
        match MoveKind::parse(&kind) {
            Some(kind) => sums.add(kind, amount),
            None => unknown = unknown + amount,
        }
    }
    Ok((sums, unknown))
}
