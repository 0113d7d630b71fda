//! How commands go and end that change nothing in the meter.

use model::case::{CaseDetail, CaseKind, PricesCase};
use model::ids::MeterId;
use model::time::Timestamp;

use crate::audit::{self, Entry};
use crate::commands::Command;
use crate::{Db, Result, cases, on, read};
use domain::rng::Rng;

/// Whether a reading of the meter from that instant on is stored.
pub async fn is_read_since(db: &Db, meter: MeterId, since: Timestamp) -> Result<bool> {
    let row: Option<(i64,)> =
        read!(db, |pool| sqlx::query_as("SELECT at FROM readings WHERE meter_id = $1 AND at >= $2 LIMIT 1")
            .bind(meter.0)
            .bind(since.0)
            .fetch_optional(pool)
            .await)?;
    Ok(row.is_some())
}

/// Counts a try. Gives whether the command still stands.
pub async fn begin(db: &Db, at: Timestamp, command: &Command) -> Result<bool> {
    let mut tx = db.begin().await?;
    let counted = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'sending', attempts = attempts + 1, sent_at = COALESCE(sent_at, $1)
         WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(command.id)
    .execute(c)
    .await)?;
    tx.commit().await?;
    Ok(counted == 1)
}

/// Puts off this command alone.
pub async fn defer(db: &Db, command: &Command, until: Timestamp) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query("UPDATE commands SET next_at = $1 WHERE id = $2 AND state IN ('queued', 'sending')")
        .bind(until.0)
        .bind(command.id)
        .execute(c)
        .await)?;
    tx.commit().await
}

/// What was asked for is seen. Prices that are in force close the case that they were missed.
pub async fn done(db: &Db, at: Timestamp, command: &Command) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'done', finished_at = $1, note = NULL WHERE id = $2 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(command.id)
    .execute(c)
    .await)?;
    if command.kind == "in_force" {
        on!(&mut tx, |c| sqlx::query(
            "UPDATE cases SET closed_at = $1, resolution = 'in-force' WHERE meter_id = $2 AND kind = $3 AND closed_at IS NULL"
        )
        .bind(at.0)
        .bind(command.meter_id)
        .bind(CaseKind::Prices)
        .execute(c)
        .await)?;
    }
    tx.commit().await
}

/// The meter could not be read; whoever asked is told why.
pub async fn unread(db: &Db, at: Timestamp, command: &Command, why: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, note = $2 WHERE id = $3 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(why)
    .bind(command.id)
    .execute(c)
    .await)?;
    tx.commit().await
}

/// Planned prices stay away: the look fails, and a case names the next step.
pub async fn missed(db: &Db, rng: &Rng, at: Timestamp, command: &Command, missed: PricesCase) -> Result<()> {
    let case = CaseDetail::Prices(missed);
    let mut tx = db.begin().await?;
    let ended = on!(&mut tx, |c| sqlx::query(
        "UPDATE commands SET state = 'failed', finished_at = $1, note = $2 WHERE id = $3 AND state IN ('queued', 'sending')"
    )
    .bind(at.0)
    .bind(super::note::MISSED)
    .bind(command.id)
    .execute(c)
    .await)?;
    if ended != 1 {
        return Ok(());
    }
    let meter = MeterId(command.meter_id);
    cases::open(&mut tx, rng, at, Some(meter), None, &case).await?;
    let subject = format!("meter:{meter}");
    let entry = Entry { actor: "system", ip: "", action: "prices.missed", subject: &subject, detail: &case.to_json() };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
