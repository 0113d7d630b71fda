//! State of one meter between readings.

use model::event::EventKind;
use model::ids::MeterId;
use model::meter::Latest;
use model::money::Fen;
use model::reading::ReadingQuality;
use model::time::Timestamp;

use domain::alarm_conditions::{self, AlarmConditions};
use domain::classify::{Baseline, HeldValues};
use domain::load::Load;
use domain::meter_state::{Measurement, MeterStatus};
use domain::server_wallet::ServerWallet;
use store::events::{Change, Subject, Turn};

/// When our clock is set back by less than this, timestamps wait for it; by more, readings are marked as out of order.
const CLOCK_STEP_MS: i64 = 10_000;

/// Whether an observation is older than the last one: a sweep that a command overtook reports after it.
pub(crate) fn is_overtaken(at: Timestamp, last: Timestamp) -> bool {
    at < last && last.since(at) < CLOCK_STEP_MS
}

/// Where a reading is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowKey {
    pub(super) at: Timestamp,
    /// Its number among the readings of its meter, from 1.
    pub(super) sequence: i64,
}

pub(super) struct MeterTrack {
    pub(super) latest: Latest,
    pub(super) baseline: Option<Baseline>,
    /// Since when values are held.
    pub(super) held_since: Option<Timestamp>,
    /// Those that are held because they do not continue the baseline.
    pub(super) held: Option<HeldValues>,
    /// Time of the newest stored reading.
    pub(super) last_row: Option<Timestamp>,
    /// Its number among the readings of its meter; 0 if it has none.
    pub(super) last_sequence: i64,
    alarm_conditions: AlarmConditions,
    /// Whether the last full reading showed a relay fault.
    was_faulty: bool,
    /// When its reverse counter last grew.
    reverse_grew: Option<Timestamp>,
    /// Load in the last reading.
    pub(super) load: Option<Load>,
}

impl MeterTrack {
    pub(super) fn new(meter: MeterId) -> Self {
        Self::of(Latest::unseen(meter))
    }

    pub(super) fn of(latest: Latest) -> Self {
        let alarm_conditions = AlarmConditions::default();
        Self {
            latest,
            baseline: None,
            held_since: None,
            held: None,
            last_row: None,
            last_sequence: 0,
            alarm_conditions,
            was_faulty: false,
            reverse_grew: None,
            load: None,
        }
    }

    /// Restores an event that was open when the process started.
    pub(super) fn resume(&mut self, kind: EventKind, since: Timestamp) {
        self.alarm_conditions.set(kind, true);
        if kind == EventKind::Reverse {
            self.reverse_grew = Some(since);
        }
    }

    /// The clock was set back by `step`, which is negative, and it is `now`. What was taken before it was set ahead stays.
    pub(super) fn move_times(&mut self, step: i64, now: Timestamp) {
        let moved = |at: Timestamp| if at > now { at.plus(step).min(now) } else { at };
        if let Some(baseline) = &mut self.baseline {
            baseline.at = moved(baseline.at);
        }
        if let Some(held) = &mut self.held {
            (held.first_at, held.at) = (moved(held.first_at), moved(held.at));
        }
        self.held_since = self.held_since.map(moved);
        self.last_row = self.last_row.map(moved);
        self.reverse_grew = self.reverse_grew.map(moved);
        self.load = self.load.map(|load| Load { at: moved(load.at), ..load });
        self.latest.observed_at = self.latest.observed_at.map(moved);
        self.latest.lost_since = self.latest.lost_since.map(moved);
    }

    /// The row of the next reading: two of a meter never share an instant, and small steps of our clock back do not reorder rows.
    pub(super) fn next_row(&mut self, at: Timestamp) -> RowKey {
        let at = match self.last_row {
            Some(last) if at == last || is_overtaken(at, last) => last.plus(1),
            _ => at,
        };
        (self.last_row, self.last_sequence) = (Some(at), self.last_sequence.saturating_add(1));
        RowKey { at, sequence: self.last_sequence }
    }

