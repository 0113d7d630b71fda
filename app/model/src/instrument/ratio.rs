//! The factors between a counter and the energy that passed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::typed::typed;

/// A transformer ratio, primary to secondary: 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct Ratio(i64);

impl Ratio {
    /// What is wired without a transformer has this ratio.
    pub const ONE: Self = Self(1);
    const MOST: i64 = 10_000;

    #[must_use]
    pub fn new(ratio: i64) -> Option<Self> {
        (1..=Self::MOST).contains(&ratio).then_some(Self(ratio))
    }

    /// A number, or the two currents or voltages as on the plate (`200/5`); empty is 1.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = typed(text);
        let (primary, secondary) = match &*text {
            "" => return Some(Self::ONE),
            text => text.split_once('/').unwrap_or((text, "1")),
        };
        let (primary, secondary): (i64, i64) = (primary.trim().parse().ok()?, secondary.trim().parse().ok()?);
        let whole = secondary > 0 && primary.checked_rem(secondary)? == 0;
        whole.then(|| primary.checked_div(secondary)).flatten().and_then(Self::new)
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The energy of one count, in thousandths of a Wh: 1 mWh to 1 MWh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
pub struct CountStep(i64);

impl CountStep {
    const KWH: i64 = 1_000_000;
    const MOST: i64 = 1_000 * Self::KWH;

    #[must_use]
    pub fn from_mwh(mwh: i64) -> Option<Self> {
        (1..=Self::MOST).contains(&mwh).then_some(Self(mwh))
    }

    /// From kWh with up to six decimals: `0.01`.
    #[must_use]
    pub fn parse(kwh: &str) -> Option<Self> {
        let (whole, part) = kwh.trim().split_once('.').unwrap_or((kwh.trim(), ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 4 || part.len() > 6 || !is_number(whole) || !is_number(part) {
            return None;
        }
        let (whole, part): (i64, i64) = (whole.parse().ok()?, format!("{part:0<6}").parse().ok()?);
        Self::from_mwh(whole * Self::KWH + part)
    }

    #[must_use]
    pub const fn mwh(self) -> i64 {
        self.0
    }
}

impl fmt::Display for CountStep {
    /// The kWh of one count, without zeros at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / Self::KWH, self.0 % Self::KWH);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_read_as_on_the_plate() {
        let parsed = |text| Ratio::parse(text).map(Ratio::get);
        assert_eq!(["", "1", "40", "200/5", " 10000 / 100 "].map(parsed), [1, 1, 40, 40, 100].map(Some));
        assert_eq!(["0", "-1", "10001", "7/2", "5/0", "x", "1/", "200/5/1"].map(parsed), [None; 8]);
    }

    #[test]
    fn steps_are_kilowatt_hours_with_decimals() {
        let parsed = |text| CountStep::parse(text).map(CountStep::mwh);
        assert_eq!(
            ["0.01", "1", "0.000001", "1000", "0.1"].map(parsed),
            [10_000, 1_000_000, 1, 1_000_000_000, 100_000].map(Some)
        );
        assert_eq!(["", "0", "-1", "0.0000001", "1001", "1,5", ".5", "1.x"].map(parsed), [None; 8]);
        assert_eq!(["0.01", "12.5", "3"].map(|text| CountStep::parse(text).unwrap().to_string()), ["0.01", "12.5", "3"]);
    }
}
