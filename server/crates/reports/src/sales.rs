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
    let (check, notes) = check::section(&mut tx, operator, query, place, &moves).await?;
    let sections = vec![
        by_time(&moves, query),
        named(Heading::ByOperator, Heading::Operator, &moves, |one| match &one.operator {
            Some(name) => Cell::Text(name.clone()),
            None => Cell::Word(if one.kind == MoveKind::Fee { Heading::None } else { Heading::Residents }),
        }),
        named(Heading::ByTender, Heading::Tender, &moves, |one| Cell::Tender(one.tender)),
        named(Heading::ByBuilding, Heading::Building, &moves, |one| crate::name_or_none(&one.building)),
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

/// The same by a name, in the order of the sales.
fn named(title: Heading, heading: Heading, moves: &[Move], name: impl Fn(&Move) -> Cell) -> Section {
    let mut groups: Vec<(Cell, Sums)> = Vec::new();
    let mut places: BTreeMap<GroupKey, usize> = BTreeMap::new();
    for one in moves {
        let cell = name(one);
        let index = *places.entry(GroupKey::of(&cell)).or_insert_with(|| {
            groups.push((cell, Sums::default()));
            groups.len() - 1
        });
        if let Some((_, sums)) = groups.get_mut(index) {
            sums.add(one.kind, one.amount);
        }
    }
    groups.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.0));
    let rows = groups.into_iter().map(|(cell, sums)| std::iter::once(cell).chain(sums.cells()).collect()).collect();
    Section { title, columns: columns(Column::text(heading)), rows, chart: Some(Chart::Bars(1)) }
}

/// A cell that names a group, in an order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum GroupKey {
    Name(String),
    Tender(Tender),
    Word(&'static str),
}

impl GroupKey {
    fn of(cell: &Cell) -> Self {
        match cell {
            Cell::Tender(tender) => Self::Tender(*tender),
            Cell::Text(name) => Self::Name(name.clone()),
            Cell::Word(Heading::Residents) => Self::Word("residents"),
            _ => Self::Word("none"),
        }
    }
}
