//! How long a transaction takes on a serial bus behind a gateway.

use std::time::Duration;

/// A start, eight data, a parity and a stop bit.
const BITS_PER_CHARACTER: u64 = 11;
/// Unit id before a Modbus PDU and CRC behind it, on a serial line.
const ENVELOPE: usize = 3;
/// Frames are told apart by 3.5 characters of silence; counted in half characters.
const SILENCE_HALVES: u64 = 7;

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
}
