//! Opening, credit, debit, closing: exactly once, whatever is lost on the way.

use model::command::CommandReason;
use model::money::Fen;
use model::time::Timestamp;

use super::next::{Frame, Next, Progress, next};
use super::{Engine, LOCKED_MS, Sent, Step};
use crate::directory::Meter;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::poller::Control;
use crate::recorder::Event;
use domain::meter_records::JournalKind;
use domain::meter_records::JournalRecord;
use domain::meter_state::State;
use domain::money_rule::{Claimed, MoneyOperation};
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries::{self, Hold};

/// What was left in a meter when it closed its account with this count: only its own journal says it to the fen. The newest such
/// record; an older one is of another epoch.
fn left(journal: &[JournalRecord], count: u16) -> Option<Fen> {
    let record = journal.iter().find(|record| record.what == JournalKind::Close && record.count == Some(count))?;
    Some(record.amount)
}

impl Engine {
    /// Moves one money command as far as it goes now.
    pub(super) async fn money(
        &self,
        command: &Command,
        meter: &Meter,
        money_operation: MoneyOperation,
    ) -> Result<Step, StoreError> {
        let Some(claimed) = self.claim(command, money_operation).await? else {
            return self.hold(command, Hold::because(CommandReason::NoAccount)).await;
        };
        let command = &Command { epoch: Some(claimed.epoch.into()), count: Some(claimed.count.into()), ..command.clone() };
        let limit = Fen(self.config.hoarding_fen);
        let mut progress = Progress { fresh: command.attempts == 0, last: None, sends: 0, limit };
        loop {
            let (seen, at) = match self.look(meter, Priority::Money).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            match next(&claimed, &progress, &seen) {
                Next::Settle => return self.settle_money(command, meter, &claimed, &seen, at).await,
                Next::Refuse(result, why) => return self.refuse(command, result, why).await,
                Next::Hold(held) => return self.hold(command, held).await,
                Next::Wait => return self.wait(meter.id, CommandReason::Unconfirmed).await,
                Next::Send => {}
            }
            let taken = match self.send(command, meter, Priority::Money, &seen, &claimed.operation()).await? {
                Some(Sent::Taken) => true,
                Some(Sent::Unknown) => false,
                Some(Sent::Refused(LinkError::Exception(0x06))) => {
                    return self.wait_for(meter.id, LOCKED_MS, CommandReason::Busy).await;
                }
                Some(Sent::Refused(LinkError::Exception(_))) => {
                    return self.hold(command, Hold::because(CommandReason::FrameRefused)).await;
                }
                Some(Sent::Refused(_)) => return self.wait(meter.id, CommandReason::Lost).await,
                None => return Ok(Step::Ended),
            };
            progress = Progress { last: Some(Frame { challenge: seen.challenge, taken }), sends: progress.sends + 1, ..progress };
        }
    }

    /// Epoch and count, as they were claimed before or are claimed now.
    async fn claim(&self, command: &Command, money_operation: MoneyOperation) -> Result<Option<Claimed>, StoreError> {
        let (epoch, count) = match (command.epoch, command.count) {
            (Some(epoch), Some(count)) => (epoch, count),
            _ => match deliveries::claim(&self.db, command).await? {
                Some(claim) => (claim.epoch, claim.count),
                None => return Ok(None),
            },
        };
        let (Ok(epoch), Ok(count)) = (u16::try_from(epoch), u16::try_from(count)) else { return Ok(None) };
        Ok(Some(Claimed { money_operation, epoch, count }))
    }

    async fn settle_money(
        &self,
        command: &Command,
        meter: &Meter,
        claimed: &Claimed,
        seen: &State,
        at: Timestamp,
    ) -> Result<Step, StoreError> {
        let amount = match claimed.money_operation {
            MoneyOperation::Credit { amount, .. } | MoneyOperation::Debit { amount, .. } => Fen(amount.into()),
            MoneyOperation::Open(_) => Fen::ZERO,
            MoneyOperation::Close { .. } => match driver::journal(meter, Priority::Money).await {
                Ok(journal) => match left(&journal, claimed.count) {
                    Some(left) => left,
                    None => return self.hold(command, Hold::because(CommandReason::NoFinalRecord)).await,
                },
                Err(error) => return self.unread(meter, error).await,
            },
        };
        let verdict = deliveries::Verdict { state: seen, at, amount, relay_fault: false };
        if let Some(expected) = deliveries::settle(&self.db, &self.rng, command, &verdict).await? {
            tracing::info!(meter = %meter.id, kind = command.kind.as_str(), count = seen.count, "delivery.done");
            self.report(Event::Expect { meter: meter.id, expected }).await;
            // Power and counters have been last seen before; nobody to read them now is no fault.
            let _ = meter.poll.send(Control::ReadNow(meter.id, ReadingSource::ReadBack));
        }
        Ok(Step::Ended)
    }

    pub(super) async fn hold(&self, command: &Command, held: Hold) -> Result<Step, StoreError> {
        tracing::warn!(command = %command.id, kind = command.kind.as_str(), detail = held.detail, "delivery.held");
        deliveries::hold(&self.db, &self.rng, self.clock.now(), command, &held).await?;
        Ok(Step::Ended)
    }
}
