//! The numbers that name a meter and an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::bcd;

/// A number was not written with the right count of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("needs exactly {0} digits")]
pub struct ParseNumberError(usize);

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident[$bytes:literal]),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// From its BCD bytes; `None` where a half-byte is not a digit.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> { bcd::all_digits(&bytes).then_some(Self(bytes)) }

            /// Its BCD bytes.
            #[must_use]
            pub const fn bytes(self) -> [u8; $bytes] { self.0 }
        }

        impl FromStr for $name {
            type Err = ParseNumberError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                bcd::digits(text).map(Self).ok_or(ParseNumberError(2 * $bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseNumberError;
            fn try_from(text: String) -> Result<Self, Self::Error> { text.parse() }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self { number.to_string() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}({self})", stringify!($name)) }
        }
    )*};
}

numbers! {
    /// A meter's serial number, 12 digits: what keys are derived from and what a reading is checked by.
    Serial[6],
    /// An account number, 16 digits, as the meter keeps it.
    AccountNumber[8],
}

impl Serial {
    /// From twelve digits; the last decimal of anything above 9 counts.
    pub fn from_digits(digits: [u8; 12]) -> Self {
        let mut bytes = [0; 6];
        for (byte, [tens, ones]) in bytes.iter_mut().zip(digits.as_chunks().0) {
            *byte = bcd::pack(tens % 10 * 10 + ones % 10);
        }
        Self(bytes)
    }
}

impl AccountNumber {
    /// What a meter shows where no account is open.
    pub const NONE: Self = Self([0; 8]);

    /// A number made of a meter's: 1000, and its twelve digits.
    #[must_use]
    pub const fn of(serial: Serial) -> Self {
        let [a, b, c, d, e, f] = serial.0;
        Self([0x10, 0x00, a, b, c, d, e, f])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_back() {
        let serial: Serial = "006026773546".parse().unwrap();
        assert_eq!(serial.bytes(), [0x00, 0x60, 0x26, 0x77, 0x35, 0x46]);
        assert_eq!(serial.to_string(), "006026773546");
        assert_eq!("6407353703886369".parse::<AccountNumber>().unwrap().to_string(), "6407353703886369");
    }

    #[test]
    fn anything_but_digits_is_refused() {
        for text in ["", "00602677354", "0060267735460", "00602677354a", "+06026773546", " 06026773546", "００６０"] {
            assert_eq!(text.parse::<Serial>(), Err(ParseNumberError(12)), "{text}");
        }
        assert_eq!(Serial::from_bytes([0x0a, 0, 0, 0, 0, 0]), None);
    }
}
