//! What residents' accounts held before and after, by building, and what changed it: from the ledger.

use model::ids::{PlaceId, UserId};
use model::money::Money;
use model::report::{Cell, Column, ColumnKind, Heading, ReportQuery, Section};
use sqlx::FromRow;

use crate::movements::account_codes;
use store::console::{above, within};
use store::{Result, Tx, on};

#[derive(FromRow)]
struct BalanceRow {
    building: String,
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
        "SELECT COALESCE(CASE WHEN b.kind = 'unit' THEN t.name ELSE b.name END, '') AS building,
                CAST(SUM(CASE WHEN x.at < $2 THEN x.e4 ELSE 0 END) AS BIGINT) AS opening_e4,
                CAST(SUM(CASE WHEN x.at >= $2 AND x.operation = 'payment'
                    AND x.other NOT IN ('subsidies', 'carried', 'taken-over') THEN x.e4 ELSE 0 END) AS BIGINT) AS sales_e4,
                CAST(SUM(CASE WHEN x.at >= $2 AND x.operation = 'payment' AND x.other = 'subsidies'
                    THEN x.e4 ELSE 0 END) AS BIGINT) AS subsidies_e4,
                CAST(SUM(CASE WHEN x.at >= $2 AND x.operation IN ('payout', 'refund-reserve', 'refund-release', 'refund-cleared')
                    THEN x.e4 ELSE 0 END) AS BIGINT) AS back_e4,
                CAST(SUM(CASE WHEN x.at >= $2 AND x.operation IN ('use', 'consumption', 'consumption-reversal')
                    THEN x.e4 ELSE 0 END) AS BIGINT) AS used_e4,
                CAST(SUM(x.e4) AS BIGINT) AS closing_e4
         FROM (SELECT credit AS code, amount_e4 AS e4, at, operation, debit AS other FROM ledger_transfers WHERE at < $3
               UNION ALL
               SELECT debit, -amount_e4, at, operation, credit FROM ledger_transfers WHERE at < $3) AS x
         JOIN ",
        account_codes!(),
        " AS k ON k.code = x.code
         JOIN accounts a ON a.id = k.id LEFT JOIN places r ON r.id = a.place_id",
        above!(),
        "WHERE ($4 IS NULL OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        "GROUP BY 1 ORDER BY 1"
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
        std::iter::once(crate::name_or_none(&row.building)).chain(amounts.map(Cell::Money)).collect()
    });
    Ok(Section { title: Heading::Balances, columns, rows: rows.collect(), chart: None })
}
