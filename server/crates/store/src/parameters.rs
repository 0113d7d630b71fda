//! What each meter's parameters were when last read, and whether somebody else changed them.

use model::case::{CaseDetail, ParametersCase};
use model::ids::MeterId;
use model::parameters::Parameters;
use model::time::Timestamp;
use uuid::Uuid;

use super::{Db, Result, StoreError, Tx, cases, on, read};
use domain::rng::Rng;

/// The version that is known of each meter, and since when.
pub async fn versions(db: &Db) -> Result<Vec<(Uuid, i64, i64)>> {
    read!(db, |pool| sqlx::query_as("SELECT meter_id, version, read_at FROM meter_parameters").fetch_all(pool).await)
}

/// A meter's parameters and when they were read.
///
/// # Errors
/// Where the database fails, or holds what nobody wrote.
pub async fn find(db: &Db, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>> {
    let row: Option<(String, i64)> =
        read!(db, |pool| sqlx::query_as("SELECT parameters, read_at FROM meter_parameters WHERE meter_id = $1")
            .bind(meter.0)
            .fetch_optional(pool)
            .await)?;
    let Some((text, at)) = row else { return Ok(None) };
    Ok(Some((parse(&text)?, Timestamp(at))))
}

/// The same in the caller's transaction, without the instant.
pub(super) async fn known(tx: &mut Tx, meter: MeterId) -> Result<Option<Parameters>> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as("SELECT parameters FROM meter_parameters WHERE meter_id = $1")
        .bind(meter.0)
        .fetch_optional(c)
        .await)?;
    row.map(|(text,)| parse(&text)).transpose()
}

fn parse(text: &str) -> Result<Parameters> {
    serde_json::from_str(text).map_err(|_| StoreError::Inconsistent { table: "meter_parameters", column: "parameters" })
}

/// Keeps what was read; `at` is when the meter showed that version. A meter counts the parameter commands that it accepts; where it
/// counted more than this server sent since the last time, somebody else holds the keys: a case.
pub async fn keep(db: &Db, rng: &Rng, at: Timestamp, meter: MeterId, version: u16, parameters: &Parameters) -> Result<()> {
    let text = serde_json::to_string(parameters)
        .map_err(|_| StoreError::Inconsistent { table: "meter_parameters", column: "parameters" })?;
    let mut tx = db.begin().await?;
    let before: Option<(i64, i64)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT version, read_at FROM meter_parameters WHERE meter_id = $1")
            .bind(meter.0)
            .fetch_optional(c)
            .await)?;
    if let Some((known, since)) = before {
        let sent: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM commands
             WHERE meter_id = $1 AND NOT money AND kind NOT IN ('mode', 'switch', 'relay', 'read', 'in_force')
               AND sent_at IS NOT NULL AND COALESCE(finished_at, $2) >= $3"
        )
        .bind(meter.0)
        .bind(at.0)
        .bind(since)
        .fetch_optional(c)
        .await)?;
        let sent = sent.map_or(0, |(sent,)| sent);
        let accepted = (i64::from(version) - known).rem_euclid(i64::from(u16::MAX) + 1);
        if accepted > sent {
            let case = CaseDetail::Parameters(ParametersCase { since: Timestamp(since), accepted, sent });
            cases::open(&mut tx, rng, at, Some(meter), None, &case).await?;
        }
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO meter_parameters (meter_id, version, read_at, parameters) VALUES ($1, $2, $3, $4)
         ON CONFLICT (meter_id) DO UPDATE SET version = excluded.version, read_at = excluded.read_at,
                                              parameters = excluded.parameters"
    )
    .bind(meter.0)
    .bind(i64::from(version))
    .bind(at.0)
    .bind(text)
    .execute(c)
    .await)?;
    tx.commit().await
}
