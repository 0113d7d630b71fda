//! How fast the buses are, and the least time that reading all meters of one takes.

use std::time::Duration;

use simulator::BusTiming;

/// The blocks that a reading of the reference profile asks for: the first register, and how many.
pub const READS: [(u16, u16); 2] = [(0x0100, 38), (0, 17)];

/// The timing of all buses of a site.
#[derive(Clone, Copy)]
pub struct Bus {
    pub baud: u32,
    pub turnaround_ms: u64,
}

impl Bus {
    /// Transactions of so many ms each, whatever their length: the wire takes a millisecond of it.
    pub const fn of_transactions(ms: u64) -> Self {
        Self { baud: 1_000_000, turnaround_ms: ms.saturating_sub(1) }
    }

    /// 9600 baud and 20 ms to think, as at the reference site.
    pub const SLOW: Self = Self { baud: 9_600, turnaround_ms: 20 };

    /// How long one request and its answer take.
    pub fn transaction(self, registers: usize) -> Duration {
        let timing = BusTiming { turnaround: Duration::from_millis(self.turnaround_ms), ..BusTiming::at(self.baud) };
        timing.transaction(5, 2 + 2 * registers)
    }

    /// How long it takes to read so many meters, one after the other without a pause, s.
    pub fn floor(self, meters: u8) -> f64 {
        let one: Duration = READS.iter().map(|&(_, count)| self.transaction(count.into())).sum();
        one.as_secs_f64() * f64::from(meters)
    }
}
