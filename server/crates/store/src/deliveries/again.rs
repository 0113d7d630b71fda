//! A person's next step after a delivery case: try again.

use model::error::AppError;
use model::ids::{CommandId, UserId};
use model::time::Timestamp;
use uuid::Uuid;

use crate::audit::{self, Entry};
use crate::{Db, Result, on, returns};

/// Who decides, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    pub by: UserId,
    /// For the audit chain.
    pub ip: &'a str,
    pub at: Timestamp,
}

/// Closes the case of a held money command and takes the command up again with the epoch and count it was claimed for. So the
/// money rule decides anew by what the meter shows, and trying again can never credit twice.
///
/// # Errors
/// Refused with [`AppError::Conflict`] where the command is not held any more.
pub async fn try_again(db: &Db, command: CommandId, decision: &Decision<'_>) -> Result<()> {
    let mut tx = db.begin().await?;
    let held: Option<(Uuid, Option<Uuid>)> = on!(&mut tx, |c| {
        sqlx::query_as(
        "UPDATE commands SET state = CASE WHEN count IS NULL THEN 'queued' ELSE 'sending' END, next_at = $1, finished_at = NULL,
                             result = NULL, note = NULL
         WHERE id = $2 AND state = 'case' AND money RETURNING meter_id, order_id"
    )
    .bind(decision.at.0)
    .bind(command.0)
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
    .bind(decision.at.0)
    .bind(decision.by.0)
    .bind(meter)
    .bind(order)
    .execute(c)
    .await)?;
    let entry = Entry {
        actor: &format!("user:{}", decision.by),
        ip: decision.ip,
        action: "command.try-again",
        subject: &format!("command:{command}"),
        detail: "{}",
    };
    audit::append(&mut tx, decision.at, &entry).await?;
    tx.commit().await
}
