//! Delivers openings, credits, debits and closures exactly once, whatever is lost on the way.

use model::case::{DeliveryCase, HoldReason};
use model::command::CommandReason;
use model::money::Fen;
use model::time::Timestamp;

use super::next_action::{MoneyAction, SendProgress, SentFrame, next_action};
use super::{CommandStep, DeliveryEngine, LOCKED_MS, WriteOutcome};
use crate::directory::Meter;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::poller::PollerCommand;
use crate::recorder::MeterEvent;
use domain::meter_records::JournalKind;
use domain::meter_records::JournalRecord;
use domain::meter_state::StateBlock;
use domain::money_rule::{ClaimedOperation, MoneyOperation};
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// The amount left in the meter when it closed the account at this count; only the meter's journal has it to the fen. Takes the
/// newest such record, as older ones belong to earlier epochs.
fn final_amount(journal: &[JournalRecord], count: u16) -> Option<Fen> {
    let record = journal.iter().find(|record| record.what == JournalKind::Close && record.count == Some(count))?;
    Some(record.amount)
}

impl DeliveryEngine {
    /// Advances one money command as far as possible now.
    pub(super) async fn money(
        &self,
        command: &Command,
        meter: &Meter,
        money_operation: MoneyOperation,
    ) -> Result<CommandStep, StoreError> {
        // The claim must be durable before a frame leaves, not before the meter is read: the bus need not wait for its commit.
        let (claimed, read) = tokio::join!(self.claim(command, money_operation), self.read_state(meter, Priority::Money));
        let Some(claimed) = claimed? else {
            return self.hold(command, None, DeliveryCase::new(HoldReason::NoAccount).into()).await;
        };
        let mut read = read?;
        if claimed.count == u16::MAX && !matches!(money_operation, MoneyOperation::Close { .. }) {
            // The last count is for the closure, without which no further account can be opened.
            return self.hold(command, None, DeliveryCase::new(HoldReason::CountEnds).into()).await;
        }
        let mut command = command.clone();
        (command.epoch, command.count) = (Some(claimed.epoch.into()), Some(claimed.count.into()));
        let command = &command;
        let limit = Fen(self.config.hoarding_fen);
        let mut progress = SendProgress { never_sent: command.attempts == 0, last_frame: None, sends: 0, limit };
        loop {
            let (seen, at) = match read {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            match next_action(&claimed, &progress, &seen) {
                MoneyAction::Settle => return self.settle_money(command, meter, &claimed, &seen, at).await,
                MoneyAction::Refuse(result, reason) => return self.refuse(command, result, reason).await,
                MoneyAction::Hold(result, case) => return self.hold(command, result, case).await,
                MoneyAction::Wait => return self.back_off(meter.id, CommandReason::Unconfirmed).await,
                MoneyAction::Send => {}
            }
            let accepted = match self.send(command, meter, Priority::Money, &seen, &claimed.operation()).await? {
                Some(WriteOutcome::Accepted) => true,
                Some(WriteOutcome::Unconfirmed) => false,
                Some(WriteOutcome::Rejected(LinkError::Exception(0x06))) => {
                    return self.defer_meter(meter.id, LOCKED_MS, CommandReason::Busy).await;
                }
                Some(WriteOutcome::Rejected(LinkError::Exception(_))) => {
                    return self.hold(command, None, DeliveryCase::new(HoldReason::FrameRefused).into()).await;
                }
                Some(WriteOutcome::Rejected(_)) => return self.back_off(meter.id, CommandReason::Lost).await,
                None => return Ok(CommandStep::Ended),
            };
            progress = SendProgress {
                last_frame: Some(SentFrame { challenge: seen.challenge, accepted }),
                sends: progress.sends + 1,
                ..progress
            };
            read = self.read_state(meter, Priority::Money).await?;
        }
    }

    /// The epoch and count claimed for the command, before or now.
    async fn claim(&self, command: &Command, money_operation: MoneyOperation) -> Result<Option<ClaimedOperation>, StoreError> {
        let (epoch, count) = match (command.epoch, command.count) {
            (Some(epoch), Some(count)) => (epoch, count),
            _ => match deliveries::claim(&self.db, command).await? {
                Some(claim) => (claim.epoch, claim.count),
                None => return Ok(None),
            },
        };
        let (Ok(epoch), Ok(count)) = (u16::try_from(epoch), u16::try_from(count)) else { return Ok(None) };
        Ok(Some(ClaimedOperation { money_operation, epoch, count }))
    }

    async fn settle_money(
        &self,
        command: &Command,
        meter: &Meter,
        claimed: &ClaimedOperation,
        seen: &StateBlock,
        at: Timestamp,
    ) -> Result<CommandStep, StoreError> {
        let amount = match claimed.money_operation {
            MoneyOperation::Credit { amount, .. } | MoneyOperation::Debit { amount, .. } => Fen(amount.into()),
            MoneyOperation::Open(_) => Fen::ZERO,
            MoneyOperation::Close { .. } => match driver::journal(meter, Priority::Money).await {
                Ok(journal) => match final_amount(&journal, claimed.count) {
                    Some(amount) => amount,
                    None => return self.hold(command, None, DeliveryCase::new(HoldReason::NoFinalRecord).into()).await,
                },
                Err(error) => return self.defer_unread(meter, error).await,
            },
        };
        let verdict = deliveries::Verdict { state: seen, at, amount, relay_fault: false };
        if let Some(expected) = deliveries::settle(&self.db, &self.rng, command, &verdict).await? {
            tracing::info!(meter = %meter.id, kind = command.kind.as_str(), count = seen.count, "delivery.done");
            self.report(MeterEvent::LedgerPosition { meter: meter.id, expected }).await;
            // Power and counters may be old; the poller reads them, if it is running.
            let _ = meter.poll.send(PollerCommand::ReadNow(meter.id, ReadingSource::ReadBack));
        }
        Ok(CommandStep::Ended)
    }

    pub(super) async fn hold(
        &self,
        command: &Command,
        result: Option<u8>,
        case: Box<DeliveryCase>,
    ) -> Result<CommandStep, StoreError> {
        tracing::warn!(command = %command.id, kind = command.kind.as_str(), ?case, "delivery.held");
        deliveries::hold(&self.db, &self.rng, self.clock.now(), command, result, case).await?;
        Ok(CommandStep::Ended)
    }
}
