//! Converts the registers of one value to the server's units.

use model::time::Date;

use crate::profile::{Value, ValueType, WordOrder};
use domain::bcd::{self, BcdTime};

/// A digit is not decimal.
pub(super) struct InvalidDigit;

/// The value in the server's units; `None` for an invalid time, a NaN, or a flag that matches neither state.
pub(super) fn decode(value: &Value, order: WordOrder, words: &[u16]) -> Result<Option<i128>, InvalidDigit> {
    let shift = |all, word: &u16| (all << 16) | u64::from(*word);
    let raw = match order {
        WordOrder::High => words.iter().fold(0_u64, shift),
        WordOrder::Low => words.iter().rev().fold(0_u64, shift),
    };
    if let Some(flag) = value.flag {
        return Ok(flag.read(raw).map(i128::from));
    }
    let bytes = raw.to_be_bytes();
    Ok(match value.kind {
        ValueType::Clock => clock(bytes),
        ValueType::Date => date(bytes),
        ValueType::F32 => value.step.of_float(f32::from_bits(raw as u32).into()),
        ValueType::F64 => value.step.of_float(f64::from_bits(raw)),
        kind => Some(value.step.of(integer(kind, raw).ok_or(InvalidDigit)?)),
    })
}

fn integer(kind: ValueType, raw: u64) -> Option<i128> {
    Some(match kind {
        ValueType::U8h => ((raw >> 8) & 0xff).into(),
        ValueType::U8l => (raw & 0xff).into(),
        ValueType::I16 => (raw as u16).cast_signed().into(),
        ValueType::I32 => (raw as u32).cast_signed().into(),
        ValueType::I64 => raw.cast_signed().into(),
        ValueType::Bcd4 | ValueType::Bcd8 | ValueType::Bcd12 | ValueType::Bcd16 => bcd::number(&raw.to_be_bytes())?,
        _ => raw.into(),
    })
}

fn clock([_, _, time @ ..]: [u8; 8]) -> Option<i128> {
    Some(BcdTime::from_bytes(time)?.timestamp().0.into())
}

fn date([.., _, year, month, day]: [u8; 8]) -> Option<i128> {
    let digits = |byte| bcd::unpack(byte);
    let date = Date::from_ymd(2000 + i64::from(digits(year)?), digits(month)?, digits(day)?)?;
    Some(date.0.into())
}
