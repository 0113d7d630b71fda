//! Relays that were seen to stand otherwise than they should: each gets one command. So a meter that was lost while its credit ran
//! out is tripped when it comes back, and a relay that was moved by hand is moved back.

use model::ids::{CommandId, MeterId};
use model::time::{SECOND, Timestamp};
use uuid::Uuid;

use super::relay_args;
use crate::commands::{self, NewCommand, priority};
use crate::{Db, Result, on, read};
use domain::rng::Rng;

/// A relay that did not obey, or was not read since, is told again after this long.
pub const AGAIN: i64 = 30 * SECOND;

macro_rules! differing {
    ($which:literal) => {
        concat!(
            "SELECT w.meter_id, w.closed FROM wallets w
             JOIN meters m ON m.id = w.meter_id AND m.retired_at IS NULL
             JOIN meter_latest l ON l.meter_id = w.meter_id AND l.lost_since IS NULL AND l.observed_at IS NOT NULL
             WHERE (l.status % 2 = 1) <> w.closed
               AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = w.meter_id AND k.kind = 'password' AND k.closed_at IS NULL)
               AND NOT EXISTS (
                 SELECT 1 FROM commands c WHERE c.meter_id = w.meter_id AND c.kind = 'relay' AND (
                     c.state = 'sending'
                     OR c.args = CASE WHEN w.closed THEN '{\"closed\":true}' ELSE '{\"closed\":false}' END
                        AND (c.state = 'queued' OR c.finished_at > $1)))",
            $which
        )
    };
}

/// Stores the commands that are missing at wallets that have moved since then, or at all; gives how many. A meter that did not know
/// our password is left alone while its case is open: some listen to nobody for a day after a few wrong ones.
///
/// # Errors
/// Where the database fails; what was stored stays.
pub async fn reconcile(db: &Db, rng: &Rng, at: Timestamp, since: Option<Timestamp>) -> Result<usize> {
    let again = at.plus(-AGAIN).0;
    let differing: Vec<(Uuid, bool)> = match since {
        Some(since) => read!(db, |pool| sqlx::query_as(differing!(" AND w.changed_at >= $2"))
            .bind(again)
            .bind(since.0)
            .fetch_all(pool)
            .await)?,
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
            let command = NewCommand {
                id: CommandId(rng.id(at)),
                meter: MeterId(meter),
                account: None,
                order: None,
                kind: "relay",
                args: relay_args(closed),
                money: false,
                priority: priority::RELAY,
                by: None,
            };
            commands::enqueue(&mut tx, at, &command).await?;
            tx.commit().await?;
            stored += 1;
        }
    }
    Ok(stored)
}
