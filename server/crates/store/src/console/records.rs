//! The register of the till: every sale, return, correction, refund and shift, as one list.

use model::console::{ReceiptNumber, RecordLine, RecordQuery, RecordState};
use model::ids::{MeterId, UserId};
use model::money::Fen;
use model::order::Tender;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Name, above, like, matches, names, within};
use crate::{Db, Result, StoreError, read};

/// All lines `x` that the filter holds, with the room `r`, up to what comes behind the `WHERE`. A shift has no room: it is its
/// operator's own, and the administrators'.
macro_rules! records {
    () => {
        concat!(
            " FROM (SELECT 'sale' AS kind, o.id, o.number, o.account_id, o.meter_id, o.tender, o.state, o.amount_fen,
                           CASE WHEN o.paid_at IS NULL OR o.tender = 'carried' THEN 0
                               ELSE o.amount_fen END AS taken_fen, CAST(0 AS BIGINT) AS given_fen,
                           o.created_at AS at, o.created_by AS by_id, o.count, p.year, p.number AS receipt
                    FROM orders o LEFT JOIN receipts p ON p.order_id = o.id
                    UNION ALL
                    SELECT v.kind, v.id, v.number, v.account_id, v.meter_id, v.tender, v.state, v.amount_fen, 0,
                           CASE WHEN v.state = 'done' AND v.kind <> 'undo_return' THEN v.amount_fen ELSE 0 END,
                           v.asked_at, v.asked_by, v.count, p.year, p.number
                    FROM returns v LEFT JOIN receipts p ON p.return_id = v.id OR p.order_id = v.sale_id
                    UNION ALL
                    SELECT 'refund', f.id, f.number, o.account_id, o.meter_id, f.tender, f.state, f.amount_fen, 0,
                           CASE WHEN f.state = 'done' AND f.source <> 'return' THEN f.amount_fen ELSE 0 END,
                           f.asked_at, COALESCE(f.asked_by, o.created_by), NULL, p.year, p.number
                    FROM refunds f JOIN orders o ON o.id = f.order_id LEFT JOIN receipts p ON p.refund_id = f.id
                    UNION ALL
                    SELECT 'shift', s.id, 0, NULL, NULL, 'cash', CASE WHEN s.closed_at IS NULL THEN 'open' ELSE 'closed' END,
                           COALESCE(s.counted_fen - s.expected_fen, 0), 0, 0, s.opened_at, s.operator_id, NULL, NULL, NULL
                    FROM shifts s) AS x
              LEFT JOIN accounts a ON a.id = x.account_id LEFT JOIN places r ON r.id = a.place_id",
            above!(),
            "JOIN users u ON u.id = x.by_id
             WHERE CASE WHEN x.kind = 'shift'
                        THEN x.by_id = $1 OR EXISTS (SELECT 1 FROM users WHERE id = $1 AND role = 'admin') ELSE",
            within!(),
            "END AND ($2 = '' OR x.kind <> 'shift') AND",
            matches!("a.number || ' ' || CAST(x.number AS TEXT)"),
            "AND ($3 = '' OR x.kind = $3) AND ($4 = '' OR x.state = $4) AND ($5 = '' OR x.tender = $5)
             AND x.at >= $6 AND x.at < $7 AND ($8 = '' OR LOWER(u.name) LIKE LOWER($8) ESCAPE '!')
             AND ($9 = '' OR CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END = $9)
             AND ($10 = 0 OR (x.year = $10 AND x.receipt = $11)) "
        )
    };
}

/// A filter as the values that every statement binds.
pub struct Terms {
    operator: Uuid,
    text: String,
    kind: String,
    state: String,
    tender: &'static str,
    from: i64,
    until: i64,
    by: String,
    building: String,
    year: i64,
    receipt: i64,
}

impl Terms {
    /// What that operator asks.
    #[must_use]
    pub fn of(operator: UserId, query: &RecordQuery) -> Self {
        Self {
            operator: operator.0,
            text: like(&query.text),
            kind: query.kind.clone(),
            state: query.state.clone(),
            tender: query.tender.map_or("", Tender::as_str),
            from: query.from.map_or(i64::MIN, |day| day.start().0),
            until: query.until.map_or(i64::MAX, |day| day.plus(1).start().0),
            by: like(&query.by),
            building: query.building.clone(),
            year: query.receipt.map_or(0, |receipt| receipt.year),
            receipt: query.receipt.map_or(0, |receipt| receipt.number),
        }
    }

