//! Chooses which meter of a gateway is read next. Times are milliseconds of any monotonic clock.
//!
//! Meters that answer are read in turn, the one that waited longest first, each at its own interval. Requested readings go first,
//! but every fourth turn belongs to the sweep. A meter that fails is tried again soon, then at doubling intervals. While other
//! meters wait, those attempts together may take only a share of the bus, the longest wait first. When several meters that
//! answered fall silent one after the other, the gateway is considered lost: one meter is tried at a time, and the first answer
//! restores all of them.

mod entry;

use std::collections::{HashMap, VecDeque};

use model::ids::MeterId;

use entry::ScheduleEntry;

/// Pause after the first failure, which may be noise.
const FIRST_RETRY_MS: u64 = 2_000;
/// Pause after the second failure; it doubles with each further one.
const PROBE_MS: u64 = 5_000;
/// Consecutive failures after which a meter is lost.
pub(crate) const LOST_AFTER: u32 = 2;
/// Attempts on a lost meter use a short time limit, except every n-th, for a meter that has become slower.
const PATIENT_EVERY: u32 = 8;
/// The gateway is lost when this many meters that answered before fall silent one after the other.
const SILENT_LIMIT: usize = 5;
/// Interval of attempts on a lost gateway that accepts connections.
const GATEWAY_PROBE_MS: u64 = 3_000;
/// The most requested readings in a row while a meter of the sweep is due.
const MAX_REQUESTS_IN_A_ROW: u32 = 3;

/// Whether an attempt after so many failures in a row uses the short time limit.
pub(crate) const fn is_hasty(failures: u32) -> bool {
    failures >= LOST_AFTER && !failures.is_multiple_of(PATIENT_EVERY)
}

/// The longest round with attempts on lost meters while others wait, percent of a round in which all meters answer. One attempt
/// in a round is always made.
const LONGEST_ROUND: u64 = 160;

/// How a bus is shared.
#[derive(Clone, Copy, Debug)]
pub struct SchedulePolicy {
    /// Longest pause between attempts on a lost meter.
    pub probe_cap_ms: u64,
    /// Share of a busy bus for attempts on lost meters, percent.
    pub probe_share: u64,
}

