//! Energy counters, exact to 0.01 kWh.

use serde::{Deserialize, Serialize};

/// 0.01 kWh in W·ms.
const STEP: u64 = 36_000_000;
/// Counters wrap at 1 000 000.00 kWh.
pub const WRAP: u32 = 100_000_000;

/// Counters in 0.01 kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Energy {
    /// Sum of forward and reverse.
    pub total: u32,
    pub rates: [u32; 4],
    pub reverse: u32,
    /// Energy below one step, W·ms.
    partial: u64,
}

impl Energy {
    /// Counters with all energy in rate 3.
    #[must_use]
    pub const fn starting_at(total: u32) -> Self {
        Self { total: total % WRAP, rates: [0, 0, total % WRAP, 0], reverse: 0, partial: 0 }
    }

    /// Lets power flow for at most `ms`, but not beyond the next full step. Returns the duration and whether the step is
    /// complete, to be counted by [`Energy::step`].
    pub fn flow(&mut self, watts: u32, ms: i64) -> (i64, bool) {
        let power = u64::from(watts);
        if power == 0 {
            return (ms, false);
        }
        let needed = i64::try_from(STEP.saturating_sub(self.partial).div_ceil(power)).unwrap_or(i64::MAX);
        let flowed = needed.min(ms).max(0);
        self.partial += power * flowed.unsigned_abs();
        let whole = self.partial >= STEP;
        if whole {
            self.partial -= STEP;
        }
        (flowed, whole)
    }

    pub fn step(&mut self, rate: u8, reverse: bool) {
        let count = |counter: &mut u32| *counter = (*counter + 1) % WRAP;
        count(&mut self.total);
        if let Some(counter) = self.rates.get_mut(usize::from(rate).wrapping_sub(1)) {
            count(counter);
        }
        if reverse {
            count(&mut self.reverse);
        }
    }

    /// Resets the counters to zero, as after a memory failure.
    pub fn zero(&mut self) {
        *self = Self::default();
    }

    /// Advances the total, and rate 3 with it, by `kwh`.
    pub fn jump(&mut self, kwh: u32) {
        let ahead = kwh % (WRAP / 100) * 100;
        let [_, _, flat, _] = &mut self.rates;
        for counter in [&mut self.total, flat] {
            *counter = (*counter + ahead) % WRAP;
        }
    }

    /// Sets the total to one step before it wraps.
    pub const fn near_end(&mut self) {
        self.total = WRAP - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_kilowatt_completes_a_step_in_36_seconds() {
        let mut energy = Energy::default();
        assert_eq!(energy.flow(1_000, 20_000), (20_000, false));
        assert_eq!(energy.flow(1_000, 20_000), (16_000, true));
        assert_eq!(energy.flow(0, 20_000), (20_000, false));
    }

    #[test]
    fn counters_wrap() {
        let mut energy = Energy::starting_at(WRAP - 1);
        energy.step(3, true);
        energy.step(4, false);
        assert_eq!((energy.total, energy.rates, energy.reverse), (1, [0, 0, 0, 1], 1));
    }
}
