//! Writes a list as XLSX, row by row: the sheet goes to a temporary file, so that a long list takes little memory.

use std::io::Write;
use std::path::Path;

use model::time::{DAY, Date, Timestamp};
use rust_xlsxwriter::{Format, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::WriteError;
use crate::report::Number;

/// Days from the spreadsheets' epoch, 1899-12-30, to 1970-01-01.
const EPOCH: i64 = 25_569;
/// From UTC to Shanghai.
const OFFSET: i64 = 8 * 3_600_000;
/// Width of a column, characters.
const WIDTH: u16 = 16;

/// A cell of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Empty,
    /// Stays text: serial and account numbers keep their zeros.
    Text(String),
    /// A number in decimal notation, `-12.48`.
    Number(String),
    /// A number that is exact as a fraction.
    Exact(Number),
    Time(Timestamp),
    Day(Date),
    /// A month, by its first day.
    Month(Date),
}

impl Cell {
    /// Text; empty text is an empty cell.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// Anything that prints as a decimal number.
    #[must_use]
    pub fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    /// As a CSV file has it.
    #[must_use]
    pub fn plain(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Number(text) => text,
            Self::Exact(number) => number.to_string(),
            Self::Time(at) => at.to_string(),
            Self::Day(day) => day.to_string(),
            Self::Month(first) => first.to_string().get(..7).unwrap_or_default().to_owned(),
        }
    }
}

/// A workbook with one sheet: a head that stays in sight, and the rows.
///
/// # Errors
/// [`WriteError`].
pub fn listing(title: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Vec<u8>, WriteError> {
    let mut bytes = Vec::new();
    write_listing(&mut bytes, None, title, head, rows)?;
    Ok(bytes)
}

/// The same, written to a file; of the rows only a few are in memory. Until the end they are on the disk below `directory`, or
/// where the system keeps such files, which is often memory too.
///
/// # Errors
/// [`WriteError`].
pub fn write_listing(
    out: impl Write + Send,
    directory: Option<&Path>,
    title: &str,
    head: &[&str],
    rows: impl IntoIterator<Item = Vec<Cell>>,
) -> Result<(), WriteError> {
    let mut book = book_in(directory)?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    sheet.set_name(title)?.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold().set_border_bottom(FormatBorder::Thin);
    let (plain, formats) = (Format::new(), Formats::new());
    for column in (0..).take(head.len()) {
        sheet.set_column_width(column, WIDTH)?;
    }
    for (column, title) in (0..).zip(head) {
        sheet.write_string_with_format(0, column, *title, &bold)?;
    }
    for (row, cells) in (1..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            write(sheet, row, column, cell, &plain, &formats)?;
        }
    }
    Ok(book.save_to_writer(out)?)
}

/// A workbook whose sheets are kept in a directory while they are written.
pub fn book_in(directory: Option<&Path>) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    if let Some(directory) = directory {
        book.set_tempdir(directory)?;
    }
    Ok(book)
}

/// How times look.
pub struct Formats {
    time: Format,
    day: Format,
    month: Format,
}

impl Formats {
    pub fn new() -> Self {
        let of = |code: &str| Format::new().set_num_format(code);
        Self { time: of("yyyy-mm-dd hh:mm:ss"), day: of("yyyy-mm-dd"), month: of("yyyy-mm") }
    }
}

/// Writes a cell; `number` is how a number looks.
pub fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: Cell,
    number: &Format,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let (text, format) = match cell {
        Cell::Empty => return Ok(()),
        Cell::Text(text) => return sheet.write_string(row, column, text).map(drop),
        Cell::Number(text) => (text, number),
        Cell::Exact(exact) => (exact.to_string(), number),
        Cell::Time(at) => (serial(at), &formats.time),
        Cell::Day(day) => (days(day), &formats.day),
        Cell::Month(first) => (days(first), &formats.month),
    };
    match text.parse::<f64>() {
        Ok(value) => sheet.write_number_with_format(row, column, value, format).map(drop),
        Err(_) => sheet.write_string(row, column, text).map(drop),
    }
}

/// The days since the spreadsheets' epoch.
fn days(day: Date) -> String {
    (day.0 + EPOCH).to_string()
}

/// The days since the spreadsheets' epoch in Shanghai, with the time as their fraction.
fn serial(at: Timestamp) -> String {
    let local = at.0 + OFFSET;
    let fraction = local.rem_euclid(DAY) * 1_000_000_000 / DAY;
    format!("{}.{fraction:09}", local.div_euclid(DAY) + EPOCH)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};

    use super::*;

    #[test]
    fn a_list_keeps_numbers_texts_and_times() {
        let at = Timestamp(1_795_600_000_000);
        let rows = (0..3).map(|_| vec![Cell::text("000123"), Cell::number("-12.48"), Cell::Time(at), Cell::Empty]);
        let file = listing("状态", &["表号", "余额", "时间", "备注"], rows).unwrap();
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).unwrap();
        let sheet = book.worksheet_range("状态").unwrap();
        assert_eq!(sheet.get_size(), (4, 4));
        assert_eq!(sheet.get_value((1, 0)), Some(&Data::String("000123".into())));
        assert_eq!(sheet.get_value((3, 1)), Some(&Data::Float(-12.48)));
        let Some(Data::DateTime(time)) = sheet.get_value((2, 2)) else { panic!("{:?}", sheet.get_value((2, 2))) };
        assert!((time.as_f64() - 46_351.740_740).abs() < 0.000_01, "{at} is {}", time.as_f64());
    }

    #[test]
    fn plain_cells_are_what_a_csv_file_has() {
        assert_eq!(Cell::Time(Timestamp(1_795_600_000_000)).plain(), Timestamp(1_795_600_000_000).to_string());
        assert_eq!((Cell::text(""), Cell::number(5).plain()), (Cell::Empty, "5".to_owned()));
    }
}
