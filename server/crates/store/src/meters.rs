//! Gateways and meters: their places and addresses.

use std::collections::HashMap;
use std::num::NonZeroU16;

use model::command::CommandReason;
use model::console::RoomName;
use model::error::AppError;
use model::gateway::{BytePattern, Dialling, GatewayCode, GatewayName, GatewaySettings, Heartbeat, Host, SweepInterval, Timing};
use model::ids::{GatewayId, InstrumentId, MeterId, PlaceId};
use model::meter::Wallet;
use model::time::Timestamp;
use sqlx::FromRow;

use super::console::{above, names};
use super::events::{self, Subject};
use super::{Db, Result, StoreError, Tx, on, read};
use domain::framing::Framing;

/// A stored gateway.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct GatewayRow {
    pub id: GatewayId,
    pub name: String,
    /// Its number in the site's own lists.
    pub code: Option<String>,
    /// Host name or address; `None` for a gateway that dials in.
    pub host: Option<String>,
    pub port: Option<i64>,
    /// What names a gateway that dials in, its heartbeat and the answer to that: hexadecimal digits.
    pub registration: Option<String>,
    pub heartbeat: Option<String>,
    pub heartbeat_answer: Option<String>,
    pub framing: Framing,
    /// Of the bus and of requests; `None`: as configured.
    pub baud: Option<i64>,
    pub request_timeout_ms: Option<i64>,
    pub connect_timeout_ms: Option<i64>,
    pub gap_ms: Option<i64>,
    /// Seconds between two readings of its meters; `None`: the site's interval.
    pub sweep_interval_s: Option<i64>,
    /// The name in its certificate; `None`: its host.
    pub tls_name: Option<String>,
    /// The fingerprint of its certificate, if that one alone is trusted.
    pub tls_pin: Option<String>,
}

/// A stored meter.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MeterRow {
    pub id: MeterId,
    pub place_id: PlaceId,
    pub gateway_id: GatewayId,
    /// Unit id on the bus.
    pub unit: i64,
    pub serial: String,
    /// Name of its profile.
    pub profile: String,
    pub wallet: Wallet,
    /// Seconds between two readings; `None`: the gateway's interval.
    pub sweep_interval_s: Option<i64>,
}

/// The columns of [`MeterRow`].
macro_rules! meter_columns {
    () => {
        " id, place_id, gateway_id, unit, serial, profile, wallet, sweep_interval_s "
    };
}

/// The columns of [`GatewayRow`].
#[macro_export]
macro_rules! gateway_columns {
    () => {
        " id, name, code, host, port, registration, heartbeat, heartbeat_answer, framing, baud, request_timeout_ms,
          connect_timeout_ms, gap_ms, sweep_interval_s, tls_name, tls_pin "
    };
}

pub use crate::gateway_columns;

pub const GATEWAYS: &str = concat!("SELECT", gateway_columns!(), "FROM gateways WHERE retired_at IS NULL ORDER BY name");
pub const METERS: &str = concat!("SELECT", meter_columns!(), "FROM meters WHERE retired_at IS NULL ORDER BY gateway_id, unit");

impl GatewayRow {
    /// How it is reached.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] where it is neither dialled nor dials in: somebody changed it by hand.
    pub fn reach(&self) -> Result<Dialling> {
        let wrong = |column| StoreError::Inconsistent { table: "gateways", column };
        let pattern = |hex: &Option<String>, column| match hex {
            Some(hex) => BytePattern::from_stored(hex).map(Some).ok_or(wrong(column)),
            None => Ok(None),
        };
        if let Some(registration) = pattern(&self.registration, "registration")? {
            let answer = pattern(&self.heartbeat_answer, "heartbeat_answer")?;
            let heartbeat = pattern(&self.heartbeat, "heartbeat")?.map(|pattern| Heartbeat { pattern, answer });
            return Ok(Dialling::DialIn { registration, heartbeat });
        }
        let host = self.host.as_deref().and_then(Host::parse).ok_or(wrong("host"))?;
        let port = self.port.and_then(|port| u16::try_from(port).ok()).and_then(NonZeroU16::new).ok_or(wrong("port"))?;
        Ok(Dialling::Dialled { host, port })
    }

    /// What people set about it.
    ///
    /// # Errors
    /// As [`Self::reach`].
    pub fn settings(&self) -> Result<GatewaySettings> {
        let wrong = |column| StoreError::Inconsistent { table: "gateways", column };
        Ok(GatewaySettings {
            name: GatewayName::parse(&self.name).ok_or(wrong("name"))?,
            code: self.code.as_deref().and_then(GatewayCode::parse),
            reach: self.reach()?,
            framing: self.framing,
            timing: self.timing(),
        })
    }

    /// What is its own of bus and time limits.
    #[must_use]
    pub fn timing(&self) -> Timing {
        let number = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        Timing {
            baud: number(self.baud),
            request_timeout_ms: number(self.request_timeout_ms),
            connect_timeout_ms: number(self.connect_timeout_ms),
            gap_ms: number(self.gap_ms),
            interval: self.sweep_interval_s.and_then(SweepInterval::new),
        }
    }
}

/// A gateway to add.
#[derive(Clone, Debug)]
pub struct NewGateway {
    pub id: GatewayId,
    pub name: String,
    /// Host name or address.
    pub host: String,
    pub port: u16,
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
    pub wallet: Wallet,
}

