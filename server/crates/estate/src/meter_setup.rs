//! Adding, changing and retiring one meter, with the checks of an import.

use model::audit::AuditAction;
use model::console::RoomName;
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId};
use model::meter::Wallet;
use model::money::Fen;
use model::person::Who;
use model::time::Timestamp;
use sqlx::FromRow;

use domain::rng::Rng;
use domain::site_plan::{GatewayRow, MeterRow, MeterState, PartialRows, PriceChanges, Row, Rules, SiteRows, SiteState, plan};
use model::site_workbook::Fault;
use store::audit::{self, Entry};
use store::console::{above, names};
use store::meters::{self, GatewayRow as StoredGateway, NewMeter};
use store::{Db, Result, StoreError, Tx, on, read};

use crate::gateways;

/// Adds a meter.
///
/// # Errors
/// Refused with [`AppError::SerialTaken`], [`AppError::AddressTaken`], or [`AppError::NotFound`] for the room or gateway.
pub async fn add(db: &Db, rng: &Rng, at: Timestamp, who: &Who, row: &MeterRow) -> Result<MeterId> {
    let mut tx = db.begin().await?;
    let gateway = gateways::lock(&mut tx, &row.gateway).await?;
    let state = state_for(&mut tx, row, gateway).await?;
    if state.meters.contains_key(&row.serial) {
        return Err(AppError::SerialTaken.into());
    }
    changes(row, &state)?;
    let (place, gateway) = at_place(row, &state)?;
    meters::require_free_address(&mut tx, gateway, row.unit).await?;
    let id = MeterId(rng.id(at));
    let (serial, profile) = (row.serial.to_string(), row.profile.clone());
    let new = NewMeter { id, place, gateway, unit: row.unit, serial, profile, wallet: row.wallet };
    match meters::add_meter(&mut tx, at, &new).await {
        Err(error) if error.is_duplicate() => return Err(AppError::AddressTaken.into()),
        added => added?,
    }
    record(&mut tx, at, who, AuditAction::MeterAdd, id, row).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes the room, gateway, unit, profile or wallet of a meter; its serial number stays.
///
/// # Errors
/// Refused as [`add`], and with [`AppError::MeterInUse`] where its room, profile or wallet would change under an open account.
pub async fn change(db: &Db, at: Timestamp, who: &Who, id: MeterId, row: &MeterRow) -> Result<()> {
    let mut tx = db.begin().await?;
    // First: after they were looked up, the gateway is not retired, and no account is opened on the meter.
    let gateway = gateways::lock(&mut tx, &row.gateway).await?;
    meters::lock(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let state = state_for(&mut tx, row, gateway).await?;
    if state.meters.get(&row.serial).is_none_or(|known| known.id != id) {
        return Err(AppError::NotFound.into());
    }
    if !changes(row, &state)? {
        return Ok(());
    }
    let (place, gateway) = at_place(row, &state)?;
    meters::require_free_address(&mut tx, gateway, row.unit).await?;
    let changed = on!(&mut tx, |c| sqlx::query(
        "UPDATE meters SET place_id = $2, gateway_id = $3, unit = $4, profile = $5, wallet = $6
         WHERE id = $1 AND retired_at IS NULL"
    )
    .bind(id)
    .bind(place)
    .bind(gateway)
    .bind(i64::from(row.unit))
    .bind(&row.profile)
    .bind(row.wallet)
    .execute(c)
    .await);
    match changed {
        Err(error) if error.is_duplicate() => return Err(AppError::AddressTaken.into()),
        Ok(0) => return Err(AppError::NotFound.into()),
        changed => changed?,
    };
    record(&mut tx, at, who, AuditAction::MeterChange, id, row).await?;
    tx.commit().await
}

/// Takes a meter without an account out of service. Its readings stay; what waits to be sent to it does not.
///
/// # Errors
/// Refused with [`AppError::MeterInUse`] while it has an account, [`AppError::NotFound`].
pub async fn retire(db: &Db, at: Timestamp, who: &Who, id: MeterId, reason: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let retired = on!(&mut tx, |c| sqlx::query("UPDATE meters SET retired_at = $2 WHERE id = $1 AND retired_at IS NULL")
        .bind(id)
        .bind(at)
        .execute(c)
        .await)?;
    if retired == 0 {
        return Err(AppError::NotFound.into());
    }
    let used: Option<(MeterId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT meter_id FROM account_meters WHERE meter_id = $1 AND to_at IS NULL")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    if used.is_some() {
        return Err(AppError::MeterInUse.into());
    }
    meters::end_work(&mut tx, at, id, "retired").await?;
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{id}"));
    let detail = serde_json::json!({ "reason": reason }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::MeterRetire, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// What a site has, as far as it matters to one row: its room and gateway, the meter of its serial number, and the one
/// at its address.
async fn state_for(tx: &mut Tx, row: &MeterRow, gateway: Option<StoredGateway>) -> Result<SiteState> {
    let mut state = SiteState::default();
    let RoomName { building, floor, room } = &row.room;
    let place: Option<(PlaceId,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT id FROM (SELECT r.id,",
        names!(),
        "FROM places r",
        above!(),
        "WHERE r.kind = 'room' AND r.name = $1) AS named WHERE floor = $2 AND building = $3"
    ))
    .bind(room)
    .bind(floor)
    .bind(building)
    .fetch_optional(c)
    .await)?;
    state.rooms.extend(place.map(|(place,)| (row.room.clone(), place)));
    let gateway_id = gateway.as_ref().map(|gateway| gateway.id);
    if let Some(gateway) = gateway {
        let (id, reach, interval_s) = (gateway.id, gateway.reach()?, gateway.sweep_interval_s);
        let StoredGateway { name, framing, tls_name, .. } = gateway;
        state.gateways.insert(name.clone(), (id, GatewayRow { name, reach, framing, interval_s, tls_name }));
    }
    let near: Vec<NearMeter> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT m.id, m.serial, m.unit, m.profile, m.wallet, g.name AS gateway,
                EXISTS (SELECT 1 FROM account_meters a WHERE a.meter_id = m.id AND a.to_at IS NULL) AS has_account,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NULL AND (m.serial = $1 OR (m.gateway_id = $2 AND m.unit = $3))"
    ))
    .bind(row.serial.to_string())
    .bind(gateway_id)
    .bind(i64::from(row.unit))
    .fetch_all(c)
    .await)?;
    for meter in near {
        let inconsistent = |column| StoreError::Inconsistent { table: "meters", column };
        let serial = meter.serial.parse().map_err(|_| inconsistent("serial"))?;
        let NearMeter { id, gateway, profile, wallet, has_account, building, floor, room, unit, .. } = meter;
        let unit = u8::try_from(unit).map_err(|_| inconsistent("unit"))?;
        let row = MeterRow { serial, room: RoomName { building, floor, room }, gateway, unit, profile, wallet };
        state.meters.insert(serial, MeterState { id, row, has_account, hoarding: None });
    }
    Ok(state)
}

