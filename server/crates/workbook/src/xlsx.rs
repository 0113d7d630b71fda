//! XLSX. Cells are read one after the other, because a sheet whose last cell is far away would take all memory as a rectangle.

use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, Style, Xlsx, XlsxError};
use model::site_workbook::Fault;
use zip::ZipArchive;

use crate::limits::{
    MAX_CHARACTERS, MAX_COLUMNS, MAX_ENTRIES, MAX_PLAIN_BYTES, MAX_ROWS, MAX_STYLE_TAG, MAX_STYLE_TAGS, MAX_TEXT_TAGS,
};
use crate::megabytes;
use crate::number_format::NumberFormat;
use crate::table::{Cell, Number, Table};

/// Spreadsheets keep fifteen digits of a number.
const EXACT: f64 = 999_999_999_999_999.0;
/// The number of the first format that a file defines itself.
const FIRST_OWN_FORMAT: u32 = 164;
/// Sheets of a workbook that are looked at.
const MAX_SHEETS: usize = 20;

/// Gives the sheets one after the other.
pub fn read(bytes: &[u8], mut take: impl FnMut(&Table)) -> Result<(), Fault> {
    check_size(bytes)?;
    let mut workbook: Xlsx<_> = guarded(|| Xlsx::new(Cursor::new(bytes)))?;
    let titles = workbook.sheet_names();
    for title in titles.into_iter().take(MAX_SHEETS) {
        take(&guarded(|| sheet(&mut workbook, title))?);
    }
    Ok(())
}

/// What the reader gives. It computes the positions of cells without a check, and panics where one is beyond all sheets.
fn guarded<T>(read: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(read)).ok().and_then(Result::ok).ok_or(Fault::NotATable)
}

/// Unpacks every part once without keeping it: what an archive says of its sizes need not be true.
fn check_size(bytes: &[u8]) -> Result<(), Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Fault::NotATable)?;
    let too_large = || Fault::UnpacksTooLarge(megabytes(MAX_PLAIN_BYTES));
    if archive.len() > MAX_ENTRIES {
        return Err(too_large());
    }
    let mut left = MAX_PLAIN_BYTES as u64;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| Fault::NotATable)?;
        let mut tags = Tags::of(&part.name().map_err(|_| Fault::NotATable)?);
        let read = std::io::copy(&mut part.take(left + 1), &mut tags).map_err(|_| Fault::NotATable)?;
        left = left.checked_sub(read).ok_or_else(too_large)?;
        if !tags.fit() {
            return Err(too_large());
        }
    }
    Ok(())
}

/// Counts the tags of a part that is read as a whole, where a short tag becomes a large value in memory: texts, and formats, each
/// of which has a copy of the name of its font.
struct Tags {
    most: u64,
    longest: u64,
    count: u64,
    length: u64,
    is_too_long: bool,
}

impl Tags {
    fn of(part: &str) -> Self {
        let name = part.to_ascii_lowercase();
        let (most, longest) = if name.ends_with("styles.xml") {
            (MAX_STYLE_TAGS, MAX_STYLE_TAG)
        } else if name.ends_with("sharedstrings.xml") {
            (MAX_TEXT_TAGS, u64::MAX)
        } else {
            (u64::MAX, u64::MAX)
        };
        Self { most, longest, count: 0, length: 0, is_too_long: false }
    }

    const fn fit(&self) -> bool {
        self.count <= self.most && !self.is_too_long
    }
}

