//! A value in registers: its address, type and scale.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::field::MeterField;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    pub field: MeterField,
    /// First register; within a table record, relative to the start of the record.
    pub address: u16,
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// The server's units in one count.
    #[serde(default)]
    pub step: Step,
    /// Overrides the word order of the profile.
    pub word_order: Option<WordOrder>,
    /// How a flag is encoded, for a field with two states.
    pub flag: Option<Flag>,
}

impl Value {
    /// The energy counter of an instrument, whose registers are at hand.
    #[must_use]
    pub const fn counter(kind: ValueType, step: Step) -> Self {
        Self { field: MeterField::Total, address: 0, kind, step, word_order: None, flag: None }
    }

    /// The register after the last one; beyond 65536 for a value that does not fit.
    #[must_use]
    pub fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.kind.registers())
    }
}

/// Word order of a multi-register number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WordOrder {
    /// High word first, as in the Modbus specification.
    #[default]
    High,
    /// Low word first.
    Low,
}

/// Encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueType {
    /// The high byte of a register.
    U8h,
    /// The low byte of a register.
    U8l,
    /// Unsigned, one register.
    U16,
    /// Two's complement, one register.
    I16,
    /// Unsigned, two registers.
    U32,
    /// Two's complement, two registers.
    I32,
    /// Unsigned, four registers.
    U64,
    /// Two's complement, four registers.
    I64,
    /// IEEE 754, two registers.
    F32,
    /// IEEE 754, four registers.
    F64,
    Bcd4,
    Bcd8,
    Bcd12,
    Bcd16,
    /// BCD time YY MM DD hh mm ss, three registers.
    Clock,
    /// BCD date 00 YY MM DD, two registers.
    Date,
}

impl ValueType {
    #[must_use]
    pub const fn registers(self) -> u16 {
        match self {
            Self::U8h | Self::U8l | Self::U16 | Self::I16 | Self::Bcd4 => 1,
            Self::U32 | Self::I32 | Self::F32 | Self::Bcd8 | Self::Date => 2,
            Self::Clock | Self::Bcd12 => 3,
            Self::U64 | Self::I64 | Self::F64 | Self::Bcd16 => 4,
        }
    }

    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Clock | Self::Date)
    }
}

/// How a flag is encoded in a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Bits to compare.
    #[serde(default = "all_bits")]
    pub mask: u64,
    /// Their value for `true`.
    pub on: u64,
    /// Their value for `false`; without it, any other value.
    pub off: Option<u64>,
}

const fn all_bits() -> u64 {
    u64::MAX
}

impl Flag {
    /// `None` if the bits match neither state.
    #[must_use]
    pub fn read(self, raw: u64) -> Option<bool> {
        let bits = raw & self.mask;
        if bits == self.on {
            return Some(true);
        }
        self.off.is_none_or(|off| off == bits).then_some(false)
    }
}

/// The server's units in one count of the meter: an integer, or a ratio such as `"1/10"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub numerator: i64,
    /// At least 1.
    pub denominator: i64,
}

impl Default for Step {
    fn default() -> Self {
        Self { numerator: 1, denominator: 1 }
    }
}

impl Step {
    /// Wh in a count, from thousandths of a Wh.
    #[must_use]
    pub const fn from_mwh(mwh: i64) -> Self {
        Self { numerator: mwh, denominator: 1_000 }
    }

    const MAX: i64 = 1_000_000_000;

    fn new(numerator: i64, denominator: i64) -> Option<Self> {
        let sound = numerator != 0 && numerator.abs() <= Self::MAX && (1..=Self::MAX).contains(&denominator);
        sound.then_some(Self { numerator, denominator })
    }

    /// Converts counts to the server's units, rounding half away from zero.
    #[must_use]
    pub fn of(self, counts: i128) -> i128 {
        // Most values need no division.
        if self.denominator == 1 {
            return counts * i128::from(self.numerator);
        }
        let (product, denominator) = (counts * i128::from(self.numerator), i128::from(self.denominator));
        let rounded = (product.abs() * 2 + denominator) / (denominator * 2);
        if product < 0 { -rounded } else { rounded }
    }

    /// Converts a float to the server's units; `None` for NaN, infinities and values of 9e15 or more.
    #[must_use]
    pub fn of_float(self, number: f64) -> Option<i128> {
        let value = (number * self.numerator as f64 / self.denominator as f64).round();
        // A double represents every integer below this.
        (value.abs() < 9e15).then_some(value as i128)
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct StepVisitor;
        impl Visitor<'_> for StepVisitor {
            type Value = Step;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 1000000000 or a ratio as \"1/10\"")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Step, E> {
                Step::new(number, 1).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Step, E> {
                let parts = text.split_once('/').and_then(|(n, d)| Some((n.trim().parse().ok()?, d.trim().parse().ok()?)));
                let step = parts.and_then(|(numerator, denominator)| Step::new(numerator, denominator));
                step.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        from.deserialize_any(StepVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_round_half_away_from_zero() {
        let tenth = Step { numerator: 1, denominator: 10 };
        assert_eq!([4, 5, -5, -4, 15].map(|n| tenth.of(n)), [0, 1, -1, 0, 2]);
        assert_eq!(Step { numerator: 10, denominator: 1 }.of(u64::MAX.into()), i128::from(u64::MAX) * 10);
        let kilo = Step { numerator: 1_000, denominator: 1 };
        assert_eq!(kilo.of_float(f64::from(0.26_f32)), Some(260));
        assert_eq!(kilo.of_float(f64::from(-12.345_f32)), Some(-12_345));
        assert_eq!([f64::NAN, f64::INFINITY, 1e30].map(|n| kilo.of_float(n)), [None; 3]);
    }

    #[test]
    fn a_flag_is_true_false_or_unknown() {
        let relay = Flag { mask: u64::MAX, on: 0x0001_0000, off: Some(0x0001_0001) };
        assert_eq!([0x0001_0000, 0x0001_0001, 0].map(|raw| relay.read(raw)), [Some(true), Some(false), None]);
        let bit = Flag { mask: 0x10, on: 0x10, off: None };
        assert_eq!([0x30, 0x20].map(|raw| bit.read(raw)), [Some(true), Some(false)]);
    }
}