/// Why a meter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadReason {
    /// The reading was requested.
    Requested,
    /// The meter is due.
    Sweep,
    /// An attempt on a lost meter, with a short time limit.
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduledAction {
    Read {
        meter: MeterId,
        reason: ReadReason,
    },
    /// Wait until this time; `None` if nothing is scheduled.
    Wait(Option<u64>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFailure {
    /// Nothing was received in time.
    Silent,
    /// Something was received that does not answer the request: it may have been meant for another one.
    Garbled,
    /// The meter refused, or the gateway reported that it does not answer: the gateway itself works.
    Refused,
}

/// Change of state caused by a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusChange {
    Nothing,
    /// The meter answers again.
    Found,
    /// The meter has failed often enough to be lost.
    MeterLost,
    /// All meters are silent, so the gateway is lost.
    GatewayLost,
    /// The gateway answers again.
    GatewayFound,
}

/// The meters of one gateway.
#[derive(Debug)]
pub struct Schedule {
    policy: SchedulePolicy,
    meters: HashMap<MeterId, ScheduleEntry>,
    /// Longest interval while someone watches.
    pace: Option<u64>,
    /// Bus time that attempts on lost meters may use while others wait, ms times 100; negative after an attempt.
    credit: i64,
    /// Attempts on lost meters within the last round: the number of successful readings before, and bus time in ms.
    attempts: VecDeque<(u64, u64)>,
    /// Number of successful readings so far, and their mean bus time, ms times 8.
    successes: u64,
    mean_took: u64,
    /// Meters that fell silent since the last answer of any meter.
    silent: Vec<MeterId>,
    gateway_lost: bool,
    /// When the next meter of a lost gateway is tried, and the number of meters tried so far.
    gateway_due: u64,
    gateway_attempts: u64,
    /// Number of requests so far.
    request_count: u64,
    /// Consecutive requested readings.
    requests_in_a_row: u32,
}

impl Schedule {
    #[must_use]
    pub fn new(policy: SchedulePolicy) -> Self {
        Self {
            policy,
            meters: HashMap::new(),
            pace: None,
            credit: 0,
            attempts: VecDeque::new(),
            successes: 0,
            mean_took: 0,
            silent: Vec::new(),
            gateway_lost: false,
            gateway_due: 0,
            gateway_attempts: 0,
            request_count: 0,
            requests_in_a_row: 0,
        }
    }

    /// Replaces the meters, each with its interval in ms. Meters that stay keep their state.
    pub fn set_meters(&mut self, meters: &HashMap<MeterId, u64>, now: u64) {
        self.meters.retain(|id, _| meters.contains_key(id));
        for (&id, &interval) in meters {
            self.meters.entry(id).or_insert_with(|| ScheduleEntry::new(interval, self.pace, now)).set(interval, self.pace);
        }
    }

    /// Limits all intervals to this many ms until changed.
    pub fn set_pace(&mut self, pace: Option<u64>) {
        self.pace = pace;
        for entry in self.meters.values_mut() {
            entry.set(entry.interval, pace);
        }
    }

    /// Requests a reading of this meter.
    pub fn request_read(&mut self, meter: MeterId) {
        if let Some(entry) = self.meters.get_mut(&meter) {
            self.request_count += 1;
            entry.request.get_or_insert(self.request_count);
        }
    }

    /// Makes all failing meters due now.
    pub fn retry(&mut self, now: u64) {
        for entry in self.meters.values_mut().filter(|entry| entry.failures > 0) {
            entry.due = now;
        }
        self.gateway_due = now;
    }

    #[must_use]
    pub const fn is_gateway_lost(&self) -> bool {
        self.gateway_lost
    }

    #[must_use]
    pub fn is_lost(&self, meter: MeterId) -> bool {
        self.gateway_lost || self.meters.get(&meter).is_some_and(|entry| entry.failures >= LOST_AFTER)
    }

    /// The next action at `now`.
    #[must_use]
    pub fn next(&self, now: u64) -> ScheduledAction {
        // Ranks due meters before others, a first failure before lost meters, then by the longest wait. Ties go by id, which
        // makes the schedule deterministic.
        let (mut requested, mut live, mut failed) = (None, None, None);
        for (&id, entry) in &self.meters {
            if let Some(request) = entry.request {
                requested = Some(requested.map_or((request, id), |first| (request, id).min(first)));
            }
            let first = if entry.failures == 0 { &mut live } else { &mut failed };
            let rank = (entry.due > now, entry.failures >= LOST_AFTER, entry.due, id);
            if first.is_none_or(|(before, _)| rank < before) {
                *first = Some((rank, entry.failures));
            }
        }
        if let Some((_, meter)) = requested.filter(|_| self.gateway_lost) {
            return ScheduledAction::Read { meter, reason: ReadReason::Requested };
        }
        if self.gateway_lost {
            return self.next_of_lost_gateway(now);
        }
        let due = |(rank, _): &((bool, bool, u64, MeterId), u32)| !rank.0;
        let (live_due, failed_due) = (live.filter(due), failed.filter(due));
        if let Some((_, meter)) = requested
            && (live_due.is_none() || self.requests_in_a_row < MAX_REQUESTS_IN_A_ROW)
        {
            return ScheduledAction::Read { meter, reason: ReadReason::Requested };
        }
        let ((.., meter), failures) = match (live_due, failed_due) {
            (Some(_), Some(failed)) if self.credit > 0 && self.round_has_room() => failed,
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => {
                return ScheduledAction::Wait([live, failed].into_iter().flatten().map(|((_, _, due, _), _)| due).min());
            }
        };
        ScheduledAction::Read { meter, reason: if is_hasty(failures) { ReadReason::Probe } else { ReadReason::Sweep } }
    }

    /// One meter at a time: those that were not lost before the gateway was first, each of them in turn.
    fn next_of_lost_gateway(&self, now: u64) -> ScheduledAction {
        let rank = |(id, entry): (&MeterId, &ScheduleEntry)| (entry.tried, entry.failures >= LOST_AFTER, entry.due, *id);
        match self.meters.iter().map(rank).min() {
            Some((.., meter)) if self.gateway_due <= now => ScheduledAction::Read { meter, reason: ReadReason::Sweep },
            Some(_) => ScheduledAction::Wait(Some(self.gateway_due)),
            None => ScheduledAction::Wait(None),
        }
    }

    /// Whether another attempt on a lost meter keeps the round of the meters that answer within [`LONGEST_ROUND`].
    fn round_has_room(&self) -> bool {
        let (all, living) = (self.meters.len() as u64, self.living());
        let within = self.attempts.iter().filter(|(before, _)| before + living > self.successes);
        let (spent, longest) = within.fold((0, 0), |(spent, longest), (_, took)| (spent + took, longest.max(*took)));
        spent == 0 || (spent + longest) * 8 <= self.mean_took * (all * LONGEST_ROUND / 100).saturating_sub(living)
    }

    /// Number of meters whose last reading succeeded.
    fn living(&self) -> u64 {
        self.meters.values().filter(|entry| entry.has_answered && entry.failures == 0).count() as u64
    }

    /// Records a successful reading that occupied the bus for `took` ms.
    pub fn succeeded(&mut self, meter: MeterId, now: u64, took: u64) -> StatusChange {
        self.silent.clear();
        self.successes += 1;
        self.mean_took = if self.mean_took == 0 { took * 8 } else { self.mean_took - self.mean_took / 8 + took };
        let living = self.living();
        while self.attempts.front().is_some_and(|(before, _)| before + living <= self.successes) {
            self.attempts.pop_front();
        }
        let share = i64::try_from(self.policy.probe_share.min(90)).unwrap_or(0);
        let Some(entry) = self.meters.get_mut(&meter) else { return StatusChange::Nothing };
        let (was, requested) = (entry.failures, entry.request.take());
        let due = now.saturating_sub(took) + entry.paced;
        *entry = ScheduleEntry { due, failures: 0, has_answered: true, ..*entry };
        self.requests_in_a_row = if requested.is_some() { self.requests_in_a_row.saturating_add(1) } else { 0 };
        // Successful readings earn time for attempts on lost meters; at most one attempt is saved, so that attempts never come in
        // a row.
        self.credit = (self.credit + milliseconds(took) * share * 100 / (100 - share)).min(1);
        if std::mem::take(&mut self.gateway_lost) {
            return self.gateway_found(meter, now);
        }
        if was >= LOST_AFTER { StatusChange::Found } else { StatusChange::Nothing }
    }

    /// Records a failed reading that occupied the bus for `took` ms.
    pub fn failed(&mut self, meter: MeterId, now: u64, took: u64, failure: ReadFailure) -> StatusChange {
        let policy = self.policy;
        let Some(entry) = self.meters.get_mut(&meter) else { return StatusChange::Nothing };
        self.requests_in_a_row = if entry.request.take().is_some() { self.requests_in_a_row.saturating_add(1) } else { 0 };
        if self.gateway_lost && failure == ReadFailure::Silent {
            // It says nothing about the meter.
            self.gateway_attempts += 1;
            entry.tried = self.gateway_attempts;
            self.gateway_due = now + GATEWAY_PROBE_MS;
            return StatusChange::Nothing;
        }
        let (had_answered, first) = (entry.has_answered, entry.failures == 0);
        entry.failures = entry.failures.saturating_add(1);
        let doubled = match entry.failures {
            1 => FIRST_RETRY_MS,
            n => PROBE_MS.saturating_mul(1 << (n - LOST_AFTER).min(16)),
        };
        let pause = doubled.min(policy.probe_cap_ms);
        // The meter's own answer comes with its next request, if no other meter spoils that again.
        entry.due = now + if first && failure == ReadFailure::Garbled { pause / 2 } else { pause };
        let lost_now = entry.failures == LOST_AFTER;
        if !first {
            self.credit -= milliseconds(took) * 100;
            self.attempts.push_back((self.successes, took));
        }
        if failure != ReadFailure::Silent {
            self.silent.clear();
            return if std::mem::take(&mut self.gateway_lost) {
                self.gateway_found(meter, now)
            } else if lost_now {
                StatusChange::MeterLost
            } else {
                StatusChange::Nothing
            };
        }
        if had_answered && !self.silent.contains(&meter) {
            self.silent.push(meter);
        }
        if self.silent.len() >= SILENT_LIMIT || (self.living() == 0 && self.all_failed()) {
            return self.lose_gateway(now);
        }
        if lost_now { StatusChange::MeterLost } else { StatusChange::Nothing }
    }

    /// Records that the gateway does not accept connections.
    pub fn unreachable(&mut self, now: u64) -> StatusChange {
        if self.gateway_lost { StatusChange::Nothing } else { self.lose_gateway(now) }
    }

    /// Records that the gateway accepts connections; one meter becomes due. A gateway without meters is back by that alone.
    pub fn reachable(&mut self, now: u64) -> StatusChange {
        self.gateway_due = now;
        if !self.meters.is_empty() || !std::mem::take(&mut self.gateway_lost) {
            return StatusChange::Nothing;
        }
        StatusChange::GatewayFound
    }

    fn all_failed(&self) -> bool {
        self.meters.len() > 1 && self.meters.values().all(|e| e.failures > 0)
    }

    fn lose_gateway(&mut self, now: u64) -> StatusChange {
        self.gateway_lost = true;
        self.gateway_due = now + GATEWAY_PROBE_MS;
        for entry in self.meters.values_mut() {
            (entry.has_answered, entry.tried) = (false, 0);
        }
        StatusChange::GatewayLost
    }

    /// The gateway answered for this meter. The others are due as they were; those that were lost before it stay lost.
    fn gateway_found(&mut self, meter: MeterId, now: u64) -> StatusChange {
        self.attempts.clear();
        for (_, entry) in self.meters.iter_mut().filter(|(id, entry)| **id != meter && entry.failures < LOST_AFTER) {
            (entry.failures, entry.due) = (0, entry.due.min(now));
        }
        StatusChange::GatewayFound
    }
}

fn milliseconds(ms: u64) -> i64 {
    i64::try_from(ms.min(600_000)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
