//! Money that moved, from the rows of the business: orders, returns, refunds, channels' events and statements.

use model::ids::{PlaceId, UserId};
use model::money::Money;
use model::order::Tender;
use model::report::{Heading, ReportQuery};
use model::time::Date;
use model::word_enum;
use sqlx::FromRow;

use crate::building::{Building, building};
use store::console::{above, within};
use store::{Result, Tx, on};

word_enum! {
    /// What moved money, in the order of the columns.
    pub enum MoveKind {
        Sale = "sale",
        Return = "return",
        Correction = "correction",
        Refund = "refund",
        /// Received or given back beside every purchase: paid twice, or refunded in the channel's own console.
        Unassigned = "unassigned",
        Fee = "fee",
    }
}

impl MoveKind {
    pub const fn heading(self) -> Heading {
        match self {
            Self::Sale => Heading::Sales,
            Self::Return => Heading::Returns,
            Self::Correction => Heading::Corrections,
            Self::Refund => Heading::Refunds,
            Self::Unassigned => Heading::Unassigned,
            Self::Fee => Heading::Fees,
        }
    }
}

/// The sum of what moved on a day in one way.
#[derive(Clone, Debug, FromRow)]
pub struct Move {
    pub day: Date,
    pub kind: MoveKind,
    pub tender: Tender,
    /// Who did it; `None` where a resident paid by themselves, and for fees.
    pub operator: Option<String>,
    #[sqlx(flatten)]
    pub building: Building,
    /// Positive for money in.
    #[sqlx(rename = "amount_e4")]
    pub amount: Money,
}

/// All rows `x` of `[$2, $3)`, with their rooms `r`, within the operator's buildings and the place `$4`. Money of a return
/// through a channel moves with its refunds.
macro_rules! moves {
    ($select:expr, $end:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM (
             SELECT o.paid_at AS at, CASE WHEN v.id IS NULL THEN 'sale' ELSE 'correction' END AS kind, o.tender,
                    o.amount_fen * 100 AS e4, o.account_id, o.created_by AS by_id
             FROM orders o LEFT JOIN returns v ON v.sale_id = o.id
             WHERE o.paid_at >= $2 AND o.paid_at < $3 AND o.tender NOT IN ('subsidy', 'carried', 'taken_over')
             UNION ALL
             SELECT v.settled_at, CASE WHEN v.kind = 'return' THEN 'return' ELSE 'correction' END, v.tender, v.amount_fen * -100,
                    v.account_id, COALESCE(v.settled_by, v.asked_by)
             FROM returns v
             WHERE v.state = 'done' AND v.kind <> 'undo_return' AND v.tender IN ('cash', 'card', 'transfer')
               AND v.settled_at >= $2 AND v.settled_at < $3
             UNION ALL
             SELECT f.settled_at, CASE WHEN v.id IS NULL THEN 'refund' WHEN v.kind = 'return' THEN 'return' ELSE 'correction' END,
                    f.tender, f.amount_fen * -100, o.account_id, COALESCE(f.settled_by, f.asked_by, o.created_by)
             FROM refunds f JOIN orders o ON o.id = f.order_id LEFT JOIN returns v ON v.id = f.return_id
             WHERE f.state = 'done' AND f.settled_at >= $2 AND f.settled_at < $3
             UNION ALL
             SELECT t.at, 'unassigned', e.channel,
                    CASE WHEN t.operation = 'suspense' THEN t.amount_e4 ELSE -t.amount_e4 END, o.account_id, NULL
             FROM ledger_transfers t JOIN payment_events e ON e.id = t.reference
                  LEFT JOIN payment_attempts p ON p.id = e.attempt_id LEFT JOIN orders o ON o.id = p.order_id
             WHERE t.operation IN ('suspense', 'suspense-back', 'refund-elsewhere') AND t.at >= $2 AND t.at < $3
             UNION ALL
             SELECT s.at, 'fee', s.channel, -l.fee_e4, o.account_id, NULL
             FROM settlement_statements s JOIN statement_lines l ON l.statement_id = s.statement_id
                  LEFT JOIN payment_attempts p ON p.out_trade_no = l.out_trade_no LEFT JOIN orders o ON o.id = p.order_id
             WHERE s.at >= $2 AND s.at < $3
             UNION ALL
             SELECT s.at, 'fee', s.channel, l.fee_e4, o.account_id, NULL
             FROM settlement_statements s
                  JOIN settlement_statements q ON q.id = (SELECT z.id FROM settlement_statements z WHERE z.channel = s.channel
                      AND z.day = s.day AND (z.at < s.at OR (z.at = s.at AND z.id < s.id)) ORDER BY z.at DESC, z.id DESC LIMIT 1)
                  JOIN statement_lines l ON l.statement_id = q.statement_id
                  LEFT JOIN payment_attempts p ON p.out_trade_no = l.out_trade_no LEFT JOIN orders o ON o.id = p.order_id
             WHERE s.at >= $2 AND s.at < $3) AS x
             LEFT JOIN users u ON u.id = x.by_id AND u.role <> 'resident'
             LEFT JOIN accounts a ON a.id = x.account_id LEFT JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            $end
        )
    };
}

/// What moved in a range of days, in the order of the days.
pub async fn read(tx: &mut Tx, operator: UserId, query: &ReportQuery, place: Option<PlaceId>) -> Result<Vec<Move>> {
    let (from, to) = query.instants();
    on!(tx, |c| sqlx::query_as(moves!(
        concat!(
            "(x.at + 28800000) / 86400000 AS day, x.kind, x.tender, u.name AS operator,",
            building!(),
            ", CAST(SUM(x.e4) AS BIGINT) AS amount_e4"
        ),
        "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(c)
    .await)
}
