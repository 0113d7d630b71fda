//! Energy in watt-hours.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// Energy in Wh; a meter's counter step of 0.01 kWh is 10 Wh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Energy(pub i64);

impl Energy {
    pub const ZERO: Self = Self(0);

    /// From a counter of 0.01 kWh steps.
    #[must_use]
    pub const fn from_centi_kwh(steps: u32) -> Self {
        Self(steps as i64 * 10)
    }
}

impl fmt::Display for Energy {
    /// Kilowatt-hours with two decimals and no unit, rounded half away from zero: `12.48`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_thousands(self.0, f)
    }
}

/// Thousands of a unit with two decimals, rounded half away from zero.
pub(crate) fn write_thousands(value: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let centi = (value.unsigned_abs() + 5) / 10;
    write!(f, "{sign}{}.{:02}", centi / 100, centi % 100)
}

impl Add for Energy {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Energy {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_kilowatt_hours() {
        assert_eq!(Energy(12_480).to_string(), "12.48");
        assert_eq!(Energy(-10).to_string(), "-0.01");
        assert_eq!(Energy::from_centi_kwh(99_999_999).to_string(), "999999.99");
    }
}
