//! Returns and corrections, for the cash desk.

use model::command::CommandReason;
use model::console::{ChannelSale, Original, Page, ReturnLine};
use model::ids::{AccountId, MeterId, OrderId, ReturnId, UserId, Uuid};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::receipts::{JoinedReceipt, joined_receipt};
use domain::refund::Rules;
use store::console::{Name, above, names, within};
use store::refunds::unsaid;
use store::returns::Return;
use store::{Db, Result, money_operations, read};

#[derive(FromRow)]
struct ReturnRow {
    #[sqlx(flatten)]
    back: Return,
    #[sqlx(flatten)]
    name: Name,
    account_number: String,
    asked_by_name: String,
    decided_by_name: Option<String>,
    settled_by_name: Option<String>,
    note: Option<String>,
    remaining_fen: Option<Fen>,
    attempts: Option<i64>,
    waits: Option<CommandReason>,
    #[sqlx(flatten)]
    receipt: JoinedReceipt,
    corrects: Option<i64>,
    is_correctable: bool,
    total: i64,
}

/// The columns of [`ReturnRow`] for a return `v` and its room `r`, up to further conditions.
macro_rules! returned {
    () => {
        concat!(
            "SELECT v.id, v.number, v.kind, v.account_id, v.meter_id, v.corrects_order, v.corrects_return, v.tender, v.amount_fen,
                    v.reason, v.state, v.asked_by, v.asked_at, v.expires_at, v.command_id, v.sale_id, v.taken_at, v.settled_at,
                        v.source,
                    v.closure_id,
                    v.note, v.remaining_fen, a.number AS account_number, u.name AS asked_by_name, d.name AS decided_by_name,
                    s.name AS settled_by_name, c.attempts, c.reason AS waits,
                    COALESCE(wo.number, wr.number) AS corrects, COUNT(*) OVER () AS total,
                    (v.kind = 'return' AND v.source = 'wallet' AND v.state = 'done' AND NOT EXISTS
                        (SELECT 1 FROM returns x WHERE x.corrects_return = v.id
                           AND x.state NOT IN ('refused', 'rejected', 'cancelled', 'expired'))) AS is_correctable,",
            joined_receipt!(),
            ",",
            names!(),
            "FROM returns v JOIN accounts a ON a.id = v.account_id JOIN places r ON r.id = a.place_id",
            above!(),
            "JOIN users u ON u.id = v.asked_by LEFT JOIN users d ON d.id = v.decided_by
             LEFT JOIN users s ON s.id = v.settled_by LEFT JOIN commands c ON c.id = v.command_id
             LEFT JOIN orders wo ON wo.id = v.corrects_order LEFT JOIN returns wr ON wr.id = v.corrects_return
             LEFT JOIN receipts p ON p.return_id = v.id OR p.order_id = v.sale_id
             WHERE",
            within!()
        )
    };
}

/// A return that the operator may see.
pub async fn returned(db: &Db, operator: UserId, id: ReturnId) -> Result<Option<ReturnLine>> {
    let row: Option<ReturnRow> = read!(db, |pool| sqlx::query_as(concat!(returned!(), "AND v.id = $2"))
        .bind(operator)
        .bind(id)
        .fetch_optional(pool)
        .await)?;
    Ok(row.map(|row| line(row, operator)))
}

/// Returns that wait for a second person, the oldest first.
pub async fn approvals(db: &Db, operator: UserId, now: Timestamp, page: i64) -> Result<Page<ReturnLine>> {
    let size = Page::<ReturnLine>::SIZE;
    let rows: Vec<ReturnRow> = read!(db, |pool| sqlx::query_as(concat!(
        returned!(),
        "AND v.state = 'waiting' AND v.expires_at > $2 ORDER BY v.asked_at, v.id LIMIT $3 OFFSET $4"
    ))
    .bind(operator)
    .bind(now)
    .bind(size)
    .bind(page * size)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(|row| line(row, operator)).collect(), total })
}

/// The corrections of an order that the operator may see, newest first.
pub(crate) async fn corrections(db: &Db, operator: UserId, order: OrderId) -> Result<Vec<ReturnLine>> {
    let rows: Vec<ReturnRow> =
        read!(db, |pool| sqlx::query_as(concat!(returned!(), "AND v.corrects_order = $2 ORDER BY v.asked_at DESC, v.id DESC"))
            .bind(operator)
            .bind(order)
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|row| line(row, operator)).collect())
}

/// The returns and corrections of an account that wait for a second person, the oldest first.
pub async fn waiting_returns(db: &Db, operator: UserId, account: AccountId, now: Timestamp) -> Result<Vec<ReturnLine>> {
    let rows: Vec<ReturnRow> = read!(db, |pool| sqlx::query_as(concat!(
        returned!(),
        "AND v.account_id = $2 AND v.state = 'waiting' AND v.expires_at > $3 ORDER BY v.asked_at, v.id LIMIT $4"
    ))
    .bind(operator)
    .bind(account)
    .bind(now)
    .bind(OFFERED)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|row| line(row, operator)).collect())
}

