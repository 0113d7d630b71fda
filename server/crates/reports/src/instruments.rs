//! Energy of the circuits of instruments, and what is lost between a circuit and those below it.

pub(crate) mod circuits;
mod line_loss;
mod meters;

use model::ids::UserId;
use model::report::{Cell, Chart, Column, ColumnKind, Heading, Note, ReportQuery, Section};
use model::time::Timestamp;

use circuits::{Circuit, Completeness, Range};
use line_loss::{Forest, Node};
use store::{Db, Result};

use crate::Subject;

/// Every circuit of a place that the operator may see with its readings at the ends of the range, and the tree of line losses
/// from these circuits down, wherever those below them are.
pub async fn contents(
    db: &Db,
    at: Timestamp,
    operator: UserId,
    query: &ReportQuery,
    subject: &Subject,
) -> Result<(Vec<Section>, Vec<Note>)> {
    let (from, to) = query.instants();
    let range = Range { from, to: to.min(at).max(from), ends_now: at < to };
    let mut tx = db.begin_reading().await?;
    let circuits = circuits::read(&mut tx, operator, range, subject.place()).await?;
    drop(tx);
    let places = meters::below_places(db, operator, query, range, &circuits).await?;
    let forest = Forest::of(&circuits, &places);
    let sections = vec![of_circuits(circuits.iter().filter(|circuit| circuit.is_of_place)), of_losses(&forest.nodes())];
    let mut notes = vec![Note::LineLossReadings];
    notes.extend(range.ends_now.then_some(Note::EnergyUntil(range.to)).filter(|_| range.has_begun()));
    Ok((sections, notes))
}

fn or_empty<T>(value: Option<T>, cell: impl Fn(T) -> Cell) -> Cell {
    value.map_or(Cell::Empty, cell)
}

fn of_circuits<'a>(circuits: impl Iterator<Item = &'a Circuit>) -> Section {
    let row = |circuit: &Circuit| {
        vec![
            Cell::Text(circuit.name()),
            Cell::Text(circuit.place.clone()),
            or_empty(circuit.start.map(|(at, _)| at), Cell::Time),
            or_empty(circuit.start.map(|(_, counter)| counter), Cell::Energy),
            or_empty(circuit.end.map(|(at, _)| at), Cell::Time),
            or_empty(circuit.end.map(|(_, counter)| counter), Cell::Energy),
            Cell::Count(circuit.ratio),
            or_empty(circuit.energy, Cell::Energy),
            Cell::Word(circuit.completeness.word()),
        ]
    };
    let columns = vec![
        Column::text(Heading::Circuit),
        Column::text(Heading::Place),
        Column::time(Heading::StartAt),
        Column::plain(Heading::StartReading, ColumnKind::Energy),
        Column::time(Heading::EndAt),
        Column::plain(Heading::EndReading, ColumnKind::Energy),
        Column::plain(Heading::Ratio, ColumnKind::Count),
        Column::plain(Heading::Energy, ColumnKind::Energy),
        Column::text(Heading::Completeness),
    ];
    let rows = circuits.map(row).collect();
    Section { title: Heading::Circuits, columns, rows, chart: Some(Chart::Bars(7)) }
}

fn of_losses(nodes: &[Node<'_>]) -> Section {
    let row = |node: &Node<'_>| {
        let (lost, own) = (node.lost(), node.energy);
        vec![
            Cell::Text(node.indented()),
            Cell::Count(i64::try_from(node.level).unwrap_or(i64::MAX)),
            or_empty(own, Cell::Energy),
            or_empty(node.below, Cell::Energy),
            or_empty(lost, Cell::Energy),
            lost.zip(own).map_or(Cell::Empty, |(lost, own)| Cell::share(lost.0, own.0)),
            Cell::Word(node.completeness.word()),
        ]
    };
    let columns = vec![
        Column::text(Heading::Circuit),
        Column::plain(Heading::Level, ColumnKind::Count),
        Column::plain(Heading::Energy, ColumnKind::Energy),
        Column::plain(Heading::EnergyBelow, ColumnKind::Energy),
        Column::plain(Heading::Difference, ColumnKind::Energy),
        Column::share(Heading::LossShare),
        Column::text(Heading::Completeness),
    ];
    Section { title: Heading::LineLoss, columns, rows: nodes.iter().map(row).collect(), chart: Some(Chart::Bars(5)) }
}

impl Completeness {
    const fn word(self) -> Heading {
        match self {
            Self::Complete => Heading::Complete,
            Self::Partial => Heading::PartOfRange,
            Self::NotCounted => Heading::NotCounted,
            Self::NotRead => Heading::NoReading,
            Self::MetersMissing => Heading::MetersMissing,
            Self::BelowUnknown => Heading::BelowUnknown,
        }
    }
}
