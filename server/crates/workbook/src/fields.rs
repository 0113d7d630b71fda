//! The cells of a row as typed values. What is wrong becomes a problem of its column, and reading goes on.

use domain::serial::Serial;
use model::money::{Fen, ParseMoneyError};
use model::site_workbook::{Column, Fault, Problem};
use model::tariff::{self, DayTable};
use model::typed;

use crate::table::Cell;

/// The cells of a row by column. What is wrong is noted with the column; the row is then taken in part.
pub struct Fields<'a> {
    title: &'a str,
    row: u32,
    columns: &'a [Option<Column>],
    cells: &'a [Cell],
    pub problems: Vec<Problem>,
    /// The columns with a fault, and those that the sheet lacks.
    wrong: Vec<Column>,
}

/// Whether the column names a place, a group or a gateway, so that its text is read as [`typed::name`] does.
const fn is_name(column: Column) -> bool {
    matches!(
        column,
        Column::Building
            | Column::Floor
            | Column::Room
            | Column::FeedsBuilding
            | Column::FeedsFloor
            | Column::Gateway
            | Column::Group
    )
}

impl<'a> Fields<'a> {
    pub const fn new(title: &'a str, row: u32, columns: &'a [Option<Column>], cells: &'a [Cell]) -> Self {
        Self { title, row, columns, cells, problems: Vec::new(), wrong: Vec::new() }
    }

    /// Whether nothing is wrong in the row.
    pub const fn are_right(&self) -> bool {
        self.wrong.is_empty()
    }

    /// The value of these columns, where nothing is wrong in them.
    pub fn right<T>(&self, columns: &[Column], value: T) -> Option<T> {
        columns.iter().all(|column| !self.wrong.contains(column)).then_some(value)
    }

    /// Notes what is wrong; of a cell only the first, for what else is wrong with it mostly goes with that.
    pub fn fault(&mut self, column: Column, fault: Fault) {
        if self.wrong.contains(&column) {
            return;
        }
        self.wrong.push(column);
        let index = self.index(column).and_then(|index| u32::try_from(index).ok());
        self.problems.push(Problem { sheet: self.title.to_owned(), row: Some(self.row), column: index, fault });
    }

    fn index(&self, column: Column) -> Option<usize> {
        self.columns.iter().position(|found| *found == Some(column))
    }

