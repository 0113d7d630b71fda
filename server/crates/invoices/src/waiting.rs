//! Receipts that are not exported yet. What came in is exported as an invoice, what went out as the reversal of invoices.

use domain::rng::Rng;
use model::console::{ReceiptNumber, ReceiptSeries, RoomName};
use model::ids::{AccountId, OrderId, PlaceId, UserId};
use model::invoice::{InvoiceKind, InvoiceRange, InvoicesWaiting, ReceiptSum, TaxRate};
use model::money::Fen;
use model::time::Timestamp;
use sqlx::FromRow;

use super::export::MOST;
use super::flat_prices::FlatPrices;
use super::{open_rows, plan};
use store::console::{Name, above, names, within};
use store::{Db, Result, Tx, on};

/// Returns without invoices that a page names.
const NAMED: usize = 20;

/// The receipts `x` of money that wait, with their rooms `r`. `$2` and `$3` are the instants between which they were issued, `$4`
/// a building. Only what is credited was sold: an order that waits for a person, or was refunded, asks for no invoice, and what
/// went back of one that was never credited reverses none.
macro_rules! waiting_receipts {
    () => {
        concat!(
            "FROM (SELECT 'blue' AS kind, p.series, p.year, p.number, p.issued_at, o.account_id, o.amount_fen, o.id AS order_id,
                          o.created_by AS payer
                   FROM receipts p JOIN orders o ON o.id = p.order_id
                   WHERE p.issued_at >= $2 AND p.issued_at < $3 AND o.state = 'credited'
                   UNION ALL
                   SELECT 'red', p.series, p.year, p.number, p.issued_at, v.account_id, v.amount_fen, v.corrects_order, NULL
                   FROM receipts p JOIN returns v ON v.id = p.return_id
                   WHERE p.issued_at >= $2 AND p.issued_at < $3 AND v.source <> 'order') AS x
             JOIN accounts a ON a.id = x.account_id JOIN places r ON r.id = a.place_id",
            above!(),
            "LEFT JOIN invoice_buyers y ON y.account_id = a.id
             WHERE NOT EXISTS (SELECT 1 FROM invoice_rows i WHERE i.series = x.series AND i.year = x.year
                                   AND i.number = x.number AND i.cancelled_at IS NULL)
               AND NOT EXISTS (SELECT 1 FROM invoice_manual_reversals j WHERE j.series = x.series AND j.year = x.year
                                   AND j.number = x.number)
               AND ($4 IS NULL OR b.id = $4 OR t.id = $4) AND",
            within!()
        )
    };
}

pub(super) use waiting_receipts;

/// A receipt that waits.
#[derive(FromRow)]
pub(super) struct Waiting {
    pub kind: InvoiceKind,
    pub series: ReceiptSeries,
    pub year: i64,
    pub number: i64,
    pub issued_at: Timestamp,
    pub account_id: AccountId,
    pub place_id: PlaceId,
    pub amount_fen: Fen,
    /// The order that was paid, or that is reversed.
    pub order_id: Option<OrderId>,
    pub buyer: Option<String>,
    pub tax_number: Option<String>,
    #[sqlx(flatten)]
    pub name: Name,
}

impl Waiting {
    pub const fn receipt(&self) -> ReceiptNumber {
        ReceiptNumber { series: self.series, year: self.year, number: self.number }
    }

    fn named(self) -> (ReceiptNumber, RoomName, Fen) {
        (self.receipt(), self.name.into(), self.amount_fen)
    }
}

/// What waits, invoices first, each the oldest first; at most [`MOST`]. The buyer is whoever paid, if they live or lived there,
/// or else whoever had lived there longest at that time.
pub(super) async fn waiting(tx: &mut Tx, operator: UserId, range: &InvoiceRange) -> Result<Vec<Waiting>> {
    on!(tx, |c| sqlx::query_as(concat!(
        "SELECT x.kind, x.series, x.year, x.number, x.issued_at, x.account_id, r.id AS place_id, x.amount_fen, x.order_id,
                COALESCE(y.name, (SELECT u.name FROM account_residents h JOIN users u ON u.id = h.user_id
                                  WHERE h.account_id = a.id AND h.from_at <= x.issued_at AND h.user_id = x.payer
                                  ORDER BY h.from_at LIMIT 1),
                                 (SELECT u.name FROM account_residents h JOIN users u ON u.id = h.user_id
                                  WHERE h.account_id = a.id AND h.from_at <= x.issued_at
                                    AND (h.to_at IS NULL OR h.to_at > x.issued_at)
                                  ORDER BY h.from_at, u.login LIMIT 1)) AS buyer, y.tax_number,",
        names!(),
        waiting_receipts!(),
        "ORDER BY x.kind, x.issued_at, x.series, x.year, x.number LIMIT $5"
    ))
    .bind(operator)
    .bind(range.from.start())
    .bind(range.until.plus(1).start())
    .bind(range.building)
    .bind(MOST)
    .fetch_all(c)
    .await)
}

/// Number and sum of what waits: invoices, and reversals, whether or not there are invoices to reverse.
pub async fn sums(db: &Db, operator: UserId, range: &InvoiceRange) -> Result<(ReceiptSum, ReceiptSum)> {
    let mut tx = db.begin_reading().await?;
    let rows: Vec<(InvoiceKind, i64, i64)> = on!(&mut tx, |c| sqlx::query_as(concat!(
        "SELECT x.kind, COUNT(*), CAST(SUM(x.amount_fen) AS BIGINT) ",
        waiting_receipts!(),
        "GROUP BY x.kind"
    ))
    .bind(operator)
    .bind(range.from.start())
    .bind(range.until.plus(1).start())
    .bind(range.building)
    .fetch_all(c)
    .await)?;
    let of = |kind| {
        let found = rows.iter().find(|(of, ..)| *of == kind);
        found.map(|(_, receipts, fen)| ReceiptSum { receipts: *receipts, amount: Fen(*fen) }).unwrap_or_default()
    };
    Ok((of(InvoiceKind::Blue), of(InvoiceKind::Red)))
}

/// What an export would take, and the first of what it would leave out.
pub async fn preview(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    operator: UserId,
    range: &InvoiceRange,
    rate: TaxRate,
) -> Result<InvoicesWaiting> {
    let mut tx = db.begin_reading().await?;
    let found = waiting(&mut tx, operator, range).await?;
    let open = open_rows::of_waiting(&mut tx, operator, range).await?;
    let plan = plan::plan(rng, at, rate, found, open, &FlatPrices::default());
    Ok(InvoicesWaiting {
        blue: plan.sum(InvoiceKind::Blue),
        red: plan.sum(InvoiceKind::Red),
        without_invoice: plan.without_invoice.into_iter().take(NAMED).map(Waiting::named).collect(),
    })
}
