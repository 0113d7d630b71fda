//! Gateways and meters: what is where, and at which address.

use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::time::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Db, Result, Tx, on, read};
use domain::framing::Framing;

/// A gateway in service.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GatewayRow {
    /// [`GatewayId`].
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Host name or address.
    pub host: String,
    pub port: i64,
    /// A word of [`Framing`].
    pub framing: String,
    /// Seconds between two readings of its meters; `None`: as the site has it.
    pub sweep_interval_s: Option<i64>,
    /// The name in its certificate; `None`: its host.
    pub tls_name: Option<String>,
    /// The fingerprint of its certificate, where that one alone is trusted.
    pub tls_pin: Option<String>,
}

/// A meter in service.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MeterRow {
    /// [`MeterId`].
    pub id: Uuid,
    /// [`PlaceId`] of its room.
    pub place_id: Uuid,
    /// [`GatewayId`].
    pub gateway_id: Uuid,
    /// Unit id on the bus.
    pub unit: i64,
    /// Serial number, 12 digits.
    pub serial: String,
    /// Name of its profile.
    pub profile: String,
    /// A word of [`Wallet`].
    pub wallet: String,
    /// Seconds between two readings; `None`: as its gateway has it.
    pub sweep_interval_s: Option<i64>,
}

/// A gateway to add.
#[derive(Clone, Debug)]
pub struct NewGateway {
    pub id: GatewayId,
    /// What people call it; unique.
    pub name: String,
    /// Host name or address.
    pub host: String,
    pub port: u16,
    /// How it carries frames.
    pub framing: Framing,
}

/// A meter to add.
#[derive(Clone, Debug)]
pub struct NewMeter {
    pub id: MeterId,
    pub place: PlaceId,
    pub gateway: GatewayId,
    /// Unit id, 1-247.
    pub unit: u8,
    /// Serial number, 12 digits.
    pub serial: String,
    /// Name of its profile.
    pub profile: String,
    /// Where its credit lives.
    pub wallet: Wallet,
}

/// All gateways in service, by name.
pub async fn gateways(db: &Db) -> Result<Vec<GatewayRow>> {
    read!(db, |pool| {
        sqlx::query_as(
        "SELECT id, name, host, port, framing, sweep_interval_s, tls_name, tls_pin FROM gateways WHERE retired_at IS NULL ORDER BY name"
    )
    .fetch_all(pool)
    .await
    })
}

/// All meters in service, by address.
pub async fn meters(db: &Db) -> Result<Vec<MeterRow>> {
    read!(db, |pool| {
        sqlx::query_as(
        "SELECT id, place_id, gateway_id, unit, serial, profile, wallet, sweep_interval_s FROM meters WHERE retired_at IS NULL ORDER BY gateway_id, unit"
    )
    .fetch_all(pool)
    .await
    })
}

/// One meter, in service or not.
pub async fn find(db: &Db, meter: MeterId) -> Result<Option<MeterRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT id, place_id, gateway_id, unit, serial, profile, wallet, sweep_interval_s FROM meters WHERE id = $1"
    )
    .bind(meter.0)
    .fetch_optional(pool)
    .await)
}

/// Adds a gateway in the caller's transaction.
///
/// # Errors
/// A duplicate where the name is taken.
pub async fn add_gateway(tx: &mut Tx, at: Timestamp, gateway: &NewGateway) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO gateways (id, name, host, port, framing, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(gateway.id.0)
        .bind(&gateway.name)
        .bind(&gateway.host)
        .bind(i64::from(gateway.port))
        .bind(gateway.framing.as_str())
        .bind(at.0)
        .execute(c)
        .await)?;
    Ok(())
}

/// Adds a meter in the caller's transaction.
///
/// # Errors
/// A duplicate where address or serial number is taken.
pub async fn add_meter(tx: &mut Tx, at: Timestamp, meter: &NewMeter) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
            "INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, wallet, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(meter.id.0)
        .bind(meter.place.0)
        .bind(meter.gateway.0)
        .bind(i64::from(meter.unit))
        .bind(&meter.serial)
        .bind(&meter.profile)
        .bind(meter.wallet.as_str())
        .bind(at.0)
        .execute(c)
        .await
    })?;
    Ok(())
}
