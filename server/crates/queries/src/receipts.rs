//! A receipt as it is printed.

use model::console::{Receipt, ReceiptNumber, ReceiptOf};
use model::ids::{MeterId, UserId};
use model::money::Fen;
use model::order::{ReturnKind, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, names, within};
use store::{Db, Result, read};

#[derive(FromRow)]
struct ReceiptRow {
    site: Option<String>,
    kind: Option<ReturnKind>,
    refund: bool,
    issued_at: Timestamp,
    issued_by_name: String,
    prints: i64,
    printed_at: Option<Timestamp>,
    meter_id: MeterId,
    serial: String,
    account_number: String,
    residents: Option<String>,
    order_number: i64,
    tender: Tender,
    amount_fen: Fen,
    count: Option<i64>,
    remaining_fen: Option<Fen>,
    reason: Option<String>,
    corrects_year: Option<i64>,
    corrects_number: Option<i64>,
    #[sqlx(flatten)]
    name: Name,
}

/// A receipt for a room that the operator may see.
pub async fn receipt(db: &Db, operator: UserId, number: ReceiptNumber) -> Result<Option<Receipt>> {
    let row: Option<ReceiptRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT (SELECT name FROM places WHERE kind = 'site' ORDER BY sort, name LIMIT 1) AS site, v.kind,
                p.refund_id IS NOT NULL AS refund, p.issued_at,
                i.name AS issued_by_name, p.prints, p.printed_at, m.id AS meter_id, m.serial, a.number AS account_number,
                (SELECT string_agg(users.name, ', ' ORDER BY h.from_at, users.login)
                 FROM account_residents h JOIN users ON users.id = h.user_id
                 WHERE h.account_id = a.id AND h.from_at <= p.issued_at AND (h.to_at IS NULL OR h.to_at > p.issued_at
                     OR h.to_at = a.closed_at)) AS residents,
                COALESCE(o.number, v.number, f.number) AS order_number, COALESCE(o.tender, v.tender, f.tender) AS tender,
                COALESCE(o.amount_fen, v.amount_fen, f.amount_fen) AS amount_fen, COALESCE(o.count, v.count) AS count,
                COALESCE(o.remaining_fen, v.remaining_fen) AS remaining_fen, COALESCE(v.reason, f.reason) AS reason,
                q.year AS corrects_year, q.number AS corrects_number,",
            names!(),
            "FROM receipts p LEFT JOIN orders o ON o.id = p.order_id
         LEFT JOIN returns v ON v.id = p.return_id OR v.sale_id = p.order_id
         LEFT JOIN refunds f ON f.id = p.refund_id LEFT JOIN orders w ON w.id = f.order_id
         LEFT JOIN receipts q ON q.order_id = v.corrects_order OR q.return_id = v.corrects_return
         JOIN users i ON i.id = p.issued_by JOIN meters m ON m.id = COALESCE(o.meter_id, v.meter_id, w.meter_id)
         JOIN accounts a ON a.id = COALESCE(o.account_id, v.account_id, w.account_id) JOIN places r ON r.id = a.place_id",
            above!(),
            "WHERE p.year = $2 AND p.number = $3 AND",
            within!()
        ))
        .bind(operator)
        .bind(number.year)
        .bind(number.number)
        .fetch_optional(pool)
        .await
    })?;
    Ok(row.map(|row| row.receipt(number)))
}

impl ReceiptRow {
    fn receipt(self, number: ReceiptNumber) -> Receipt {
        let of = match self.kind {
            Some(kind) => ReceiptOf::Back(kind),
            None if self.refund => ReceiptOf::Refund,
            None => ReceiptOf::Sale,
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
            order: self.order_number,
            tender: self.tender,
            amount: self.amount_fen,
            count: self.count,
            remaining: self.remaining_fen,
            reason: self.reason,
            corrects: self.corrects_year.zip(self.corrects_number).map(|(year, number)| ReceiptNumber { year, number }),
        }
    }
}
