//! The relay controller: a relay that was read in the wrong position gets one command. So a meter that was lost while its credit
//! ran out is tripped when it answers again, and a relay that was moved by hand is moved back.

use model::ids::{CommandId, MeterId};
use model::time::{SECOND, Timestamp};

use crate::commands::{self, NewCommand};
use crate::{Db, Result, on, read};
use domain::command_args::CommandArgs;
use domain::rng::Rng;

/// After this long a relay that did not follow, or was not read since, gets another command.
pub const AGAIN: i64 = 30 * SECOND;

macro_rules! differing {
    ($which:literal) => {
        concat!(
            "SELECT w.meter_id, w.closed FROM wallets w
             JOIN meters m ON m.id = w.meter_id AND m.retired_at IS NULL
             JOIN meter_latest l ON l.meter_id = w.meter_id AND l.lost_since IS NULL AND l.observed_at IS NOT NULL
             WHERE (l.status % 2 = 1) <> w.closed
               AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = w.meter_id AND k.kind = 'password'
                               AND k.closed_at IS NULL)
               AND NOT EXISTS (
                 SELECT 1 FROM commands c WHERE c.meter_id = w.meter_id AND c.kind = 'relay' AND (
                     c.state = 'sending'
                     OR (c.relay_closed = w.closed AND (c.state = 'queued' OR c.finished_at > $1))))",
            $which
        )
    };
}

/// Stores the missing relay commands of wallets that changed since then, or of all; gives how many. A meter that rejected the
/// password gets none while its case is open: some lock themselves for a day after a few wrong ones.
pub async fn reconcile(db: &Db, rng: &Rng, at: Timestamp, since: Option<Timestamp>) -> Result<usize> {
    let again = at.plus(-AGAIN);
    let differing: Vec<(MeterId, bool)> = match since {
        Some(since) => {
            read!(db, |pool| sqlx::query_as(differing!(" AND w.changed_at >= $2")).bind(again).bind(since).fetch_all(pool).await)?
        }
        None => read!(db, |pool| sqlx::query_as(differing!("")).bind(again).fetch_all(pool).await)?,
    };
    let mut stored = 0;
    for (meter, closed) in differing {
        let mut tx = db.begin().await?;
        let still = on!(&mut tx, |c| sqlx::query("UPDATE wallets SET closed = closed WHERE meter_id = $1 AND closed = $2")
            .bind(meter)
            .bind(closed)
            .execute(c)
            .await)?;
        if still == 1 {
            let args = CommandArgs::Relay { closed };
            let command = NewCommand::setting(CommandId(rng.id(at)), meter, args, None);
            commands::enqueue(&mut tx, at, &command).await?;
            tx.commit().await?;
            stored += 1;
        }
    }
    Ok(stored)
}
