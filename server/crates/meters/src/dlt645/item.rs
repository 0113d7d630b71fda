//! Decodes the bytes of a data identifier into the server's units; two digits a byte, low byte first.

use model::time::{Date, HOUR, MINUTE, SECOND};

use crate::profile::dlt645::{DataItem, ItemType};
use domain::bcd;

/// `Some(None)`: the meter reports that it has no value; `None`: the bytes do not have the item's type.
pub(super) fn decode(item: &DataItem, bytes: &[u8]) -> Option<Option<i128>> {
    if let Some(flag) = item.flag {
        let state = u64::try_from(binary(bytes, item.offset, item.digits)?).ok()?;
        return Some(flag.read(state).map(i128::from));
    }
    match item.form {
        ItemType::Bcd => Some(decimal(bytes, item.offset, item.digits, item.signed)?.map(|digits| item.step.of(digits))),
        ItemType::Binary => Some(Some(item.step.of(binary(bytes, item.offset, item.digits)?))),
        // A clock that shows no valid time is lost, not an error.
        ItemType::Date => {
            let [_, day, month, year] = *slice(bytes, item.offset, 8)?.as_array()?;
            Some(date(year, month, day).map(|date| date.start().0.into()))
        }
        ItemType::Time => {
            let [second, minute, hour] = *slice(bytes, item.offset, 6)?.as_array()?;
            Some(time(hour, minute, second).map(i128::from))
        }
    }
}

/// Decimal digits; `Some(None)` if all bits are set, which the standard defines as no value.
pub(crate) fn decimal(bytes: &[u8], offset: u8, digits: u8, signed: bool) -> Option<Option<i128>> {
    let mut number: Vec<u8> = slice(bytes, offset, digits)?.iter().rev().copied().collect();
    if number.iter().all(|&byte| byte == 0xff) {
        return Some(None);
    }
    let high = number.first_mut()?;
    let negative = signed && *high & 0x80 != 0;
    if negative {
        *high &= 0x7f;
    }
    let magnitude = bcd::number(&number)?;
    Some(Some(if negative { -magnitude } else { magnitude }))
}

/// The day of a freeze, from its `YYMMDDhhmm`: the day that began at that midnight.
pub(super) fn frozen_day(bytes: &[u8]) -> Option<Date> {
    let [0, 0, day, month, year] = *bytes else { return None };
    date(year, month, day)
}

fn binary(bytes: &[u8], offset: u8, digits: u8) -> Option<i128> {
    let bytes = slice(bytes, offset, digits)?;
    Some(bytes.iter().rev().fold(0, |all, &byte| (all << 8) | i128::from(byte)))
}

fn slice(bytes: &[u8], offset: u8, digits: u8) -> Option<&[u8]> {
    let start = usize::from(offset);
    bytes.get(start..start + usize::from(digits / 2))
}

fn date(year: u8, month: u8, day: u8) -> Option<Date> {
    Date::from_ymd(2000 + i64::from(bcd::unpack(year)?), bcd::unpack(month)?, bcd::unpack(day)?)
}

fn time(hour: u8, minute: u8, second: u8) -> Option<i64> {
    let [hour, minute, second] = [bcd::unpack(hour)?, bcd::unpack(minute)?, bcd::unpack(second)?].map(i64::from);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * HOUR + minute * MINUTE + second * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> DataItem {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn digits_are_low_byte_first_and_may_carry_a_sign() {
        let total = item("di = 0\nfield = \"total\"\ndigits = 8\nstep = 10");
        assert_eq!(decode(&total, &[0x26, 0, 0, 0]), Some(Some(260)));
        assert_eq!(decode(&total, &[0x78, 0x56, 0x34, 0x12]), Some(Some(123_456_780)));
        assert_eq!(decode(&total, &[0xff; 4]), Some(None), "all bits set: no value");
        assert_eq!(decode(&total, &[0x0a, 0, 0, 0]), None, "not a digit");
        assert_eq!(decode(&total, &[0x26, 0, 0]), None, "too short");
        let power = item("di = 0\nfield = \"power\"\ndigits = 6\nsigned = true\nstep = \"1/10\"");
        assert_eq!(decode(&power, &[0x50, 0x34, 0x12]), Some(Some(12_345)));
        assert_eq!(decode(&power, &[0x50, 0x34, 0x92]), Some(Some(-12_345)));
        let peak = item("di = 0\nfield = \"peak\"\noffset = 8\ndigits = 8\nstep = 10");
        assert_eq!(decode(&peak, &[9, 9, 9, 9, 8, 8, 8, 8, 1, 0, 0, 0, 7, 7, 7, 7]), Some(Some(10)));
    }

    #[test]
    fn relay_is_a_bit_of_a_state_word() {
        let relay = item("di = 0\nfield = \"relay_closed\"\ntype = \"binary\"\ndigits = 4\nflag = { mask = 0x10, on = 0 }");
        assert_eq!(decode(&relay, &[0x00, 0x00]), Some(Some(1)));
        assert_eq!(decode(&relay, &[0x50, 0x00]), Some(Some(0)));
        assert_eq!(decode(&relay, &[0x10]), None);
    }

    #[test]
    fn invalid_clocks_and_freezes_are_unknown() {
        let (date, time) = (
            item("di = 0\nfield = \"date\"\ntype = \"date\"\ndigits = 8"),
            item("di = 0\nfield = \"time\"\ntype = \"time\"\ndigits = 6"),
        );
        let at =
            decode(&date, &[0x07, 0x22, 0x11, 0x26]).unwrap().unwrap() + decode(&time, &[0x05, 0x30, 0x18]).unwrap().unwrap();
        assert_eq!(model::time::Timestamp(at as i64).to_string(), "2026-11-22 18:30:05");
        assert_eq!(decode(&date, &[0x07, 0x31, 0x02, 0x26]), Some(None));
        assert_eq!(decode(&time, &[0x05, 0x30, 0x24]), Some(None));
        assert_eq!(frozen_day(&[0, 0, 0x22, 0x11, 0x26]), Date::from_ymd(2026, 11, 22));
        assert_eq!(frozen_day(&[1, 0, 0x22, 0x11, 0x26]), None, "not a midnight");
        assert_eq!(frozen_day(&[0, 0, 0, 0, 0]), None);
    }
}
