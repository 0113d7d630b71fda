//! Comma-separated values that spreadsheets do not execute as formulas.

/// One line with its line end. A cell that a spreadsheet would compute (`=`, `+`, `-`, `@`, tab or return at its beginning) gets an
/// apostrophe before it, unless it is a number. So do numbers of more than 15 digits, whose last digits would be lost.
#[must_use]
pub fn line<const N: usize>(cells: &[String; N]) -> String {
    let mut text = String::new();
    for (n, cell) in cells.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        push(&mut text, cell);
    }
    text.push_str("\r\n");
    text
}

fn push(text: &mut String, cell: &str) {
    let number = cell.strip_prefix('-').unwrap_or(cell);
    let number = number.starts_with(|c: char| c.is_ascii_digit()) && number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let formula = !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let long = number && cell.len() > 15;
    let quoted = cell.contains([',', '"', '\n', '\r']);
    if quoted {
        text.push('"');
    }
    if formula || long {
        text.push('\'');
    }
    for c in cell.chars() {
        if c == '"' {
            text.push('"');
        }
        text.push(c);
    }
    if quoted {
        text.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_never_formulas() {
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
            ("", ""),
        ] {
            assert_eq!(line(&[cell.to_owned()]), format!("{written}\r\n"), "{cell:?}");
        }
        assert_eq!(line(&["a".to_owned(), "b".to_owned()]), "a,b\r\n");
    }
}