/// All gateways in service, by name.
pub async fn gateways(db: &Db) -> Result<Vec<GatewayRow>> {
    read!(db, |pool| sqlx::query_as(GATEWAYS).fetch_all(pool).await)
}

/// All meters in service, by address.
pub async fn meters(db: &Db) -> Result<Vec<MeterRow>> {
    read!(db, |pool| sqlx::query_as(METERS).fetch_all(pool).await)
}

/// Building, floor and room of all meters in service.
pub async fn room_names(db: &Db) -> Result<HashMap<MeterId, String>> {
    let rows: Vec<(MeterId, String, String, String)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT id, building, floor, room FROM (SELECT m.id AS id,",
        names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NULL) AS named"
    ))
    .fetch_all(pool)
    .await)?;
    let name = |(id, building, floor, room)| (id, RoomName { building, floor, room }.to_string());
    Ok(rows.into_iter().map(name).collect())
}

/// One meter, in service or not.
pub async fn find(db: &Db, meter: MeterId) -> Result<Option<MeterRow>> {
    read!(db, |pool| sqlx::query_as(concat!("SELECT", meter_columns!(), "FROM meters WHERE id = $1"))
        .bind(meter)
        .fetch_optional(pool)
        .await)
}

/// Adds a gateway in the caller's transaction.
///
/// # Errors
/// [`StoreError::is_duplicate`](crate::StoreError::is_duplicate) if the name is taken.
pub async fn add_gateway(tx: &mut Tx, at: Timestamp, gateway: &NewGateway) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO gateways (id, name, host, port, framing, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(gateway.id)
        .bind(&gateway.name)
        .bind(&gateway.host)
        .bind(i64::from(gateway.port))
        .bind(gateway.framing)
        .bind(at)
        .execute(c)
        .await)?;
    Ok(())
}

/// Adds a meter in the caller's transaction.
///
/// # Errors
/// [`StoreError::is_duplicate`](crate::StoreError::is_duplicate) if the address or serial number is taken.
pub async fn add_meter(tx: &mut Tx, at: Timestamp, meter: &NewMeter) -> Result<()> {
    on!(tx, |c| {
        sqlx::query(
            "INSERT INTO meters (id, place_id, gateway_id, unit, serial, profile, wallet, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(meter.id)
        .bind(meter.place)
        .bind(meter.gateway)
        .bind(i64::from(meter.unit))
        .bind(&meter.serial)
        .bind(&meter.profile)
        .bind(meter.wallet)
        .bind(at)
        .execute(c)
        .await
    })?;
    Ok(())
}

/// The port where gateways dial in, if one is set for the site.
pub async fn dial_in_port(db: &Db) -> Result<Option<u16>> {
    let row: Option<(Option<i64>,)> =
        read!(db, |pool| sqlx::query_as("SELECT dial_in_port FROM site_settings WHERE one = 1").fetch_optional(pool).await)?;
    Ok(row.and_then(|(port,)| port).and_then(|port| u16::try_from(port).ok()))
}

/// Locks a meter in service until the transaction ends, and gives its place: an account is not opened on it while it is
/// retired or changed. What a change depends on is read after this.
pub async fn lock(tx: &mut Tx, meter: MeterId) -> Result<Option<PlaceId>> {
    let row: Option<(PlaceId,)> = on!(tx, |c| {
        sqlx::query_as("UPDATE meters SET place_id = place_id WHERE id = $1 AND retired_at IS NULL RETURNING place_id")
            .bind(meter)
            .fetch_optional(c)
            .await
    })?;
    Ok(row.map(|(place,)| place))
}

/// Locks a gateway in service until the transaction ends, and refuses the address of an instrument behind it. Meters
/// are locked after their gateway.
///
/// # Errors
/// [`AppError::NotFound`] for the gateway, [`AppError::AddressTaken`].
pub async fn require_free_address(tx: &mut Tx, gateway: GatewayId, unit: u8) -> Result<()> {
    let locked = on!(tx, |c| sqlx::query("UPDATE gateways SET name = name WHERE id = $1 AND retired_at IS NULL")
        .bind(gateway)
        .execute(c)
        .await)?;
    if locked == 0 {
        return Err(AppError::NotFound.into());
    }
    let taken: Option<(InstrumentId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM instruments WHERE gateway_id = $1 AND unit = $2 AND retired_at IS NULL")
            .bind(gateway)
            .bind(i64::from(unit))
            .fetch_optional(c)
            .await)?;
    if taken.is_some() { Err(AppError::AddressTaken.into()) } else { Ok(()) }
}

/// Drops the commands that wait for a meter that leaves service, except those of money, with the overdraft limit that the server
/// raised, and ends its cases and alarms. The cases say why.
pub async fn end_work(tx: &mut Tx, at: Timestamp, meter: MeterId, resolution: &str) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "UPDATE commands SET state = 'superseded', finished_at = $1, reason = $3
         WHERE meter_id = $2 AND NOT money AND state IN ('queued', 'sending')"
    )
    .bind(at)
    .bind(meter)
    .bind(CommandReason::Superseded)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query("DELETE FROM meter_overdrafts WHERE meter_id = $1").bind(meter).execute(c).await)?;
    on!(tx, |c| sqlx::query(
        "UPDATE cases SET closed_at = $1, resolution = $3 WHERE meter_id = $2 AND order_id IS NULL AND closed_at IS NULL"
    )
    .bind(at)
    .bind(meter)
    .bind(resolution)
    .execute(c)
    .await)?;
    events::end_all(tx, Subject::Meter(meter), at).await
}
