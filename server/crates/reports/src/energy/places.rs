//! The places below a place, or the members of a group: ranking, share, and the change against the time before.

use std::collections::HashMap;

use model::co2::Co2Factor;
use model::energy::Energy;
use model::ids::{PlaceId, UserId};
use model::place::PlaceKind;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Section};
use sqlx::FromRow;

use super::comparison::Comparison;
use super::sums::{Span, parts};
use super::{Source, compared, mass};
use crate::Extent;
use crate::of_places::read_of_places;
use crate::tree::Tree;
use store::{Db, Result, read};

/// The sums of the places that a column picks: of those above rooms by month and by day, of rooms by their meters.
macro_rules! sums_of {
    ($column:literal) => {
        Texts {
            months: concat!(
                "SELECT p.id, CAST(SUM(e.wh) AS BIGINT) FROM places p
                 JOIN place_energy_monthly e ON e.place_id = p.id AND e.month BETWEEN $1 AND $2 WHERE ",
                $column,
                " IN ($PLACES) GROUP BY p.id"
            ),
            days: concat!(
                "SELECT p.id, CAST(SUM(e.wh) AS BIGINT) FROM places p
                 JOIN place_energy_daily e ON e.place_id = p.id AND e.day BETWEEN $1 AND $2 WHERE ",
                $column,
                " IN ($PLACES) GROUP BY p.id"
            ),
            rooms: concat!(
                "SELECT p.id, CAST(SUM(e.wh) AS BIGINT) FROM places p
                 JOIN meters m ON m.place_id = p.id AND p.kind = 'room' AND m.wallet <> 'none'
                 JOIN energy_daily e ON e.meter_id = m.id AND e.day BETWEEN $1 AND $2 WHERE ",
                $column,
                " IN ($PLACES) GROUP BY p.id"
            ),
        }
    };
}

/// The queries of [`sums_of!`].
struct Texts {
    months: &'static str,
    days: &'static str,
    rooms: &'static str,
}

/// A place of the ranking.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Member {
    pub id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    pub name: String,
}

/// Energy by place.
type Sums = HashMap<PlaceId, Energy>;

/// The ranking; `None` for a room or account, which has nothing below it.
pub(super) async fn section(source: &Source<'_>, comparison: &Comparison) -> Result<Option<Section>> {
    let Some(members) = members(source.db, source.operator, source.extent).await? else { return Ok(None) };
    let Comparison { now, before, .. } = *comparison;
    let each: Vec<PlaceId> = members.iter().map(|member| member.id).collect();
    let (texts, places) = match parent(source.extent) {
        Some(parent) => (sums_of!("p.parent_id"), vec![parent]),
        None => (sums_of!("p.id"), each),
    };
    let (now, before) = (sums(source, &texts, &places, now).await?, sums(source, &texts, &places, before).await?);
    Ok(Some(ranking(source.co2, members, (&now, &before), comparison.is_fair())))
}

/// The place whose children are its parts: of one site the buildings.
fn parent(extent: &Extent) -> Option<PlaceId> {
    match extent {
        Extent::Place(place) => Some(*place),
        Extent::All(places) => match places[..] {
            [site] => Some(site),
            _ => None,
        },
        _ => None,
    }
}

/// The parts of an extent in the order of the site: what is right below a place, several buildings themselves, the members of a
/// group. `None` for a room or account.
pub(crate) async fn members(db: &Db, operator: UserId, extent: &Extent) -> Result<Option<Vec<Member>>> {
    if let Some(parent) = parent(extent) {
        return children(db, parent).await.map(Some);
    }
    if matches!(extent, Extent::Room(_) | Extent::Account(_)) {
        return Ok(None);
    }
    let (tree, places) = (Tree::read(db, operator).await?, extent.tops());
    let mut members = named(db, &tree, &places).await?;
    members.sort_by_key(|member| places.iter().position(|place| *place == member.id));
    Ok(Some(members))
}

/// Places with the most energy first; those without any stay in the order of the site.
fn ranking(co2: Co2Factor, mut members: Vec<Member>, (sums, earlier): (&Sums, &Sums), is_fair: bool) -> Section {
    members.sort_by_key(|member| std::cmp::Reverse(sums.get(&member.id).copied().unwrap_or_default()));
    let whole: i64 = sums.values().map(|energy| energy.0).sum();
    let row = |(rank, member): (i64, Member)| {
        let (energy, before) = (sums.get(&member.id).copied(), earlier.get(&member.id).copied());
        let [energy_cell, before_cell, change] = compared(energy, before, is_fair);
        let share = energy.map_or(Cell::Empty, |energy| Cell::share(energy.0, whole));
        vec![Cell::Text(member.name), Cell::Count(rank), energy_cell, share, before_cell, change, mass(co2, energy)]
    };
    let columns = vec![
        Column::text(Heading::Place),
        Column::plain(Heading::Rank, ColumnKind::Count),
        Column::summed(Heading::Energy, ColumnKind::Energy),
        Column::share(Heading::Share),
        Column::summed(Heading::EnergyBefore, ColumnKind::Energy),
        Column::share(Heading::Change),
        Column::summed(Heading::Co2, ColumnKind::Mass),
    ];
    let rows = (1..).zip(members).map(row).collect();
    Section { title: Heading::ByPlace, columns, rows, chart: Some(Chart::Bars(2)) }
}

/// What is right below a place, in the order of the site.
async fn children(db: &Db, parent: PlaceId) -> Result<Vec<Member>> {
    read!(db, |pool| sqlx::query_as("SELECT id, parent_id, kind, name FROM places WHERE parent_id = $1 ORDER BY sort, name, id")
        .bind(parent)
        .fetch_all(pool)
        .await)
}

/// Places by themselves, with their full names.
async fn named(db: &Db, tree: &Tree, places: &[PlaceId]) -> Result<Vec<Member>> {
    let sql = "SELECT p.id, p.parent_id, p.kind, p.name FROM places p WHERE p.id IN ($PLACES)";
    let found: Vec<Member> = read_of_places!(db, places, sql);
    let full = |member: Member| {
        let name = match (member.kind, member.parent_id) {
            (PlaceKind::Room, Some(parent)) => format!("{} {}", tree.full_name(parent), member.name),
            (PlaceKind::Room, None) => member.name,
            _ => tree.full_name(member.id),
        };
        Member { name, ..member }
    };
    Ok(found.into_iter().map(full).collect())
}

async fn sums(source: &Source<'_>, texts: &Texts, places: &[PlaceId], span: Span) -> Result<Sums> {
    let mut sums = Sums::new();
    let (whole, rest) = parts(span, source.current);
    let whole = whole.map(|(first, last)| (texts.months, first.0, last.0));
    let rest = rest.into_iter().map(|(from, until)| (texts.days, from.0, until.0));
    for (text, from, until) in whole.into_iter().chain(rest).chain([(texts.rooms, span.0.0, span.1.0)]) {
        let rows: Vec<(PlaceId, Energy)> = read_of_places!(source.db, places, text, from, until);
        for (id, energy) in rows {
            let sum = sums.entry(id).or_default();
            *sum = *sum + energy;
        }
    }
    Ok(sums)
}
