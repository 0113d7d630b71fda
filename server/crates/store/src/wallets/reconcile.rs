//! The relay controller: a relay that was read in the wrong position gets one command. So a meter that was lost while its credit
//! ran out is tripped when it answers again, and a relay that was moved by hand is moved back.

use model::ids::{CommandId, MeterId};
use model::time::Timestamp;
use sqlx::FromRow;

use crate::commands::{self, NewCommand};
use crate::{Db, Result, on, read};
use domain::command_args::CommandArgs;
use domain::relay_retry;
use domain::rng::Rng;

/// How often all wallets are checked, ms.
pub const AGAIN: i64 = relay_retry::FIRST;

/// How many commands in a row the relay of the meter `$meter` did not follow into the position `$closed`: since the last one that
/// it followed, and since a person closed its case.
macro_rules! not_followed {
    ($meter:literal, $closed:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM commands f WHERE f.meter_id = ",
            $meter,
            " AND f.kind = 'relay' AND f.state = 'failed'
                AND f.reason = 'relay' AND f.relay_closed = ",
            $closed,
            "
                AND f.finished_at > COALESCE((SELECT MAX(d.finished_at) FROM commands d
                                              WHERE d.meter_id = ",
            $meter,
            " AND d.kind = 'relay' AND d.state = 'done'), 0)
                AND f.finished_at > COALESCE((SELECT MAX(k.closed_at) FROM cases k
                                              WHERE k.meter_id = ",
            $meter,
            " AND k.kind = 'relay'), 0))"
        )
    };
}

pub(crate) use not_followed;

#[derive(FromRow)]
struct Differing {
    meter_id: MeterId,
    closed: bool,
    failures: i64,
    /// When the last command into this position ended.
    tried_at: Option<Timestamp>,
}

macro_rules! differing {
    ($which:literal) => {
        concat!(
            "SELECT w.meter_id, w.closed,",
            not_followed!("w.meter_id", "w.closed"),
            " AS failures,
                    (SELECT MAX(c.finished_at) FROM commands c WHERE c.meter_id = w.meter_id AND c.kind = 'relay'
                       AND c.relay_closed = w.closed AND c.finished_at > COALESCE(
                           (SELECT MAX(k.closed_at) FROM cases k
                            WHERE k.meter_id = w.meter_id AND k.kind = 'relay'), 0)) AS tried_at
             FROM wallets w
             JOIN meters m ON m.id = w.meter_id AND m.retired_at IS NULL
             JOIN meter_latest l ON l.meter_id = w.meter_id AND l.lost_since IS NULL AND l.observed_at IS NOT NULL
             WHERE (l.status % 2 = 1) <> w.closed
               AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = w.meter_id AND k.kind = 'password'
                               AND k.closed_at IS NULL)
               AND NOT EXISTS (
                 SELECT 1 FROM commands c WHERE c.meter_id = w.meter_id AND c.kind = 'relay' AND (
                     c.state = 'sending' OR (c.relay_closed = w.closed AND c.state = 'queued')))",
            $which
        )
    };
}

/// Stores the missing relay commands of wallets that changed since then, or of all; gives how many. A meter that rejected the
/// password gets none while its case is open: some lock themselves for a day after a few wrong ones. A relay that does not follow
/// gets the next one after a pause that doubles.
pub async fn reconcile(db: &Db, rng: &Rng, at: Timestamp, since: Option<Timestamp>) -> Result<usize> {
    let differing: Vec<Differing> = match since {
        Some(since) => read!(db, |pool| sqlx::query_as(differing!(" AND w.changed_at >= $1")).bind(since).fetch_all(pool).await)?,
        None => read!(db, |pool| sqlx::query_as(differing!("")).fetch_all(pool).await)?,
    };
    let mut stored = 0;
    let may_try = |row: &Differing| row.tried_at.is_none_or(|tried| at.since(tried) >= relay_retry::pause(row.failures));
    for Differing { meter_id: meter, closed, .. } in differing.into_iter().filter(may_try) {
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
