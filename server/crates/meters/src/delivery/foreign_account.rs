//! Closes an account in a meter that the books do not know, after its journal was read and stored.

use model::case::HoldReason;
use model::command::CommandReason;
use model::money::Fen;

use super::controls::Read;
use super::money::final_amount;
use super::next_action::SentFrame;
use super::{CommandStep, DeliveryEngine, LOCKED_MS, MAX_SENDS, WriteOutcome};
use crate::directory::Meter;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::poller::PollerCommand;
use domain::meter_state::StateBlock;
use domain::operation::Operation;
use domain::result_code::{FrameOutcome, outcome};
use domain::serial::AccountNumber;
use metering::journals;
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::deliveries;

/// Why the meter refused the frame that was sent last; the result of an earlier one says nothing about it.
fn refusal(last_frame: Option<SentFrame>, operation: &Operation, seen: &StateBlock) -> Option<HoldReason> {
    match outcome(seen.last_result) {
        FrameOutcome::Refused(why) if last_frame?.is_judged_in(operation.code(), seen) => Some(why),
        _ => None,
    }
}

impl DeliveryEngine {
    /// Advances the command as far as possible now. Only this account is closed: where another one or none is open,
    /// nothing is sent.
    pub(super) async fn close_foreign(
        &self,
        command: &Command,
        meter: &Meter,
        account: AccountNumber,
        order: u64,
    ) -> Result<CommandStep, StoreError> {
        let mut is_stored = false;
        let mut last_frame = None::<SentFrame>;
        for sends in 0.. {
            let (seen, at) = match self.read_state(meter, Priority::Money).await? {
                Ok(seen) => seen,
                Err(step) => return Ok(step),
            };
            let journal = match driver::journal(meter, Priority::Money).await {
                Ok(journal) => journal,
                Err(error) => return self.defer_unread(meter, error).await,
            };
            if !is_stored || !seen.status.account_open() {
                // What the account held must be known before and after it is closed.
                journals::store(&self.db, &self.rng, at, meter.id, Some(seen.journal), &journal).await?;
                is_stored = true;
            }
            if !seen.status.account_open() {
                let amount = final_amount(&journal, seen.count).filter(|_| seen.last_order == order);
                return self.settle_foreign(command, meter, account, (seen, at), amount).await;
            }
            if seen.account != account {
                return self.refuse(command, None, CommandReason::Account).await;
            }
            let operation = Operation::Close { order, count: seen.count.saturating_add(1) };
            if let Some(why) = refusal(last_frame, &operation, &seen) {
                return self.refuse(command, Some(seen.last_result), why.into()).await;
            }
            if sends >= MAX_SENDS {
                return self.back_off(meter.id, CommandReason::Unconfirmed).await;
            }
            let mut sent = |accepted| last_frame = Some(SentFrame { challenge: seen.challenge, accepted });
            match self.send(command, meter, Priority::Money, &seen, &operation).await? {
                Some(WriteOutcome::Accepted) => sent(true),
                Some(WriteOutcome::Unconfirmed) => sent(false),
                Some(WriteOutcome::Rejected(LinkError::Exception(0x06))) => {
                    return self.defer_meter(meter.id, LOCKED_MS, CommandReason::Busy).await;
                }
                Some(WriteOutcome::Rejected(LinkError::Exception(_))) => {
                    return self.refuse(command, None, CommandReason::FrameRefused).await;
                }
                Some(WriteOutcome::Rejected(_)) => return self.back_off(meter.id, CommandReason::Lost).await,
                None => return Ok(CommandStep::Ended),
            }
        }
        Ok(CommandStep::Later)
    }

    /// `amount` is what the account held when this command closed it; `None` where it was closed otherwise.
    async fn settle_foreign(
        &self,
        command: &Command,
        meter: &Meter,
        account: AccountNumber,
        seen: Read,
        amount: Option<Fen>,
    ) -> Result<CommandStep, StoreError> {
        let (_, at, _) = match self.reset_controls(command, meter, seen).await? {
            Ok(controls) => controls,
            Err(step) => return Ok(step),
        };
        deliveries::foreign_closed(&self.db, at, command, &account.to_string(), amount).await?;
        tracing::info!(%meter, %account, amount_fen = amount.map(|fen| fen.0), "delivery.foreign-account-closed");
        let _ = meter.poll.send(PollerCommand::ReadNow(meter.id, ReadingSource::ReadBack));
        Ok(CommandStep::Ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::fixtures::state;

    #[test]
    fn the_result_of_an_earlier_frame_refuses_no_closure() {
        let close = Operation::Close { order: 1, count: 2 };
        let seen = |last_operation, last_result| StateBlock { last_operation, last_result, ..state() };
        let sent = |accepted| Some(SentFrame { challenge: state().challenge, accepted });
        let reason = |frame, operation, result| refusal(frame, &close, &seen(operation, result)).map(HoldReason::as_str);
        assert_eq!(reason(sent(true), 4, 2), Some("purchase-count"));
        assert_eq!(reason(sent(false), 4, 2), None, "it was lost on the way");
        assert_eq!(reason(sent(true), 2, 3), None, "another command's");
        assert_eq!(reason(None, 4, 2), None);
        assert_eq!(reason(sent(true), 4, 0), None);
    }
}
