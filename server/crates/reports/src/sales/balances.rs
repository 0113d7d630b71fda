//! What residents' accounts held before and after, by building, and what changed it, by the ledger.

use model::ids::{PlaceId, UserId};
use model::report::{Cell, Column, ColumnKind, Heading, ReportQuery, Section};

use crate::building_statement::{CHANGES, by_building};
use store::{Result, Tx};

/// Paid and not yet delivered, in meters, and in server wallets.
pub async fn section(tx: &mut Tx, operator: UserId, query: &ReportQuery, place: Option<PlaceId>) -> Result<Section> {
    let buildings = by_building(tx, operator, query, place).await?;
    let headings = std::iter::once(Heading::Opening).chain(CHANGES).chain([Heading::Closing]);
    let amounts = headings.map(|heading| Column::summed(heading, ColumnKind::Money));
    let columns = std::iter::once(Column::text(Heading::Building)).chain(amounts).collect();
    let rows = buildings.iter().map(|(building, sums)| {
        let amounts = sums.by_ledger().map(Cell::Money);
        std::iter::once(building.cell()).chain(amounts).collect()
    });
    Ok(Section { title: Heading::Balances, columns, rows: rows.collect(), chart: None })
}
