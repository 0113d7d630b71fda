//! Packed binary-coded decimals (BCD), two digits a byte, as meters store serial numbers, account numbers and clocks.

use model::time::{Civil, Timestamp};
use serde::{Deserialize, Serialize};

/// Packs 0-99 into a byte.
#[must_use]
pub const fn pack(value: u8) -> u8 {
    ((value / 10 % 10) << 4) | (value % 10)
}

/// The number in a byte; `None` if a nibble is not a decimal digit.
#[must_use]
pub const fn unpack(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0x0f);
    if tens > 9 || ones > 9 { None } else { Some(tens * 10 + ones) }
}

/// The number that the digits form, most significant byte first; `None` for a nibble above 9 or a number over 64 bits.
#[must_use]
pub fn number(bytes: &[u8]) -> Option<i128> {
    let add = |all: u64, &byte: &u8| all.checked_mul(100)?.checked_add(unpack(byte)?.into());
    bytes.iter().try_fold(0, add).map(i128::from)
}

/// Encodes a number in `2 * N` digits; `None` if it is negative or too large.
#[must_use]
pub fn of_number<const N: usize>(number: i128) -> Option<[u8; N]> {
    let (mut bytes, mut number) = ([0; N], u64::try_from(number).ok()?);
    for byte in bytes.iter_mut().rev() {
        *byte = pack((number % 100) as u8);
        number /= 100;
    }
    (number == 0).then_some(bytes)
}

/// Packs `2 * N` ASCII digits; `None` for any other length or character.
#[must_use]
pub fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut packed = [0; N];
    hex::decode_to_slice(text, &mut packed).ok()?;
    Some(packed)
}

/// Whether every nibble is a decimal digit.
#[must_use]
pub fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| unpack(byte).is_some())
}

/// A meter's clock: six BCD bytes from year to second, in Shanghai time, years 2000-2099. Always a valid time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BcdTime(Timestamp);

impl BcdTime {
    /// Truncates `at` to the second; `None` outside the years 2000-2099.
    #[must_use]
    pub fn from_timestamp(at: Timestamp) -> Option<Self> {
        (2000..2100).contains(&at.civil().year).then_some(Self(Timestamp(at.0.div_euclid(1000) * 1000)))
    }

    /// `None` if the bytes are not a valid time.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 6]) -> Option<Self> {
        let [year, month, day, hour, minute, second] = bytes.map(unpack);
        let civil =
            Civil { year: 2000 + i64::from(year?), month: month?, day: day?, hour: hour?, minute: minute?, second: second? };
        civil.timestamp().map(Self)
    }

    #[must_use]
    pub fn bytes(self) -> [u8; 6] {
        let c = self.0.civil();
        let year = u8::try_from(c.year.rem_euclid(100)).unwrap_or(0);
        [year, c.month, c.day, c.hour, c.minute, c.second].map(pack)
    }

    /// Day of the week, 0 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.0.date().0 + 4).rem_euclid(7)).unwrap_or(0)
    }

    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_and_unpack_are_inverse() {
        for value in 0..100 {
            assert_eq!(unpack(pack(value)), Some(value));
        }
        assert_eq!((unpack(0x0a), unpack(0xa0)), (None, None));
    }

    #[test]
    fn number_round_trip() {
        assert_eq!(number(&[0x00, 0x60, 0x26]), Some(6_026));
        assert_eq!(of_number(6_026), Some([0x00, 0x60, 0x26]));
        assert_eq!((number(&[0x0a]), of_number::<2>(10_000), of_number::<2>(-1)), (None, None, None));
    }

    #[test]
    fn clock_round_trip() {
        let time = BcdTime::from_bytes([0x26, 0x11, 0x22, 0x18, 0x30, 0x00]).unwrap();
        assert_eq!(time.timestamp().to_string(), "2026-11-22 18:30:00");
        assert_eq!(time.bytes(), [0x26, 0x11, 0x22, 0x18, 0x30, 0x00]);
        assert_eq!(BcdTime::from_timestamp(time.timestamp().plus(999)), Some(time));
    }

    #[test]
    fn invalid_times_are_rejected() {
        for bytes in
            [[0; 6], [0x26, 0x13, 1, 0, 0, 0], [0x26, 2, 0x29, 0, 0, 0], [0x26, 1, 1, 0x24, 0, 0], [0x26, 1, 1, 0, 0x0a, 0]]
        {
            assert_eq!(BcdTime::from_bytes(bytes), None, "{bytes:x?}");
        }
        assert_eq!(BcdTime::from_timestamp(Timestamp(0)), None);
    }
}
