//! The speed of the buses, and the least time that a sweep over one takes.

use std::time::Duration;

use simulator::BusTiming;

/// The blocks of a reading with the reference profile: first register and count.
pub const READS: [(u16, u16); 2] = [(0x0100, 38), (0, 17)];

/// The timing of all buses of a site.
#[derive(Clone, Copy)]
pub struct Bus {
    pub baud: u32,
    pub turnaround_ms: u64,
}

impl Bus {
    /// Transactions of this many ms each, whatever their length; the wire takes one ms of it.
    pub const fn of_transactions(ms: u64) -> Self {
        Self { baud: 1_000_000, turnaround_ms: ms.saturating_sub(1) }
    }

    /// 9600 baud and a turnaround of 20 ms, as at the reference site.
    pub const SLOW: Self = Self { baud: 9_600, turnaround_ms: 20 };

    /// The time of one request and its answer.
    pub fn transaction(self, registers: usize) -> Duration {
        let timing = BusTiming { turnaround: Duration::from_millis(self.turnaround_ms), ..BusTiming::at(self.baud) };
        timing.transaction(5, 2 + 2 * registers)
    }

    /// The time to read this many meters without a pause, s.
    pub fn floor(self, meters: u8) -> f64 {
        let one: Duration = READS.iter().map(|&(_, count)| self.transaction(count.into())).sum();
        one.as_secs_f64() * f64::from(meters)
    }
}
