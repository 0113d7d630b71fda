//! A report as XLSX: one sheet a section with its head in sight, real numbers and dates, and totals as formulas.

use std::fmt;
use std::io::Write;
use std::path::Path;

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Formula, Worksheet, XlsxError};

use crate::WriteError;
use crate::listing::{Cell, Formats, book_in, write};

/// Widths of columns, characters.
const FIRST_WIDTH: u16 = 22;
const WIDTH: u16 = 15;
const NOTES_WIDTH: u16 = 110;
/// The paper size A4, as spreadsheets number it.
const A4: u8 = 9;

/// The exact number `value / unit`, where the unit is a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    pub value: i64,
    pub unit: i64,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.unsigned_abs().max(1);
        let digits = usize::try_from(unit.ilog10()).unwrap_or(0);
        let sign = if self.value < 0 { "-" } else { "" };
        write!(f, "{sign}{}", self.value.unsigned_abs() / unit)?;
        if digits > 0 { write!(f, ".{:0digits$}", self.value.unsigned_abs() % unit) } else { Ok(()) }
    }
}

/// How the numbers of a column look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    None,
    Whole,
    Decimals,
    PerCent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetColumn {
    pub title: String,
    pub unit: Unit,
    /// Whether its total is at the foot.
    pub is_summed: bool,
}

/// A sheet, whose rows are made one by one while it is written.
pub struct Sheet<'a> {
    pub name: String,
    pub columns: Vec<SheetColumn>,
    pub rows: Box<dyn Iterator<Item = Vec<Cell>> + 'a>,
}

/// All sheets of a report; the last one has the notes.
pub struct Book<'a> {
    /// Above each printed page, and above the notes.
    pub title: String,
    pub sheets: Vec<Sheet<'a>>,
    /// The word at the foot.
    pub total: String,
    pub notes_name: String,
    pub notes: Vec<String>,
}

impl Book<'_> {
    /// Writes the file. Until the end its rows are on the disk below `directory`, or where the system keeps such files.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write(self, out: impl Write + Send, directory: Option<&Path>) -> Result<(), WriteError> {
        let mut book = book_in(directory)?;
        let formats = Formats::new();
        for sheet in self.sheets {
            section(book.add_worksheet_with_constant_memory()?, sheet, &self.title, &self.total, &formats)?;
        }
        let sheet = book.add_worksheet();
        sheet.set_name(&self.notes_name)?.set_column_width(0, NOTES_WIDTH)?;
        for (row, note) in (0..).zip(std::iter::once(&self.title).chain(&self.notes)) {
            sheet.write_string_with_format(row, 0, note, &Format::new().set_text_wrap())?;
        }
        Ok(book.save_to_writer(out)?)
    }
}

/// A format for numbers of a unit.
fn number(unit: Unit) -> Format {
    match unit {
        Unit::None => Format::new(),
        Unit::Whole => Format::new().set_num_format("#,##0"),
        // As many decimals as there are: what is below a fen is not rounded away.
        Unit::Decimals => Format::new().set_num_format("#,##0.00##"),
        Unit::PerCent => Format::new().set_num_format("0.0%"),
    }
}

