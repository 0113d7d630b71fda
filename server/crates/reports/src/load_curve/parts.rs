//! What the places below a place, or the members of a group, add to the demand of the whole.

use domain::load_curve::{Demand, HourLoad, demand};
use model::energy::Energy;
use model::ids::UserId;
use model::place::PlaceKind;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Section};
use model::time::Date;

use crate::Extent;
use crate::energy::places::members;
use crate::hours::{self, Hours};
use store::{Db, Result};

/// More parts are not read: each is a query.
const MOST: usize = 200;

/// A part, with its hours.
pub struct Part {
    name: String,
    hours: Hours,
    peak: Option<Demand>,
}

/// The parts; `None` for a room or account, and for too many.
pub async fn read(db: &Db, operator: UserId, extent: &Extent, span: (Date, Date)) -> Result<Option<Vec<Part>>> {
    let Some(members) = members(db, operator, extent).await? else { return Ok(None) };
    if members.len() > MOST {
        return Ok(None);
    }
    let mut parts = Vec::new();
    for member in members {
        let extent = if member.kind == PlaceKind::Room { Extent::Room(member.id) } else { Extent::Place(member.id) };
        let hours = hours::of(db, operator, &extent, span).await?;
        // Hours without energy are no peak, whether they are known or not.
        let loads: Vec<HourLoad> = hours.iter().map(|(at, energy)| HourLoad { at: *at, energy: *energy }).collect();
        let peak = demand(&loads, |_| ()).remove(&());
        parts.push(Part { name: member.name, hours, peak });
    }
    Ok(Some(parts))
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
