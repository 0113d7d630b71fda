//! How account numbers are made: a prefix, a running number, and a check digit.
//!
//! A number has sixteen digits, which is what the meters of profiles with a meter wallet keep.

use model::error::AppError;

use crate::serial::AccountNumber;

/// Digits of an account number.
pub const DIGITS: usize = 16;
/// Longest prefix: at least six digits run.
pub const PREFIX_MAX: usize = 9;

/// A site's scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberScheme {
    prefix: String,
    has_check_digit: bool,
}

impl NumberScheme {
    /// A prefix of digits, which may be empty.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for anything but up to [`PREFIX_MAX`] digits.
    pub fn new(prefix: &str, has_check_digit: bool) -> Result<Self, AppError> {
        let prefix = prefix.trim();
        if prefix.len() > PREFIX_MAX || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(AppError::Invalid);
        }
        Ok(Self { prefix: prefix.to_owned(), has_check_digit })
    }

    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    #[must_use]
    pub const fn has_check_digit(&self) -> bool {
        self.has_check_digit
    }

    /// Digits of the running number.
    #[must_use]
    pub const fn running_digits(&self) -> usize {
        DIGITS - self.prefix.len() - if self.has_check_digit { 1 } else { 0 }
    }

    /// The largest running number.
    #[must_use]
    pub fn last(&self) -> u64 {
        10_u64.saturating_pow(u32::try_from(self.running_digits()).unwrap_or(u32::MAX)) - 1
    }

    /// The account number of a running number from 1; `None` where there are no more, or it would be all zero, which means no
    /// account in a meter.
    #[must_use]
    pub fn number(&self, running: u64) -> Option<AccountNumber> {
        let digits = self.running_digits();
        let body = format!("{}{running:0digits$}", self.prefix);
        let text = if self.has_check_digit { format!("{body}{}", luhn(&body)) } else { body };
        if text.len() != DIGITS || text.bytes().all(|byte| byte == b'0') {
            return None;
        }
        text.parse().ok()
    }

    /// A number that a person gives, if the scheme allows it: its prefix and its check digit are right.
    ///
    /// # Errors
    /// [`AppError::NumberNotOfScheme`].
    pub fn checked(&self, text: &str) -> Result<AccountNumber, AppError> {
        let text = text.trim();
        let body = text.get(..DIGITS - 1).unwrap_or_default();
        let check = text.get(DIGITS - 1..).unwrap_or_default();
        let is_right = !self.has_check_digit || luhn(body).to_string() == check;
        let is_zero = text.bytes().all(|byte| byte == b'0');
        let number = text.parse().ok().filter(|_| text.starts_with(&self.prefix) && is_right && !is_zero);
        number.ok_or(AppError::NumberNotOfScheme)
    }
}

/// The check digit of ISO/IEC 7812 (Luhn): it finds every wrong digit, and nearly all exchanged neighbours.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .rev()
        .zip([true, false].into_iter().cycle())
        .map(|(digit, doubled)| {
            let value = digit.to_digit(10).unwrap_or(0) * if doubled { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_run_behind_their_prefix() {
        let plain = NumberScheme::new("2026", false).unwrap();
        assert_eq!(plain.number(1).unwrap().to_string(), "2026000000000001");
        assert_eq!(plain.number(999_999_999_999).unwrap().to_string(), "2026999999999999");
        assert_eq!((plain.number(1_000_000_000_000), plain.last()), (None, 999_999_999_999), "no more numbers");
        assert_eq!(NumberScheme::new("", false).unwrap().number(0), None, "all zero means no account");
    }

    #[test]
    fn check_digit_finds_a_wrong_digit() {
        // The example of ISO/IEC 7812: 7992739871 has the check digit 3.
        assert_eq!(luhn("7992739871"), 3);
        let scheme = NumberScheme::new("31", true).unwrap();
        let number = scheme.number(42).unwrap().to_string();
        assert_eq!(scheme.checked(&number).unwrap().to_string(), number);
        for position in 0..DIGITS {
            let mut digits: Vec<char> = number.chars().collect();
            digits[position] = if digits[position] == '9' { '0' } else { char::from(digits[position] as u8 + 1) };
            let wrong: String = digits.into_iter().collect();
            assert_eq!(scheme.checked(&wrong), Err(AppError::NumberNotOfScheme), "{wrong}");
        }
    }

    #[test]
    fn numbers_of_people_are_of_the_scheme() {
        let scheme = NumberScheme::new("77", false).unwrap();
        assert!(scheme.checked(" 7700000000000009 ").is_ok());
        for bad in ["", "7600000000000009", "770000000000000", "77000000000000090", "77000000000000a9", "七七00000000000009"] {
            assert_eq!(scheme.checked(bad), Err(AppError::NumberNotOfScheme), "{bad}");
        }
        for bad in ["0123456789", "a", "1 2"] {
            assert_eq!(NumberScheme::new(bad, false), Err(AppError::Invalid), "{bad}");
        }
    }
}
