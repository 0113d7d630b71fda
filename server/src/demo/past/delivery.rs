//! Brings a command into a meter of the past: claimed, sent and read back by the functions of the delivery engine.

use model::money::Fen;
use model::order::CommandState;
use model::time::Timestamp;

use super::room::PastRoom;
use domain::command_args::CommandArgs;
use domain::money_rule::MoneyOperation;
use domain::rng::Rng;
use store::deliveries::{self, Verdict};
use store::{Db, Result, StoreError};

/// Delivers the next command of a meter. The meter then shows what the plan of its room says.
pub async fn deliver(db: &Db, rng: &Rng, at: Timestamp, past: &PastRoom<'_>) -> Result<()> {
    let lost = StoreError::Inconsistent { table: "commands", column: "state" };
    let Some(mut command) = deliveries::next(db, past.meter, at).await? else { return Err(lost) };
    let Some(claim) = deliveries::claim(db, &command).await?.claimed() else { return Err(lost) };
    (command.state, command.epoch, command.count) = (CommandState::Sending, Some(claim.epoch), Some(claim.count));
    if deliveries::begin_send(db, at, &command).await?.is_none() {
        return Err(lost);
    }
    command.attempts += 1;
    let (order, amount) = match command.args() {
        Some(CommandArgs::Money(MoneyOperation::Credit { order, amount } | MoneyOperation::Debit { order, amount })) => {
            (*order, Fen((*amount).into()))
        }
        Some(CommandArgs::Money(MoneyOperation::Close { order })) => (*order, past.remaining(at.plus(-1))),
        _ => return Err(lost),
    };
    let state = past.state(at, order);
    let verdict = Verdict { state: &state, at, amount, relay_fault: false };
    deliveries::settle(db, rng, &command, &verdict).await?;
    Ok(())
}
