//! Money that was received, or taken out of a meter, and is in no meter or wallet: each order and return with what is left of it.

use model::ids::{PlaceId, UserId};
use model::money::Money;
use model::order::Tender;
use model::report::{Cell, Column, ColumnKind, Heading, Section};
use model::time::{DAY, Timestamp};
use model::word_enum;
use sqlx::FromRow;

use crate::building::{Building, building_id};
use store::console::{Name, above, names, within};
use store::{Result, Tx, on};

word_enum! {
    enum OpenKind {
        /// Paid, and not credited.
        Order = "order",
        /// Taken out, and not paid back.
        Return = "return",
    }
}

/// An order or return with what is left of it.
#[derive(FromRow)]
pub struct Undelivered {
    kind: OpenKind,
    number: i64,
    tender: Tender,
    since: Timestamp,
    #[sqlx(flatten)]
    pub building: Building,
    #[sqlx(flatten)]
    name: Name,
    pub left_e4: Money,
}

/// Oldest first. What was set apart for a refund, paid out or assigned to a refund of the channel's console is no longer here. An
/// order that was given to another account later was still in the one that paid it.
pub async fn read(tx: &mut Tx, operator: UserId, at: Timestamp, place: Option<PlaceId>) -> Result<Vec<Undelivered>> {
    on!(tx, |c| {
        sqlx::query_as(concat!(
            "WITH opened AS (
             SELECT o.id, 'order' AS kind, o.number, o.tender, o.paid_at AS since, o.amount_fen * 100 AS e4,
                    COALESCE((SELECT k.id FROM ledger_transfers p JOIN ledger_transfers l ON l.operation = 'reroute'
                                  AND l.debit = p.credit AND l.amount_e4 = p.amount_e4 AND l.at >= $2
                              JOIN account_keys k ON 'paid:' || k.key = p.credit
                              WHERE p.operation = 'payment' AND p.reference = o.id AND k.id <> o.account_id LIMIT 1),
                             o.account_id) AS account_id
             FROM orders o WHERE o.paid_at < $2 AND (o.credited_at IS NULL OR o.credited_at >= $2)
             UNION ALL
             SELECT v.id, 'return', v.number, v.tender, v.taken_at, v.amount_fen * 100, v.account_id
             FROM returns v WHERE v.source = 'wallet' AND v.taken_at < $2),
         gone AS (
             SELECT CASE WHEN v.source = 'wallet' THEN v.id ELSE f.order_id END AS of_id,
                    CASE WHEN l.operation = 'refund-release' THEN -l.amount_e4 ELSE l.amount_e4 END AS e4
             FROM refunds f LEFT JOIN returns v ON v.id = f.return_id
             JOIN ledger_transfers l ON l.reference = f.id AND l.operation IN ('refund-reserve', 'refund-release')
             WHERE f.source <> 'suspense' AND COALESCE(v.source, '') <> 'closing' AND l.at < $2
             UNION ALL
             SELECT CASE WHEN v.source = 'order' THEN v.corrects_order ELSE v.id END, v.amount_fen * 100
             FROM returns v WHERE v.source IN ('wallet', 'order') AND v.state = 'done' AND v.settled_at < $2
               AND v.tender IN ('cash', 'card', 'transfer') AND v.kind <> 'undo_return'
             UNION ALL
             SELECT CASE WHEN v.source = 'order' THEN v.corrects_order ELSE l.reference END, l.amount_e4
             FROM ledger_transfers l LEFT JOIN returns v ON v.id = l.reference
             WHERE l.operation = 'refund-cleared' AND l.at < $2)
         SELECT w.kind, w.number, w.tender, w.since, CAST(w.e4 - COALESCE(g.e4, 0) AS BIGINT) AS left_e4,",
            building_id!(),
            ",",
            names!(),
            "FROM opened w LEFT JOIN (SELECT of_id, SUM(e4) AS e4 FROM gone GROUP BY of_id) g ON g.of_id = w.id
         JOIN accounts a ON a.id = w.account_id LEFT JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE w.e4 <> COALESCE(g.e4, 0) AND ($3 IS NULL OR $3 IN (r.id, b.id, t.id, t.parent_id)) AND",
            within!(),
            "ORDER BY w.since, w.number"
        ))
        .bind(operator)
        .bind(at)
        .bind(place)
        .fetch_all(c)
        .await
    })
}

pub fn section(open: Vec<Undelivered>, at: Timestamp) -> Section {
    let row = |one: Undelivered| {
        let kind = match one.kind {
            OpenKind::Order => Heading::Purchase,
            OpenKind::Return => Heading::Return,
        };
        let name: model::console::RoomName = one.name.into();
        vec![
            Cell::Text(name.to_string()),
            Cell::Word(kind),
            Cell::Text(one.number.to_string()),
            Cell::Tender(one.tender),
            Cell::Time(one.since),
            Cell::Count(at.since(one.since) / DAY),
            Cell::Money(one.left_e4),
        ]
    };
    let columns = vec![
        Column::text(Heading::Room),
        Column::text(Heading::Item),
        Column::text(Heading::Number),
        Column::text(Heading::Tender),
        Column::time(Heading::Since),
        Column::plain(Heading::Days, ColumnKind::Count),
        Column::summed(Heading::Amount, ColumnKind::Money),
    ];
    Section { title: Heading::NotDelivered, columns, rows: open.into_iter().map(row).collect(), chart: None }
}
