//! Commands that change nothing in the meter: readings and checks.

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind, PricesCase};
use model::command::{CommandKind, CommandReason};
use model::ids::MeterId;
use model::time::Timestamp;

use crate::audit::{self, Entry};
use crate::commands::Command;
use crate::{Db, Result, cases, on, read};
use domain::rng::Rng;

/// Whether a reading of the meter at or after that instant is stored.
pub async fn is_read_since(db: &Db, meter: MeterId, since: Timestamp) -> Result<bool> {
    let row: Option<(Timestamp,)> =
        read!(db, |pool| sqlx::query_as("SELECT at FROM readings WHERE meter_id = $1 AND at >= $2 LIMIT 1")
            .bind(meter)
            .bind(since)
            .fetch_optional(pool)
            .await)?;
    Ok(row.is_some())
}

/// Counts an attempt. Gives whether the command has not ended.
pub async fn begin(db: &Db, at: Timestamp, command: &Command) -> Result<bool> {
    let mut tx = db.begin().await?;
    let counted = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', attempts = attempts + 1, sent_at = COALESCE(sent_at, $1)
         WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(command.id)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(counted == 1)
}

/// Defers one command.
pub async fn defer(db: &Db, command: &Command, until: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE commands SET next_at = $1 WHERE id = $2 AND state IN ('queued', 'sending')")
        .bind(until)
        .bind(command.id)
        .execute(c)
        .await)?;
    tx.commit().await
}

/// The command is done. Prices in force close the case about a missed price switch.
pub async fn done(db: &Db, at: Timestamp, command: &Command) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'done', finished_at = $1, reason = NULL WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(command.id)
    .execute(c)
    .await)?;
    if command.kind == CommandKind::InForce {
        on!(&mut tx, |c| sqlx::query(
            "UPDATE cases SET closed_at = $1, resolution = 'in-force' WHERE meter_id = $2 AND kind = $3 AND closed_at IS NULL"
        )
        .bind(at)
        .bind(command.meter_id)
        .bind(CaseKind::Prices)
        .execute(c)
        .await)?;
    }
    tx.commit().await
}

/// The meter could not be read: the command fails with the reason.
pub async fn unread(db: &Db, at: Timestamp, command: &Command, reason: CommandReason) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, reason = $2 WHERE id = $3 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(reason)
    .bind(command.id)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Planned prices are not in force: the check fails and opens a case.
pub async fn missed_price_switch(db: &Db, rng: &Rng, at: Timestamp, command: &Command, missed: PricesCase) -> Result<()> {
    let case = CaseDetail::Prices(missed);
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, reason = $2 WHERE id = $3 AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(CommandReason::Missed)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Ok(());
    }
    let meter = command.meter_id;
    cases::open(&mut tx, rng, at, Some(meter), None, &case).await?;
    let subject = format!("meter:{meter}");
    let entry = Entry { actor: "system", ip: "", action: AuditAction::PricesMissed, subject: &subject, detail: &case.to_json() };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