fn line(row: ReturnRow, operator: UserId) -> ReturnLine {
    let back = row.back;
    let receipt = row.receipt.number();
    ReturnLine {
        id: back.id,
        number: back.number,
        kind: back.kind,
        state: back.state,
        meter: back.meter_id,
        room: row.name.into(),
        account: row.account_number,
        tender: back.tender,
        amount: back.amount,
        mine: back.asked_by == operator,
        asked_by: row.asked_by_name,
        asked_at: back.asked_at,
        expires_at: back.expires_at,
        decided_by: row.decided_by_name,
        note: row.note,
        unsent: row.attempts == Some(0),
        waits: row.waits,
        taken_at: back.taken_at,
        remaining: row.remaining_fen,
        settled_by: row.settled_by_name,
        settled_at: back.settled_at,
        receipt,
        corrects: row.corrects,
        sale: back.corrects_order,
        is_correctable: row.is_correctable,
        reason: back.reason,
    }
}

#[derive(FromRow)]
struct OriginalRow {
    sale: bool,
    number: i64,
    meter_id: MeterId,
    tender: Tender,
    amount_fen: Fen,
    corrected_fen: Fen,
    is_delivered: bool,
    is_open: bool,
    at: Timestamp,
    by_name: String,
    held_fen: Option<Fen>,
    account_id: AccountId,
    #[sqlx(flatten)]
    name: Name,
}

/// A sale or return of a room that the operator may see.
pub async fn original(db: &Db, operator: UserId, id: Uuid) -> Result<Option<Original>> {
    let row: Option<OriginalRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
        "SELECT x.sale, x.number, x.meter_id, x.tender, x.amount_fen, x.at, x.is_delivered, x.is_open,
                CAST(COALESCE((SELECT SUM(c.amount_fen) FROM returns c WHERE c.corrects_order = x.id
                        AND c.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')), 0)
                    + COALESCE((SELECT SUM(c.amount_fen) FROM returns c WHERE c.corrects_return = x.id
                        AND c.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')), 0) AS BIGINT) AS corrected_fen,
                u.name AS by_name,
                CASE WHEN l.observed_at IS NOT NULL THEN l.remaining_fen END AS held_fen, x.account_id,",
        names!(),
        "FROM (SELECT TRUE AS sale, id, number, account_id, meter_id, tender, amount_fen, created_at AS at, created_by AS by_id,
                      state = 'credited' AS is_delivered,
                      state = 'credited' OR state = 'case' AND tender IN ('cash', 'card', 'transfer', 'carried', 'taken_over')
                          AS is_open
               FROM orders WHERE id = $2
               UNION ALL
               SELECT FALSE, id, number, account_id, meter_id, tender, amount_fen, asked_at, asked_by, FALSE,
                      kind = 'return' AND source = 'wallet' AND state = 'done'
               FROM returns WHERE id = $2) AS x
         JOIN accounts a ON a.id = x.account_id JOIN places r ON r.id = a.place_id",
        above!(),
        "JOIN users u ON u.id = x.by_id LEFT JOIN meter_latest l ON l.meter_id = x.meter_id
         WHERE",
        within!()
    ))
        .bind(operator)
        .bind(id)
        .fetch_optional(pool)
        .await
    })?;
    let Some(row) = row else { return Ok(None) };
    let left = match (row.is_open, row.is_delivered) {
        (false, _) => Fen::ZERO,
        (true, true) => row.tender.left_to_correct(row.amount_fen, row.corrected_fen),
        (true, false) => row.amount_fen - row.corrected_fen,
    };
    Ok(Some(Original {
        id,
        sale: row.sale,
        number: row.number,
        meter: row.meter_id,
        room: row.name.into(),
        amount: row.amount_fen,
        left,
        is_delivered: row.is_delivered,
        tender: row.tender,
        at: row.at,
        by: row.by_name,
        held: row.held_fen,
        money_operations: money_operations::count(db, row.account_id, row.meter_id).await?,
    }))
}

/// The most sales and requests that are shown at a room.
const OFFERED: i64 = 8;

/// Delivered sales of a meter's account that can be refunded through their channel, newest first; not those that are corrected in
/// full, too old, or have a console refund that is not accounted for.
pub async fn by_channel(db: &Db, operator: UserId, meter: MeterId, rules: &Rules, now: Timestamp) -> Result<Vec<ChannelSale>> {
    let rows: Vec<(OrderId, i64, Tender, Timestamp, Fen)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT x.id, x.number, x.tender, x.at, x.left_fen FROM
           (SELECT o.id, o.number, o.tender, o.paid_at AS at,
                   o.amount_fen - CAST(COALESCE((SELECT SUM(c.amount_fen) FROM returns c WHERE c.corrects_order = o.id
                       AND c.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')), 0) AS BIGINT) AS left_fen
            FROM orders o JOIN account_meters am ON am.account_id = o.account_id AND am.meter_id = o.meter_id AND am.to_at IS NULL
                 JOIN meters m ON m.id = o.meter_id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE o.meter_id = $2 AND o.state = 'credited' AND o.paid_at IS NOT NULL
              AND o.tender NOT IN ('cash', 'card', 'transfer', 'subsidy', 'carried', 'taken_over') AND ",
        unsaid!(),
        " <= 0 AND",
        within!(),
        ") AS x WHERE x.left_fen > 0 ORDER BY x.at DESC LIMIT $3"
    ))
    .bind(operator)
    .bind(meter)
    .bind(OFFERED)
    .fetch_all(pool)
    .await)?;
    let sales = rows.into_iter().map(|(order, number, tender, at, left)| ChannelSale { order, number, tender, at, left });
    Ok(sales.filter(|sale| rules.gives_back(sale.tender, sale.at, now)).collect())
}
