//! Which meter of a gateway is read next: pure, in milliseconds of any steady clock.
//!
//! Meters that answer go round, the one that waited longest first, each at its own interval. Who is asked for goes first, though
//! not for ever: the round keeps every fourth turn. A meter that fails is tried again soon, then at doubling distances; while
//! meters that answer are waiting, those tries together may take only a share of the bus, the one that waited longest first, so
//! that dead meters cost the living little. When many living meters fall silent one after the other, it is the gateway that is
//! lost: one meter is tried at a time, and the first answer brings all of them back.

mod entry;

use std::collections::HashMap;

use model::ids::MeterId;

use entry::Entry;

/// A first failure may be noise: the second try comes soon.
const SUSPECT_MS: u64 = 2_000;
/// The pause after the second failure; doubles from there.
const PROBE_MS: u64 = 5_000;
/// So many failures in a row mean that the meter is lost.
const LOST_AFTER: u32 = 2;
/// Tries on a lost meter are hasty, but each one of so many is patient: for a meter that came back slower than it went.
const PATIENT_EVERY: u32 = 8;
/// So many meters that answered before, silent one after the other, mean that the gateway is lost.
const SILENT_LIMIT: usize = 5;
/// Tries on a lost gateway that accepts connections.
const GATEWAY_PROBE_MS: u64 = 3_000;
/// So many readings that were asked for may go before a meter of the round that is due.
const ASKED_IN_A_ROW: u32 = 3;

/// How to share a bus.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The longest pause between two tries on a lost meter.
    pub probe_cap_ms: u64,
    /// The share of a busy bus for tries on lost meters, in percent.
    pub probe_share: u64,
}

/// Why it is a meter's turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Somebody asked for it.
    Asked,
    /// The round has come to it.
    Round,
    /// It is lost and may answer again: not worth a long wait.
    Probe,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Read this meter.
    Read { meter: MeterId, turn: Turn },
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

/// The meters of one gateway.
#[derive(Debug)]
pub struct Schedule {
    policy: Policy,
    meters: HashMap<MeterId, Entry>,
    /// While somebody watches, no interval is longer than this.
    pace: Option<u64>,
    /// What tries on lost meters may still take while others wait, in ms times 100; negative after each try.
    credit: i64,
    /// Meters that failed in silence since anything answered.
    silent: Vec<MeterId>,
    gateway_lost: bool,
    /// Meters that were ever asked for.
    asked: u64,
    /// Readings that were asked for, since one that was not.
    asked_in_a_row: u32,
}

impl Schedule {
    /// No meters yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let (meters, silent) = (HashMap::new(), Vec::new());
        Self { policy, meters, pace: None, credit: 0, silent, gateway_lost: false, asked: 0, asked_in_a_row: 0 }
    }

    /// These meters from now on, each with its interval in ms; those that stay keep their place.
    pub fn set_meters(&mut self, meters: &HashMap<MeterId, u64>, now: u64) {
        self.meters.retain(|id, _| meters.contains_key(id));
        for (&id, &interval) in meters {
            self.meters.entry(id).or_insert_with(|| Entry::new(interval, self.pace, now)).set(interval, self.pace);
        }
    }

    /// No interval is longer than this, in ms, until told otherwise.
    pub fn set_pace(&mut self, pace: Option<u64>) {
        self.pace = pace;
        for entry in self.meters.values_mut() {
            entry.set(entry.interval, pace);
        }
    }

    /// Somebody wants this meter read now.
    pub fn request_read(&mut self, meter: MeterId) {
        if let Some(entry) = self.meters.get_mut(&meter) {
            self.asked += 1;
            entry.asked.get_or_insert(self.asked);
        }
    }

    /// Somebody believes that what was lost answers again: all of it is tried.
    pub fn retry(&mut self, now: u64) {
        for entry in self.meters.values_mut().filter(|entry| entry.failures > 0) {
            entry.due = now;
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
        // What is due goes before what is not, a first failure before the lost ones, then the one that waited longest. Ties go by
        // id, so that a schedule is the same every time.
        let (mut asked, mut live, mut failed) = (None, None, None);
        for (&id, entry) in &self.meters {
            if let Some(turn) = entry.asked {
                asked = Some(asked.map_or((turn, id), |first| (turn, id).min(first)));
            }
            let first = if entry.failures == 0 { &mut live } else { &mut failed };
            let rank = (entry.due > now, entry.failures >= LOST_AFTER, entry.due, id);
            if first.is_none_or(|(before, _)| rank < before) {
                *first = Some((rank, entry.failures));
            }
        }
        let due = |(rank, _): &((bool, bool, u64, MeterId), u32)| !rank.0;
        let (live_due, failed_due) = (live.filter(due), failed.filter(due));
        if let Some((_, meter)) = asked
            && (live_due.is_none() || self.asked_in_a_row < ASKED_IN_A_ROW)
        {
            return Next::Read { meter, turn: Turn::Asked };
        }
        let ((.., meter), failures) = match (live_due, failed_due) {
            (Some(_), Some(failed)) if self.credit > 0 => failed,
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => return Next::Wait([live, failed].into_iter().flatten().map(|((_, _, due, _), _)| due).min()),
        };
        let hasty = failures >= LOST_AFTER && failures % PATIENT_EVERY != 0;
        Next::Read { meter, turn: if hasty { Turn::Probe } else { Turn::Round } }
    }

    /// The meter answered; the bus was busy for `took` ms.
    pub fn good(&mut self, meter: MeterId, now: u64, took: u64) -> Change {
        self.silent.clear();
        let share = i64::try_from(self.policy.probe_share.min(90)).unwrap_or(0);
        let Some(entry) = self.meters.get_mut(&meter) else { return Change::Nothing };
        let (was, asked) = (entry.failures, entry.asked.take());
        let due = now.saturating_sub(took) + entry.paced;
        *entry = Entry { due, failures: 0, known: true, ..*entry };
        self.asked_in_a_row = if asked.is_some() { self.asked_in_a_row.saturating_add(1) } else { 0 };
        // Reading the living earns tries on the lost; no more than one try ahead is saved, so that tries never come in a row.
        self.credit = (self.credit + milliseconds(took) * share * 100 / (100 - share)).min(1);
        if std::mem::take(&mut self.gateway_lost) {
            return self.found_by(meter, now);
        }
        if was >= LOST_AFTER { Change::Found } else { Change::Nothing }
    }

    /// The meter did not answer; the bus was busy for `took` ms.
    pub fn failed(&mut self, meter: MeterId, now: u64, took: u64, failure: Failure) -> Change {
        let policy = self.policy;
        let Some(entry) = self.meters.get_mut(&meter) else { return Change::Nothing };
        let (was_known, first) = (entry.known, entry.failures == 0);
        entry.failures = entry.failures.saturating_add(1);
        self.asked_in_a_row = if entry.asked.take().is_some() { self.asked_in_a_row.saturating_add(1) } else { 0 };
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
                self.found_by(meter, now)
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

    /// The gateway answered, for this meter: it lives, and all others may.
    fn found_by(&mut self, meter: MeterId, now: u64) -> Change {
        for (_, entry) in self.meters.iter_mut().filter(|(id, _)| **id != meter) {
            *entry = entry.afresh(now);
        }
        Change::GatewayFound
    }
}

fn milliseconds(ms: u64) -> i64 {
    i64::try_from(ms.min(600_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
