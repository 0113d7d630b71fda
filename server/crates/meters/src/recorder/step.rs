//! What the recorder does when the server's clock is set: it goes on in the order in which values arrive.
//!
//! A process knows how much time has really passed, so a step is noticed by the next value. After a step back, everything in
//! memory moves with it, and what is stored ahead of the clock comes to the present.

use std::sync::Arc;

use model::time::{MINUTE, Timestamp};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{MeterEvent, RETRY, Recorder};
use domain::clock::{FollowedClock, SharedClock, StepWatch};
use metering::clock_steps::{self, MOST_AHEAD, MOST_BACK};
use store::{self, Db, StoreError};

/// How long the alarm stays open after the last step.
const ALARM: i64 = 10 * MINUTE;
/// Values that were read before a step arrive this much later at most.
const LATE: i64 = MINUTE;

/// The steps of the server's clock.
pub(super) struct Steps {
    clock: SharedClock,
    watch: StepWatch,
    /// For those who store readings without the recorder.
    pub(super) followed: Arc<FollowedClock>,
    /// One that was noticed and is not followed yet, ms.
    pending: Option<i64>,
    /// The newest one, ms, and when it was, on the steady clock.
    last: Option<(i64, i64)>,
    /// Since when, on the steady clock, the alarm is open without a further step.
    alarm: Option<i64>,
}

impl Steps {
    pub(super) async fn load(db: &Db, clock: SharedClock) -> store::Result<Self> {
        let alarm = clock_steps::is_alarm_open(db).await?.then(|| clock.steady());
        let (watch, followed) = (StepWatch::new(clock.clone()), FollowedClock::new(clock.clone()));
        Ok(Self { watch, followed, clock, pending: None, last: None, alarm })
    }

    /// Whether a step waits to be followed.
    pub(super) fn notice(&mut self) -> bool {
        if let Some(step) = self.watch.step() {
            self.pending = Some(self.pending.unwrap_or(0).saturating_add(step));
            (self.last, self.alarm) = (Some((step, self.clock.steady())), Some(self.clock.steady()));
        }
        if self.pending.is_none() {
            self.followed.follow(&self.watch);
        }
        self.pending.is_some()
    }

    /// An event with its times as the clock shows them now: just after a step some were taken before it.
    pub(super) fn place(&self, mut event: MeterEvent) -> MeterEvent {
        let Some((step, since)) = self.last else { return event };
        let (now, steady) = (self.clock.now(), self.clock.steady());
        if steady - since > LATE {
            return event;
        }
        let place = |at: &mut Timestamp| {
            let moved = at.plus(step);
            if moved.since(now).abs() < at.since(now).abs() {
                *at = moved;
            }
        };
        match &mut event {
            MeterEvent::Read { from, at, .. } => [from, at].into_iter().for_each(place),
            MeterEvent::OddItems { at, .. } | MeterEvent::MeterStatus { at, .. } | MeterEvent::GatewayConnected { at, .. } => {
                place(at);
            }
            MeterEvent::MeterLost { since, .. }
            | MeterEvent::MeterUnreadable { since, .. }
            | MeterEvent::GatewayLost { since, .. } => place(since),
            _ => {}
        }
        event
    }
}

impl Recorder {
    /// Follows a step of the clock, retrying until it is stored; ends the alarm of an old one. One by more than anybody
    /// sets a clock is not followed: everything waits until the clock is right again. `false` if the process is stopped
    /// meanwhile, or has lost the database to another one.
    pub(super) async fn follow_clock(&mut self, events: &mpsc::Receiver<MeterEvent>) -> bool {
        let mut warned = false;
        while self.steps.notice() && self.steps.pending.is_some_and(|step| !(-MOST_BACK..=MOST_AHEAD).contains(&step)) {
            if events.is_closed() {
                return false;
            }
            if !std::mem::replace(&mut warned, true) {
                tracing::error!(
                    step_s = self.steps.pending.map(|step| step / 1_000),
                    "clock.wrong: readings wait until it is set right; if it is right, restart the server"
                );
            }
            sleep(RETRY).await;
        }
        if let Some(step) = self.steps.pending.take() {
            let now = self.clock.now();
            tracing::warn!(step_s = step / 1_000, "clock.stepped");
            while let Err(error) = clock_steps::follow(&self.db, &self.rng, now, step).await {
                if matches!(error, StoreError::LockLost) {
                    return false;
                }
                tracing::error!(error = &error as &dyn std::error::Error, "clock.step-not-stored");
                sleep(RETRY).await;
            }
            if step < 0 {
                self.move_times(step, now);
            }
            self.steps.followed.follow(&self.steps.watch);
        }
        if self.steps.alarm.is_some_and(|since| self.clock.steady() - since >= ALARM) {
            match clock_steps::settled(&self.db, &self.rng, self.clock.now()).await {
                Ok(()) => self.steps.alarm = None,
                Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "clock.alarm-not-ended"),
            }
        }
        true
    }

    /// Nothing in memory may be later than now.
    fn move_times(&mut self, step: i64, now: Timestamp) {
        self.decisions_checked_at = self.decisions_checked_at.min(now);
        (self.moved, self.refreshed_at) = (true, None);
        if let Some(parameters) = &mut self.parameters {
            parameters.move_times(step, now);
        }
        for track in self.tracks.values_mut() {
            track.move_times(step, now);
            self.live.publish(track.latest.clone());
        }
    }
}
