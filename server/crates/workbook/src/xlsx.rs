//! XLSX. Cells are read one after the other, because a sheet whose last cell is far away would take all memory as a rectangle.

use std::io::{Cursor, Read};

use calamine::{Data, DataRef, Reader, Xlsx, XlsxError};
use model::site_workbook::Fault;
use zip::ZipArchive;

use crate::limits::{MAX_CHARACTERS, MAX_COLUMNS, MAX_ENTRIES, MAX_PLAIN_BYTES, MAX_ROWS};
use crate::megabytes;
use crate::table::{Cell, Table};

/// Spreadsheets keep fifteen digits of a number.
const EXACT: f64 = 999_999_999_999_999.0;
/// Sheets of a workbook that are looked at.
const MAX_SHEETS: usize = 20;

pub fn read(bytes: &[u8]) -> Result<Vec<Table>, Fault> {
    check_size(bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|_: XlsxError| Fault::NotATable)?;
    let titles = workbook.sheet_names();
    titles.into_iter().take(MAX_SHEETS).map(|title| sheet(&mut workbook, title).map_err(|_| Fault::NotATable)).collect()
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
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|_| Fault::NotATable)?;
        left = left.checked_sub(read).ok_or_else(too_large)?;
    }
    Ok(())
}

fn sheet(workbook: &mut Xlsx<Cursor<&[u8]>>, title: String) -> Result<Table, XlsxError> {
    let merged = workbook.merge_cells_by_sheet_name(&title)?;
    let mut table = Table { title: title.clone(), ..Table::default() };
    let mut cells = workbook.worksheet_cells_reader(&title)?;
    while let Some(found) = cells.next_cell_with_formula()? {
        let (row, column) = found.pos;
        if row >= MAX_ROWS {
            table.is_cut = true;
            break;
        }
        let value = if found.formula.is_some() { Cell::Wrong(Fault::Formula) } else { cell(found.value) };
        if column < MAX_COLUMNS && !value.is_blank() {
            table.put(row, column, value);
        }
    }
    for area in merged {
        for (number, cells) in &mut table.rows {
            if (area.start.0 + 1..=area.end.0 + 1).contains(number) {
                let span = cells.iter_mut().take(area.end.1 as usize + 1).skip(area.start.1 as usize);
                span.for_each(|cell| *cell = Cell::Wrong(Fault::Merged));
            }
        }
    }
    table.drop_blank_rows();
    Ok(table)
}

fn cell(value: DataRef<'_>) -> Cell {
    match Data::from(value) {
        Data::Empty => Cell::Text(String::new()),
        Data::String(text) => self::text(&text),
        Data::Int(number) => u64::try_from(number).map_or_else(|_| Cell::Text(number.to_string()), Cell::Whole),
        Data::Float(number) if number.abs() > EXACT => Cell::Wrong(Fault::DigitsLost),
        Data::Float(number) if number >= 0.0 && number.fract() == 0.0 => Cell::Whole(number as u64),
        Data::Float(number) => Cell::Text(number.to_string()),
        Data::Bool(yes) => Cell::Text(yes.to_string()),
        Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_) => Cell::Wrong(Fault::Date),
        Data::Error(_) => Cell::Wrong(Fault::ErrorValue),
    }
}

pub fn text(text: &str) -> Cell {
    // A no-break space comes with text from web pages.
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.chars().count() > MAX_CHARACTERS {
        return Cell::Wrong(Fault::TooLong(u32::try_from(MAX_CHARACTERS).unwrap_or(u32::MAX)));
    }
    if text.chars().any(char::is_control) {
        return Cell::Wrong(Fault::ControlCharacter);
    }
    Cell::Text(text.to_owned())
}
