//! How long a transaction takes on a serial bus behind a gateway.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A start, eight data, a parity and a stop bit.
const BITS_PER_CHARACTER: u64 = 11;
/// Unit id before a Modbus PDU and CRC behind it, on a serial line.
const ENVELOPE: usize = 3;
/// Frames are told apart by 3.5 characters of silence; counted in half characters.
const SILENCE_HALVES: u64 = 7;
/// Who asks again within this time asks at once.
const AT_ONCE: Duration = Duration::from_millis(10);

/// The timing of a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusTiming {
    /// Bits a second.
    pub baud: u32,
    /// From the end of a request to the begin of its answer.
    pub turnaround: Duration,
    /// How long the gateway waits for a meter that does not answer.
    pub patience: Duration,
}

impl BusTiming {
    /// What meters of this class do: 9600 baud, 20 ms to think, a gateway that waits half a second.
    #[must_use]
    pub const fn at(baud: u32) -> Self {
        Self { baud, turnaround: Duration::from_millis(20), patience: Duration::from_millis(500) }
    }

    /// How long a PDU occupies the wire, with the silence behind it.
    #[must_use]
    pub fn wire(&self, pdu: usize) -> Duration {
        let halves = 2 * (pdu + ENVELOPE) as u64 + SILENCE_HALVES;
        Duration::from_nanos(halves * BITS_PER_CHARACTER * 500_000_000 / u64::from(self.baud.max(1)))
    }

    /// From the first bit of a request to the last of its answer.
    #[must_use]
    pub fn transaction(&self, request: usize, answer: usize) -> Duration {
        self.wire(request) + self.turnaround + self.wire(answer)
    }
}

/// When transactions begin and end on one bus.
///
/// A timer wakes a millisecond late, and no wire does. So a request that follows such an answer at once is taken to have begun as
/// much earlier: over many transactions the bus is as fast as it should be.
#[derive(Default)]
pub(super) struct BusClock {
    free_at: Option<Instant>,
    late: Duration,
}

impl BusClock {
    /// When a request that comes now is on the wire.
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
        // A process that was stopped for longer makes nothing good.
        let late = now.duration_since(at);
        (self.free_at, self.late) = (Some(now), if late < AT_ONCE { late } else { Duration::ZERO });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_of_38_registers_at_9600_baud() {
        // 8 + 81 characters and twice 3.5 of silence, 11 bits each.
        let expected = 96.0 * 11.0 / 9600.0 + 0.020;
        let took = BusTiming::at(9600).transaction(5, 2 + 2 * 38).as_secs_f64();
        assert!((took - expected).abs() < 1e-6, "{took}");
    }

    #[test]
    fn what_a_timer_wakes_too_late_is_made_good_by_the_next() {
        let (mut clock, took, many) = (BusClock::default(), Duration::from_micros(1_300), 100);
        let begun = Instant::now();
        let mut now = begun;
        for _ in 0..many {
            let at = clock.begin_at(now) + took;
            // In whole milliseconds: by itself each would take two.
            now = begun + Duration::from_millis(at.duration_since(begun).as_micros().div_ceil(1_000) as u64);
            clock.ended(at, now);
        }
        assert_eq!(now.duration_since(begun), took * many);
    }

    #[test]
    fn who_asks_later_has_the_whole_time_again() {
        let begun = Instant::now();
        let mut clock = BusClock { free_at: Some(begun), late: Duration::from_millis(3) };
        let now = begun + AT_ONCE;
        assert_eq!(clock.begin_at(now), now);
    }
}
