//! Energy by place against that of its meters, and months against their days.

use std::collections::{BTreeMap, HashMap};

use model::energy::Energy;
use model::ids::PlaceId;
use model::subsidy::Month;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use super::{Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};

/// Places above each other that are followed; ends the walk if the tree has a cycle.
const DEEPEST: usize = 16;

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    name: String,
}

/// Energy by place and day, or place and month.
type Sums = BTreeMap<(PlaceId, i64), Energy>;

/// Compares the days before yesterday, as the task left them, except those that a late reading will change; nothing while a
/// move of a meter or place has not been added up.
pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let rolled: Option<(Timestamp,)> = on!(tx, |c| sqlx::query_as(
        "SELECT rolled_at FROM place_energy_state WHERE rolled_at IS NOT NULL AND changes = rolled_changes"
    )
    .fetch_optional(c)
    .await)?;
    let Some((rolled_at,)) = rolled else { return Ok(()) };
    let late: Vec<(Date,)> = on!(tx, |c| sqlx::query_as("SELECT DISTINCT day FROM late_energy_days").fetch_all(c).await)?;
    let places: Vec<PlaceRow> =
        on!(tx, |c| sqlx::query_as("SELECT id, parent_id, name FROM places WHERE kind <> 'room'").fetch_all(c).await)?;
    let places: HashMap<PlaceId, PlaceRow> = places.into_iter().map(|place| (place.id, place)).collect();
    let end = rolled_at.date().plus(-1);
    let is_settled = |day: i64| !late.contains(&(Date(day),));
    let expected = by_meters(tx, &places, end).await?;
    let stored: Vec<(PlaceId, i64, Energy)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id, day, wh FROM place_energy_daily WHERE day < $1")
            .bind(end)
            .fetch_all(c)
            .await)?;
    let name = |place: PlaceId| places.get(&place).map_or_else(|| place.to_string(), |place| place.name.clone());
    for ((place, day), expected, found) in differences(expected, &stored).into_iter().filter(|((_, day), ..)| is_settled(*day)) {
        let subject = format!("{} {}", name(place), Date(day));
        report.differences.push(difference(Rule::EnergyOfPlace, subject, expected, found));
    }
    let current = Month::of(rolled_at);
    let mut months = Sums::new();
    for (place, day, energy) in &stored {
        let sum = months.entry((*place, Month::of(Date(*day).start()).0)).or_default();
        *sum = *sum + *energy;
    }
    months.retain(|(_, month), _| *month < current.0 && Month(month + 1).first().is_some_and(|next| next <= end));
    let of_months: Vec<(PlaceId, i64, Energy)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id, month, wh FROM place_energy_monthly").fetch_all(c).await)?;
    // The month that ended yesterday has a day that is still read.
    let of_months: Vec<_> = of_months
        .into_iter()
        .filter(|(_, month, _)| *month >= current.0 || Month(month + 1).first().is_none_or(|next| next <= end))
        .collect();
    for ((place, month), expected, found) in differences(months, &of_months) {
        let subject = format!("{} {}", name(place), Month(month));
        report.differences.push(difference(Rule::EnergyOfMonth, subject, expected, found));
    }
    Ok(())
}

fn difference(rule: Rule, subject: String, expected: Energy, found: Energy) -> Difference {
    Difference { rule, subject, expected: Figure::Energy(expected), found: Figure::Energy(found) }
}

/// Where the stored energy is not the expected one; a place without energy may have no row.
fn differences(mut expected: Sums, stored: &[(PlaceId, i64, Energy)]) -> Vec<((PlaceId, i64), Energy, Energy)> {
    let of_rows = stored
        .iter()
        .map(|(place, slot, found)| ((*place, *slot), expected.remove(&(*place, *slot)).unwrap_or_default(), *found));
    let mut all: Vec<_> = of_rows.collect();
    all.extend(expected.into_iter().map(|(key, expected)| (key, expected, Energy::ZERO)));
    all.retain(|(_, expected, found)| expected != found);
    all
}

/// The energy of each place on each day before `end`, from that of the meters below it.
async fn by_meters(tx: &mut Tx, places: &HashMap<PlaceId, PlaceRow>, end: Date) -> Result<Sums> {
    let rows: Vec<(Option<PlaceId>, i64, Energy)> = on!(tx, |c| sqlx::query_as(
        "SELECT CASE WHEN r.kind = 'room' THEN r.parent_id ELSE r.id END, d.day, CAST(SUM(d.wh) AS BIGINT)
         FROM meters m JOIN places r ON r.id = m.place_id JOIN energy_daily d ON d.meter_id = m.id AND d.day < $1
         WHERE m.wallet <> 'none' GROUP BY 1, 2"
    )
    .bind(end)
    .fetch_all(c)
    .await)?;
    let mut sums = Sums::new();
    for (place, day, energy) in rows {
        let up = |place: &&PlaceRow| place.parent_id.and_then(|parent| places.get(&parent));
        let path = std::iter::successors(place.and_then(|place| places.get(&place)), up).take(DEEPEST);
        for place in path {
            let sum = sums.entry((place.id, day)).or_default();
            *sum = *sum + energy;
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::Uuid;

    #[test]
    fn a_place_without_energy_may_have_no_row() {
        let place = PlaceId(Uuid::nil());
        let expected = Sums::from([((place, 1), Energy(5)), ((place, 2), Energy::ZERO), ((place, 3), Energy(7))]);
        let found = differences(expected, &[(place, 1, Energy(6)), (place, 4, Energy(1))]);
        let changes: Vec<_> = found.into_iter().map(|((_, day), expected, found)| (day, expected.0, found.0)).collect();
        assert_eq!(changes, [(1, 5, 6), (4, 0, 1), (3, 7, 0)]);
    }
}