    fn cell(&self, column: Column) -> Option<&'a Cell> {
        self.index(column).and_then(|index| self.cells.get(index)).filter(|cell| !cell.is_blank())
    }

    /// The text of a cell as people see it; `None` where it is blank, or wrong, which is noted.
    fn text(&mut self, column: Column) -> Option<String> {
        let fault = match self.cell(column)? {
            Cell::Text(text) => return Some(text.clone()),
            Cell::Number(number) => match &number.shown {
                Some(shown) => return Some(shown.clone()),
                None => Fault::NumberFormat,
            },
            Cell::Wrong(fault) => Fault::clone(fault),
        };
        self.fault(column, fault);
        None
    }

    /// The same of a column of numbers, where it does not matter how the file shows them.
    fn digits(&mut self, column: Column) -> Option<String> {
        match self.cell(column)? {
            Cell::Number(number) => Some(number.value.clone()),
            _ => self.text(column).map(|text| typed::typed(&text)),
        }
    }

    /// Notes a cell that must be filled. A column that the sheet lacks was noted once for all rows.
    fn require(&mut self, column: Column) {
        if self.index(column).is_none() {
            self.wrong.push(column);
        } else if self.cell(column).is_none() {
            self.fault(column, Fault::Empty);
        }
    }

    /// The same with a bound; text that must be there is noted as missing.
    pub fn name(&mut self, column: Column, most: u32) -> String {
        self.require(column);
        self.optional(column, most).unwrap_or_default()
    }

    pub fn optional(&mut self, column: Column, most: u32) -> Option<String> {
        let text = self.text(column)?;
        let text = if is_name(column) { typed::name(&text) } else { text };
        if text.chars().count() > most as usize {
            self.fault(column, Fault::TooLong(most));
        }
        Some(text)
    }

    /// A whole number from `least` to `most`, which may be blank.
    pub fn whole(&mut self, column: Column, least: i64, most: i64) -> Option<i64> {
        let text = self.digits(column)?;
        let Ok(number) = text.parse::<i64>() else {
            self.fault(column, Fault::NotWhole);
            return None;
        };
        if !(least..=most).contains(&number) {
            self.fault(column, Fault::OutOfRange(least, most));
            return None;
        }
        Some(number)
    }

    /// The same where it must be there.
    pub fn number(&mut self, column: Column, least: i64, most: i64) -> i64 {
        self.require(column);
        self.whole(column, least, most).unwrap_or(least)
    }

    /// What the text stands for; `None` where it is blank or, which is noted, wrong.
    pub fn parsed<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Option<T>, wrong: Fault) -> Option<T> {
        let text = self.text(column)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.fault(column, wrong);
        }
        parsed
    }

    /// As [`Self::parsed`], of a number with decimals, where it does not matter how the file shows it.
    pub fn decimal<T>(&mut self, column: Column, parse: impl FnOnce(&str) -> Option<T>, wrong: Fault) -> Option<T> {
        let text = self.digits(column)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            self.fault(column, wrong);
        }
        parsed
    }

    /// The text of a cell, which gets the leading zeros of twelve digits back where a spreadsheet made a number of them.
    pub fn with_zeros(&self, column: Column, text: String) -> String {
        let is_number = matches!(self.cell(column), Some(Cell::Number(_))) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { format!("{text:0>12}") } else { text }
    }

    /// Twelve digits; a number gets its leading zeros back.
    pub fn serial(&mut self, column: Column) -> Option<Serial> {
        self.require(column);
        let text = typed::typed(&self.text(column)?);
        let serial = self.with_zeros(column, text).parse().ok();
        if serial.is_none() {
            self.fault(column, Fault::NotDigits(12));
        }
        serial
    }

    /// One of some words, in any case; `None` where it is blank.
    pub fn word<T: Copy>(&mut self, column: Column, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(column)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
        if found.is_none() {
            self.fault(column, Fault::NotOneOf(words.iter().map(|(word, _)| (*word).to_owned()).collect()));
        }
        found
    }

    /// An amount that a command can carry; zero where it is blank.
    pub fn yuan(&mut self, column: Column, most: Fen) -> Fen {
        let Some(text) = self.digits(column) else { return Fen::ZERO };
        match Fen::parse_yuan(&text) {
            Ok(amount) if amount <= most => amount,
            Ok(_) | Err(ParseMoneyError::TooLarge) => {
                self.fault(column, Fault::AmountRefused);
                Fen::ZERO
            }
            Err(ParseMoneyError::Format) => {
                self.fault(column, Fault::NotYuan);
                Fen::ZERO
            }
        }
    }

    /// In 0.0001 yuan/kWh.
    pub fn price(&mut self, column: Column) -> Option<u32> {
        let text = self.digits(column)?;
        let price = tariff::parse_price(&text);
        if price.is_none() {
            self.fault(column, Fault::NotPrice);
        }
        price
    }

    pub fn day_table(&mut self, column: Column) -> DayTable {
        let Some(text) = self.text(column) else { return DayTable::default() };
        text.parse().unwrap_or_else(|_| {
            self.fault(column, Fault::NotDayTable);
            DayTable::default()
        })
    }

    pub fn date_plan(&mut self, column: Column) -> Vec<model::parameters::PlanEntry> {
        let Some(text) = self.text(column) else { return Vec::new() };
        tariff::parse_plan(&text).unwrap_or_else(|_| {
            self.fault(column, Fault::NotDatePlan);
            Vec::new()
        })
    }
}
