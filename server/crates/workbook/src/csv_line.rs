//! CSV records that spreadsheets do not evaluate as formulas.

use csv::{Terminator, WriterBuilder};

/// One record with its line end. A cell that a spreadsheet would evaluate (`=`, `+`, `-`, `@`, tab or carriage return at its
/// start) is prefixed with an apostrophe, unless it is a number; so is a number of which a spreadsheet would lose digits:
/// one of more than 15, or with zeros in front. [`value`] takes the apostrophe off again.
#[must_use]
pub fn line(cells: &[String]) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(256).from_writer(Vec::new());
    // Writing to memory does not fail, and all cells are UTF-8.
    let written = writer.write_record(cells.iter().map(|cell| guarded(cell))).ok();
    let bytes = written.and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// The value of a cell of such a record: without the apostrophe that marks it as text. Some write one before shorter numbers too.
#[must_use]
pub fn value(cell: &str) -> &str {
    if is_marked(cell) { cell.strip_prefix('\'').unwrap_or(cell) } else { cell }
}

/// One that begins like a marked one is marked itself, so that [`value`] gives every cell back.
fn guarded(cell: &str) -> String {
    let loses_digits = is_number(cell) && (cell.len() > 15 || is_padded(cell));
    if is_formula(cell) || loses_digits || is_marked(cell) { format!("'{cell}") } else { cell.to_owned() }
}

fn is_marked(cell: &str) -> bool {
    let rest = cell.trim_start_matches('\'');
    rest.len() < cell.len() && (is_number(rest) || is_formula(rest))
}

fn is_number(cell: &str) -> bool {
    let number = cell.strip_prefix('-').unwrap_or(cell);
    number.starts_with(|c: char| c.is_ascii_digit()) && number.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Whether a number begins with a zero that it does not need.
fn is_padded(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()))
}

fn is_formula(cell: &str) -> bool {
    !is_number(cell) && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_are_not_evaluated_as_formulas() {
        for (cell, written) in [
            ("301", "301"),
            ("-12.50", "-12.50"),
            ("1号楼", "1号楼"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1+1", "'+1+1"),
            ("-1+cmd()", "'-1+cmd()"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("a,b", "\"a,b\""),
            ("=\"a\",1", "\"'=\"\"a\"\",1\""),
            ("two\nlines", "\"two\nlines\""),
            ("2611230000000001", "'2611230000000001"),
            ("0", "0"),
            ("0.50", "0.50"),
            ("-0.5", "-0.5"),
            ("0101", "'0101"),
            ("00", "'00"),
            ("-07", "'-07"),
            ("'=1", "''=1"),
            ("'12", "''12"),
            ("'a", "'a"),
        ] {
            assert_eq!(line(&[cell.to_owned()]), format!("{written}\r\n"), "{cell:?}");
            assert_eq!(value(&guarded(cell)), cell);
        }
        assert_eq!(value("'0012"), "0012", "as somebody typed it");
        assert_eq!(line(&["a".to_owned(), "b".to_owned()]), "a,b\r\n");
        assert_eq!(line(&["a".to_owned(), String::new()]), "a,\r\n");
        assert_eq!(line(&[String::new()]), "\"\"\r\n", "without quotes it would be an empty line");
    }
}
