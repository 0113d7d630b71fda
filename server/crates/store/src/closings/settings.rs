//! The settings that a new meter takes over from the old one: limits, prices, tiers, tables and mode, each a command of the
//! outbox.

use model::ids::{BatchId, MeterId, UserId};
use model::issue::Issue;
use model::meter::{ControlMode, StatusWord, Wallet};
use model::time::Timestamp;

use crate::batches::{self, NewBatch};
use crate::{JsonText, Result, Tx, on, overdrafts, parameters, wallets};
use domain::command_args::{CommandArgs, StoredArgs};
use domain::rng::Rng;
use domain::settings::carried;

/// The settings of the old meter; none for a server wallet. Call it before the old meter is retired, which cancels
/// its pending commands.
pub(super) async fn of(tx: &mut Tx, now: Timestamp, old: MeterId) -> Result<Vec<Issue>> {
    if wallets::kind(tx, old).await? != Wallet::Meter {
        return Ok(Vec::new());
    }
    let mut known = parameters::find_in(tx, old).await?;
    // Without what the server raised for friendly hours: it raises the new meter's limit by itself.
    if let Some((known, base)) = known.as_mut().zip(overdrafts::base(tx, old).await?) {
        known.limits.overdraft = base;
    }
    let status: Option<(i64,)> =
        on!(tx, |c| sqlx::query_as("SELECT status FROM meter_latest WHERE meter_id = $1").bind(old.0).fetch_optional(c).await)?;
    let mode = status.and_then(|(word,)| u16::try_from(word).ok()).map_or(ControlMode::Prepaid, |word| StatusWord(word).mode());
    // Also commands that people decided and that are waiting or were done after the last reading.
    let pending: Vec<(JsonText<StoredArgs>, Option<JsonText<Issue>>)> = on!(tx, |c| sqlx::query_as(
        "SELECT c.args, b.issue FROM commands c LEFT JOIN batches b ON b.id = c.batch_id
         WHERE c.meter_id = $1 AND NOT c.money AND (c.kind <> 'limits' OR c.decided_by IS NOT NULL)
           AND (c.state IN ('queued', 'sending') OR (c.state = 'done' AND c.finished_at >= COALESCE(
                CASE WHEN c.kind = 'mode' THEN (SELECT observed_at FROM meter_latest l WHERE l.meter_id = c.meter_id)
                     ELSE (SELECT read_at FROM meter_parameters p WHERE p.meter_id = c.meter_id) END, 0)))
         ORDER BY c.decided_at, c.id"
    )
    .bind(old.0)
    .fetch_all(c)
    .await)?;
    let pending: Vec<Issue> = pending.into_iter().filter_map(|(JsonText(args), issue)| issued(args, issue)).collect();
    Ok(carried(known.as_ref(), mode, &pending, now))
}

/// What a person issued by a command: of limits without the overdraft that was raised for friendly hours.
fn issued(args: StoredArgs, issue: Option<JsonText<Issue>>) -> Option<Issue> {
    match (args, issue) {
        (StoredArgs::Known(CommandArgs::Issue(Issue::Limits(_))), Some(JsonText(issue))) => Some(issue),
        (StoredArgs::Known(CommandArgs::Issue(issue)), _) => Some(issue),
        _ => None,
    }
}

/// Sends the settings to the new meter, each as a batch of one meter, so that it can be followed and tried again. The caller
/// writes the audit line.
pub(super) async fn tell(tx: &mut Tx, rng: &Rng, at: Timestamp, by: UserId, new: MeterId, issues: &[Issue]) -> Result<()> {
    for issue in issues {
        let batch = NewBatch { id: BatchId(rng.id(at)), issue, meters: &[new] };
        batches::create_in(tx, rng, at, by, &batch).await?;
    }
    Ok(())
}
