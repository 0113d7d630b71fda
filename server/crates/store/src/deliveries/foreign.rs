//! The end of a command that closed an account which the books do not know.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::meter::ControlMode;
use model::money::Fen;
use model::time::Timestamp;

use super::ledger_check::expect_mode;
use super::settle::record;
use crate::commands::Command;
use crate::{Db, Result, cases, on};

/// The command is done: no account is open in the meter. `amount` is what the account held; `None` where another command closed
/// it. The money of that account is not in this ledger, so nothing is posted; the audit line keeps the amount.
pub async fn foreign_closed(db: &Db, at: Timestamp, command: &Command, number: &str, amount: Option<Fen>) -> Result<()> {
    let mut tx = db.begin().await?;
    let finished = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'done', finished_at = $1, reason = NULL WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(command.id)
    .execute(c)
    .await)?;
    if finished != 1 {
        return Ok(());
    }
    expect_mode(&mut tx, command.meter_id, Some(ControlMode::Prepaid)).await?;
    let account: Option<(model::ids::AccountId,)> = on!(&mut tx, |c| {
        sqlx::query_as("SELECT account_id FROM account_meters WHERE meter_id = $1 AND to_at IS NULL")
            .bind(command.meter_id)
            .fetch_optional(c)
            .await
    })?;
    if account.is_none() {
        cases::resolve(&mut tx, at, CaseKind::MeterChanged, command.meter_id, "foreign-closed").await?;
    }
    let detail = serde_json::json!({ "account": number, "amount_fen": amount }).to_string();
    record(&mut tx, at, command, AuditAction::AccountForeignClosed, &detail).await?;
    tx.commit().await
}
