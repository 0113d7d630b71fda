//! One meter in the schedule of its bus.

/// Never more often than this, however short the interval.
const FLOOR_MS: u64 = 200;

#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) due: u64,
    /// From one reading to the next, as it is set.
    pub(super) interval: u64,
    /// The same, as it is while somebody watches or nobody does.
    pub(super) paced: u64,
    pub(super) failures: u32,
    /// It has answered since the gateway was found.
    pub(super) known: bool,
    /// Its place among those that are asked for.
    pub(super) asked: Option<u64>,
}

impl Entry {
    pub(super) fn new(interval: u64, pace: Option<u64>, now: u64) -> Self {
        Self { due: now, interval, paced: paced(interval, pace), failures: 0, known: false, asked: None }
    }

    /// As if it had never been tried.
    pub(super) const fn afresh(self, now: u64) -> Self {
        Self { due: now, failures: 0, known: false, ..self }
    }

    /// A meter that answers moves to where it would stand, had it always had this interval.
    pub(super) fn set(&mut self, interval: u64, pace: Option<u64>) {
        let was = self.paced;
        (self.interval, self.paced) = (interval, paced(interval, pace));
        if self.known && self.failures == 0 {
            self.due = (self.due + self.paced).saturating_sub(was);
        }
    }
}

fn paced(interval: u64, pace: Option<u64>) -> u64 {
    pace.map_or(interval, |pace| pace.min(interval)).max(FLOOR_MS)
}
