//! Orders by a number that people quote: ours, the channel's of a payment, or a refund's.

use model::console::FoundOrder;
use model::ids::{OrderId, UserId};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read};

/// Orders that one number finds.
const MOST: i64 = 20;

#[derive(FromRow)]
struct Row {
    id: OrderId,
    number: i64,
    state: OrderState,
    tender: Tender,
    amount_fen: i64,
    created_at: i64,
    trade_no: Option<String>,
    #[sqlx(flatten)]
    name: Name,
}

/// Those with exactly this number that the operator may see, newest first. Shorter texts than eight characters name rooms.
pub async fn orders_by_number(db: &Db, operator: UserId, text: &str) -> Result<Vec<FoundOrder>> {
    let text = text.trim();
    if !(8..=64).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Vec::new());
    }
    let own: i64 = text.parse().unwrap_or(-1);
    let rows: Vec<Row> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT o.id, o.number, o.state, o.tender, o.amount_fen, o.created_at,
                (SELECT MAX(e.trade_no) FROM payment_attempts p JOIN payment_events e ON e.attempt_id = p.id AND e.kind = 'paid'
                 WHERE p.order_id = o.id) AS trade_no,",
        names!(),
        "FROM orders o JOIN accounts a ON a.id = o.account_id JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE o.id IN (SELECT x.id FROM orders x WHERE x.number = $3
                        UNION SELECT p.order_id FROM payment_attempts p WHERE p.out_trade_no = $2
                        UNION SELECT p.order_id FROM payment_events e JOIN payment_attempts p ON p.id = e.attempt_id
                              WHERE e.channel IN ('alipay', 'wechat', 'unionpay') AND e.trade_no = $2
                        UNION SELECT f.order_id FROM refunds f WHERE f.refund_no = $2) AND",
        within!(),
        "ORDER BY o.created_at DESC, o.id LIMIT $4"
    ))
    .bind(operator)
    .bind(text)
    .bind(own)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(found).collect())
}

fn found(row: Row) -> FoundOrder {
    FoundOrder {
        order: row.id,
        number: row.number,
        state: row.state,
        tender: row.tender,
        amount: Fen(row.amount_fen),
        at: Timestamp(row.created_at),
        trade_no: row.trade_no,
        room: row.name.into(),
    }
}
