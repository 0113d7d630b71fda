//! How a command of a meter without secured frames ends: by what was read back.

use model::audit::AuditAction;
use model::case::{CaseDetail, RelayCase};
use model::command::CommandReason;
use model::order::CommandState;
use model::time::Timestamp;

use super::settle::record;
use crate::commands::Command;
use crate::{Db, Result, cases, on};
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
pub async fn observed(db: &Db, rng: &Rng, at: Timestamp, command: &Command, ending: Ending, seen: RelayCase) -> Result<()> {
    let mut tx = db.begin().await?;
    let detail = CaseDetail::Relay(seen.clone()).to_json();
    let (state, reason, action, case) = match ending {
        Ending::Done => (CommandState::Done, None, AuditAction::CommandDone, None),
        Ending::Disobeyed => {
            (CommandState::Failed, Some(CommandReason::Relay), AuditAction::CommandDisobeyed, Some(CaseDetail::Relay(seen)))
        }
        Ending::NotPermitted => (
            CommandState::Failed,
            Some(CommandReason::Password),
            AuditAction::CommandNotPermitted,
            Some(CaseDetail::Password(seen)),
        ),
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
    if let Some(case) = case {
        cases::open(&mut tx, rng, at, Some(command.meter_id), None, &case).await?;
    }
    record(&mut tx, at, command, action, &detail).await?;
    tx.commit().await
}
