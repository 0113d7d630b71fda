//! How a command of a plain meter ends: as it was observed.

use model::case::{CaseDetail, RelayCase};
use model::ids::MeterId;
use model::time::Timestamp;

use super::note;
use super::settle::record;
use crate::commands::Command;
use crate::{Db, Result, cases, on};
use domain::rng::Rng;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The meter shows what was wished.
    Done,
    /// The relay does not obey.
    Disobeyed,
    /// The meter does not know our password, or there is none: asked again and again it would listen to nobody any more.
    NotPermitted,
}

/// The command is done as it was read back, or has failed: then a case is open for a person. Nothing changes where it has ended
/// meanwhile.
///
/// # Errors
/// Where the database fails; then nothing was settled.
pub async fn observed(db: &Db, rng: &Rng, at: Timestamp, command: &Command, ending: Ending, seen: RelayCase) -> Result<()> {
    let mut tx = db.begin().await?;
    let detail = CaseDetail::Relay(seen.clone()).to_json();
    let (state, note, action, case) = match ending {
        Ending::Done => ("done", None, "command.done", None),
        Ending::Disobeyed => ("failed", Some(note::RELAY), "command.disobeyed", Some(CaseDetail::Relay(seen))),
        Ending::NotPermitted => ("failed", Some(note::PASSWORD), "command.not-permitted", Some(CaseDetail::Password(seen))),
    };
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = $1, finished_at = $2, note = $3 WHERE id = $4 AND state IN ('queued', 'sending')"
    )
    .bind(state)
    .bind(at.0)
    .bind(note)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Ok(());
    }
    if let Some(case) = case {
        cases::open(&mut tx, rng, at, Some(MeterId(command.meter_id)), None, &case).await?;
    }
    record(&mut tx, at, command, action, &detail).await?;
    tx.commit().await
}
