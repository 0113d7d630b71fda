//! Each floor by month: what the office of a building has once a month.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::PlaceId;
use model::report::{Cell, Column, ColumnKind, Grain, Heading, Section};
use model::subsidy::Month;
use model::time::Date;

use super::sums::{Span, parts};
use super::{Source, starts};
use crate::Extent;
use crate::tree::Tree;
use store::{Result, read};

/// More months do not fit beside each other.
const MOST_MONTHS: usize = 24;

/// The floors `p` of a place `$1`, which may be the floor, its building or their site.
macro_rules! floors_of {
    ($select:literal, $join:literal) => {
        concat!(
            $select,
            " FROM places p LEFT JOIN places b ON b.id = p.parent_id ",
            $join,
            " WHERE p.kind = 'unit' AND $1 IN (p.id, b.id, b.parent_id) AND e.wh <> 0"
        )
    };
}

/// A row a floor, a column a month; `None` for a room or account, and for too many months.
pub async fn section(source: &Source<'_>, now: Span) -> Result<Option<Section>> {
    match source.extent {
        Extent::All(places) | Extent::Group { places, .. } => of_places(source, places, now).await,
        Extent::Place(place) => of_places(source, std::slice::from_ref(place), now).await,
        Extent::Room(_) | Extent::Account(_) => Ok(None),
    }
}

async fn of_places(source: &Source<'_>, places: &[PlaceId], now: Span) -> Result<Option<Section>> {
    let months: Vec<Month> = starts(now, Grain::Month).into_iter().map(Month::of).collect();
    if places.is_empty() || months.is_empty() || months.len() > MOST_MONTHS {
        return Ok(None);
    }
    let mut sums: BTreeMap<PlaceId, BTreeMap<Month, Energy>> = BTreeMap::new();
    let (whole, rest) = parts(now, source.current);
    for place in places {
        let mut rows: Vec<(PlaceId, Month, Energy)> = Vec::new();
        if let Some((first, last)) = whole {
            rows = read!(source.db, |pool| sqlx::query_as(floors_of!(
                "SELECT p.id, e.month, e.wh",
                "JOIN place_energy_monthly e ON e.place_id = p.id AND e.month BETWEEN $2 AND $3"
            ))
            .bind(place)
            .bind(first)
            .bind(last)
            .fetch_all(pool)
            .await)?;
        }
        for &(from, until) in &rest {
            let days: Vec<(PlaceId, Date, Energy)> = read!(source.db, |pool| sqlx::query_as(floors_of!(
                "SELECT p.id, e.day, e.wh",
                "JOIN place_energy_daily e ON e.place_id = p.id AND e.day BETWEEN $2 AND $3"
            ))
            .bind(place)
            .bind(from)
            .bind(until)
            .fetch_all(pool)
            .await)?;
            rows.extend(days.into_iter().map(|(floor, day, energy)| (floor, Month::of(day.start()), energy)));
        }
        for (floor, month, energy) in rows {
            let sum = sums.entry(floor).or_default().entry(month).or_default();
            *sum = *sum + energy;
        }
    }
    let tree = Tree::read(source.db, source.operator).await?;
    let floors = tree.visible().into_iter().filter_map(|node| Some((node.id, sums.get(&node.id)?)));
    let rows = floors.map(|(floor, sums)| {
        let energy = |month: &Month| sums.get(month).map_or(Cell::Empty, |energy| Cell::Energy(*energy));
        std::iter::once(Cell::Text(tree.full_name(floor))).chain(months.iter().map(energy)).collect()
    });
    let rows = rows.collect();
    let heading = |month: &Month| {
        let (year, month, _) = month.first().unwrap_or_default().ymd();
        Column::summed(Heading::MonthOf { year, month }, ColumnKind::Energy)
    };
    let columns = std::iter::once(Column::text(Heading::Place)).chain(months.iter().map(heading)).collect();
    Ok(Some(Section { title: Heading::MonthsOfFloors, columns, rows, chart: None }))
}
