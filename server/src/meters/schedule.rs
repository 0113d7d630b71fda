//! Which meter of a gateway is read next: pure, in milliseconds of any steady clock.
//!
//! Meters that answer go round, the one that waited longest first. A meter that fails is tried again soon, then at doubling
//! distances; while meters that answer are waiting, those tries together may take only a share of the bus, so that dead meters
//! cost the living little. When many living meters fall silent one after the other, it is the gateway that is lost: one meter
//! is tried at a time, and the first answer brings all of them back.

use std::collections::HashMap;

use app::model::ids::MeterId;

/// Never more often than this, however short the interval.
const FLOOR_MS: u64 = 200;
/// A first failure may be noise: the second try comes soon.
const SUSPECT_MS: u64 = 2_000;
/// The pause after the second failure; doubles from there.
const PROBE_MS: u64 = 5_000;
/// So many failures in a row mean that the meter is lost.
const LOST_AFTER: u32 = 2;
/// So many meters that answered before, silent one after the other, mean that the gateway is lost.
const SILENT_LIMIT: usize = 5;
/// Tries on a lost gateway that accepts connections.
const GATEWAY_PROBE_MS: u64 = 3_000;

/// How to share a bus.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Every meter once in this time.
    pub interval_ms: u64,
    /// The longest pause between two tries on a lost meter.
    pub probe_cap_ms: u64,
    /// The share of a busy bus for tries on lost meters, in percent.
    pub probe_share: u64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read this meter.
    Read {
        /// Which.
        meter: MeterId,
        /// Somebody asked for it.
        urgent: bool,
    },
    /// Nothing before this instant; `None`: nothing at all.
    Wait(Option<u64>),
}

/// How a reading failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer, or none that can be read.
    Silent,
    /// The gateway itself answered that the meter does not, or the meter refused: the gateway lives.
    Refused,
}

/// What a result changes for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Nothing,
    /// It answers again.
    Found,
    /// It has failed often enough to be lost.
    MeterLost,
    /// All are silent: so is the gateway.
    GatewayLost,
    /// The gateway answers again, by this meter.
    GatewayFound,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    due: u64,
    failures: u32,
    /// It has answered since the gateway was found.
    known: bool,
    urgent: bool,
}

/// The meters of one gateway.
#[derive(Debug)]
pub struct Schedule {
    policy: Policy,
    meters: HashMap<MeterId, Entry>,
    /// What tries on lost meters may still take while others wait, in ms times 100; negative after each try.
    credit: i64,
    /// Meters that failed in silence since anything answered.
    silent: Vec<MeterId>,
    gateway_lost: bool,
}

