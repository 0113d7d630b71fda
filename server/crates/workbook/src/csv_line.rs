//! CSV records that spreadsheets do not evaluate as formulas.

use csv::{Terminator, WriterBuilder};

/// One record with its line end. A cell that a spreadsheet would evaluate (`=`, `+`, `-`, `@`, tab or carriage return at its
/// start) is prefixed with an apostrophe, unless it is a number; so is a number of more than 15 digits, of which a spreadsheet
/// would lose digits.
#[must_use]
pub fn line(cells: &[String]) -> String {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).buffer_capacity(256).from_writer(Vec::new());
    // Writing to memory does not fail, and all cells are UTF-8.
    let written = writer.write_record(cells.iter().map(|cell| guarded(cell))).ok();
    let bytes = written.and_then(|()| writer.into_inner().ok()).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

fn guarded(cell: &str) -> String {
    let number = cell.strip_prefix('-').unwrap_or(cell);
    let number = number.starts_with(|c: char| c.is_ascii_digit()) && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let formula = !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let long = number && cell.len() > 15;
    if formula || long { format!("'{cell}") } else { cell.to_owned() }
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
        ] {
            assert_eq!(line(&[cell.to_owned()]), format!("{written}\r\n"), "{cell:?}");
        }
        assert_eq!(line(&["a".to_owned(), "b".to_owned()]), "a,b\r\n");
        assert_eq!(line(&["a".to_owned(), String::new()]), "a,\r\n");
        assert_eq!(line(&[String::new()]), "\"\"\r\n", "without quotes it would be an empty line");
    }
}
