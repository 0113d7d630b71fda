//! Sales by day, month or year, operator, channel and building: money that moved, on the day on which it moved, compared with the
//! ledger.

mod balances;
mod check;
mod moves;

use std::collections::BTreeMap;

use model::ids::UserId;
use model::money::Money;
use model::order::Tender;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};

use moves::{Move, MoveKind};
use store::{Db, Result};

use crate::Subject;
use crate::building::Building;

/// Sums by kind of what moved, in the order of [`MoveKind::ALL`]: positive for money in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums([Money; MoveKind::ALL.len()]);

impl Sums {
    fn add(&mut self, kind: MoveKind, amount: Money) {
        if let Some(sum) = self.0.get_mut(kind as usize) {
            *sum = *sum + amount;
        }
    }

    fn net(&self) -> Money {
        self.0.iter().copied().sum()
    }

    /// The cells of a row behind its name.
    fn cells(&self) -> impl Iterator<Item = Cell> {
        self.0.into_iter().chain([self.net()]).map(Cell::Money)
    }
}

pub async fn contents(db: &Db, operator: UserId, query: &ReportQuery, subject: &Subject) -> Result<(Vec<Section>, Vec<Note>)> {
    let place = subject.place();
    let mut tx = db.begin_reading().await?;
    let moves = moves::read(&mut tx, operator, query, place).await?;
    let balances = balances::section(&mut tx, operator, query, place).await?;
    let (check, mut notes) = check::section(&mut tx, operator, query, place, &moves).await?;
    notes.push(Note::UsedAsCompared);
    let sections = vec![
        by_time(&moves, query),
        named(Heading::ByOperator, Heading::Operator, &moves, |one| match (&one.operator, one.kind) {
            (Some(name), _) => Group::Operator(name),
            (None, MoveKind::Fee) => Group::Nobody,
            (None, _) => Group::Residents,
        }),
        named(Heading::ByTender, Heading::Tender, &moves, |one| Group::Tender(one.tender)),
        named(Heading::ByBuilding, Heading::Building, &moves, |one| Group::Building(&one.building)),
        balances,
        check,
    ];
    Ok((sections, notes))
}

fn columns(first: Column) -> Vec<Column> {
    let kinds = MoveKind::ALL.map(|kind| kind.heading());
    let sums = kinds.into_iter().chain([Heading::Net]).map(|heading| Column::summed(heading, ColumnKind::Money));
    std::iter::once(first).chain(sums).collect()
}

/// Each day, month or year in which something moved.
fn by_time(moves: &[Move], query: &ReportQuery) -> Section {
    let mut rows: Vec<(Cell, Sums)> = Vec::new();
    // Moves come in the order of their days.
    for one in moves {
        let cell = query.by.cell(one.day);
        if rows.last().is_none_or(|(last, _)| *last != cell) {
            rows.push((cell, Sums::default()));
        }
        if let Some((_, sums)) = rows.last_mut() {
            sums.add(one.kind, one.amount);
        }
    }
    let rows = rows.into_iter().map(|(cell, sums)| std::iter::once(cell).chain(sums.cells()).collect()).collect();
    let columns = columns(Column::time(Heading::of_grain(query.by)));
    Section { title: Heading::ByTime, columns, rows, chart: Some(Chart::Series(1)) }
}

/// What moves are added up by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    Operator(&'a str),
    Residents,
    Nobody,
    Tender(Tender),
    Building(&'a Building),
}

impl Group<'_> {
    fn cell(&self) -> Cell {
        match self {
            Self::Operator(name) => Cell::Text((*name).to_owned()),
            Self::Residents => Cell::Word(Heading::Residents),
            // All that moved by itself are fees of channels.
            Self::Nobody => Cell::Word(Heading::Fees),
            Self::Tender(tender) => Cell::Tender(*tender),
            Self::Building(building) => building.cell(),
        }
    }
}

/// The same by a group, in the order of the sales.
fn named<'a>(title: Heading, heading: Heading, moves: &'a [Move], group: impl Fn(&'a Move) -> Group<'a>) -> Section {
    let mut groups: BTreeMap<Group<'_>, Sums> = BTreeMap::new();
    for one in moves {
        groups.entry(group(one)).or_default().add(one.kind, one.amount);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.0));
    let rows = groups.into_iter().map(|(group, sums)| std::iter::once(group.cell()).chain(sums.cells()).collect()).collect();
    Section { title, columns: columns(Column::text(heading)), rows, chart: Some(Chart::Bars(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ids::{PlaceId, Uuid};
    use model::time::Date;

    fn sale(building: Building, amount: i64) -> Move {
        Move { day: Date(1), kind: MoveKind::Sale, tender: Tender::Cash, operator: None, building, amount: Money(amount) }
    }

    #[test]
    fn what_has_no_single_building_is_a_row_of_the_sum() {
        let building = Building { name: "1号楼".to_owned(), id: Some(PlaceId(Uuid::from_u128(1))) };
        let moves = [sale(building, 10), sale(Building::default(), 7)];
        let section = named(Heading::ByBuilding, Heading::Building, &moves, |one| Group::Building(&one.building));
        assert_eq!(section.rows.last().map(|row| &row[0]), Some(&Cell::Word(Heading::NoBuilding)));
        assert_eq!(section.totals().unwrap()[1].amount(), Some(17));
    }

    #[test]
    fn buildings_of_the_same_name_are_two_rows() {
        let of_building =
            |id, amount| sale(Building { name: "1号楼".to_owned(), id: Some(PlaceId(Uuid::from_u128(id))) }, amount);
        let moves = [of_building(1, 10), of_building(2, 30), of_building(1, 5)];
        let section = named(Heading::ByBuilding, Heading::Building, &moves, |one| Group::Building(&one.building));
        let sales: Vec<_> = section.rows.iter().map(|row| row[1].amount()).collect();
        assert_eq!(sales, [Some(30), Some(15)]);
    }
}
