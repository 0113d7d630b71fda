//! Why a DL/T 645 meter refused a request.

use std::fmt;

/// Error bits of an answer, named as in the standard; bits without a name are printed as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// ERR, one byte.
    Error(u8),
    /// SERR, two bytes: errors of the meter's security module.
    Security(u16),
}

const ERROR: [(u16, &str); 7] = [
    (0x01, "other error"),
    (0x02, "no such data"),
    (0x04, "wrong password or no permission"),
    (0x08, "baud rate cannot be changed"),
    (0x10, "too many year zones"),
    (0x20, "too many day slots"),
    (0x40, "too many rates"),
];

const SECURITY: [(u16, &str); 10] = [
    (0x0001, "other error"),
    (0x0002, "repeated recharge"),
    (0x0004, "ESAM check failed"),
    (0x0008, "authentication failed"),
    (0x0010, "customer number mismatch"),
    (0x0020, "purchase count error"),
    (0x0040, "hoarding limit exceeded"),
    (0x0080, "address error"),
    (0x0100, "meter suspended"),
    (0x0200, "close failed"),
];

impl Refusal {
    /// Parses the data of an error answer; `None` for any other length.
    #[must_use]
    pub const fn parse(data: &[u8]) -> Option<Self> {
        match *data {
            [error] => Some(Self::Error(error)),
            [low, high] => Some(Self::Security(u16::from_le_bytes([low, high]))),
            _ => None,
        }
    }

    /// The meter has no data under this identifier.
    #[must_use]
    pub const fn is_no_data(self) -> bool {
        matches!(self, Self::Error(bits) if bits & 0x02 != 0)
    }

    /// Wrong password, or no permission. After a few of these the meter locks itself for a day.
    #[must_use]
    pub const fn is_password_error(self) -> bool {
        matches!(self, Self::Error(bits) if bits & 0x04 != 0)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, bits, names) = match *self {
            Self::Error(bits) => ("ERR", u16::from(bits), &ERROR[..]),
            Self::Security(bits) => ("SERR", bits, &SECURITY[..]),
        };
        write!(f, "{name} {bits:02x}")?;
        names.iter().filter(|(bit, _)| bits & bit != 0).try_for_each(|(_, what)| write!(f, ", {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_named_as_in_the_standard() {
        assert_eq!(Refusal::parse(&[0x04]).unwrap().to_string(), "ERR 04, wrong password or no permission");
        assert_eq!(Refusal::parse(&[0x22, 0x00]).unwrap().to_string(), "SERR 22, repeated recharge, purchase count error");
        assert_eq!(Refusal::parse(&[0x00, 0x02]).unwrap().to_string(), "SERR 200, close failed");
        assert_eq!(Refusal::parse(&[0x80]).unwrap().to_string(), "ERR 80");
        assert_eq!((Refusal::parse(&[]), Refusal::parse(&[1, 2, 3])), (None, None));
    }
}
