//! Why a DL/T 645 meter refuses.

use std::fmt;

/// What an error answer says. Names are the standard's; bits that it does not name are printed as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// ERR, one byte of bits.
    Error(u8),
    /// SERR, two bytes of bits: what the security part of the meter objects to.
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
    /// From the data of an error answer; `None` where it is neither.
    #[must_use]
    pub const fn parse(data: &[u8]) -> Option<Self> {
        match *data {
            [error] => Some(Self::Error(error)),
            [low, high] => Some(Self::Security(u16::from_le_bytes([low, high]))),
            _ => None,
        }
    }

    /// The meter has nothing under this identifier.
    #[must_use]
    pub const fn is_no_data(self) -> bool {
        matches!(self, Self::Error(bits) if bits & 0x02 != 0)
    }

    /// The meter does not know the password, or not for this. After a few of these it listens to nobody for a day.
    #[must_use]
    pub const fn is_of_password(self) -> bool {
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
    fn refusals_are_worded() {
        assert_eq!(Refusal::parse(&[0x04]).unwrap().to_string(), "ERR 04, wrong password or no permission");
        assert_eq!(Refusal::parse(&[0x22, 0x00]).unwrap().to_string(), "SERR 22, repeated recharge, purchase count error");
        assert_eq!(Refusal::parse(&[0x00, 0x02]).unwrap().to_string(), "SERR 200, close failed");
        assert_eq!(Refusal::parse(&[0x80]).unwrap().to_string(), "ERR 80");
        assert_eq!((Refusal::parse(&[]), Refusal::parse(&[1, 2, 3])), (None, None));
    }
}