    /// Applies wallet and relay; returns the events that began or ended.
    pub(super) fn apply_status(
        &mut self,
        at: Timestamp,
        meter_status: &MeterStatus,
        server_wallet: Option<&ServerWallet>,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        (self.latest.lost_since, self.latest.unreadable) = (None, false);
        self.set_condition(EventKind::MeterLost, false, at, &mut changes);
        self.set_condition(EventKind::MeterUnreadable, false, at, &mut changes);
        if self.latest.observed_at.is_some_and(|last| is_overtaken(at, last)) {
            return changes;
        }
        let latest = &mut self.latest;
        latest.observed_at = Some(at);
        latest.status = meter_status.status();
        latest.clock_offset_s = meter_status.clock_offset_s(at);
        if let Some(state) = meter_status.wallet() {
            if let Some(before) = latest.tamper.filter(|before| state.tamper > *before) {
                let detail = serde_json::json!({ "from": before, "to": state.tamper }).to_string();
                changes.push(change(latest.meter, EventKind::Tamper, at, Turn::Happened(detail)));
            }
            (latest.remaining, latest.cumulative) = (state.remaining, state.cumulative);
            (latest.count, latest.epoch) = (state.count, state.epoch);
            (latest.tamper, latest.journal) = (Some(state.tamper), Some(state.journal));
            (latest.tier, latest.rate) = (Some(state.tier_energy), u8::try_from(state.rate).ok());
        }
        if let Some(server_wallet) = server_wallet {
            server_wallet.show(latest);
        }
        for (kind, is_set) in alarm_conditions::of_meter(self.latest.status) {
            self.set_condition(kind, is_set, at, &mut changes);
        }
        if server_wallet.is_none() {
            // Conditions of a server wallet are raised by the transaction that changes it.
            // An account that was just opened holds nothing until its first purchase: that is no event.
            let unused = meter_status.wallet().is_some_and(|state| state.count == 0 && state.cumulative == Fen::ZERO);
            for (kind, is_set) in alarm_conditions::of_wallet(self.latest.status) {
                let expected = unused && matches!(kind, EventKind::Arrears | EventKind::Alarm1 | EventKind::Alarm2);
                self.set_condition(kind, is_set && !expected, at, &mut changes);
            }
        }
        changes
    }

    /// Applies a measurement and the quality of its counter; returns the events that began or ended.
    pub(super) fn apply_measurement(
        &mut self,
        now: &Baseline,
        quality: ReadingQuality,
        meter_status: &MeterStatus,
        measurement: &Measurement,
    ) -> Vec<Change> {
        let (at, mut changes) = (now.at, Vec::new());
        let latest = &mut self.latest;
        (latest.power_w, latest.power_factor) = (measurement.power_w, measurement.power_factor);
        (latest.voltage_dv, latest.current_ca) = (measurement.voltage_dv, measurement.current_ca);
        let is_open = match meter_status {
            MeterStatus::Wallet(state) => !state.status.relay_closed(),
            MeterStatus::Plain(plain) => plain.relay_closed == Some(false),
        };
        let faulty = alarm_conditions::has_relay_fault(is_open, &self.latest);
        let confirmed = std::mem::replace(&mut self.was_faulty, faulty) || self.alarm_conditions.contains(EventKind::RelayFault);
        self.set_condition(EventKind::RelayFault, faulty && confirmed, at, &mut changes);
        let previous = self.baseline.and_then(|last| last.reverse);
        if quality == ReadingQuality::Good && previous.zip(now.reverse).is_some_and(|(before, now)| now > before) {
            self.reverse_grew = Some(at);
        }
        let back = alarm_conditions::has_reverse_energy(self.latest.status, self.reverse_grew, at);
        self.set_condition(EventKind::Reverse, back, at, &mut changes);
        match quality {
            ReadingQuality::Reset => self.set_condition(EventKind::CounterZeroed, true, at, &mut changes),
            quality if quality.counts() => self.set_condition(EventKind::CounterZeroed, false, at, &mut changes),
            _ => {}
        }
        if quality.counts() {
            self.held_since = None;
            self.latest.total = now.total;
            self.latest.reverse = now.reverse.unwrap_or(self.latest.reverse);
            self.baseline = Some(*now);
        }
        changes
    }

