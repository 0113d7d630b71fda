//! Batches: one decision for many meters, stored in one transaction with a command for each meter and the audit line.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use model::audit::AuditAction;
use model::command::CommandKind;
use model::error::AppError;
use model::ids::{BatchId, CommandId, MeterId, UserId};
use model::issue::{Issue, Kind};
use model::order::CommandState;
use model::parameters::Limits;
use model::person::Who;
use model::time::{MINUTE, Timestamp};

use super::audit::{self, Entry};
use super::bulk::Bulk;
use super::json_text::JsonText;
use super::{Db, Result, Tx, approvals, on, overdrafts, wallets};
use domain::command_args::CommandArgs;
use domain::rng::Rng;

/// How long after the switch-over a meter is checked for the planned prices.
const CHECK_AFTER: i64 = MINUTE;

static COMMANDS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO commands (id, meter_id, kind, args, relay_closed, money, priority, state, next_at, decided_by,
                               decided_at, batch_id)",
        12,
        "",
    )
});

/// A batch to store.
#[derive(Clone, Debug)]
pub struct NewBatch<'a> {
    /// Made with the form: a form that is sent twice makes one batch.
    pub id: BatchId,
    pub issue: &'a Issue,
    pub meters: &'a [MeterId],
}

/// A command of a batch.
struct BatchCommand {
    id: CommandId,
    meter: MeterId,
    args: CommandArgs,
    next_at: Timestamp,
}

/// Where the prices of a command come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PricesFrom {
    /// The meters' own plans, whose versions a second person approved; or the command sets none.
    Plan,
    /// Whoever issues it: only where nobody else could approve them.
    Hand,
}

impl PricesFrom {
    async fn require(self, tx: &mut Tx, at: Timestamp, who: UserId) -> Result<()> {
        if self == Self::Hand && approvals::waits_for_another_within(tx, at, who).await? {
            return Err(AppError::PricesByPlan.into());
        }
        Ok(())
    }
}

/// Stores a batch. It supersedes queued commands of the same kind: modes and switches the older ones, planned prices and their
/// cancellation an older plan.
///
/// # Errors
/// Refused with [`AppError::Invalid`] without meters; with [`AppError::PricesByPlan`] for prices that are nobody's plan, where a
/// second person could approve them. A batch that is stored already is no error.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, who: &Who, batch: &NewBatch<'_>, prices: PricesFrom) -> Result<()> {
    if batch.meters.is_empty() {
        return Err(AppError::Invalid.into());
    }
    let mut tx = db.begin().await?;
    prices.require(&mut tx, at, who.user).await?;
    if !create_in(&mut tx, rng, at, who.user, batch).await? {
        return Ok(());
    }
    let detail =
        serde_json::json!({ "kind": batch.issue.kind(), "issue": batch.issue, "meters": batch.meters.len() }).to_string();
    record(&mut tx, at, who, AuditAction::BatchCreate, batch.id, &detail).await?;
    tx.commit().await
}

/// The same in the caller's transaction, without an audit line. Gives whether it was new.
pub(super) async fn create_in(tx: &mut Tx, rng: &Rng, at: Timestamp, by: UserId, batch: &NewBatch<'_>) -> Result<bool> {
    let effective_at = match batch.issue {
        Issue::Standby { at, .. } => Some(*at),
        _ => None,
    };
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO batches (id, kind, issue, effective_at, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING"
    )
    .bind(batch.id)
    .bind(batch.issue.kind())
    .bind(JsonText(batch.issue))
    .bind(effective_at)
    .bind(by)
    .bind(at)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Ok(false);
    }
    insert(tx, rng, at, by, batch).await?;
    supersede(tx, at, batch.id, batch.issue.kind()).await?;
    Ok(true)
}

/// Stores a command for each meter; for planned prices also one that checks them after their instant.
async fn insert(tx: &mut Tx, rng: &Rng, at: Timestamp, by: UserId, batch: &NewBatch<'_>) -> Result<()> {
    let mut commands: Vec<BatchCommand> = Vec::with_capacity(batch.meters.len());
    // In the order of the meters, so that two transactions never wait for each other's wallets.
    let mut meters = batch.meters.to_vec();
    meters.sort_unstable();
    let on_ledger = wallets::all(tx).await?;
    let raised = if batch.issue.kind() == Kind::Limits { overdrafts::raised(tx).await? } else { HashMap::new() };
    for &meter in &meters {
        let decided = if on_ledger.contains(&meter) { decide(tx, rng, at, meter, batch.issue).await? } else { None };
        let args = match (decided, batch.issue, raised.get(&meter)) {
            (Some(closed), ..) => CommandArgs::Relay { closed },
            // The limit that friendly hours raised stays until they end; then the issued one applies.
            (None, Issue::Limits(limits), Some(raised)) => {
                Issue::Limits(Limits { overdraft: limits.overdraft.max(*raised), ..*limits }).into()
            }
            (None, issue, _) => issue.clone().into(),
        };
        commands.push(BatchCommand { id: CommandId(rng.id(at)), meter, args, next_at: at });
    }
    if let Issue::Standby { at: instant, prices } = *batch.issue {
        let next_at = if instant > at { instant.plus(CHECK_AFTER) } else { at };
        let args = CommandArgs::InForce { prices, at: instant };
        let check = |&meter| BatchCommand { id: CommandId(rng.id(at)), meter, args: args.clone(), next_at };
        commands.extend(meters.iter().map(check));
    }
    for (text, piece) in COMMANDS.pieces(tx, &commands) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for command in piece {
                let kind = command.args.kind();
                query = query
                    .bind(command.id)
                    .bind(command.meter)
                    .bind(kind)
                    .bind(JsonText(&command.args))
                    .bind(command.args.relay_closed())
                    .bind(kind.moves_money())
                    .bind(kind.priority())
                    .bind(CommandState::Queued)
                    .bind(command.next_at)
                    .bind(by)
                    .bind(at)
                    .bind(batch.id);
            }
            query.execute(c).await
        })?;
    }
    Ok(())
}

