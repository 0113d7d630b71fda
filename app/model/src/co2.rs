//! Carbon dioxide of the electricity that was used.

use std::fmt;
use std::str::FromStr;

use crate::energy::{Energy, write_thousands};
use crate::error::AppError;
use crate::typed::typed;

/// Carbon dioxide per energy, in steps of 0.0001 kg/kWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Co2Factor(i64);

/// Steps of one kg/kWh.
const STEPS: i64 = 10_000;

impl Co2Factor {
    /// The national average of China's grid in 2023, 0.5306 kg/kWh: announcement of the 2023 factors by the Ministry of Ecology
    /// and Environment and the National Bureau of Statistics.
    pub const NATIONAL_2023: Self = Self(5_306);
    /// Above what any power plant has.
    pub const MOST: Self = Self(2 * STEPS);

    /// `None` for less than nothing and for more than [`Self::MOST`].
    #[must_use]
    pub const fn new(steps: i64) -> Option<Self> {
        if steps >= 0 && steps <= Self::MOST.0 { Some(Self(steps)) } else { None }
    }

    /// The carbon dioxide of an energy.
    #[must_use]
    pub fn of(self, energy: Energy) -> Mass {
        let scaled = i128::from(energy.0) * i128::from(self.0);
        let half = i128::from(if scaled < 0 { -STEPS / 2 } else { STEPS / 2 });
        Mass(i64::try_from((scaled + half) / i128::from(STEPS)).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Co2Factor {
    /// kg/kWh with four decimals and no unit: `0.5306`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:04}", self.0 / STEPS, self.0 % STEPS)
    }
}

impl FromStr for Co2Factor {
    type Err = AppError;

    /// kg/kWh with at most four decimals.
    fn from_str(text: &str) -> Result<Self, AppError> {
        let text = typed(text);
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let is_number = |part: &str| part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(decimals) {
            return Err(AppError::Invalid);
        }
        let number = |part: &str| part.parse::<i64>().map_err(|_| AppError::Invalid);
        Self::new(number(whole)? * STEPS + number(&format!("{decimals:0<4}"))?).ok_or(AppError::Invalid)
    }
}

/// A mass in grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mass(pub i64);

impl fmt::Display for Mass {
    /// Kilograms with two decimals and no unit, rounded half away from zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_thousands(self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_go_round() {
        for text in ["0.5306", "0.0000", "2.0000", "1.2000"] {
            assert_eq!(text.parse::<Co2Factor>().unwrap().to_string(), text);
        }
        assert_eq!(" 0.57 ".parse::<Co2Factor>().unwrap().to_string(), "0.5700");
        assert_eq!("1".parse::<Co2Factor>(), Ok(Co2Factor(10_000)));
        for text in ["", ".5", "-0.1", "2.0001", "0.53061", "x", "0,53", "0.5 kg", "99999999999999999999"] {
            assert!(text.parse::<Co2Factor>().is_err(), "{text}");
        }
    }

    #[test]
    fn mass_is_rounded_to_the_gram() {
        let mass = |wh| Co2Factor::NATIONAL_2023.of(Energy(wh));
        assert_eq!((mass(1_000), mass(1), mass(-1_000)), (Mass(531), Mass(1), Mass(-531)));
        assert_eq!(mass(1_000_000).to_string(), "530.60");
        assert_eq!(Co2Factor::MOST.of(Energy(i64::MAX)), Mass(i64::MAX));
    }
}
