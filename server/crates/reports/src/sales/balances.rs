//! What residents' accounts held before and after, by building, and what changed it: from the ledger.

use model::ids::{PlaceId, UserId};
use model::money::Money;
use model::report::{Cell, Column, ColumnKind, Heading, ReportQuery, Section};
use sqlx::FromRow;

use crate::building::{Building, building};
use crate::movements::{account_codes, balances};
use store::console::{above, within};
use store::{Result, Tx, on};

#[derive(FromRow)]
struct BalanceRow {
    #[sqlx(flatten)]
    building: Building,
    opening_e4: Money,
    sales_e4: Money,
    subsidies_e4: Money,
    back_e4: Money,
    used_e4: Money,
    closing_e4: Money,
}

/// Paid and not yet delivered, in meters, and in server wallets. What no column explains is another change: a balance that was
/// carried over or taken over, written off, or corrected.
pub async fn section(tx: &mut Tx, operator: UserId, query: &ReportQuery, place: Option<PlaceId>) -> Result<Section> {
    let (from, to) = query.instants();
    let rows: Vec<BalanceRow> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        building!(),
        ",      CAST(SUM(h.opening_e4) AS BIGINT) AS opening_e4, CAST(SUM(h.closing_e4) AS BIGINT) AS closing_e4,
                CAST(COALESCE(SUM(x.sales_e4), 0) AS BIGINT) AS sales_e4,
                CAST(COALESCE(SUM(x.subsidies_e4), 0) AS BIGINT) AS subsidies_e4,
                CAST(COALESCE(SUM(x.back_e4), 0) AS BIGINT) AS back_e4, CAST(COALESCE(SUM(x.used_e4), 0) AS BIGINT) AS used_e4
         FROM ",
        balances!("$2", "$3"),
        " AS h JOIN ",
        account_codes!(),
        " AS k ON k.code = h.code
         LEFT JOIN (
             SELECT code, SUM(CASE WHEN operation = 'payment' AND other NOT IN ('subsidies', 'carried', 'taken-over')
                                   THEN e4 ELSE 0 END) AS sales_e4,
                    SUM(CASE WHEN operation = 'payment' AND other = 'subsidies' THEN e4 ELSE 0 END) AS subsidies_e4,
                    SUM(CASE WHEN operation IN ('payout', 'refund-reserve', 'refund-release', 'refund-cleared')
                             THEN e4 ELSE 0 END) AS back_e4,
                    SUM(CASE WHEN other = 'consumption' THEN e4 ELSE 0 END) AS used_e4
             FROM (SELECT credit AS code, debit AS other, operation, amount_e4 AS e4 FROM ledger_transfers
                   WHERE at >= $2 AND at < $3
                   UNION ALL
                   SELECT debit, credit, operation, -amount_e4 FROM ledger_transfers WHERE at >= $2 AND at < $3) AS sides
             GROUP BY code) AS x ON x.code = h.code
         JOIN accounts a ON a.id = k.id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE (h.opening_e4 <> 0 OR h.closing_e4 <> 0 OR h.transfers > 0)
           AND ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1, 2 ORDER BY 1, 2"
    ))
    .bind(operator)
    .bind(from)
    .bind(to)
    .bind(place)
    .fetch_all(c)
    .await)?;
    let headings = [
        Heading::Opening,
        Heading::Sales,
        Heading::Subsidies,
        Heading::GivenBack,
        Heading::Consumption,
        Heading::OtherChanges,
        Heading::Closing,
    ];
    let amounts = headings.into_iter().map(|heading| Column::summed(heading, ColumnKind::Money));
    let columns = std::iter::once(Column::text(Heading::Building)).chain(amounts).collect();
    let rows = rows.iter().map(|row| {
        let BalanceRow { opening_e4, sales_e4, subsidies_e4, back_e4, used_e4, closing_e4, .. } = *row;
        let other = closing_e4 - opening_e4 - sales_e4 - subsidies_e4 - back_e4 - used_e4;
        let amounts = [opening_e4, sales_e4, subsidies_e4, back_e4, used_e4, other, closing_e4];
        std::iter::once(row.building.cell()).chain(amounts.map(Cell::Money)).collect()
    });
    Ok(Section { title: Heading::Balances, columns, rows: rows.collect(), chart: None })
}
