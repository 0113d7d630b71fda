//! One order with all that became of it.

use model::command::CommandReason;
use model::console::OrderView;
use model::ids::{OrderId, UserId};
use model::meter::Wallet;
use model::order::Tender;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::receipts::{JoinedReceipt, joined_receipt};
use store::console::{self, Name, above, names, within};
use store::orders::Order;
use store::{Db, Result, read};

/// Most payments of an order that are named.
const TRADES: i64 = 20;

#[derive(FromRow)]
struct OrderRow {
    #[sqlx(flatten)]
    order: Order,
    serial: String,
    wallet: Wallet,
    account_number: String,
    by_name: String,
    sent_at: Option<Timestamp>,
    reason: Option<CommandReason>,
    #[sqlx(flatten)]
    receipt: JoinedReceipt,
    #[sqlx(flatten)]
    name: Name,
}

/// An order that the operator may see.
pub async fn order_view(db: &Db, operator: UserId, id: OrderId) -> Result<Option<OrderView>> {
    let row: Option<OrderRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT o.id, o.number, o.account_id, o.meter_id, o.tender, o.amount_fen, o.state, o.created_by, o.created_at,
                    o.paid_at, o.credited_at, o.count, o.remaining_fen, m.serial, m.wallet, a.number AS account_number,
                    u.name AS by_name, c.sent_at, c.reason,",
            joined_receipt!(),
            ",",
            names!(),
            "FROM orders o JOIN accounts a ON a.id = o.account_id JOIN meters m ON m.id = o.meter_id
             JOIN users u ON u.id = o.created_by JOIN places r ON r.id = a.place_id",
            above!(),
            "LEFT JOIN commands c ON c.order_id = o.id LEFT JOIN receipts p ON p.order_id = o.id
             WHERE o.id = $2 AND",
            within!()
        ))
        .bind(operator)
        .bind(id)
        .fetch_optional(pool)
        .await
    })?;
    let Some(row) = row else { return Ok(None) };
    let trades: Vec<(Tender, String)> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT e.channel, e.trade_no FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid'
         WHERE p.order_id = $1 ORDER BY e.received_at, e.id LIMIT $2"
    )
    .bind(id)
    .bind(TRADES)
    .fetch_all(pool)
    .await
    })?;
    let order = row.order;
    Ok(Some(OrderView {
        id,
        number: order.number,
        state: order.state,
        tender: order.tender,
        amount: order.amount,
        meter: order.meter_id,
        serial: row.serial,
        wallet: row.wallet,
        room: row.name.into(),
        account: row.account_number,
        by: row.by_name,
        made_at: order.created_at,
        paid_at: order.paid_at,
        sent_at: row.sent_at,
        credited_at: order.credited_at,
        count: order.count,
        remaining: order.remaining,
        reason: row.reason,
        receipt: row.receipt.number(),
        trades,
        refunds: super::refunds::of_order(db, operator, id).await?,
        corrections: super::returns::corrections(db, operator, id).await?,
        cases: console::cases_of_order(db, operator, id).await?,
    }))
}
