//! A receipt as it is printed, and the numbers of receipts that belong to something else.

use model::console::{Receipt, ReceiptCorrection, ReceiptMoney, ReceiptNumber, ReceiptOf, ReceiptSeries};
use model::ids::{AccountId, MeterId, OrderId, UserId};
use model::money::Fen;
use model::order::{OrderState, ReturnKind, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, from_another_room, read};

/// The number of a receipt `p` that is joined to something else.
#[derive(FromRow)]
pub(crate) struct JoinedReceipt {
    receipt_series: Option<ReceiptSeries>,
    receipt_year: Option<i64>,
    receipt_number: Option<i64>,
}

/// The columns of [`JoinedReceipt`].
macro_rules! joined_receipt {
    () => {
        " p.series AS receipt_series, p.year AS receipt_year, p.number AS receipt_number "
    };
}

pub(crate) use joined_receipt;

impl JoinedReceipt {
    pub fn number(&self) -> Option<ReceiptNumber> {
        ReceiptNumber::of(self.receipt_series, self.receipt_year, self.receipt_number)
    }
}

#[derive(FromRow)]
struct ReceiptRow {
    series: ReceiptSeries,
    year: i64,
    number: i64,
    site: Option<String>,
    kind: Option<ReturnKind>,
    refund: bool,
    issued_at: Timestamp,
    issued_by_name: Option<String>,
    prints: i64,
    printed_at: Option<Timestamp>,
    meter_id: MeterId,
    serial: String,
    account_number: String,
    residents: Option<String>,
    order_number: Option<i64>,
    order_state: Option<OrderState>,
    tender: Option<Tender>,
    amount_fen: Option<Fen>,
    count: Option<i64>,
    remaining_fen: Option<Fen>,
    reason: Option<String>,
    trade_no: Option<String>,
    corrects_series: Option<ReceiptSeries>,
    corrects_year: Option<i64>,
    corrects_number: Option<i64>,
    corrected_fen: Option<Fen>,
    corrected_at: Option<Timestamp>,
    corrected_reason: Option<String>,
    #[sqlx(flatten)]
    name: Name,
}

/// The columns of [`ReceiptRow`] for a receipt `p` and its room `r`, up to the condition.
macro_rules! receipts {
    () => {
        concat!(
            // Of an opening all meters that were opened with the account; the first of them leads back to the room.
            "SELECT p.series, p.year, p.number,
                (SELECT name FROM places WHERE kind = 'site' ORDER BY sort, name LIMIT 1) AS site, v.kind,
                p.refund_id IS NOT NULL AS refund, p.issued_at,
                i.name AS issued_by_name, p.prints, p.printed_at, m.id AS meter_id,
                COALESCE((SELECT string_agg(w.serial, ', ' ORDER BY w.serial)
                          FROM account_meters j JOIN meters w ON w.id = j.meter_id
                          WHERE j.account_id = p.account_id AND j.from_at <= p.issued_at), m.serial) AS serial,
                a.number AS account_number,
                (SELECT string_agg(users.name, ', ' ORDER BY h.from_at, users.login)
                 FROM account_residents h JOIN users ON users.id = h.user_id
                 WHERE h.account_id = a.id AND h.from_at <= p.issued_at AND (h.to_at IS NULL OR h.to_at > p.issued_at
                     OR h.to_at = a.closed_at)) AS residents,
                COALESCE(o.number, v.number, f.number) AS order_number, o.state AS order_state,
                COALESCE(o.tender, v.tender, f.tender) AS tender,
                COALESCE(o.amount_fen, v.amount_fen, f.amount_fen) AS amount_fen, COALESCE(o.count, v.count) AS count,
                COALESCE(o.remaining_fen, v.remaining_fen) AS remaining_fen, COALESCE(v.reason, f.reason) AS reason,
                CASE WHEN p.series = 'online' THEN
                    (SELECT k.trade_no FROM payment_attempts k WHERE k.order_id = p.order_id AND k.state = 'paid'
                         AND k.paid_at IS NOT NULL ORDER BY k.paid_at, k.id LIMIT 1) END AS trade_no,
                q.series AS corrects_series, q.year AS corrects_year, q.number AS corrects_number,
                (SELECT CAST(SUM(b.amount_fen) AS BIGINT) FROM returns b
                 WHERE b.corrects_order = p.order_id AND b.state IN ('taken', 'done')) AS corrected_fen,
                (SELECT MAX(COALESCE(b.taken_at, b.asked_at)) FROM returns b
                 WHERE b.corrects_order = p.order_id AND b.state IN ('taken', 'done')) AS corrected_at,
                (SELECT b.reason FROM returns b WHERE b.corrects_order = p.order_id AND b.state IN ('taken', 'done')
                 ORDER BY COALESCE(b.taken_at, b.asked_at) DESC, b.id DESC LIMIT 1) AS corrected_reason,",
            names!(),
            "FROM receipts p LEFT JOIN orders o ON o.id = p.order_id
         LEFT JOIN returns v ON v.id = p.return_id OR v.sale_id = p.order_id
         LEFT JOIN refunds f ON f.id = p.refund_id LEFT JOIN orders w ON w.id = f.order_id
         LEFT JOIN receipts q ON q.order_id = v.corrects_order OR (q.order_id = f.order_id AND f.source = 'order')
             OR q.return_id = v.corrects_return
         LEFT JOIN users i ON i.id = p.issued_by
         JOIN meters m ON m.id = COALESCE(o.meter_id, v.meter_id, w.meter_id,
             (SELECT j.meter_id FROM account_meters j WHERE j.account_id = p.account_id ORDER BY j.from_at, j.meter_id LIMIT 1))
         JOIN accounts a ON a.id = COALESCE(o.account_id, v.account_id, w.account_id, p.account_id)
         JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE"
        )
    };
}