fn section(sheet: &mut Worksheet, contents: Sheet<'_>, title: &str, total: &str, formats: &Formats) -> Result<(), XlsxError> {
    let Sheet { name, columns, rows } = contents;
    sheet.set_name(&name)?.set_freeze_panes(1, 1)?;
    sheet.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    // An ampersand begins a code there.
    sheet.set_header(format!("&L{}", title.replace('&', "&&"))).set_footer("&R&P / &N");
    let head = Format::new().set_bold().set_text_wrap().set_border_bottom(FormatBorder::Thin);
    for (index, column) in (0..).zip(&columns) {
        sheet.set_column_width(index, if index == 0 { FIRST_WIDTH } else { WIDTH })?;
        let align = if column.unit == Unit::None { FormatAlign::Left } else { FormatAlign::Right };
        sheet.write_string_with_format(0, index, &column.title, &head.clone().set_align(align))?;
    }
    let numbers: Vec<Format> = columns.iter().map(|column| number(column.unit)).collect();
    let mut sums: Vec<Option<Number>> = vec![None; columns.len()];
    let mut count = 0;
    for (row, cells) in (1..).zip(rows) {
        count = row;
        add(&mut sums, &columns, &cells);
        for ((index, cell), number) in (0..).zip(cells).zip(&numbers) {
            write(sheet, row, index, cell, number, formats)?;
        }
    }
    if sums.iter().all(Option::is_none) {
        return Ok(());
    }
    let foot = |format: Format| format.set_bold().set_border_top(FormatBorder::Thin);
    sheet.write_string_with_format(count + 1, 0, total, &foot(Format::new()))?;
    for ((index, sum), unit) in (0_u16..).zip(sums).zip(columns.iter().map(|column| column.unit)) {
        if let Some(sum) = sum {
            let letters = rust_xlsxwriter::utility::column_number_to_name(index);
            let formula = Formula::new(format!("=SUM({letters}2:{letters}{})", count + 1)).set_result(sum.to_string());
            sheet.write_formula_with_format(count + 1, index, formula, &foot(number(unit)))?;
        }
    }
    Ok(())
}

/// Adds a row to the total of each column that has one; what a program reads that does not compute formulas.
fn add(sums: &mut [Option<Number>], columns: &[SheetColumn], row: &[Cell]) {
    for ((sum, column), cell) in sums.iter_mut().zip(columns).zip(row) {
        if let (true, Cell::Exact(number)) = (column.is_summed, cell) {
            let before = sum.map_or(0, |sum| sum.value);
            *sum = Some(Number { value: before.saturating_add(number.value), ..*number });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};
    use model::time::Date;

    use super::*;

    #[test]
    fn numbers_keep_their_decimals() {
        let text = |value, unit| Number { value, unit }.to_string();
        assert_eq!((text(-50, 10_000), text(1_234, 1), text(0, 1_000)), ("-0.0050".into(), "1234".into(), "0.000".into()));
    }

    #[test]
    fn a_section_is_a_sheet_with_dates_numbers_and_formulas() {
        let day = Date::from_ymd(2026, 11, 29).unwrap();
        let money = |value| Cell::Exact(Number { value, unit: 10_000 });
        let column = |title: &str, unit, is_summed| SheetColumn { title: title.into(), unit, is_summed };
        let columns = vec![column("日期", Unit::None, false), column("售电", Unit::Decimals, true)];
        let rows = vec![vec![Cell::Day(day), money(632_000)], vec![Cell::Month(day), money(-50)]];
        let sheets = vec![Sheet { name: "按日".into(), columns, rows: Box::new(rows.into_iter()) }];
        let book =
            Book {
                title: "A & B".into(), sheets, total: "合计".into(), notes_name: "说明".into(), notes: vec!["一致".into()]
            };
        let (mut file, directory) = (Vec::new(), tempfile::tempdir().unwrap());
        book.write(&mut file, Some(directory.path())).unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left of its sheets");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
        assert_eq!(book.sheet_names(), ["按日", "说明"]);
        let sheet = book.worksheet_range("按日").unwrap();
        let Some(Data::DateTime(date)) = sheet.get_value((1, 0)) else { panic!("{:?}", sheet.get_value((1, 0))) };
        assert!((date.as_f64() - 46_355.0).abs() < f64::EPSILON, "{}", date.as_f64());
        assert_eq!(sheet.get_value((2, 1)), Some(&Data::Float(-0.005)));
        assert_eq!(sheet.get_value((3, 0)), Some(&Data::String("合计".into())));
        assert_eq!(sheet.get_value((3, 1)), Some(&Data::Float(63.195)));
        assert_eq!(book.worksheet_formula("按日").unwrap().get_value((3, 1)), Some(&"SUM(B2:B3)".to_owned()));
    }
}
