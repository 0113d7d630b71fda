//! Timing of transactions on a serial bus behind a gateway.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Start bit, eight data bits, parity bit and stop bit.
const BITS_PER_CHARACTER: u64 = 11;
/// Unit id before a Modbus PDU and CRC after it, on a serial line.
const ENVELOPE: usize = 3;
/// Frames are separated by 3.5 characters of silence; in half characters.
const SILENCE_HALVES: u64 = 7;
/// A request within this time after an answer counts as immediate.
const AT_ONCE: Duration = Duration::from_millis(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusTiming {
    /// Bits per second.
    pub baud: u32,
    /// From the end of a request to the beginning of its answer.
    pub turnaround: Duration,
    /// How long the gateway waits for a meter that does not answer.
    pub patience: Duration,
}

impl BusTiming {
    /// Typical timing: 20 ms turnaround, and a gateway that waits half a second.
    #[must_use]
    pub const fn at(baud: u32) -> Self {
        Self { baud, turnaround: Duration::from_millis(20), patience: Duration::from_millis(500) }
    }

    /// Transmission time of a PDU, including the silence after it.
    #[must_use]
    pub fn wire(&self, pdu: usize) -> Duration {
        let halves = 2 * (pdu + ENVELOPE) as u64 + SILENCE_HALVES;
        Duration::from_nanos(halves * BITS_PER_CHARACTER * 500_000_000 / u64::from(self.baud.max(1)))
    }

    /// Duration from the first bit of a request to the last bit of its answer.
    #[must_use]
    pub fn transaction(&self, request: usize, answer: usize) -> Duration {
        self.wire(request) + self.turnaround + self.wire(answer)
    }
}

/// Start and end of transactions on one bus.
///
/// Timers wake up to a millisecond late, a wire does not. A request that immediately follows a late answer is therefore dated
/// back by the delay, so that the bus has the right speed over many transactions.
#[derive(Default)]
pub(super) struct BusClock {
    free_at: Option<Instant>,
    late: Duration,
}

impl BusClock {
    /// The time at which a request that arrives now starts on the wire.
    pub(super) fn begin(&mut self) -> Instant {
        self.begin_at(Instant::now())
    }

    fn begin_at(&mut self, now: Instant) -> Instant {
        let late = std::mem::take(&mut self.late);
        match self.free_at {
            Some(free_at) if now.duration_since(free_at) < AT_ONCE => now.checked_sub(late).unwrap_or(now),
            _ => now,
        }
    }

    /// Waits until the bus is free again.
    pub(super) async fn end(&mut self, at: Instant) {
        sleep_until(at).await;
        self.ended(at, Instant::now());
    }

    fn ended(&mut self, at: Instant, now: Instant) {
        // A longer delay means a suspended process and is not compensated.
        let late = now.duration_since(at);
        (self.free_at, self.late) = (Some(now), if late < AT_ONCE { late } else { Duration::ZERO });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timing_of_a_read_of_38_registers_at_9600_baud() {
        // 8 + 81 characters and twice 3.5 of silence, 11 bits each.
        let expected = 96.0 * 11.0 / 9600.0 + 0.020;
        let took = BusTiming::at(9600).transaction(5, 2 + 2 * 38).as_secs_f64();
        assert!((took - expected).abs() < 1e-6, "{took}");
    }

    #[test]
    fn late_timers_are_compensated_by_the_next_request() {
        let (mut clock, took, many) = (BusClock::default(), Duration::from_micros(1_300), 100);
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..many {
            let at = clock.begin_at(now) + took;
            // Whole milliseconds: uncompensated, each transaction would take two.
            now = begun + Duration::from_millis(at.duration_since(begun).as_micros().div_ceil(1_000) as u64);
            clock.ended(at, now);
        }
        assert_eq!(now.duration_since(begun), took * many);
    }

    #[test]
    fn a_later_request_takes_the_full_time() {
        let begun = Instant::now();
        let mut clock = BusClock { free_at: Some(begun), late: Duration::from_millis(3) };
        let now = begun + AT_ONCE;
        assert_eq!(clock.begin_at(now), now);
    }
}
