//! The circuits of instruments, and the tree that they make.

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{CircuitId, InstrumentId, PlaceId};
use model::instrument::CircuitSettings;
use model::person::Who;
use model::reading::ReadingQuality;
use model::time::Timestamp;
use serde_json::json;

use super::{building, instrument_of, record};
use domain::rng::Rng;
use store::{Db, Result, Tx, on};

/// Circuits above each other.
const DEEPEST: usize = 16;

/// Sets a circuit of an instrument, which is added where the instrument has none at the position. The caller has checked the
/// permission and the place.
///
/// # Errors
/// Refused with [`AppError::NotFound`], and with [`AppError::CircuitTree`] where it would feed itself, or where it and what it
/// feeds are in different buildings.
pub async fn set_circuit(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    instrument: InstrumentId,
    settings: &CircuitSettings,
) -> Result<CircuitId> {
    let mut tx = db.begin().await?;
    let id = put(&mut tx, rng, at, instrument, settings).await?;
    let detail = json!({ "name": settings.name, "number": settings.position, "ct_ratio": settings.ct.get() });
    record(&mut tx, at, who, AuditAction::InstrumentCircuit, instrument, &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// The same without audit, in the caller's transaction.
pub async fn put(
    tx: &mut Tx,
    rng: &Rng,
    at: Timestamp,
    instrument: InstrumentId,
    settings: &CircuitSettings,
) -> Result<CircuitId> {
    let CircuitSettings { position, name, ct, parent, feeds } = settings;
    let place: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM instruments WHERE id = $1 AND retired_at IS NULL")
            .bind(instrument)
            .fetch_optional(c)
            .await)?;
    let (place,) = place.ok_or(AppError::NotFound)?;
    // No two of them become each other's master at once.
    on!(tx, |c| sqlx::query("UPDATE site_settings SET one = one").execute(c).await)?;
    if let Some(feeds) = feeds {
        require_within(tx, place, *feeds).await?;
    }
    let present: Option<(CircuitId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM circuits WHERE instrument_id = $1 AND position = $2")
            .bind(instrument)
            .bind(i64::from(*position))
            .fetch_optional(c)
            .await)?;
    // The table refuses it too, but has no words for people.
    if present.is_some_and(|(present,)| *parent == Some(present)) {
        return Err(AppError::CircuitTree.into());
    }
    let id: (CircuitId,) = on!(tx, |c| sqlx::query_as(
        "INSERT INTO circuits (id, instrument_id, position, name, ct_ratio, parent_id, feeds_place_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
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
    .next()
    .ok_or(AppError::Internal)?;
    if let Some(parent) = parent {
        check_parent(tx, id.0, place, *parent).await?;
    }
    Ok(id.0)
}

/// Refuses a circuit that feeds something in another building than its own; one at the site may feed any.
async fn require_within(tx: &mut Tx, master: PlaceId, below: PlaceId) -> Result<()> {
    match building(tx, master).await? {
        Some(own) if building(tx, below).await? != Some(own) => Err(AppError::CircuitTree.into()),
        _ => Ok(()),
    }
}

/// Refuses a master that is not in service, is in another building, or is fed by the circuit itself.
async fn check_parent(tx: &mut Tx, circuit: CircuitId, place: PlaceId, parent: CircuitId) -> Result<()> {
    let (instrument, _) = instrument_of(tx, parent).await?;
    let of_parent: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM instruments WHERE id = $1").bind(instrument).fetch_optional(c).await)?;
    require_within(tx, of_parent.ok_or(AppError::NotFound)?.0, place).await?;
    let mut above = Some(parent);
    for _ in 0..DEEPEST {
        let Some(next) = above else { return Ok(()) };
        if next == circuit {
            break;
        }
        let found: Option<(Option<CircuitId>,)> =
            on!(tx, |c| sqlx::query_as("SELECT parent_id FROM circuits WHERE id = $1").bind(next).fetch_optional(c).await)?;
        above = found.and_then(|(parent,)| parent);
    }
    Err(AppError::CircuitTree.into())
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
    record(&mut tx, at, who, AuditAction::InstrumentCounter, instrument, &json!({ "name": name })).await?;
    tx.commit().await
}
