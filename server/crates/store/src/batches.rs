//! One decision for many meters: the batch, a command a meter, and the audit line in one transaction, whether for one meter or for
//! thousands. Each command then goes its own way; the batch is what they have in common.

use std::sync::LazyLock;

use model::error::AppError;
use model::ids::{BatchId, MeterId, UserId};
use model::issue::{Issue, Kind};
use model::person::Who;
use model::time::{MINUTE, Timestamp};
use uuid::Uuid;

use super::audit::{self, Entry};
use super::bulk::Bulk;
use super::commands::priority;
use super::{Db, Result, StoreError, Tx, on, wallets};
use domain::rng::Rng;

/// A meter is asked this long after its switch-over whether the planned prices are in force.
const LOOK_AFTER: i64 = MINUTE;

static COMMANDS: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO commands (id, meter_id, kind, args, money, priority, state, next_at, decided_by, decided_at, batch_id)",
        11,
        "",
    )
});

/// A batch as it is decided.
#[derive(Clone, Debug)]
pub struct NewBatch<'a> {
    /// Its id, made with the form: sent twice, it is one batch.
    pub id: BatchId,
    /// What its meters are told.
    pub issue: &'a Issue,
    /// To which; none twice.
    pub meters: &'a [MeterId],
}

struct Row {
    id: Uuid,
    meter: MeterId,
    kind: &'static str,
    args: String,
    priority: i64,
    next_at: i64,
}

const fn priority_of(kind: Kind) -> i64 {
    match kind {
        Kind::Mode | Kind::Switch => priority::RELAY,
        Kind::Read => priority::READ,
        _ => priority::SETTINGS,
    }
}

/// Decides a batch. Wishes of the same kind that were not sent yet give way to it: modes and switches to newer ones, planned prices
/// to a newer plan or a cancellation.
///
/// # Errors
/// Refused with [`AppError::Invalid`] where no meter is left. A batch that is known already is no error.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, who: &Who, batch: &NewBatch<'_>) -> Result<()> {
    if batch.meters.is_empty() {
        return Err(AppError::Invalid.into());
    }
    let mut tx = db.begin().await?;
    if !create_in(&mut tx, rng, at, who.user, batch).await? {
        return Ok(());
    }
    let (kind, args) = (batch.issue.kind(), batch.issue.args());
    let detail = serde_json::json!({ "kind": kind.as_str(), "args": args, "meters": batch.meters.len() }).to_string();
    record(&mut tx, at, who, "batch.create", batch.id, &detail).await?;
    tx.commit().await
}

/// The same in the caller's transaction; the audit line is the caller's. Gives whether it was not known before.
pub(super) async fn create_in(tx: &mut Tx, rng: &Rng, at: Timestamp, by: UserId, batch: &NewBatch<'_>) -> Result<bool> {
    let (kind, args) = (batch.issue.kind(), batch.issue.args());
    let effective_at = match batch.issue {
        Issue::Standby { at, .. } => Some(at.0),
        _ => None,
    };
    let inserted = on!(tx, |c| sqlx::query(
        "INSERT INTO batches (id, kind, args, effective_at, decided_by, decided_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING"
    )
    .bind(batch.id.0)
    .bind(kind.as_str())
    .bind(&args)
    .bind(effective_at)
    .bind(by.0)
    .bind(at.0)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Ok(false);
    }
    insert(tx, rng, at, by, batch.id, batch.issue, batch.meters).await?;
    supersede(tx, at, batch.id, kind).await?;
    Ok(true)
}

/// A command a meter; planned prices are looked for after their instant.
async fn insert(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    by: UserId,
    batch: BatchId,
    issue: &Issue,
    meters: &[MeterId],
) -> Result<()> {
    let (kind, args) = (issue.kind(), issue.args());
    let row =
        |meter: MeterId, kind, priority, next_at: i64| Row { id: rng.id(at), meter, kind, args: args.clone(), priority, next_at };
    let mut rows: Vec<Row> = Vec::with_capacity(meters.len());
    // In the order of the meters, so that two transactions never wait for each other's wallets.
    let mut meters = meters.to_vec();
    meters.sort_unstable();
    let on_ledger = wallets::all(tx).await?;
    for &meter in &meters {
        let told = row(meter, kind.as_str(), priority_of(kind), at.0);
        let decided = if on_ledger.contains(&meter) { decide(tx, rng, at, meter, issue).await? } else { None };
        rows.push(match decided {
            Some(closed) => Row { kind: "relay", args: wallets::relay_args(closed), ..told },
            None => told,
        });
    }
    if let Issue::Standby { at: instant, .. } = issue {
        let look = if *instant > at { instant.plus(LOOK_AFTER).0 } else { at.0 };
        // Behind everything else, so that it never overtakes the prices that it looks for.
        rows.extend(meters.iter().map(|meter| row(*meter, "in_force", priority::READ, look)));
    }
    for (text, piece) in COMMANDS.pieces(tx, &rows) {
        on!(tx, |c| {
            let mut query = sqlx::query(text);
            for row in piece {
                query = query
                    .bind(row.id)
                    .bind(row.meter.0)
                    .bind(row.kind)
                    .bind(&row.args)
                    .bind(false)
                    .bind(row.priority)
                    .bind("queued")
                    .bind(row.next_at)
                    .bind(by.0)
                    .bind(at.0)
                    .bind(batch.0);
            }
            query.execute(c).await
        })?;
    }
    Ok(())
}

