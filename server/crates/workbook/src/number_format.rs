//! What a number format makes of a whole number: the digits that people saw when they typed a room or a login name.

/// Most characters of a format, as spreadsheets allow.
const MAX_FORMAT: usize = 255;

/// A number format, as far as it tells a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberFormat {
    /// The digits as they are.
    Plain,
    /// Leading zeros, and characters between them.
    Digits {
        parts: Vec<Part>,
        /// Zero is shown in this way too, and not by a section of its own.
        zero: bool,
    },
    /// Rounds, groups, scales or adds what is no part of the value.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A place of a digit: `0`.
    Zero,
    Literal(char),
}

impl NumberFormat {
    /// Of a format code of the file, such as `000` or `"A"00-00;@`. Of several sections the first is taken: it shows whole
    /// numbers above zero.
    pub fn parse(code: &str) -> Self {
        if code.eq_ignore_ascii_case("general") || code == "@" {
            return Self::Plain;
        }
        if code.chars().count() > MAX_FORMAT {
            return Self::Other;
        }
        let Some(parts) = parts(code) else { return Self::Other };
        match parts.iter().filter(|part| **part == Part::Zero).count() {
            0 => Self::Other,
            1 if parts.len() == 1 => Self::Plain,
            _ => Self::Digits { parts, zero: code.matches(';').count() < 2 },
        }
    }

    /// The text that the format shows for a number without fraction; `None` where it is not certain.
    pub fn shown(&self, number: i64) -> Option<String> {
        match self {
            Self::Plain => Some(number.to_string()),
            Self::Digits { parts, zero } if number > 0 || (number == 0 && *zero) => Some(filled(parts, number)),
            Self::Digits { .. } | Self::Other => None,
        }
    }
}

fn parts(code: &str) -> Option<Vec<Part>> {
    let (mut parts, mut rest) = (Vec::new(), code.chars());
    while let Some(c) = rest.next() {
        match c {
            ';' => break,
            '0' => parts.push(Part::Zero),
            '"' => loop {
                match rest.next()? {
                    '"' => break,
                    literal => parts.push(Part::Literal(literal)),
                }
            },
            '\\' => parts.push(Part::Literal(rest.next()?)),
            // As wide as the character that follows.
            '_' => {
                rest.next()?;
                parts.push(Part::Literal(' '));
            }
            // These need no quotes.
            '-' | '+' | '(' | ')' | ':' | ' ' => parts.push(Part::Literal(c)),
            _ => return None,
        }
    }
    Some(parts)
}

/// Digits fill the places from the right; what is left of them stands in front of the first place.
fn filled(parts: &[Part], number: i64) -> String {
    let places = parts.iter().filter(|part| **part == Part::Zero).count();
    let digits = format!("{number:0places$}");
    let mut rest = digits.chars();
    let mut more = digits.chars().count() - places;
    let mut text = String::with_capacity(parts.len() + more);
    for part in parts {
        match part {
            Part::Literal(literal) => text.push(*literal),
            Part::Zero => {
                text.extend(rest.by_ref().take(more + 1));
                more = 0;
            }
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(code: &str, number: i64) -> Option<String> {
        NumberFormat::parse(code).shown(number)
    }

    #[test]
    fn zeros_and_literals_make_the_text_that_is_shown() {
        for (code, number, text) in [
            ("General", 7, "7"),
            ("GENERAL", -1, "-1"),
            ("@", 7, "7"),
            ("0", 7, "7"),
            ("0", 0, "0"),
            ("000", 7, "007"),
            ("000", 0, "000"),
            ("000;-000", 0, "000"),
            ("000", 1234, "1234"),
            ("0000000", 161, "0000161"),
            ("\"A\"000", 7, "A007"),
            ("\\B00", 7, "B07"),
            ("000-0000-0000", 13_800_000_000, "138-0000-0000"),
            ("00-00", 12_345, "123-45"),
            ("0_ ", 12, "12"),
            ("000;-000", 7, "007"),
            ("000;@", 7, "007"),
        ] {
            assert_eq!(shown(code, number).as_deref(), Some(text), "{code} of {number}");
        }
    }

    #[test]
    fn what_a_format_hides_or_adds_is_not_guessed() {
        for code in
            ["0.00", "#,##0", "0%", "0.00E+00", "# ?/?", "[Red]000", "[<9]00;0", "000,", "*-000", "\"open", "abc", "", ";;;"]
        {
            assert_eq!(shown(code, 7), None, "{code}");
        }
        assert_eq!((shown("000", -7), shown("000;-000;none", 0)), (None, None), "another section shows it");
        assert_eq!(NumberFormat::parse(&"0".repeat(256)), NumberFormat::Other);
    }

    proptest::proptest! {
        #[test]
        fn no_format_makes_a_panic_or_loses_digits(code in "[0\"\\\\_a-c;# -]{0,20}", number in 0..1_000_000_i64) {
            if let Some(text) = shown(&code, number) {
                let digits: String = number.to_string();
                proptest::prop_assert!(text.chars().filter(char::is_ascii_digit).count() >= digits.len());
            }
        }
    }
}