/// A mode or switch of a server wallet is decided in the wallet: gives the position that its relay should have then.
async fn decide(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, issue: &Issue) -> Result<Option<bool>> {
    match issue {
        Issue::Mode(mode) => wallets::decide_mode(tx, rng, at, meter, *mode).await,
        Issue::Switch(on) => wallets::decide_switch(tx, rng, at, meter, *on).await,
        _ => Ok(None),
    }
}

async fn supersede(tx: &mut Tx, at: Timestamp, batch: BatchId, kind: Kind) -> Result<()> {
    let (first, second) = match kind {
        Kind::Mode | Kind::Switch => (kind.into(), CommandKind::Relay),
        Kind::Standby | Kind::Cancel => (CommandKind::Standby, CommandKind::InForce),
        _ => return Ok(()),
    };
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = 'superseded'
         WHERE state = 'queued' AND kind IN ($2, $3) AND (batch_id IS NULL OR batch_id <> $4)
           AND meter_id IN (SELECT meter_id FROM commands WHERE batch_id = $4)"
    )
    .bind(at)
    .bind(first)
    .bind(second)
    .bind(batch)
    .execute(c)
    .await)?;
    Ok(())
}

/// Sends a batch again to those of `meters` that have no command of it under way. Gives to how many.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown batch.
pub async fn retry(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    (batch, meters): (BatchId, &[MeterId]),
    prices: PricesFrom,
) -> Result<usize> {
    let mut tx = db.begin().await?;
    prices.require(&mut tx, at, who.user).await?;
    // The update locks the row, so that two retries at once do not send twice.
    let found: Option<(JsonText<Issue>,)> =
        on!(&mut tx, |c| sqlx::query_as("UPDATE batches SET kind = kind WHERE id = $1 RETURNING issue")
            .bind(batch)
            .fetch_optional(c)
            .await)?;
    let (JsonText(issue),) = found.ok_or(AppError::NotFound)?;
    let ended: Vec<(MeterId,)> = on!(&mut tx, |c| sqlx::query_as(
        // The check of planned prices waits until their instant: only while it is being made is it under way.
        "SELECT meter_id FROM commands WHERE batch_id = $1
         GROUP BY meter_id
         HAVING MAX(CASE WHEN state = 'sending' OR (state = 'queued' AND kind <> 'in_force') THEN 1 ELSE 0 END) = 0"
    )
    .bind(batch)
    .fetch_all(c)
    .await)?;
    let ended: HashSet<MeterId> = ended.into_iter().map(|(id,)| id).collect();
    let again: Vec<MeterId> = meters.iter().copied().filter(|meter| ended.contains(meter)).collect();
    if again.is_empty() {
        return Ok(0);
    }
    for meter in &again {
        // The new command brings a check of its own.
        on!(&mut tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $1, reason = 'superseded'
             WHERE batch_id = $2 AND meter_id = $3 AND kind = 'in_force' AND state = 'queued'"
        )
        .bind(at)
        .bind(batch)
        .bind(meter)
        .execute(c)
        .await)?;
    }
    insert(&mut tx, rng, at, who.user, &NewBatch { id: batch, issue: &issue, meters: &again }).await?;
    let detail = serde_json::json!({ "kind": issue.kind(), "meters": again.len() }).to_string();
    record(&mut tx, at, who, AuditAction::BatchRetry, batch, &detail).await?;
    tx.commit().await?;
    Ok(again.len())
}

/// Cancels the commands of these meters that were not sent yet. Gives how many. A decision about a server wallet is in force at
/// once and cannot be cancelled.
pub async fn cancel(db: &Db, at: Timestamp, who: &Who, batch: BatchId, meters: &[MeterId]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut taken = 0;
    for meter in meters {
        taken += on!(&mut tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $1, reason = 'cancelled'
             WHERE batch_id = $2 AND meter_id = $3 AND state = 'queued' AND attempts = 0 AND kind NOT IN ('in_force', 'relay')"
        )
        .bind(at)
        .bind(batch)
        .bind(meter)
        .execute(c)
        .await)?;
    }
    // Prices that are not sent are not checked.
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = 'cancelled'
         WHERE batch_id = $2 AND state = 'queued' AND kind = 'in_force'
           AND EXISTS (SELECT 1 FROM commands s WHERE s.batch_id = $2 AND s.meter_id = commands.meter_id AND s.kind = 'standby'
                       AND s.reason = 'cancelled' AND s.finished_at = $1)"
    )
    .bind(at)
    .bind(batch)
    .execute(c)
    .await)?;
    if taken == 0 {
        return Ok(0);
    }
    let detail = serde_json::json!({ "commands": taken }).to_string();
    record(&mut tx, at, who, AuditAction::BatchCancel, batch, &detail).await?;
    tx.commit().await?;
    Ok(taken)
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, batch: BatchId, detail: &str) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("batch:{batch}"));
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail }).await
}
