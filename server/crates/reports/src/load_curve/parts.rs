//! What the places below a place, or the members of a group, add to the demand of the whole.

use std::collections::BTreeSet;

use domain::load_curve::{Demand, HourLoad, demand};
use model::energy::Energy;
use model::ids::{PlaceId, UserId};
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Section};
use model::time::{Date, Timestamp};

use crate::Extent;
use crate::energy::places::{Member, members};
use crate::hours::{self, Hours};
use store::{Db, Result};

/// A part, with its hours.
pub struct Part {
    name: String,
    hours: Hours,
    peak: Option<Demand>,
}

impl Part {
    /// Only the hours that the whole has count. An hour without energy is no peak.
    fn new(name: String, mut hours: Hours, whole: &BTreeSet<Timestamp>) -> Self {
        hours.retain(|at, _| whole.contains(at));
        let loads: Vec<HourLoad> = hours.iter().map(|(at, energy)| HourLoad { at: *at, energy: *energy }).collect();
        Self { name, peak: demand(&loads, |_| ()).remove(&()), hours }
    }
}

/// The parts, in the hours of the whole; `None` for a room or account.
pub async fn read(
    db: &Db,
    operator: UserId,
    extent: &Extent,
    span: (Date, Date),
    whole: &[HourLoad],
) -> Result<Option<Vec<Part>>> {
    let Some(members) = members(db, operator, extent).await? else { return Ok(None) };
    let places: Vec<PlaceId> = members.iter().map(|member| member.id).collect();
    let mut hours = hours::of_each(db, operator, &places, span).await?;
    let whole: BTreeSet<Timestamp> = whole.iter().map(|load| load.at).collect();
    let part = |member: Member| Part::new(member.name, hours.remove(&member.id).unwrap_or_default(), &whole);
    Ok(Some(members.into_iter().map(part).collect()))
}

/// What the peaks of the parts add up to, W.
pub fn sum_of_peaks(parts: &[Part]) -> i64 {
    parts.iter().filter_map(|part| part.peak).map(|demand| demand.peak.0).sum()
}

/// Each part with its own peak, and with what it took when the whole had its own: those add up.
pub fn section(parts: &[Part], whole: &Demand) -> Section {
    let mut parts: Vec<&Part> = parts.iter().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.peak.map_or(0, |demand| demand.peak.0)));
    let row = |part: &&Part| {
        let at_peak = part.hours.get(&whole.peak.1).copied().unwrap_or_default();
        let of = |value: &dyn Fn(&Demand) -> Cell| part.peak.as_ref().map_or(Cell::Empty, value);
        vec![
            Cell::Text(part.name.clone()),
            of(&|demand| Cell::Power(demand.peak.0)),
            of(&|demand| Cell::Time(demand.peak.1)),
            Cell::Power(at_peak.0),
            Cell::share(at_peak.0, whole.peak.0),
            Cell::Energy(part.hours.values().fold(Energy::ZERO, |sum, energy| sum + *energy)),
        ]
    };
    let columns = vec![
        Column::text(Heading::Place),
        Column::plain(Heading::Peak, ColumnKind::Power),
        Column::time(Heading::HighestAt),
        Column::summed(Heading::AtPeakOfAll, ColumnKind::Power),
        Column::share(Heading::Share),
        Column::summed(Heading::Energy, ColumnKind::Energy),
    ];
    Section { title: Heading::ByPlace, columns, rows: parts.iter().map(row).collect(), chart: Some(Chart::Bars(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::HOUR;

    #[test]
    fn parts_have_the_hours_of_the_whole() {
        let at = |hour: i64| Timestamp(hour * HOUR);
        let hours = Hours::from([(at(0), Energy(900)), (at(1), Energy(200)), (at(2), Energy(300)), (at(3), Energy(5_000))]);
        let part = Part::new("one".to_owned(), hours, &BTreeSet::from([at(1), at(2)]));
        let whole = Demand { energy: Energy(1_000), hours: 2, peak: (700, at(1)) };
        let section = section(&[part], &whole);
        let cells = [Cell::Power(300), Cell::Time(at(2)), Cell::Power(200), Cell::share(200, 700), Cell::Energy(Energy(500))];
        assert_eq!(section.rows[0][1..], cells, "the first hour is unknown, the last is not over");
    }
}
