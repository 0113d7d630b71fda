//! Block F: total energy and remaining amount at the last 31 midnights.

use std::collections::VecDeque;

use model::time::Date;
use serde::{Deserialize, Serialize};

/// Days that a meter keeps.
pub const DAYS: usize = 31;
/// Registers of one day.
pub const WIDTH: usize = 6;

/// Values at a midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// The day that began at that midnight.
    pub day: Date,
    /// Total energy, 0.01 kWh.
    pub total: u32,
    /// 0.01 yuan.
    pub remaining: i32,
    /// Reverse energy, 0.01 kWh.
    #[serde(default)]
    pub reverse: u32,
    /// Energy by rate, 0.01 kWh.
    #[serde(default)]
    pub rates: [u32; 4],
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freezes(VecDeque<Frozen>);

impl Freezes {
    /// Adds a day and drops the oldest.
    pub fn push(&mut self, frozen: Frozen) {
        self.0.truncate(DAYS - 1);
        self.0.push_front(frozen);
    }

    pub fn days(&self) -> impl Iterator<Item = &Frozen> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_one_days_are_kept_newest_first() {
        let mut freezes = Freezes::default();
        (0..40).for_each(|day| freezes.push(Frozen { day: Date(day), total: 0, remaining: 0, reverse: 0, rates: [0; 4] }));
        let days: Vec<i64> = freezes.days().map(|frozen| frozen.day.0).collect();
        assert_eq!(days, (9..40).rev().collect::<Vec<_>>());
    }
}
