//! An operator retries a delivery that became a case.

use model::audit::AuditAction;
use model::console::SeenCase;
use model::error::AppError;
use model::ids::{CommandId, MeterId, OrderId, UserId};
use model::time::Timestamp;

use crate::audit::{self, Entry};
use crate::console::case_work;
use crate::{Db, Result, on, returns};

/// Who retries it, from where, and when.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    pub by: UserId,
    /// For the audit chain.
    pub ip: &'a str,
    pub at: Timestamp,
    /// The case as it was decided on; `None`: whatever was done about it.
    pub seen: Option<SeenCase>,
}

/// Closes the case of a held money command and queues the command again with the epoch and count it was claimed for. The money
/// rule then decides by what the meter shows, so a retry never credits twice.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where the command is not held any more, [`AppError::CaseMoved`] if somebody worked on the
/// case since it was seen.
pub async fn try_again(db: &Db, command: CommandId, decision: &Decision<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let held: Option<(MeterId, Option<OrderId>)> = on!(&mut tx, |c| {
        sqlx::query_as(
        "UPDATE commands SET state = CASE WHEN count IS NULL THEN 'queued' ELSE 'sending' END, next_at = $1, finished_at = NULL,
                             result = NULL, reason = NULL
         WHERE id = $2 AND state = 'case' AND money RETURNING meter_id, order_id"
    )
    .bind(decision.at)
    .bind(command)
    .fetch_optional(c)
    .await
    })?;
    let Some((meter, order)) = held else { return Err(AppError::Conflict.into()) };
    on!(&mut tx, |c| sqlx::query("UPDATE orders SET state = 'paid' WHERE id = $1 AND state = 'case'")
        .bind(order)
        .execute(c)
        .await)?;
    returns::taken_up(&mut tx, command.0).await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, closed_by = $2, resolution = 'try-again'
         WHERE kind = 'delivery' AND closed_at IS NULL AND meter_id = $3 AND COALESCE(order_id, $3) = COALESCE($4, $3)"
    )
    .bind(decision.at)
    .bind(decision.by)
    .bind(meter)
    .bind(order)
    .execute(c)
    .await)?;
    if let Some(seen) = decision.seen {
        case_work::unmoved(&mut tx, seen).await?;
    }
    let entry = Entry {
        actor: &format!("user:{}", decision.by),
        ip: decision.ip,
        action: AuditAction::CommandTryAgain,
        subject: &format!("command:{command}"),
        detail: "{}",
    };
    audit::append(&mut tx, decision.at, &entry).await?;
    tx.commit().await
}
