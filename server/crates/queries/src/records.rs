//! The register: every sale, return, correction, refund and shift, as one list.

use model::console::{ReceiptNumber, ReceiptSeries, RecordKind, RecordLine, RecordQuery, RecordState, RecordStatus};
use model::ids::{MeterId, UserId, Uuid};
use model::money::Fen;
use model::order::{OrderState, Tender};
use model::time::Timestamp;
use sqlx::FromRow;

use store::console::{Name, above, like, names, oversees, text_matches, within};
use store::roles::{approves, audits};
use store::{Db, Result, StoreError, read};

/// All lines `x` that the filter selects, with their rooms `r`, up to further conditions. As in the report of sales, money counts
/// at the time and for the person of its payment. The sale that undoes a return, whose key is the return's id, takes no money. A
/// shift has no room: its operator sees it, and so do approvers and auditors of all of the operator's buildings.
macro_rules! records {
    () => {
        concat!(
            " FROM (SELECT 'sale' AS kind, o.id, o.number, o.account_id, o.meter_id, o.tender, o.state AS status, o.amount_fen,
                           CASE WHEN o.paid_at IS NULL OR o.tender IN ('carried', 'taken_over', 'subsidy')
                                     OR EXISTS (SELECT 1 FROM returns v WHERE v.id = o.key) THEN 0
                               ELSE o.amount_fen END AS taken_fen, CAST(0 AS BIGINT) AS given_fen,
                           COALESCE(o.paid_at, o.created_at) AS at, o.created_by AS by_id, o.count, p.series, p.year,
                           p.number AS receipt
                    FROM orders o LEFT JOIN receipts p ON p.order_id = o.id
                    UNION ALL
                    SELECT v.kind, v.id, v.number, v.account_id, v.meter_id, v.tender, v.state, v.amount_fen,
                           CASE WHEN v.state = 'done' AND v.kind = 'undo_return' THEN v.amount_fen ELSE 0 END,
                           CASE WHEN v.state = 'done' AND v.kind <> 'undo_return' THEN v.amount_fen ELSE 0 END,
                           COALESCE(v.settled_at, v.asked_at), COALESCE(v.settled_by, v.asked_by), v.count, p.series, p.year,
                           p.number
                    FROM returns v LEFT JOIN receipts p ON p.return_id = v.id OR p.order_id = v.sale_id
                    UNION ALL
                    SELECT 'refund', f.id, f.number, o.account_id, o.meter_id, f.tender, f.state, f.amount_fen, 0,
                           CASE WHEN f.state = 'done' AND f.source <> 'return' THEN f.amount_fen ELSE 0 END,
                           COALESCE(f.settled_at, f.asked_at), COALESCE(f.settled_by, f.asked_by, o.created_by), NULL,
                           p.series, p.year, p.number
                    FROM refunds f JOIN orders o ON o.id = f.order_id LEFT JOIN receipts p ON p.refund_id = f.id
                    UNION ALL
                    SELECT 'shift', s.id, 0, NULL, NULL, 'cash', CASE WHEN s.closed_at IS NULL THEN 'open' ELSE 'closed' END,
                           COALESCE(s.counted_fen - s.expected_fen, 0), 0, 0, s.opened_at, s.operator_id, NULL, NULL, NULL, NULL
                    FROM shifts s) AS x
              LEFT JOIN accounts a ON a.id = x.account_id LEFT JOIN places r ON r.id = a.place_id",
            above!(),
            "JOIN users u ON u.id = x.by_id
             WHERE CASE WHEN x.kind = 'shift'
                        THEN x.by_id = $1 OR EXISTS (SELECT 1 FROM users o WHERE o.id = $1 AND",
            "(",
            approves!("o"),
            " OR ",
            audits!("o"),
            ") AND",
            oversees!(),
            ") ELSE",
            within!(),
            "END AND ($2 = '' OR x.kind <> 'shift') AND (",
            // With the names of the room as people write them: 3号楼5层501, 3号楼501 and 3-501.
            text_matches!(
                "a.number || ' ' || CAST(x.number AS TEXT) || ' ' || COALESCE(t.name, '') || COALESCE(b.name, '') || r.name || ' '
                 || COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') || r.name || ' '
                 || REPLACE(COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, ''), '号楼', '') || '-' || r.name"
            ),
            "OR EXISTS (SELECT 1 FROM meters m WHERE m.id = x.meter_id AND '%' || m.serial || '%' = $2))
             AND ($3 = '' OR x.kind = $3) AND ($4 = '' OR x.status = $4) AND ($5 = '' OR x.tender = $5)
             AND x.at >= $6 AND x.at < $7 AND ($8 = '' OR LOWER(u.name) LIKE LOWER($8) ESCAPE '!')
             AND ($9 = '' OR CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END = $9)
             AND ($10 = 0 OR (x.year = $10 AND x.receipt = $11 AND x.series = $12)) "
        )
    };
}

/// A filter as the values that both queries bind.
pub struct RecordFilter {
    operator: UserId,
    text: String,
    kind: &'static str,
    status: &'static str,
    tender: &'static str,
    from: i64,
    until: i64,
    by: String,
    building: String,
    year: i64,
    receipt: i64,
    series: &'static str,
}

