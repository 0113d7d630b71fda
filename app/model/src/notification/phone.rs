//! Numbers of mobile phones.

use std::fmt;
use std::str::FromStr;

use crate::typed::typed;

/// A mobile number of mainland China (11 digits), or any other with `+` and its country code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// The text is no number that can get a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPhoneNumber;

impl PhoneNumber {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = NoPhoneNumber;

    /// As people write it: with spaces, hyphens, `+86` or `0086`.
    fn from_str(text: &str) -> Result<Self, NoPhoneNumber> {
        let digits: String = typed(text).chars().filter(|c| !matches!(c, ' ' | '-' | '\u{a0}')).collect();
        let (is_foreign, number) = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
            Some(rest) => match rest.strip_prefix("86") {
                Some(number) => (false, number),
                None => (true, rest),
            },
            None => (false, &*digits),
        };
        if !number.chars().all(|c| c.is_ascii_digit()) {
            return Err(NoPhoneNumber);
        }
        if is_foreign {
            let fits = (8..=15).contains(&number.len()) && !number.starts_with('0');
            return if fits { Ok(Self(format!("+{number}"))) } else { Err(NoPhoneNumber) };
        }
        let mut ends = number.chars();
        let is_mobile = ends.next() == Some('1') && ends.next().is_some_and(|second| ('3'..='9').contains(&second));
        if is_mobile && number.len() == 11 { Ok(Self(number.to_owned())) } else { Err(NoPhoneNumber) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        for text in ["13800138000", "138 0013 8000", "138-0013-8000", "+86 13800138000", "008613800138000"] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().as_str(), "13800138000", "{text}");
        }
        assert_eq!("+44 7700 900123".parse::<PhoneNumber>().unwrap().as_str(), "+447700900123");
    }

    #[test]
    fn what_gets_no_text_message_is_refused() {
        for text in ["", "12345", "12800138000", "1380013800", "138001380000", "01012345678", "+0447700900", "1380013800a", "+44"]
        {
            assert_eq!(text.parse::<PhoneNumber>(), Err(NoPhoneNumber), "{text}");
        }
        assert_eq!("13800138000\r\nx".parse::<PhoneNumber>(), Err(NoPhoneNumber));
    }
}
