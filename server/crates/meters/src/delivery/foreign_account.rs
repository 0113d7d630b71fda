//! Closes an account in a meter that the books do not know, after its journal was read and stored.

use model::command::CommandReason;
use model::money::Fen;

use super::controls::Read;
use super::money::final_amount;
use super::{CommandStep, DeliveryEngine, LOCKED_MS, MAX_SENDS, WriteOutcome};
use crate::directory::Meter;
use crate::driver;
use crate::link::{LinkError, Priority};
use crate::poller::PollerCommand;
use domain::operation::Operation;
use domain::result_code::{FrameOutcome, outcome};
use domain::serial::AccountNumber;
use model::reading::ReadingSource;
use store::StoreError;
use store::commands::Command;
use store::{deliveries, journals};

impl DeliveryEngine {
    /// Advances the command as far as possible now. Only this account is closed: where another one or none is open, nothing is
    /// sent.
    pub(super) async fn close_foreign(
        &self,
        command: &Command,
        meter: &Meter,
        account: AccountNumber,
        order: u64,
    ) -> Result<CommandStep, StoreError> {
        let mut is_stored = false;
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
            if sends > 0
                && let FrameOutcome::Refused(why) = outcome(seen.last_result)
            {
                return self.refuse(command, Some(seen.last_result), why.into()).await;
            }
            let Some(count) = seen.count.checked_add(1).filter(|_| sends < MAX_SENDS) else {
                return self.back_off(meter.id, CommandReason::Unconfirmed).await;
            };
            match self.send(command, meter, Priority::Money, &seen, &Operation::Close { order, count }).await? {
                Some(WriteOutcome::Accepted | WriteOutcome::Unconfirmed) => {}
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
