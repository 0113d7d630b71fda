//! Delivers settings (mode, switch, limits, prices, clock) and completes them only after their effect was read back.

use model::command::{CommandKind, CommandPriority, CommandReason};
use model::money::Fen;
use model::time::{MINUTE, Timestamp};

use super::{CommandStep, DeliveryEngine, LOCKED_MS, MAX_RESENDS, MAX_SENDS, WriteOutcome};
use crate::command_args::{self, Evidence};
use crate::directory::Meter;
use crate::link::{LinkError, Priority};
use crate::poller::PollerCommand;
use domain::command_args::CommandArgs;
use domain::meter_state::StateBlock;
use domain::operation::Operation;
use domain::result_code::{FrameOutcome, outcome};
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// A clock command is executed this soon after it was decided, or not at all.
const MAX_AGE: i64 = 2 * MINUTE;

/// How far an operation has come.
enum SettingProgress {
    /// The meter shows its effect.
    Confirmed(StateBlock, Timestamp),
    /// The command ended or waits.
    Unfinished(CommandStep),
}

impl DeliveryEngine {
    /// Applies the operations of one command in order, as far as possible now. The effect of each is read back before the next is
    /// sent; an interrupted command resumes with the first operation whose effect does not show.
    pub(super) async fn setting(
        &self,
        command: &Command,
        meter: &Meter,
        operations: &[Operation],
    ) -> Result<CommandStep, StoreError> {
        if matches!(command.kind, CommandKind::Mode | CommandKind::Switch)
            && deliveries::give_way(&self.db, self.clock.now(), command).await?
        {
            return Ok(CommandStep::Ended);
        }
        if self.is_late(command) {
            return self.refuse(command, None, CommandReason::Late).await;
        }
        let mut last = None;
        for operation in operations {
            match self.apply_operation(command, meter, operation).await? {
                SettingProgress::Confirmed(seen, at) => last = Some((operation, seen, at)),
                SettingProgress::Unfinished(step) => return Ok(step),
            }
        }
        match last {
            Some((operation, seen, at)) => self.settle_setting(command, meter, operation, &seen, at).await,
            None => self.refuse(command, None, CommandReason::Invalid).await,
        }
    }

    /// Whether the command was decided automatically for a moment that has passed: minutes later it may be the full hour.
    pub(super) fn is_late(&self, command: &Command) -> bool {
        matches!(command.args(), Some(CommandArgs::ClockCorrection)) && self.clock.now().since(command.decided_at) > MAX_AGE
    }

    async fn apply_operation(
        &self,
        command: &Command,
        meter: &Meter,
        operation: &Operation,
    ) -> Result<SettingProgress, StoreError> {
        let ended = |step: Result<CommandStep, StoreError>| step.map(SettingProgress::Unfinished);
        let priority = if command.priority == CommandPriority::Relay { Priority::Relay } else { Priority::Settings };
        // It may have been sent before, and its effect may show already.
        let mut sent = command.attempts > 0;
        let mut challenge = None;
        for sends in 0.. {
            let (seen, at) = match self.read_state(meter, priority).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(SettingProgress::Unfinished(step)),
            };
            let accepted = challenge.is_some_and(|(_, accepted)| accepted);
            let judged = challenge.is_some_and(|(used, _)| accepted || used != seen.challenge);
            // After a power cut the result names no operation.
            let judged = judged && seen.last_operation == operation.code();
            let answer = judged.then(|| outcome(seen.last_result));
            let applied = answer == Some(FrameOutcome::Applied);
            if sent {
                match self.is_effective(meter, priority, operation, &seen, applied, at).await {
                    Ok(true) => return Ok(SettingProgress::Confirmed(seen, at)),
                    Ok(false) => {}
                    Err(error) => return ended(self.defer_unread(meter, error.into()).await),
                }
            }
            match answer {
                Some(FrameOutcome::Refused(why)) => {
                    return ended(self.refuse(command, Some(seen.last_result), why.into()).await);
                }
                Some(FrameOutcome::Retry(why)) if sends >= MAX_SENDS => {
                    return ended(self.refuse(command, Some(seen.last_result), why.into()).await);
                }
                Some(FrameOutcome::Retry(_)) => {}
                // The meter took the frame and does not show it: a power cut may have taken its last write.
                _ if (accepted || applied) && sends > MAX_RESENDS => {
                    return ended(self.refuse(command, Some(seen.last_result), CommandReason::NotKept).await);
                }
                _ if accepted || applied => {}
                _ if sends >= MAX_SENDS => break,
                _ => {}
            }
            challenge = match self.send(command, meter, priority, &seen, operation).await? {
                Some(WriteOutcome::Accepted) => Some((seen.challenge, true)),
                Some(WriteOutcome::Unconfirmed) => Some((seen.challenge, false)),
                Some(WriteOutcome::Rejected(LinkError::Exception(0x06))) => {
                    return ended(self.defer_meter(meter.id, LOCKED_MS, CommandReason::Busy).await);
                }
                Some(WriteOutcome::Rejected(LinkError::Exception(_))) => {
                    return ended(self.refuse(command, None, CommandReason::FrameRefused).await);
                }
                Some(WriteOutcome::Rejected(_)) => return ended(self.back_off(meter.id, CommandReason::Lost).await),
                None => return Ok(SettingProgress::Unfinished(CommandStep::Ended)),
            };
            sent = true;
        }
        ended(self.back_off(meter.id, CommandReason::Unconfirmed).await)
    }

    async fn is_effective(
        &self,
        meter: &Meter,
        priority: Priority,
        operation: &Operation,
        seen: &StateBlock,
        applied: bool,
        at: Timestamp,
    ) -> Result<bool, LinkError> {
        let Some(secured) = &meter.profile.secured else { return Ok(false) };
        match command_args::evidence(&secured.read_back, operation, seen, applied, at) {
            Evidence::State(shown) => Ok(shown),
            Evidence::Registers { address, words } => {
                let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
                Ok(meter.link.read(priority, meter.unit, address, count).await? == words)
            }
        }
    }

    async fn settle_setting(
        &self,
        command: &Command,
        meter: &Meter,
        operation: &Operation,
        seen: &StateBlock,
        at: Timestamp,
    ) -> Result<CommandStep, StoreError> {
        let relay_fault = command_args::relay_fault(operation, seen);
        let verdict = deliveries::Verdict { state: seen, at, amount: Fen::ZERO, relay_fault };
        if deliveries::settle(&self.db, &self.rng, command, &verdict).await?.is_some() {
            tracing::info!(meter = %meter.id, kind = command.kind.as_str(), relay_fault, "delivery.done");
            let _ = meter.poll.send(PollerCommand::ReadNow(meter.id, ReadingSource::ReadBack));
        }
        Ok(CommandStep::Ended)
    }

    pub(super) async fn refuse(
        &self,
        command: &Command,
        result: Option<u8>,
        reason: CommandReason,
    ) -> Result<CommandStep, StoreError> {
        tracing::warn!(meter = %command.meter_id, kind = command.kind.as_str(), result, why = reason.as_str(),
            "delivery.refused");
        deliveries::refuse(&self.db, self.clock.now(), command, result, reason).await?;
        Ok(CommandStep::Ended)
    }
}
