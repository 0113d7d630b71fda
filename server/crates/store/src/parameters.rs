//! The parameters of each meter as last read, and whether somebody else changed them.

use model::case::{CaseDetail, ParametersCase};
use model::ids::MeterId;
use model::parameters::Parameters;
use model::time::Timestamp;

use super::{Db, JsonText, Result, Tx, cases, on, read};
use domain::rng::Rng;

/// The parameter version of each meter, and when it was read.
pub async fn versions(db: &Db) -> Result<Vec<(MeterId, i64, Timestamp)>> {
    read!(db, |pool| sqlx::query_as("SELECT meter_id, version, read_at FROM meter_parameters").fetch_all(pool).await)
}

/// A meter's parameters and when they were read.
pub async fn find(db: &Db, meter: MeterId) -> Result<Option<(Parameters, Timestamp)>> {
    let row: Option<(JsonText<Parameters>, Timestamp)> =
        read!(db, |pool| sqlx::query_as("SELECT parameters, read_at FROM meter_parameters WHERE meter_id = $1")
            .bind(meter)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(|(JsonText(parameters), at)| (parameters, at)))
}

/// The same in the caller's transaction, without the instant.
pub(super) async fn find_in(tx: &mut Tx, meter: MeterId) -> Result<Option<Parameters>> {
    let row: Option<(JsonText<Parameters>,)> =
        on!(tx, |c| sqlx::query_as("SELECT parameters FROM meter_parameters WHERE meter_id = $1")
            .bind(meter)
            .fetch_optional(c)
            .await)?;
    Ok(row.map(|(JsonText(parameters),)| parameters))
}

/// Stores parameters; `at` is when the meter showed that version. A meter counts the parameter commands that it accepts; if it
/// counted more than this server sent since the last time, somebody else holds the keys, and a case is opened.
pub async fn store(db: &Db, rng: &Rng, at: Timestamp, meter: MeterId, version: u16, parameters: &Parameters) -> Result<()> {
    let mut tx = db.begin().await?;
    let before: Option<(i64, Timestamp)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT version, read_at FROM meter_parameters WHERE meter_id = $1")
            .bind(meter)
            .fetch_optional(c)
            .await)?;
    if let Some((counted, since)) = before {
        let sent: Option<(i64,)> = on!(&mut tx, |c| sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM commands
             WHERE meter_id = $1 AND NOT money AND kind NOT IN ('mode', 'switch', 'relay', 'read', 'in_force')
               AND sent_at IS NOT NULL AND COALESCE(finished_at, $2) >= $3"
        )
        .bind(meter)
        .bind(at)
        .bind(since)
        .fetch_optional(c)
        .await)?;
        let sent = sent.map_or(0, |(sent,)| sent);
        let accepted = (i64::from(version) - counted).rem_euclid(i64::from(u16::MAX) + 1);
        if accepted > sent {
            let case = CaseDetail::Parameters(ParametersCase { since, accepted, sent });
            cases::follow(&mut tx, rng, at, meter, &case).await?;
        }
    }
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO meter_parameters (meter_id, version, read_at, parameters) VALUES ($1, $2, $3, $4)
         ON CONFLICT (meter_id) DO UPDATE SET version = excluded.version, read_at = excluded.read_at,
                                              parameters = excluded.parameters"
    )
    .bind(meter)
    .bind(i64::from(version))
    .bind(at)
    .bind(JsonText(parameters))
    .execute(c)
    .await)?;
    tx.commit().await
}
