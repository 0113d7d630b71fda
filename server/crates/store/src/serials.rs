//! A meter that was replaced: an operator confirms the serial number that answers at its address.

use model::case::{CaseDetail, CaseKind};
use model::console::SeenCase;
use model::error::AppError;
use model::ids::{CaseId, MeterId};
use model::person::Who;
use model::time::Timestamp;

use super::console::{above, close_in, note_closed, within};
use super::{Db, Result, meters, on, read};

/// The meter that an open case about a serial number is about.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is none that the operator may see.
pub async fn meter_of_case(db: &Db, who: &Who, case: CaseId) -> Result<MeterId> {
    let row: Option<(MeterId,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id FROM cases c JOIN meters m ON m.id = c.meter_id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE c.id = $2 AND c.kind = 'identity' AND c.closed_at IS NULL AND",
        within!()
    ))
    .bind(who.user)
    .bind(case)
    .fetch_optional(pool)
    .await)?;
    row.map(|(meter,)| meter).ok_or_else(|| AppError::NotFound.into())
}

/// Gives the meter the serial number of the case, which `answers` at its address now, and closes the case, with the audit line in
/// one transaction. The counter of the new meter has its own case.
///
/// # Errors
/// Refused with [`AppError::NotFound`] and [`AppError::Conflict`] as [`super::console::close_case`] is, and with
/// [`AppError::Conflict`] if another number than the case's answers, [`AppError::SerialTaken`], or
/// [`AppError::MeterInUse`] if the old one holds money of an account: it is replaced with its last reading.
pub async fn confirm(db: &Db, at: Timestamp, who: &Who, seen: SeenCase, answers: &str, resolution: &str) -> Result<()> {
    let (mut tx, case) = (db.begin().await?, seen.case);
    let (kind, meter) = close_in(&mut tx, at, who, seen, resolution).await?;
    let meter = meter.filter(|_| kind == CaseKind::Identity).ok_or(AppError::NotFound)?;
    let found: Option<(String, String)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT c.detail, m.serial FROM cases c JOIN meters m ON m.id = c.meter_id WHERE c.id = $1"
    )
    .bind(case)
    .fetch_optional(c)
    .await)?;
    let (detail, was) = found.ok_or(AppError::NotFound)?;
    let CaseDetail::Identity { answers: serial } = CaseDetail::from_json(kind, &detail)? else {
        return Err(AppError::NotFound.into());
    };
    if serial != answers {
        return Err(AppError::Conflict.into());
    }
    meters::lock(&mut tx, meter).await?.ok_or(AppError::Conflict)?;
    let taken = on!(&mut tx, |c| sqlx::query(
        "UPDATE meters SET serial = $1 WHERE id = $2 AND retired_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM meters o WHERE o.serial = $1 AND o.retired_at IS NULL)
           AND NOT (wallet = 'meter' AND EXISTS (SELECT 1 FROM account_meters a WHERE a.meter_id = $2 AND a.to_at IS NULL))"
    )
    .bind(&serial)
    .bind(meter)
    .execute(c)
    .await)?;
    if taken == 0 {
        let other: Option<(MeterId,)> =
            on!(&mut tx, |c| sqlx::query_as("SELECT id FROM meters WHERE serial = $1 AND retired_at IS NULL")
                .bind(&serial)
                .fetch_optional(c)
                .await)?;
        return Err(if other.is_some() { AppError::SerialTaken } else { AppError::MeterInUse }.into());
    }
    let detail = serde_json::json!({ "kind": kind, "resolution": resolution, "meter": meter, "was": was, "serial": serial });
    note_closed(&mut tx, at, who, case, &detail).await?;
    tx.commit().await
}