/// Where the wallet is on the ledger, a mode or a switch is decided there: gives the relay as it should be then.
async fn decide(tx: &mut Tx, rng: &Rng, at: Timestamp, meter: MeterId, issue: &Issue) -> Result<Option<bool>> {
    match issue {
        Issue::Mode(mode) => wallets::decide_mode(tx, rng, at, meter, *mode).await,
        Issue::Switch(on) => wallets::decide_switch(tx, rng, at, meter, *on).await,
        _ => Ok(None),
    }
}

async fn supersede(tx: &mut Tx, at: Timestamp, batch: BatchId, kind: Kind) -> Result<()> {
    let (first, second) = match kind {
        Kind::Mode | Kind::Switch => (kind.as_str(), "relay"),
        Kind::Standby | Kind::Cancel => ("standby", "in_force"),
        _ => return Ok(()),
    };
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, note = 'superseded'
         WHERE state = 'queued' AND kind IN ($2, $3) AND (batch_id IS NULL OR batch_id <> $4)
           AND meter_id IN (SELECT meter_id FROM commands WHERE batch_id = $4)"
    )
    .bind(at.0)
    .bind(first)
    .bind(second)
    .bind(batch.0)
    .execute(c)
    .await)?;
    Ok(())
}

/// Sends again to the meters of a batch that did not do it; `meters` are those that the person may touch and means. Gives how
/// many are tried again.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such batch.
pub async fn retry(db: &Db, rng: &Rng, at: Timestamp, who: &Who, batch: BatchId, meters: &[MeterId]) -> Result<usize> {
    let mut tx = db.begin().await?;
    // The row is locked, so that two who press at once do not send twice.
    let known: Option<(String, String)> =
        on!(&mut tx, |c| sqlx::query_as("UPDATE batches SET kind = kind WHERE id = $1 RETURNING kind, args")
            .bind(batch.0)
            .fetch_optional(c)
            .await)?;
    let (kind, args) = known.ok_or(AppError::NotFound)?;
    let issue = Issue::stored(&kind, &args).ok_or(StoreError::Inconsistent { table: "batches", column: "args" })?;
    let open: Vec<(Uuid,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT meter_id FROM commands WHERE batch_id = $1
         GROUP BY meter_id HAVING MAX(CASE WHEN state IN ('queued', 'sending') THEN 1 ELSE 0 END) = 0"
    )
    .bind(batch.0)
    .fetch_all(c)
    .await)?;
    let open: std::collections::HashSet<Uuid> = open.into_iter().map(|(id,)| id).collect();
    let again: Vec<MeterId> = meters.iter().copied().filter(|meter| open.contains(&meter.0)).collect();
    if again.is_empty() {
        return Ok(0);
    }
    insert(&mut tx, rng, at, who.user, batch, &issue, &again).await?;
    let detail = serde_json::json!({ "kind": kind, "meters": again.len() }).to_string();
    record(&mut tx, at, who, "batch.retry", batch, &detail).await?;
    tx.commit().await?;
    Ok(again.len())
}

/// Takes back what was not sent yet, of these meters. Gives how many commands that were. What was decided on the ledger is in force
/// there: it takes another decision.
pub async fn cancel(db: &Db, at: Timestamp, who: &Who, batch: BatchId, meters: &[MeterId]) -> Result<u64> {
    let mut tx = db.begin().await?;
    let mut taken = 0;
    for meter in meters {
        taken += on!(&mut tx, |c| sqlx::query(
            "UPDATE commands SET state = 'superseded', finished_at = $1, note = 'cancelled'
             WHERE batch_id = $2 AND meter_id = $3 AND state = 'queued' AND attempts = 0 AND kind NOT IN ('in_force', 'relay')"
        )
        .bind(at.0)
        .bind(batch.0)
        .bind(meter.0)
        .execute(c)
        .await)?;
    }
    // Prices that are not sent are not looked for.
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, note = 'cancelled'
         WHERE batch_id = $2 AND state = 'queued' AND kind = 'in_force'
           AND EXISTS (SELECT 1 FROM commands s WHERE s.batch_id = $2 AND s.meter_id = commands.meter_id AND s.kind = 'standby'
                       AND s.note = 'cancelled' AND s.finished_at = $1)"
    )
    .bind(at.0)
    .bind(batch.0)
    .execute(c)
    .await)?;
    if taken == 0 {
        return Ok(0);
    }
    let detail = serde_json::json!({ "commands": taken }).to_string();
    record(&mut tx, at, who, "batch.cancel", batch, &detail).await?;
    tx.commit().await?;
    Ok(taken)
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: &'static str, batch: BatchId, detail: &str) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("batch:{batch}"));
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail }).await
}