    fn bind<'q, D: sqlx::Database, T>(
        &'q self,
        query: sqlx::query::QueryAs<'q, D, T, D::Arguments>,
    ) -> sqlx::query::QueryAs<'q, D, T, D::Arguments>
    where
        Uuid: sqlx::Encode<'q, D> + sqlx::Type<D>,
        &'q str: sqlx::Encode<'q, D> + sqlx::Type<D>,
        i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
    {
        let query = query.bind(self.operator).bind(&*self.text).bind(&*self.kind).bind(&*self.state).bind(self.tender);
        let query = query.bind(self.from).bind(self.until).bind(&*self.by).bind(&*self.building);
        query.bind(self.year).bind(self.receipt)
    }
}

#[derive(FromRow)]
struct Row {
    kind: String,
    id: Uuid,
    number: i64,
    meter_id: Option<Uuid>,
    account_number: String,
    tender: String,
    state: String,
    amount_fen: i64,
    taken_fen: i64,
    given_fen: i64,
    at: i64,
    by_name: String,
    count: Option<i64>,
    year: Option<i64>,
    receipt: Option<i64>,
    #[sqlx(flatten)]
    name: Name,
}

/// What the whole filter holds, not only the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct Totals {
    /// How many lines.
    pub lines: i64,
    /// Sum of what came in, fen.
    pub taken_fen: i64,
    /// Sum of what went out, fen.
    pub given_fen: i64,
}

/// Lines of the register, newest first, after the line `after`; with `offset` lines left out.
pub async fn records(
    db: &Db,
    terms: &Terms,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
    offset: i64,
) -> Result<Vec<RecordLine>> {
    let (at, id) = after.map_or((i64::MAX, Uuid::max()), |(at, id)| (at.0, id));
    let rows: Vec<Row> = read!(db, |pool| terms
        .bind(sqlx::query_as(concat!(
            "SELECT x.kind, x.id, x.number, x.meter_id, COALESCE(a.number, '') AS account_number, x.tender, x.state, x.amount_fen,
                    x.taken_fen, x.given_fen, x.at, u.name AS by_name, x.count, x.year, x.receipt,",
            names!(),
            records!(),
            "AND (x.at < $12 OR (x.at = $12 AND x.id < $13)) ORDER BY x.at DESC, x.id DESC LIMIT $14 OFFSET $15"
        )))
        .bind(at)
        .bind(id)
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await)?;
    rows.into_iter().map(line).collect()
}

/// The totals of the whole filter.
pub async fn record_totals(db: &Db, terms: &Terms) -> Result<Totals> {
    let totals: Option<Totals> = read!(db, |pool| terms
        .bind(sqlx::query_as(concat!(
            "SELECT COUNT(*) AS lines, CAST(COALESCE(SUM(x.taken_fen), 0) AS BIGINT) AS taken_fen,
                    CAST(COALESCE(SUM(x.given_fen), 0) AS BIGINT) AS given_fen",
            records!()
        )))
        .fetch_optional(pool)
        .await)?;
    Ok(totals.unwrap_or_default())
}

fn line(row: Row) -> Result<RecordLine> {
    let unknown = |column| StoreError::Inconsistent { table: "records", column };
    Ok(RecordLine {
        id: row.id,
        state: RecordState::parse(&row.kind, &row.state).ok_or(unknown("state"))?,
        number: row.number,
        meter: row.meter_id.map(MeterId),
        room: row.name.into(),
        account: row.account_number,
        tender: Tender::parse(&row.tender).ok_or(unknown("tender"))?,
        amount: Fen(row.amount_fen),
        taken: Fen(row.taken_fen),
        given: Fen(row.given_fen),
        at: Timestamp(row.at),
        by: row.by_name,
        count: row.count,
        receipt: row.year.zip(row.receipt).map(|(year, number)| ReceiptNumber { year, number }),
    })
}
