//! The lines of a rendered template.
//!
//! | line | becomes |
//! | --- | --- |
//! | `# text` | a title |
//! | `^ text`, `> text` | text in the middle, at the right |
//! | `label \| value` | a row |
//! | `! ` before text or a row | the same, strong |
//! | `[sign] label` | a line to sign on |
//! | `[logo]`, `---`, an empty line | the logo, a rule, a gap |
//!
//! A backslash takes its meaning from the character behind it. Values are written with one before every character that could have
//! a meaning.

use model::receipt_sheet::{Align, Block};

/// Lines of a receipt; more than any receipt needs, and few enough for any printer.
pub const MAX_LINES: usize = 120;

/// A value as it is put into a template: on one line, and without a meaning.
pub fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | '|' | '#' | '^' | '>' | '!' | '[' | '-' => text.extend(['\\', c]),
            // Neither a new line nor a command to a printer.
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
    }
    text
}

/// `None` for a text of no lines or too many.
pub fn blocks(text: &str) -> Option<Vec<Block>> {
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    ((1..=MAX_LINES).contains(&lines.len())).then(|| lines.into_iter().map(block).collect())
}

fn block(line: &str) -> Block {
    match line.trim_start() {
        "" => return Block::Gap,
        "---" => return Block::Rule,
        "[logo]" => return Block::Logo,
        _ => {}
    }
    let line = line.trim_start();
    if let Some(label) = line.strip_prefix("[sign]") {
        return Block::Signature(plain(label));
    }
    if let Some(title) = line.strip_prefix("# ") {
        return Block::Title(plain(title));
    }
    let (strong, line) = line.strip_prefix("! ").map_or((false, line), |rest| (true, rest));
    let (align, line) = match (line.strip_prefix("^ "), line.strip_prefix("> ")) {
        (Some(rest), _) => (Align::Middle, rest),
        (_, Some(rest)) => (Align::Right, rest),
        _ => (Align::Left, line),
    };
    match bar(line).filter(|_| align == Align::Left) {
        Some((label, value)) => Block::Row { label: plain(label), value: plain(value), strong },
        None => Block::Text { text: plain(line), align, strong },
    }
}

/// The parts before and behind the first bar that no backslash is before.
fn bar(line: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            '|' if !escaped => return Some((line.get(..at)?, line.get(at + 1..)?)),
            c => escaped = c == '\\' && !escaped,
        }
    }
    None
}

fn plain(text: &str) -> String {
    let (mut plain, mut escaped) = (String::with_capacity(text.len()), false);
    for c in text.trim().chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_blocks() {
        let text =
            "[logo]\n# Receipt\n^ Site\n> Copy\n\n---\nRoom | 3-301\n! Amount | 63.20\n! Keep this\n[sign] Cashier\nThank you";
        let row = |label: &str, value: &str, strong| Block::Row { label: label.into(), value: value.into(), strong };
        let text_of = |text: &str, align, strong| Block::Text { text: text.into(), align, strong };
        assert_eq!(
            blocks(text).unwrap(),
            [
                Block::Logo,
                Block::Title("Receipt".into()),
                text_of("Site", Align::Middle, false),
                text_of("Copy", Align::Right, false),
                Block::Gap,
                Block::Rule,
                row("Room", "3-301", false),
                row("Amount", "63.20", true),
                text_of("Keep this", Align::Left, true),
                Block::Signature("Cashier".into()),
                text_of("Thank you", Align::Left, false),
            ]
        );
    }

    #[test]
    fn a_value_is_only_text() {
        for value in
            ["# big", "a | b", "---", "[logo]", "[sign] me", "! loud", "> right", r"\", r"a\|b", "x\u{1b}@y", "one\ntwo", "-5"]
        {
            let shown: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let expected = Block::Text { text: shown.clone(), align: Align::Left, strong: false };
            assert_eq!(blocks(&escaped(value)).unwrap(), [expected], "{value:?} on its own");
            let expected = Block::Row { label: "Name".into(), value: shown, strong: false };
            assert_eq!(blocks(&format!("Name | {}", escaped(value))).unwrap(), [expected], "{value:?} in a row");
        }
    }

    #[test]
    fn lines_are_bounded() {
        assert_eq!(blocks(""), None);
        assert_eq!(blocks(&"x\n".repeat(MAX_LINES)).map(|blocks| blocks.len()), Some(MAX_LINES));
        assert_eq!(blocks(&"x\n".repeat(MAX_LINES + 1)), None);
    }
}
