//! A sheet in lines of a width: text is broken, labels and values stand in two columns. Widths are in columns: half a Chinese
//! character, one Latin letter.

use model::receipt_sheet::{Align, Block};

/// One printed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Its letters take two columns each.
    Title(String),
    Text {
        text: String,
        align: Align,
        strong: bool,
    },
    /// A part of a row: the label stands on its first line only, the value begins at column `indent`.
    Row {
        label: String,
        value: String,
        indent: usize,
        strong: bool,
    },
    Signature(String),
    Rule,
    Gap,
    Logo,
}

/// Columns of a text.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

const fn columns(c: char) -> usize {
    if c.is_ascii() { 1 } else { 2 }
}

/// The lines of a sheet on paper of that many columns.
pub fn lines(sheet: &[Block], across: usize) -> Vec<Line> {
    let labels = sheet.iter().filter_map(|block| match block {
        Block::Row { label, .. } => Some(width(label)),
        _ => None,
    });
    let indent = (labels.max().unwrap_or(0) + 2).min(across / 2);
    sheet.iter().flat_map(|block| of(block, across, indent)).collect()
}

fn of(block: &Block, across: usize, indent: usize) -> Vec<Line> {
    match block {
        Block::Title(text) => wrapped(text, across / 2).into_iter().map(Line::Title).collect(),
        Block::Text { text, align, strong } => {
            let line = |text| Line::Text { text, align: *align, strong: *strong };
            wrapped(text, across).into_iter().map(line).collect()
        }
        Block::Row { label, value, strong } => {
            let labels = wrapped(label, indent.saturating_sub(1));
            let values = wrapped(value, across.saturating_sub(indent));
            let line = |at: usize| Line::Row {
                label: labels.get(at).cloned().unwrap_or_default(),
                value: values.get(at).cloned().unwrap_or_default(),
                indent,
                strong: *strong,
            };
            (0..labels.len().max(values.len())).map(line).collect()
        }
        Block::Signature(label) => vec![Line::Signature(label.clone())],
        Block::Rule => vec![Line::Rule],
        Block::Gap => vec![Line::Gap],
        Block::Logo => vec![Line::Logo],
    }
}

/// A text in parts of at most that many columns, broken at spaces where there are some; one empty part of an empty text.
pub fn wrapped(text: &str, across: usize) -> Vec<String> {
    let across = across.max(2);
    let (mut parts, mut rest) = (Vec::new(), text.trim());
    while width(rest) > across {
        let (mut used, mut end, mut space) = (0, 0, None);
        for (at, c) in rest.char_indices() {
            used += columns(c);
            if used > across {
                break;
            }
            end = at + c.len_utf8();
            if c == ' ' {
                space = Some(at);
            }
        }
        // A word that begins on this line and does not fit goes to the next.
        let next = rest.get(end..).and_then(|rest| rest.chars().next());
        let splits_word =
            next.is_some_and(|next| next.is_ascii() && next != ' ') && rest.get(..end).is_some_and(|part| part.is_ascii());
        let cut = space.filter(|space| splits_word && *space > 0).unwrap_or(end);
        let (part, behind) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        parts.push(part.trim_end().to_owned());
        rest = behind.trim_start();
    }
    if !rest.is_empty() || parts.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_where_they_can_be() {
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("short", 10), ["short"]);
        assert_eq!(wrapped("a long way to go", 9), ["a long", "way to go"]);
        assert_eq!(wrapped("incomprehensible", 6), ["incomp", "rehens", "ible"]);
        assert_eq!(wrapped("壹佰贰拾元整", 8), ["壹佰贰拾", "元整"]);
        assert_eq!(wrapped("1号楼 3层 301", 8), ["1号楼 3", "层 301"]);
        assert_eq!(wrapped("张", 1), ["张"], "a character is never cut");
    }

    #[test]
    fn values_stand_in_a_column() {
        let row = |label: &str, value: &str| Block::Row { label: label.into(), value: value.into(), strong: false };
        let line = |label: &str, value: &str| Line::Row { label: label.into(), value: value.into(), indent: 8, strong: false };
        let sheet = [row("房间号", "301"), row("人", "张三李四王五赵六钱七")];
        assert_eq!(lines(&sheet, 20), [line("房间号", "301"), line("人", "张三李四王五"), line("", "赵六钱七")]);
    }

    #[test]
    fn every_line_fits() {
        let long = "很长的名字 with some words and 1234567890123456789012345678901234567890";
        let row = Block::Row { label: long.into(), value: long.into(), strong: true };
        let text = Block::Text { text: long.into(), align: Align::Left, strong: false };
        for across in [4, 16, 32, 48] {
            for line in lines(&[row.clone(), text.clone(), Block::Title(long.into())], across) {
                let used = match &line {
                    Line::Title(text) => 2 * width(text),
                    Line::Row { label, value, indent, .. } => {
                        width(label).max(if value.is_empty() { 0 } else { indent + width(value) })
                    }
                    Line::Text { text, .. } => width(text),
                    _ => 0,
                };
                assert!(used <= across.max(4), "{across}: {line:?}");
            }
        }
    }
}
