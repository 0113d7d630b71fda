//! How a command of a meter without secured frames ends: by what was read back.

use model::audit::AuditAction;
use model::case::{CaseDetail, RelayCase};
use model::command::CommandReason;
use model::order::CommandState;
use model::time::Timestamp;

use super::settle::record;
use crate::commands::Command;
use crate::wallets::not_followed;
use crate::{Db, Result, Tx, cases, on};
use domain::relay_retry;
use domain::rng::Rng;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The meter shows the desired state.
    Done,
    /// The relay did not follow.
    Disobeyed,
    /// The meter does not accept the password, or none is configured. It is not retried:
    /// a meter locks itself after a few attempts.
    NotPermitted,
}

/// Ends a command as done, or as failed with a case. Nothing changes if it has ended already.
pub async fn observed(db: &Db, rng: &Rng, at: Timestamp, command: &Command, ending: Ending, mut seen: RelayCase) -> Result<()> {
    let mut tx = db.begin().await?;
    let detail = CaseDetail::Relay(seen.clone()).to_json();
    let (state, reason, action) = match ending {
        Ending::Done => (CommandState::Done, None, AuditAction::CommandDone),
        Ending::Disobeyed => (CommandState::Failed, Some(CommandReason::Relay), AuditAction::CommandDisobeyed),
        Ending::NotPermitted => (CommandState::Failed, Some(CommandReason::Password), AuditAction::CommandNotPermitted),
    };
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = $1, finished_at = $2, reason = $3 WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(state)
    .bind(at)
    .bind(reason)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Ok(());
    }
    let case = match ending {
        Ending::Done => None,
        Ending::Disobeyed => {
            let tries = not_followed(&mut tx, command).await?;
            (seen.tries, seen.next_at) = (tries, tries.map(|tries| at.plus(relay_retry::pause(tries))));
            Some(CaseDetail::Relay(seen))
        }
        Ending::NotPermitted => Some(CaseDetail::Password(seen)),
    };
    if let Some(case) = case {
        cases::follow(&mut tx, rng, at, command.meter_id, &case).await?;
    }
    record(&mut tx, at, command, action, &detail).await?;
    tx.commit().await
}

/// How many commands in a row the relay did not follow; `None` where the system does not command it again by itself.
async fn not_followed(tx: &mut Tx, command: &Command) -> Result<Option<i64>> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT",
        not_followed!("w.meter_id", "w.closed"),
        "FROM wallets w JOIN commands c ON c.meter_id = w.meter_id AND c.relay_closed = w.closed WHERE c.id = $1"
    ))
    .bind(command.id)
    .fetch_optional(c)
    .await)?;
    Ok(row.map(|(failures,)| failures))
}