    /// Marks the meter as lost. Only the gateway's loss is an event unless the meter is lost `alone`: then the meter raises
    /// nothing of its own, and what is open is neither over nor raised anew.
    pub(super) fn mark_lost(&mut self, since: Timestamp, alone: bool) -> Vec<Change> {
        (self.latest.lost_since, self.latest.unreadable) = (Some(since), false);
        let mut changes = Vec::new();
        if alone {
            self.set_condition(EventKind::MeterUnreadable, false, since, &mut changes);
            self.set_condition(EventKind::MeterLost, true, since, &mut changes);
        }
        changes
    }

    /// Marks the meter as one that answers what cannot be read; an event unless something else says why.
    pub(super) fn mark_unreadable(&mut self, since: Timestamp, items: &[String], is_event: bool) -> Vec<Change> {
        (self.latest.lost_since, self.latest.unreadable) = (Some(since), true);
        let mut changes = Vec::new();
        self.set_condition(EventKind::MeterLost, false, since, &mut changes);
        self.set_items(EventKind::MeterUnreadable, is_event, since, items, &mut changes);
        changes
    }

    /// Ends the alarm "unreadable": another meter answers in this one's place, which is told as a case.
    pub(super) fn mark_replaced(&mut self, at: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        self.set_condition(EventKind::MeterUnreadable, false, at, &mut changes);
        changes
    }

    /// Notes which items cannot be read; none any more if empty.
    pub(super) fn mark_odd(&mut self, at: Timestamp, items: &[String]) -> Vec<Change> {
        let mut changes = Vec::new();
        self.set_items(EventKind::ItemUnreadable, !items.is_empty(), at, items, &mut changes);
        changes
    }

    fn set_items(&mut self, kind: EventKind, is_set: bool, at: Timestamp, items: &[String], changes: &mut Vec<Change>) {
        if self.alarm_conditions.set(kind, is_set) {
            let detail = serde_json::json!({ "items": items }).to_string();
            let turn = if is_set { Turn::Raised(detail) } else { Turn::Over };
            changes.push(change(self.latest.meter, kind, at, turn));
        }
    }

    fn set_condition(&mut self, kind: EventKind, is_set: bool, at: Timestamp, changes: &mut Vec<Change>) {
        if self.alarm_conditions.set(kind, is_set) {
            let turn = if is_set { Turn::Raised(self.detail(kind)) } else { Turn::Over };
            changes.push(change(self.latest.meter, kind, at, turn));
        }
    }

    /// Values at the beginning of an event.
    fn detail(&self, kind: EventKind) -> String {
        let latest = &self.latest;
        match kind {
            EventKind::RelayFault | EventKind::Overload | EventKind::Malignant => {
                serde_json::json!({ "power_w": latest.power_w, "current_ca": latest.current_ca })
            }
            EventKind::Arrears | EventKind::Alarm1 | EventKind::Alarm2 => {
                serde_json::json!({ "remaining_fen": latest.remaining.0 })
            }
            EventKind::CounterZeroed => serde_json::json!({ "last_total_wh": latest.total.0 }),
            EventKind::Reverse => serde_json::json!({ "reverse_wh": latest.reverse.0 }),
            _ => serde_json::json!({}),
        }
        .to_string()
    }
}

const fn change(meter: MeterId, kind: EventKind, at: Timestamp, turn: Turn) -> Change {
    Change { kind, subject: Subject::Meter(meter), at, turn }
}