impl Write for Tags {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.most < u64::MAX {
            for byte in bytes {
                if *byte == b'<' {
                    (self.count, self.length) = (self.count + 1, 0);
                }
                self.length += 1;
                self.is_too_long |= self.length > self.longest;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, title: String) -> Result<Table, XlsxError> {
    let merged = workbook.merge_cells_by_sheet_name(&title)?;
    let formulas = formulas(workbook, &title)?;
    let mut table = Table { title: title.clone(), ..Table::default() };
    let mut cells = workbook.worksheet_cells_reader(&title)?;
    let formats: Vec<NumberFormat> = cells.styles().iter().map(format).collect();
    while let Some((found, style)) = cells.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        if row >= MAX_ROWS {
            table.is_cut = true;
            break;
        }
        if column >= MAX_COLUMNS {
            continue;
        }
        let is_formula = formulas.get(&row).is_some_and(|columns| columns & (1 << column) != 0);
        let value = if is_formula { Cell::wrong(Fault::Formula) } else { cell(found.get_value(), formats.get(style)) };
        if !value.is_blank() {
            table.put(row, column, value);
        }
    }
    for area in merged {
        for (number, cells) in &mut table.rows {
            if (area.start.0 + 1..=area.end.0 + 1).contains(number) {
                let span = cells.iter_mut().take(area.end.1 as usize + 1).skip(area.start.1 as usize);
                span.for_each(|cell| *cell = Cell::wrong(Fault::Merged));
            }
        }
    }
    table.drop_blank_rows();
    Ok(table)
}

/// The cells with formulas: the columns of each row as bits. The reader tells either this or the formats in one pass.
fn formulas(workbook: &mut Xlsx<Cursor<&[u8]>>, title: &str) -> Result<HashMap<u32, u64>, XlsxError> {
    let (mut found, mut cells) = (HashMap::new(), workbook.worksheet_cells_reader(title)?);
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        let (row, column) = cell.pos;
        if row >= MAX_ROWS {
            break;
        }
        if cell.formula.is_some() && column < MAX_COLUMNS {
            *found.entry(row).or_default() |= 1 << column;
        }
    }
    Ok(found)
}

/// Of the built-in formats the reader names those that are the same in every country; of the others it gives the name of the
/// plain one. Formats of the file have numbers above them, and some programs write the plain one as such.
fn format(style: &Style) -> NumberFormat {
    match &style.number_format {
        None => NumberFormat::Plain,
        Some(format)
            if format.format_id.is_some_and(|id| (1..FIRST_OWN_FORMAT).contains(&id)) && format.format_code == "General" =>
        {
            NumberFormat::Other
        }
        Some(format) => NumberFormat::parse(&format.format_code),
    }
}

fn cell(value: &DataRef<'_>, format: Option<&NumberFormat>) -> Cell {
    match value {
        DataRef::Empty => Cell::Text(String::new()),
        DataRef::String(text) => self::text(text),
        DataRef::SharedString(text) => self::text(text),
        DataRef::Int(whole) => number(whole.to_string(), format.unwrap_or(&NumberFormat::Plain).shown(*whole)),
        DataRef::Float(number) if number.abs() > EXACT => Cell::wrong(Fault::DigitsLost),
        DataRef::Float(float) if float.fract() == 0.0 => {
            let whole = *float as i64;
            number(whole.to_string(), format.unwrap_or(&NumberFormat::Plain).shown(whole))
        }
        DataRef::Float(float) => number(fifteen_digits(*float), None),
        DataRef::Bool(_) => Cell::wrong(Fault::TruthValue),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => Cell::wrong(Fault::Date),
        DataRef::Error(_) => Cell::wrong(Fault::ErrorValue),
    }
}

fn number(value: String, shown: Option<String>) -> Cell {
    Cell::Number(Box::new(Number { value, shown }))
}

/// As spreadsheets show it: 0.1 + 0.2 is 0.3.
fn fifteen_digits(number: f64) -> String {
    format!("{number:.14e}").parse::<f64>().unwrap_or(number).to_string()
}

pub fn text(text: &str) -> Cell {
    // A no-break space comes with text from web pages.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.chars().count() > MAX_CHARACTERS {
        return Cell::wrong(Fault::TooLong(u32::try_from(MAX_CHARACTERS).unwrap_or(u32::MAX)));
    }
    if text.chars().any(char::is_control) {
        return Cell::wrong(Fault::ControlCharacter);
    }
    Cell::Text(text.to_owned())
}
