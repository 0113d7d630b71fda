//! A sheet as it stands in a file.

use model::site_workbook::Fault;

/// A cell: its text, or why it is not taken. What is rare is boxed, because a sheet has very many cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(Box<Number>),
    Wrong(Box<Fault>),
}

/// What the file keeps as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its value in decimal notation, for columns of numbers.
    pub value: String,
    /// The text that its format shows, with leading zeros; `None` where that is not certain.
    pub shown: Option<String>,
}

impl Cell {
    pub fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    pub fn wrong(fault: Fault) -> Self {
        Self::Wrong(Box::new(fault))
    }
}

#[derive(Debug, Default)]
pub struct Table {
    pub title: String,
    /// Each with its number from 1; blank rows are left out. The first is the head.
    pub rows: Vec<(u32, Vec<Cell>)>,
    /// There are more than [`crate::limits::MAX_ROWS`].
    pub is_cut: bool,
}

impl Table {
    /// Puts a cell, both counted from 0, into the row that is being read.
    pub fn put(&mut self, row: u32, column: u32, cell: Cell) {
        let number = row.saturating_add(1);
        if self.rows.last().is_none_or(|(last, _)| *last != number) {
            self.rows.push((number, Vec::new()));
        }
        let Some((_, cells)) = self.rows.last_mut() else { return };
        let column = column as usize;
        if cells.len() <= column {
            cells.resize(column + 1, Cell::Text(String::new()));
        }
        if let Some(place) = cells.get_mut(column) {
            *place = cell;
        }
    }

    pub fn drop_blank_rows(&mut self) {
        self.rows.retain(|(_, cells)| !cells.iter().all(Cell::is_blank));
    }
}
