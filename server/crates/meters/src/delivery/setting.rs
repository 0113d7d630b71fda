//! Modes, switches, limits, prices, clock: sent, and done only when their effect was read back.

use model::command::{CommandKind, CommandPriority, CommandReason};
use model::money::Fen;
use model::time::{MINUTE, Timestamp};

use super::{Engine, LOCKED_MS, SENDS, Sent, Step};
use crate::command_args::{self, Evidence};
use crate::directory::Meter;
use crate::link::{LinkError, Priority};
use crate::poller::Control;
use domain::command_args::CommandArgs;
use domain::meter_state::State;
use domain::operation::Operation;
use domain::result_code::{Outcome, outcome};
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// A clock is set this soon after it was decided, or not at all.
const SOON: i64 = 2 * MINUTE;

/// How far an operation was brought.
enum Brought {
    /// The meter shows it.
    Seen(State, Timestamp),
    /// The command ended or waits.
    Not(Step),
}

impl Engine {
    /// Brings the operations of one command about, in their order, as far as it goes now. Each is seen in the meter before the next
    /// is sent; what was interrupted begins again with what is not seen yet.
    pub(super) async fn setting(&self, command: &Command, meter: &Meter, operations: &[Operation]) -> Result<Step, StoreError> {
        if matches!(command.kind, CommandKind::Mode | CommandKind::Switch)
            && deliveries::give_way(&self.db, self.clock.now(), command).await?
        {
            return Ok(Step::Ended);
        }
        if self.is_late(command) {
            return self.refuse(command, None, CommandReason::Late).await;
        }
        let mut last = None;
        for operation in operations {
            match self.bring_about(command, meter, operation).await? {
                Brought::Seen(seen, at) => last = Some((operation, seen, at)),
                Brought::Not(step) => return Ok(step),
            }
        }
        match last {
            Some((operation, seen, at)) => self.settle_setting(command, meter, operation, &seen, at).await,
            None => self.refuse(command, None, CommandReason::Invalid).await,
        }
    }

    /// Whether the rule chose a moment for it that has passed: minutes later it may be the hour.
    pub(super) fn is_late(&self, command: &Command) -> bool {
        matches!(command.args(), Some(CommandArgs::ClockCorrection)) && self.clock.now().since(command.decided_at) > SOON
    }

    async fn bring_about(&self, command: &Command, meter: &Meter, operation: &Operation) -> Result<Brought, StoreError> {
        let ended = |step: Result<Step, StoreError>| step.map(Brought::Not);
        let priority = if command.priority == CommandPriority::Relay { Priority::Relay } else { Priority::Settings };
        // Sent before, perhaps: its effect may be there already.
        let mut sent = command.attempts > 0;
        let mut challenge = None;
        for sends in 0.. {
            let (seen, at) = match self.look(meter, priority).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(Brought::Not(step)),
            };
            let judged = challenge.is_some_and(|(used, taken)| taken || used != seen.challenge);
            let answer = judged.then(|| outcome(seen.last_result));
            let applied = answer == Some(Outcome::Applied);
            if sent && self.is_effective(meter, priority, operation, &seen, applied, at).await {
                return Ok(Brought::Seen(seen, at));
            }
            match answer {
                Some(Outcome::Refused(why)) => return ended(self.refuse(command, Some(seen.last_result), why).await),
                Some(Outcome::Again(why)) if sends >= SENDS => {
                    return ended(self.refuse(command, Some(seen.last_result), why).await);
                }
                _ if sends >= SENDS => break,
                _ => {}
            }
            challenge = match self.send(command, meter, priority, &seen, operation).await? {
                Some(Sent::Taken) => Some((seen.challenge, true)),
                Some(Sent::Unknown) => Some((seen.challenge, false)),
                Some(Sent::Refused(LinkError::Exception(0x06))) => {
                    return ended(self.wait_for(meter.id, LOCKED_MS, CommandReason::Busy).await);
                }
                Some(Sent::Refused(LinkError::Exception(_))) => {
                    return ended(self.refuse(command, None, CommandReason::FrameRefused).await);
                }
                Some(Sent::Refused(_)) => return ended(self.wait(meter.id, CommandReason::Lost).await),
                None => return Ok(Brought::Not(Step::Ended)),
            };
            sent = true;
        }
        ended(self.wait(meter.id, CommandReason::Unconfirmed).await)
    }

    async fn is_effective(
        &self,
        meter: &Meter,
        priority: Priority,
        operation: &Operation,
        seen: &State,
        applied: bool,
        at: Timestamp,
    ) -> bool {
        let Some(secured) = &meter.profile.secured else { return false };
        match command_args::evidence(&secured.read_back, operation, seen, applied, at) {
            Evidence::State(stands) => stands,
            Evidence::Registers { address, words } => {
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                meter.link.read(priority, meter.unit, address, count).await == Ok(words)
            }
        }
    }

    async fn settle_setting(
        &self,
        command: &Command,
        meter: &Meter,
        operation: &Operation,
        seen: &State,
        at: Timestamp,
    ) -> Result<Step, StoreError> {
        let relay_fault = command_args::relay_fault(operation, seen);
        let verdict = deliveries::Verdict { state: seen, at, amount: Fen::ZERO, relay_fault };
        if deliveries::settle(&self.db, &self.rng, command, &verdict).await?.is_some() {
            tracing::info!(meter = %meter.id, kind = command.kind.as_str(), relay_fault, "delivery.done");
            let _ = meter.poll.send(Control::ReadNow(meter.id, ReadingSource::ReadBack));
        }
        Ok(Step::Ended)
    }

    pub(super) async fn refuse(&self, command: &Command, result: Option<u8>, reason: CommandReason) -> Result<Step, StoreError> {
        tracing::warn!(meter = %command.meter_id, kind = command.kind.as_str(), result, why = reason.as_str(), "delivery.refused");
        deliveries::refuse(&self.db, self.clock.now(), command, result, reason).await?;
        Ok(Step::Ended)
    }
}
