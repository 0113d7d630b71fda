//! CSV in the forms that spreadsheets write: UTF-8 with or without a byte order mark, or GBK; comma, semicolon or tab.

use std::borrow::Cow;

use encoding_rs::{GBK, UTF_8};
use model::site_workbook::Fault;

use crate::csv_line;
use crate::limits::{MAX_COLUMNS, MAX_ROWS};
use crate::table::Table;
use crate::xlsx;

pub fn read(name: &str, bytes: &[u8]) -> Result<Table, Fault> {
    let text = decode(bytes)?;
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let title = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let delimiter = delimiter(&text);
    if let Some(line) = unclosed_quote(&text, delimiter) {
        return Err(Fault::UnclosedQuote(line));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut table = Table { title: title.to_owned(), ..Table::default() };
    for record in reader.records() {
        let record = record.map_err(|_| Fault::NotATable)?;
        let row = record.position().map_or(0, |position| lines_before(&text, position.byte()));
        if row >= MAX_ROWS {
            table.is_cut = true;
            break;
        }
        for (column, cell) in (0..MAX_COLUMNS).zip(&record) {
            let cell = xlsx::text(csv_line::value(cell));
            if !cell.is_blank() {
                table.put(row, column, cell);
            }
        }
    }
    table.drop_blank_rows();
    Ok(table)
}

/// The lines that end before the record at this byte. The reader's own count is one short behind CR LF, whose LF it passes over
/// with the next record.
fn lines_before(text: &str, byte: u64) -> u32 {
    let byte = usize::try_from(byte).unwrap_or(usize::MAX);
    let before = text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count();
    let passes_over = text.as_bytes().get(byte) == Some(&b'\n');
    u32::try_from(before + usize::from(passes_over)).unwrap_or(u32::MAX)
}

/// The line of a quotation mark that begins a cell and is never closed. The reader would take the rest of the file for one cell.
fn unclosed_quote(text: &str, delimiter: u8) -> Option<u32> {
    let (mut line, mut opened, mut begins) = (1, None, true);
    for byte in text.bytes() {
        match byte {
            // A doubled one closes the cell and opens it again.
            b'"' if opened.is_some() => (opened, begins) = (None, true),
            b'"' if begins => opened = Some(line),
            _ => begins = byte == delimiter || byte == b'\n' || byte == b'\r',
        }
        line += u32::from(byte == b'\n');
    }
    opened
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = UTF_8
        .decode_without_bom_handling_and_without_replacement(bytes)
        .or_else(|| GBK.decode_without_bom_handling_and_without_replacement(bytes))
        .ok_or(Fault::Encoding)?;
    if text.contains('\0') { Err(Fault::NotATable) } else { Ok(text) }
}

/// Whichever is most frequent in the first line.
fn delimiter(text: &str) -> u8 {
    let head = text.lines().next().unwrap_or_default();
    let frequency = |delimiter: &u8| head.bytes().filter(|byte| byte == delimiter).count();
    [b'\t', b';', b','].into_iter().max_by_key(frequency).unwrap_or(b',')
}
