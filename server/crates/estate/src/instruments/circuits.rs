//! The circuits of instruments.

use model::audit::AuditAction;
use model::error::AppError;
use model::event::EventKind;
use model::ids::{CircuitId, InstrumentId};
use model::instrument::CircuitSettings;
use model::person::Who;
use model::reading::ReadingQuality;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::tree::check_tree;
use super::{instrument_of, record};
use crate::places;
use domain::rng::Rng;
use store::events::{self, Subject};
use store::{Db, Result, Tx, on};

/// Sets a circuit of an instrument, which is added where the instrument has none at the position. The caller has checked the
/// permission and the place.
///
/// # Errors
/// Refused with [`AppError::NotFound`], and as [`check_tree`].
pub async fn set_circuit(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    instrument: InstrumentId,
    settings: &CircuitSettings,
) -> Result<CircuitId> {
    let mut tx = db.begin().await?;
    places::lock(&mut tx).await?;
    let id = put(&mut tx, rng, at, instrument, settings).await?;
    check_tree(&mut tx).await?;
    let detail = detail(&mut tx, settings).await?;
    record(&mut tx, at, who, AuditAction::InstrumentCircuit, instrument, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

async fn detail(tx: &mut Tx, settings: &CircuitSettings) -> Result<Value> {
    let CircuitSettings { position, name, ct, parent, feeds } = settings;
    let text = "SELECT i.name, c.name FROM circuits c JOIN instruments i ON i.id = c.instrument_id WHERE c.id = $1";
    let master: Option<(String, String)> = on!(tx, |c| sqlx::query_as(text).bind(*parent).fetch_optional(c).await)?;
    let text = "SELECT name FROM places WHERE id = $1";
    let place: Option<(String,)> = on!(tx, |c| sqlx::query_as(text).bind(*feeds).fetch_optional(c).await)?;
    Ok(json!({
        "name": name, "number": position, "ct_ratio": ct.get(),
        "master": master.map(|(instrument, circuit)| format!("{instrument} · {circuit}")),
        "feeds": place.map(|(name,)| name),
    }))
}

/// The same without audit, in the caller's transaction, which has locked the places and calls [`check_tree`] when all is put.
pub async fn put(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    instrument: InstrumentId,
    settings: &CircuitSettings,
) -> Result<CircuitId> {
    let CircuitSettings { position, name, ct, parent, feeds } = settings;
    let before: Option<(CircuitId, Option<CircuitId>)> =
        on!(tx, |c| sqlx::query_as("SELECT id, parent_id FROM circuits WHERE instrument_id = $1 AND position = $2")
            .bind(instrument)
            .bind(i64::from(*position))
            .fetch_optional(c)
            .await)?;
    if let Some(parent) = *parent {
        // The table refuses it too, but has no words for people.
        if before.is_some_and(|(id, _)| id == parent) {
            return Err(AppError::CircuitTree.into());
        }
        // One that is out of service may stay, but is not chosen.
        if before.is_none_or(|(_, before)| before != Some(parent)) {
            instrument_of(tx, parent).await?;
        }
    }
    let id: Option<(CircuitId,)> = on!(tx, |c| sqlx::query_as(
        "INSERT INTO circuits (id, instrument_id, position, name, ct_ratio, parent_id, feeds_place_id)
         SELECT $1, i.id, $3, $4, $5, $6, $7 FROM instruments i WHERE i.id = $2 AND i.retired_at IS NULL
         ON CONFLICT (instrument_id, position) DO UPDATE SET name = excluded.name, ct_ratio = excluded.ct_ratio,
             parent_id = excluded.parent_id, feeds_place_id = excluded.feeds_place_id
         RETURNING id"
    )
    .bind(CircuitId(rng.id(at)))
    .bind(instrument)
    .bind(i64::from(*position))
    .bind(name)
    .bind(*ct)
    .bind(*parent)
    .bind(*feeds)
    .fetch_all(c)
    .await)?
    .into_iter()
    .next();
    id.map(|(id,)| id).ok_or(AppError::NotFound.into())
}

/// Lets the counter of a circuit start again at its newest reading, which was held: the device was replaced, or its counter set.
/// What passed since the last reading that counts is not counted.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where no reading is held.
pub async fn begin_again(db: &Db, at: Timestamp, who: &Who, circuit: CircuitId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (instrument, name) = instrument_of(&mut tx, circuit).await?;
    let held = on!(&mut tx, |c| sqlx::query(
        "UPDATE circuit_readings SET quality = $2, energy_wh = 0
         WHERE circuit_id = $1 AND at = (SELECT MAX(x.at) FROM circuit_readings x WHERE x.circuit_id = $1)
           AND quality IN (2, 3, 5)"
    )
    .bind(circuit)
    .bind(ReadingQuality::Begun)
    .execute(c)
    .await)?;
    if held == 0 {
        return Err(AppError::NotFound.into());
    }
    // The next reading raises it again where another counter is held.
    events::end(&mut tx, EventKind::InstrumentHeld, Subject::Instrument(instrument), at).await?;
    record(&mut tx, at, who, AuditAction::InstrumentCounter, instrument, &json!({ "name": name })).await?;
    tx.commit().await
}
