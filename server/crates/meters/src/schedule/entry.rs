//! Schedule entry of one meter.

/// Shortest interval, ms.
const FLOOR_MS: u64 = 200;

#[derive(Clone, Copy, Debug)]
pub(super) struct ScheduleEntry {
    pub(super) due: u64,
    /// Configured interval, ms.
    pub(super) interval: u64,
    /// Effective interval, ms; shortened while someone watches.
    pub(super) paced: u64,
    pub(super) failures: u32,
    /// It has answered since the gateway was found.
    pub(super) has_answered: bool,
    /// Position among the requested readings.
    pub(super) request: Option<u64>,
    /// Place among the meters that were tried since the gateway was lost; 0 if it was not.
    pub(super) tried: u64,
}

impl ScheduleEntry {
    pub(super) fn new(interval: u64, pace: Option<u64>, now: u64) -> Self {
        Self { due: now, interval, paced: paced(interval, pace), failures: 0, has_answered: false, request: None, tried: 0 }
    }

    /// Changes the interval; a meter that answers becomes due as if it had always had it.
    pub(super) fn set(&mut self, interval: u64, pace: Option<u64>) {
        let was = self.paced;
        (self.interval, self.paced) = (interval, paced(interval, pace));
        if self.has_answered && self.failures == 0 {
            self.due = (self.due + self.paced).saturating_sub(was);
        }
    }
}

fn paced(interval: u64, pace: Option<u64>) -> u64 {
    pace.map_or(interval, |pace| pace.min(interval)).max(FLOOR_MS)
}