impl Schedule {
    /// No meters yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, meters: HashMap::new(), credit: 0, silent: Vec::new(), gateway_lost: false }
    }

    /// These meters from now on; those that stay keep their place.
    pub fn set_meters(&mut self, meters: &[MeterId], now: u64) {
        self.meters.retain(|id, _| meters.contains(id));
        for &id in meters {
            self.meters.entry(id).or_insert(Entry { due: now, failures: 0, known: false, urgent: false });
        }
    }

    /// Somebody wants this meter read now.
    pub fn urge(&mut self, meter: MeterId) {
        if let Some(entry) = self.meters.get_mut(&meter) {
            entry.urgent = true;
        }
    }

    /// Whether the gateway is taken for lost.
    #[must_use]
    pub const fn is_gateway_lost(&self) -> bool {
        self.gateway_lost
    }

    /// Whether this meter is taken for lost.
    #[must_use]
    pub fn is_lost(&self, meter: MeterId) -> bool {
        self.gateway_lost || self.meters.get(&meter).is_some_and(|entry| entry.failures >= LOST_AFTER)
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&self, now: u64) -> Next {
        // Ties go by id, so that a schedule is the same every time.
        let earliest =
            |probe: bool| self.meters.iter().filter(move |(_, e)| (e.failures > 0) == probe).min_by_key(|(id, e)| (e.due, **id));
        if let Some((&meter, _)) = self.meters.iter().filter(|(_, e)| e.urgent).min_by_key(|(id, _)| **id) {
            return Next::Read { meter, urgent: true };
        }
        let (live, probe) = (earliest(false), earliest(true));
        let live_due = live.filter(|(_, e)| e.due <= now);
        let probe_due = probe.filter(|(_, e)| e.due <= now);
        match (live_due, probe_due) {
            (Some(_), Some((&meter, _))) if self.credit > 0 => Next::Read { meter, urgent: false },
            (Some((&meter, _)), _) | (None, Some((&meter, _))) => Next::Read { meter, urgent: false },
            (None, None) => Next::Wait([live, probe].into_iter().flatten().map(|(_, e)| e.due).min()),
        }
    }

    /// The meter answered; the bus was busy for `took` ms.
    pub fn good(&mut self, meter: MeterId, now: u64, took: u64) -> Change {
        self.silent.clear();
        let interval = self.policy.interval_ms.max(FLOOR_MS);
        let share = i64::try_from(self.policy.probe_share.min(90)).unwrap_or(0);
        let Some(entry) = self.meters.get_mut(&meter) else { return Change::Nothing };
        let was = entry.failures;
        *entry = Entry { due: now.saturating_sub(took) + interval, failures: 0, known: true, urgent: false };
        // Reading the living earns tries on the lost; no more than one try ahead is saved, so that tries never come in a row.
        self.credit = (self.credit + milliseconds(took) * share * 100 / (100 - share)).min(1);
        if std::mem::take(&mut self.gateway_lost) {
            for (id, entry) in &mut self.meters {
                if *id != meter {
                    *entry = Entry { due: now, failures: 0, known: false, urgent: entry.urgent };
                }
            }
            return Change::GatewayFound;
        }
        if was >= LOST_AFTER { Change::Found } else { Change::Nothing }
    }

    /// The meter did not answer; the bus was busy for `took` ms.
    pub fn failed(&mut self, meter: MeterId, now: u64, took: u64, failure: Failure) -> Change {
        let policy = self.policy;
        let Some(entry) = self.meters.get_mut(&meter) else { return Change::Nothing };
        let (was_known, first) = (entry.known, entry.failures == 0);
        entry.failures = entry.failures.saturating_add(1);
        entry.urgent = false;
        let doubled = match entry.failures {
            1 => SUSPECT_MS,
            n => PROBE_MS.saturating_mul(1 << (n - LOST_AFTER).min(16)),
        };
        entry.due = now + doubled.min(policy.probe_cap_ms);
        let lost_now = entry.failures == LOST_AFTER;
        if !first {
            self.credit -= milliseconds(took) * 100;
        }
        if failure == Failure::Refused {
            self.silent.clear();
            return if std::mem::take(&mut self.gateway_lost) {
                self.found_without(meter, now)
            } else if lost_now {
                Change::MeterLost
            } else {
                Change::Nothing
            };
        }
        if was_known && !self.silent.contains(&meter) {
            self.silent.push(meter);
        }
        if self.gateway_lost {
            self.rest(meter, now);
            return Change::Nothing;
        }
        let living = self.meters.values().filter(|e| e.known && e.failures == 0).count();
        if self.silent.len() >= SILENT_LIMIT || (living == 0 && self.all_failed()) {
            return self.lose_gateway(now);
        }
        if lost_now { Change::MeterLost } else { Change::Nothing }
    }

    /// The gateway does not accept connections.
    pub fn unreachable(&mut self, now: u64) -> Change {
        if self.gateway_lost { Change::Nothing } else { self.lose_gateway(now) }
    }

    /// The gateway accepts connections: try one meter.
    pub fn reachable(&mut self, now: u64) {
        if self.gateway_lost
            && let Some(entry) = self.meters.values_mut().min_by_key(|e| e.due)
        {
            entry.due = now;
        }
    }

    fn all_failed(&self) -> bool {
        self.meters.len() > 1 && self.meters.values().all(|e| e.failures > 0)
    }

    fn lose_gateway(&mut self, now: u64) -> Change {
        self.gateway_lost = true;
        // One after the other, not all at once.
        for (turn, entry) in (1..).zip(self.meters.values_mut()) {
            entry.failures = entry.failures.max(LOST_AFTER);
            entry.known = false;
            entry.due = now + turn * GATEWAY_PROBE_MS;
        }
        Change::GatewayLost
    }

    /// On a lost gateway the meter that was tried goes to the end of the line.
    fn rest(&mut self, meter: MeterId, now: u64) {
        let line = self.meters.len() as u64;
        if let Some(entry) = self.meters.get_mut(&meter) {
            entry.due = now + line * GATEWAY_PROBE_MS;
        }
    }

    /// The gateway answered for a meter that does not: it lives, and all others may.
    fn found_without(&mut self, meter: MeterId, now: u64) -> Change {
        for (id, entry) in &mut self.meters {
            if *id != meter {
                *entry = Entry { due: now, failures: 0, known: false, urgent: entry.urgent };
            }
        }
        Change::GatewayFound
    }
}

fn milliseconds(ms: u64) -> i64 {
    i64::try_from(ms.min(600_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
