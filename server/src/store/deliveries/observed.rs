//! How a command of a plain meter ends: as it was observed.

use app::model::ids::MeterId;
use app::model::time::Timestamp;

use super::settle::record;
use crate::rng::Rng;
use crate::store::commands::Command;
use crate::store::{Db, Result, cases, on};

/// The command is done as it was read back, or has failed because the relay does not obey: then a case is open for a person.
/// Nothing changes where it has ended meanwhile.
///
/// # Errors
/// Where the database fails; then nothing was settled.
pub async fn observed(db: &Db, rng: &Rng, at: Timestamp, command: &Command, obeyed: bool, detail: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let (state, note) = if obeyed { ("done", None) } else { ("failed", Some(super::note::RELAY)) };
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
    if !obeyed {
        cases::open(&mut tx, rng, at, cases::kind::RELAY, Some(MeterId(command.meter_id)), None, detail).await?;
    }
    let action = if obeyed { "command.done" } else { "command.disobeyed" };
    record(&mut tx, at, command, action, detail).await?;
    tx.commit().await
}
