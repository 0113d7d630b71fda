//! Instruments as people set them up: added, changed, retired, each with its audit line in one transaction.

mod circuits;
mod tree;

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{CircuitId, InstrumentId, Uuid};
use model::instrument::{CircuitSettings, InstrumentSettings};
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::places;
use domain::rng::Rng;
use store::audit;
use store::events::{self, Subject};
use store::{Db, Result, Tx, on};

pub use circuits::{begin_again, put, set_circuit};
pub use tree::check_tree;

/// Binds the settings of an instrument to $1 to $11.
macro_rules! with_settings {
    ($query:expr, $id:expr, $settings:expr) => {
        $query
            .bind($id)
            .bind($settings.place)
            .bind($settings.gateway)
            .bind(i64::from($settings.unit))
            .bind(&$settings.number)
            .bind(&$settings.name)
            .bind(&$settings.profile)
            .bind($settings.start.map(i64::from))
            .bind($settings.step)
            .bind($settings.pt)
            .bind(i64::from($settings.interval_s))
    };
}

/// Adds an instrument with its circuits. The caller has checked the permission, the place and the gateway.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for the gateway, [`AppError::NameTaken`] for the number, [`AppError::AddressTaken`], and
/// as [`check_tree`].
pub async fn add(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    settings: &InstrumentSettings,
    circuits: &[CircuitSettings],
) -> Result<InstrumentId> {
    let mut tx = db.begin().await?;
    let id = add_in(&mut tx, rng, at, settings).await?;
    for circuit in circuits {
        put(&mut tx, rng, at, id, circuit).await?;
    }
    check_tree(&mut tx).await?;
    let mut detail = detail(&mut tx, settings).await?;
    // Usually one for all.
    let mut ratios: Vec<i64> = circuits.iter().map(|circuit| circuit.ct.get()).collect();
    ratios.dedup();
    if let Some(detail) = detail.as_object_mut() {
        detail.insert("ct_ratio".to_owned(), json!(ratios));
    }
    record(&mut tx, at, who, AuditAction::InstrumentAdd, id, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Adds an instrument without circuits and audit line, in the caller's transaction.
pub async fn add_in(tx: &mut Tx, rng: &Rng, at: Timestamp, settings: &InstrumentSettings) -> Result<InstrumentId> {
    let id = InstrumentId(rng.id(at));
    check(tx, id, settings).await?;
    on!(tx, |c| with_settings!(
        sqlx::query(
            "INSERT INTO instruments (id, place_id, gateway_id, unit, number, name, profile, start_register, step_mwh, pt_ratio,
                                      interval_s, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        id,
        settings
    )
    .bind(at)
    .execute(c)
    .await)?;
    Ok(id)
}

/// Changes an instrument in service; its circuits and readings stay. The caller has checked as for [`add`].
///
/// # Errors
/// As [`add`].
pub async fn change(db: &Db, at: Timestamp, who: &Who, id: InstrumentId, settings: &InstrumentSettings) -> Result<()> {
    let mut tx = db.begin().await?;
    check(&mut tx, id, settings).await?;
    let locked = on!(&mut tx, |c| sqlx::query("UPDATE instruments SET name = name WHERE id = $1 AND retired_at IS NULL")
        .bind(id)
        .execute(c)
        .await)?;
    if locked == 0 {
        return Err(AppError::NotFound.into());
    }
    write(&mut tx, id, settings).await?;
    check_tree(&mut tx).await?;
    let detail = detail(&mut tx, settings).await?;
    record(&mut tx, at, who, AuditAction::InstrumentChange, id, &detail).await?;
    tx.commit().await
}

/// Writes the settings of an instrument, which is in service then, in the caller's transaction. The caller has called [`check`].
pub(crate) async fn write(tx: &mut Tx, id: InstrumentId, settings: &InstrumentSettings) -> Result<()> {
    on!(tx, |c| with_settings!(
        sqlx::query(
            "UPDATE instruments SET place_id = $2, gateway_id = $3, unit = $4, number = $5, name = $6, profile = $7,
                                    start_register = $8, step_mwh = $9, pt_ratio = $10, interval_s = $11, retired_at = NULL
             WHERE id = $1"
        ),
        id,
        settings
    )
    .execute(c)
    .await)?;
    Ok(())
}

/// Takes an instrument out of service; its readings stay.
///
/// # Errors
/// Refused with [`AppError::NotFound`].
pub async fn retire(db: &Db, at: Timestamp, who: &Who, id: InstrumentId, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let retired = on!(&mut tx, |c| sqlx::query("UPDATE instruments SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    if retired == 0 {
        return Err(AppError::NotFound.into());
    }
    events::end_all(&mut tx, Subject::Instrument(id), at).await?;
    record(&mut tx, at, who, AuditAction::InstrumentRetire, id, &json!({ "reason": reason })).await?;
    tx.commit().await
}

/// Refuses a number or an address that something else in service has. Until the transaction ends, the gateway is not retired, and
/// nobody else changes the trees of places and circuits.
pub(crate) async fn check(tx: &mut Tx, id: InstrumentId, settings: &InstrumentSettings) -> Result<()> {
    let locked = on!(tx, |c| sqlx::query("UPDATE gateways SET name = name WHERE id = $1 AND retired_at IS NULL")
        .bind(settings.gateway)
        .execute(c)
        .await)?;
    if locked == 0 {
        return Err(AppError::NotFound.into());
    }
    places::lock(tx).await?;
    let same: Option<(InstrumentId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM instruments WHERE number = $1 AND id <> $2 AND retired_at IS NULL")
            .bind(&settings.number)
            .bind(id)
            .fetch_optional(c)
            .await)?;
    if same.is_some() {
        return Err(AppError::NameTaken.into());
    }
    let taken: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT id FROM instruments WHERE gateway_id = $1 AND unit = $2 AND id <> $3 AND retired_at IS NULL
         UNION ALL SELECT id FROM meters WHERE gateway_id = $1 AND unit = $2 AND retired_at IS NULL LIMIT 1"
    )
    .bind(settings.gateway)
    .bind(i64::from(settings.unit))
    .bind(id)
    .fetch_optional(c)
    .await)?;
    if taken.is_some() { Err(AppError::AddressTaken.into()) } else { Ok(()) }
}

async fn detail(tx: &mut Tx, settings: &InstrumentSettings) -> Result<Value> {
    let name = "SELECT name FROM places WHERE id = $1";
    let place: Option<(String,)> = on!(tx, |c| sqlx::query_as(name).bind(settings.place).fetch_optional(c).await)?;
    let name = "SELECT name FROM gateways WHERE id = $1";
    let gateway: Option<(String,)> = on!(tx, |c| sqlx::query_as(name).bind(settings.gateway).fetch_optional(c).await)?;
    Ok(json!({
        "number": settings.number, "name": settings.name, "measures": place.map(|(name,)| name),
        "gateway": gateway.map(|(name,)| name), "unit": settings.unit, "profile": settings.profile,
        "start_register": settings.start, "step_kwh": settings.step.map(|step| step.to_string()),
        "pt_ratio": settings.pt.get(), "seconds": settings.interval_s,
    }))
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, id: InstrumentId, detail: &Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("instrument:{id}")), detail).await
}

/// The instrument in service that a circuit belongs to, with the circuit's name.
async fn instrument_of(tx: &mut Tx, circuit: CircuitId) -> Result<(InstrumentId, String)> {
    let found: Option<(InstrumentId, String)> = on!(tx, |c| sqlx::query_as(
        "SELECT i.id, c.name FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         WHERE c.id = $1 AND i.retired_at IS NULL"
    )
    .bind(circuit)
    .fetch_optional(c)
    .await)?;
    found.ok_or(AppError::NotFound.into())
}
