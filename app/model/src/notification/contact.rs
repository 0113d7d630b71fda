//! The number that residents may call, and the signature of text messages.

use std::fmt;
use std::str::FromStr;

use crate::typed::typed;

/// A telephone number for people to call: digits, with `+`, `-`, spaces and brackets between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact(String);

/// The text is no telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoContact;

/// Characters of a signature, at most.
const SIGNATURE_MAX: usize = 20;

impl Contact {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Who signs text messages: what stands in brackets before them. `None` where it does not fit there.
    #[must_use]
    pub fn signature(text: &str) -> Option<String> {
        let text = text.trim();
        let fits = |c: char| !c.is_control() && !matches!(c, '【' | '】' | '[' | ']' | '{' | '}');
        let is_short = (1..=SIGNATURE_MAX).contains(&text.chars().count());
        (is_short && text.chars().all(fits)).then(|| text.to_owned())
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Contact {
    type Err = NoContact;

    fn from_str(text: &str) -> Result<Self, NoContact> {
        let text = typed(text);
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let fits = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ' ' | '(' | ')');
        let is_number = (3..=20).contains(&digits) && text.len() <= 30 && text.chars().all(fits);
        if is_number { Ok(Self(text)) } else { Err(NoContact) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_to_call_are_digits_with_the_usual_signs() {
        for text in ["110", "010-62770000", "+86 (10) 6277 0000", "13800138000", "400-810-8888"] {
            assert_eq!(text.parse::<Contact>().unwrap().as_str(), text);
        }
        assert_eq!("０１０－６２７７００００".parse::<Contact>().unwrap().as_str(), "010-62770000");
        for text in ["", "11", "abc", "010-6277 ext 5", "1".repeat(21).as_str()] {
            assert_eq!(text.parse::<Contact>(), Err(NoContact), "{text}");
        }
    }

    #[test]
    fn signatures_fit_into_their_brackets() {
        assert_eq!(Contact::signature(" 清河宿舍 "), Some("清河宿舍".to_owned()));
        for text in ["", "【a】", "a\nb", "{room}", "x".repeat(21).as_str()] {
            assert_eq!(Contact::signature(text), None, "{text}");
        }
    }
}