#[derive(FromRow)]
struct NearMeter {
    id: MeterId,
    serial: String,
    unit: i64,
    profile: String,
    wallet: Wallet,
    gateway: String,
    has_account: bool,
    building: String,
    floor: String,
    room: String,
}

/// Whether an import of this one row would change a meter that is there.
fn changes(row: &MeterRow, state: &SiteState) -> Result<bool> {
    let rows = SiteRows { meters: vec![Row { number: 1, value: row.clone() }], ..SiteRows::default() };
    let rules = Rules { prices: PriceChanges::NeedApproval, hoarding: Fen::ZERO, listed: 0 };
    match plan(&rows, &PartialRows::default(), state, &rules) {
        Ok(planned) => Ok(!planned.changed_meters.is_empty()),
        Err(conflicts) => Err(match conflicts.first().map(|conflict| &conflict.fault) {
            Some(Fault::AddressTaken(_)) => AppError::AddressTaken,
            Some(Fault::MeterInUse) => AppError::MeterInUse,
            Some(Fault::UnknownRoom | Fault::UnknownGateway) => AppError::NotFound,
            _ => AppError::Invalid,
        }
        .into()),
    }
}

fn at_place(row: &MeterRow, state: &SiteState) -> Result<(PlaceId, model::ids::GatewayId)> {
    let place = state.rooms.get(&row.room).copied().ok_or(AppError::NotFound)?;
    let gateway = state.gateways.get(&row.gateway).map(|(id, _)| *id).ok_or(AppError::NotFound)?;
    Ok((place, gateway))
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, id: MeterId, row: &MeterRow) -> Result<()> {
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{id}"));
    let detail = serde_json::json!({
        "serial": row.serial, "room": row.room.to_string(), "gateway": row.gateway, "unit": row.unit, "profile": row.profile,
        "wallet": row.wallet,
    })
    .to_string();
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail }).await
}

/// The unit numbers that no meter in service behind a gateway has, the highest first: for meters that are not asked by it, so
/// that they take none that a meter is set to at delivery.
pub async fn free_units(db: &Db, gateway: GatewayId) -> Result<Vec<u8>> {
    let sql = "SELECT unit FROM meters WHERE gateway_id = $1 AND retired_at IS NULL
               UNION SELECT unit FROM instruments WHERE gateway_id = $1 AND retired_at IS NULL";
    let taken: Vec<(i64,)> = read!(db, |pool| sqlx::query_as(sql).bind(gateway).fetch_all(pool).await)?;
    Ok((1..=247).rev().filter(|unit| !taken.contains(&(i64::from(*unit),))).collect())
}