impl RecordFilter {
    /// The lines that the query selects and the operator may see.
    #[must_use]
    pub fn new(operator: UserId, query: &RecordQuery) -> Self {
        Self {
            operator,
            text: like(&query.text),
            kind: query.kind.map_or("", RecordKind::as_str),
            status: query.status.map_or("", RecordStatus::as_str),
            tender: query.tender.map_or("", Tender::as_str),
            from: query.from.map_or(i64::MIN, |day| day.start().0),
            until: query.until.map_or(i64::MAX, |day| day.plus(1).start().0),
            by: like(&query.by),
            building: query.building.clone(),
            year: query.receipt.map_or(0, |receipt| receipt.year),
            receipt: query.receipt.map_or(0, |receipt| receipt.number),
            series: query.receipt.map_or("", |receipt| receipt.series.as_str()),
        }
    }

    fn bind<'q, D: sqlx::Database, T>(
        &'q self,
        query: sqlx::query::QueryAs<'q, D, T, D::Arguments>,
    ) -> sqlx::query::QueryAs<'q, D, T, D::Arguments>
    where
        UserId: sqlx::Encode<'q, D> + sqlx::Type<D>,
        &'q str: sqlx::Encode<'q, D> + sqlx::Type<D>,
        i64: sqlx::Encode<'q, D> + sqlx::Type<D>,
    {
        let query = query.bind(self.operator).bind(&*self.text).bind(self.kind).bind(self.status).bind(self.tender);
        let query = query.bind(self.from).bind(self.until).bind(&*self.by).bind(&*self.building);
        query.bind(self.year).bind(self.receipt).bind(self.series)
    }
}

#[derive(FromRow)]
struct RecordRow {
    kind: RecordKind,
    id: Uuid,
    number: i64,
    meter_id: Option<MeterId>,
    account_number: String,
    tender: Tender,
    status: RecordStatus,
    amount_fen: Fen,
    taken_fen: Fen,
    given_fen: Fen,
    at: Timestamp,
    by_name: String,
    count: Option<i64>,
    series: Option<ReceiptSeries>,
    year: Option<i64>,
    receipt: Option<i64>,
    corrected_fen: Fen,
    #[sqlx(flatten)]
    name: Name,
}

impl RecordRow {
    fn line(self) -> Result<RecordLine> {
        let unknown = StoreError::Inconsistent { table: "records", column: "state" };
        let state = RecordState::of(self.kind, self.status).ok_or(unknown)?;
        let is_credited = state == RecordState::Sale(OrderState::Credited);
        Ok(RecordLine {
            id: self.id,
            state,
            number: self.number,
            meter: self.meter_id,
            room: self.name.into(),
            account: self.account_number,
            tender: self.tender,
            amount: self.amount_fen,
            taken: self.taken_fen,
            given: self.given_fen,
            at: self.at,
            by: self.by_name,
            count: self.count,
            receipt: ReceiptNumber::of(self.series, self.year, self.receipt),
            is_correctable: is_credited && self.tender.left_to_correct(self.amount_fen, self.corrected_fen) > Fen::ZERO,
        })
    }
}

/// Totals of all lines that a filter selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromRow)]
pub struct RecordTotals {
    /// Number of lines.
    pub lines: i64,
    #[sqlx(rename = "taken_fen")]
    pub taken: Fen,
    #[sqlx(rename = "given_fen")]
    pub given: Fen,
}

/// Lines of the register, newest first, after the line `after`; with `offset` lines left out.
pub async fn records(
    db: &Db,
    filter: &RecordFilter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
    offset: i64,
) -> Result<Vec<RecordLine>> {
    let (at, id) = after.unwrap_or((Timestamp(i64::MAX), Uuid::max()));
    let rows: Vec<RecordRow> = read!(db, |pool| {
        filter
            .bind(sqlx::query_as(concat!(
                // The corrections of the lines that are given only, not of all that the filter selects.
                "SELECT y.*, CAST(COALESCE((SELECT SUM(v.amount_fen) FROM returns v WHERE v.corrects_order = y.id
                         AND v.state NOT IN ('refused', 'rejected', 'cancelled', 'expired')), 0) AS BIGINT) AS corrected_fen
             FROM (SELECT x.kind, x.id, x.number, x.meter_id, COALESCE(a.number, '') AS account_number, x.tender, x.status,
                    x.amount_fen, x.taken_fen, x.given_fen, x.at, u.name AS by_name, x.count, x.series, x.year, x.receipt,",
                names!(),
                records!(),
                "AND (x.at < $13 OR (x.at = $13 AND x.id < $14)) ORDER BY x.at DESC, x.id DESC LIMIT $15 OFFSET $16)
             AS y ORDER BY y.at DESC, y.id DESC"
            )))
            .bind(at)
            .bind(id)
            .bind(limit)
            .bind(offset)
            .fetch_all(pool)
            .await
    })?;
    rows.into_iter().map(RecordRow::line).collect()
}

/// The totals of the whole filter.
pub async fn record_totals(db: &Db, filter: &RecordFilter) -> Result<RecordTotals> {
    let totals: Option<RecordTotals> = read!(db, |pool| filter
        .bind(sqlx::query_as(concat!(
            "SELECT COUNT(*) AS lines, CAST(COALESCE(SUM(x.taken_fen), 0) AS BIGINT) AS taken_fen,
                    CAST(COALESCE(SUM(x.given_fen), 0) AS BIGINT) AS given_fen",
            records!()
        )))
        .fetch_optional(pool)
        .await)?;
    Ok(totals.unwrap_or_default())
}