/// A receipt for a room that the operator may see.
pub async fn receipt(db: &Db, operator: UserId, number: ReceiptNumber) -> Result<Option<Receipt>> {
    let row: Option<ReceiptRow> = read!(db, |pool| {
        sqlx::query_as(concat!(receipts!(), " p.series = $2 AND p.year = $3 AND p.number = $4 AND", within!()))
            .bind(operator)
            .bind(number.series)
            .bind(number.year)
            .bind(number.number)
            .fetch_optional(pool)
            .await
    })?;
    Ok(row.map(ReceiptRow::receipt))
}

/// The receipt of a payment for the account that the resident has now, or for another room, if they paid that themselves.
pub async fn own_receipt(db: &Db, resident: UserId, order: OrderId) -> Result<Option<Receipt>> {
    let row: Option<ReceiptRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            receipts!(),
            " p.order_id = $2 AND CASE WHEN",
            from_another_room!(),
            "THEN o.created_by = $1
                ELSE EXISTS
                    (SELECT 1 FROM account_residents h WHERE h.account_id = a.id AND h.user_id = $1 AND h.to_at IS NULL) END"
        ))
        .bind(resident)
        .bind(order)
        .fetch_optional(pool)
        .await
    })?;
    Ok(row.map(ReceiptRow::receipt))
}

/// The receipt of an account's opening, for whoever may see the account.
pub async fn opening_receipt(db: &Db, account: AccountId) -> Result<Option<ReceiptNumber>> {
    let row: Option<(ReceiptSeries, i64, i64)> =
        read!(db, |pool| sqlx::query_as("SELECT series, year, number FROM receipts WHERE account_id = $1")
            .bind(account)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(|(series, year, number)| ReceiptNumber { series, year, number }))
}

/// The receipt of what was sold with the opening that has this receipt. The caller has checked who asks.
pub async fn first_purchase(db: &Db, opening: ReceiptNumber) -> Result<Option<ReceiptNumber>> {
    let row: Option<(ReceiptSeries, i64, i64)> = read!(db, |pool| sqlx::query_as(
        "SELECT q.series, q.year, q.number FROM receipts p JOIN accounts a ON a.id = p.account_id
              JOIN orders o ON o.account_id = a.id AND o.created_at = a.opened_at JOIN receipts q ON q.order_id = o.id
         WHERE p.series = $1 AND p.year = $2 AND p.number = $3 ORDER BY q.issued_at, q.number LIMIT 1"
    )
    .bind(opening.series)
    .bind(opening.year)
    .bind(opening.number)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(series, year, number)| ReceiptNumber { series, year, number }))
}

impl ReceiptRow {
    fn receipt(self) -> Receipt {
        let number = ReceiptNumber { series: self.series, year: self.year, number: self.number };
        let of = match self.kind {
            Some(kind) => ReceiptOf::Back(kind),
            None if self.refund => ReceiptOf::Refund,
            None => match number.series {
                ReceiptSeries::CashDesk => ReceiptOf::Sale,
                ReceiptSeries::Opening => ReceiptOf::Opening,
                ReceiptSeries::Online => ReceiptOf::Online,
            },
        };
        Receipt {
            number,
            site: self.site.unwrap_or_default(),
            of,
            at: self.issued_at,
            by: self.issued_by_name,
            prints: self.prints,
            printed_at: self.printed_at,
            room: self.name.into(),
            meter: self.meter_id,
            serial: self.serial,
            account: self.account_number,
            residents: self.residents.unwrap_or_default(),
            money: match (self.order_number, self.tender, self.amount_fen) {
                (Some(order), Some(tender), Some(amount)) => Some(ReceiptMoney { order, tender, amount }),
                _ => None,
            },
            state: self.order_state,
            count: self.count,
            remaining: self.remaining_fen,
            reason: self.reason,
            trade_no: self.trade_no,
            corrects: ReceiptNumber::of(self.corrects_series, self.corrects_year, self.corrects_number),
            corrected: self.corrected_fen.zip(self.corrected_at).map(|(amount, at)| ReceiptCorrection {
                amount,
                at,
                reason: self.corrected_reason.unwrap_or_default(),
            }),
        }
    }
}
