//! Default parameters of meters by place, and the limits that meters were last read with.

use std::collections::HashMap;

use model::audit::AuditAction;
use model::defaults::DefaultValues;
use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::parameters::Limits;
use model::person::Who;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use domain::defaults::alarms_fit_below;
use store::audit::{self, Entry};
use store::{Db, JsonText, Result, StoreError, Tx, on, read};

/// A meter in service.
#[derive(Clone, Debug)]
pub struct MeterLimits {
    pub meter: MeterId,
    pub place: PlaceId,
    pub wallet: Wallet,
    /// As last read; `None`: never.
    pub limits: Option<Limits>,
}

#[derive(FromRow)]
struct PlaceRow {
    place_id: PlaceId,
    parent_id: Option<PlaceId>,
    #[sqlx(flatten)]
    own: OwnRow,
}

#[derive(FromRow)]
struct OwnRow {
    alarm1_fen: Option<i64>,
    alarm2_fen: Option<i64>,
    overdraft_fen: Option<i64>,
    hoarding_fen: Option<i64>,
    overload_w: Option<i64>,
}

impl OwnRow {
    fn values(&self) -> Result<DefaultValues> {
        let values = [self.alarm1_fen, self.alarm2_fen, self.overdraft_fen, self.hoarding_fen, self.overload_w];
        let value = |value: Option<i64>| value.map(u32::try_from).transpose();
        let own = values.into_iter().map(value).collect::<std::result::Result<DefaultValues, _>>();
        own.map_err(|_| StoreError::Inconsistent { table: "place_defaults", column: "alarm1_fen" })
    }
}

/// The part of stored parameters that is compared.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredLimits {
    pub(super) limits: Limits,
}

/// The own values of the places that have some.
pub async fn own(db: &Db) -> Result<HashMap<PlaceId, DefaultValues>> {
    let rows: Vec<PlaceRow> = read!(db, |pool| sqlx::query_as(
        "SELECT d.place_id, p.parent_id, d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w
         FROM place_defaults d JOIN places p ON p.id = d.place_id"
    )
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|row| Ok((row.place_id, row.own.values()?))).collect()
}

/// Refuses a place where, or below which, alarm 2 would come before alarm 1, as the transaction has left the places.
///
/// # Errors
/// [`AppError::AlarmOrder`].
pub(super) async fn check_alarms(tx: &mut Tx, place: PlaceId) -> Result<()> {
    let rows: Vec<PlaceRow> = on!(tx, |c| sqlx::query_as(
        "SELECT p.id AS place_id, p.parent_id, d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w
         FROM places p LEFT JOIN place_defaults d ON d.place_id = p.id"
    )
    .fetch_all(c)
    .await)?;
    let places: Result<HashMap<_, _>> =
        rows.into_iter().map(|row| Ok((row.place_id, (row.parent_id, row.own.values()?)))).collect();
    if alarms_fit_below(&places?, place) { Ok(()) } else { Err(AppError::AlarmOrder.into()) }
}

/// The own values of each place from the site down to a meter's room.
pub async fn path_of(db: &Db, meter: MeterId) -> Result<Vec<DefaultValues>> {
    let rows: Vec<OwnRow> = read!(db, |pool| sqlx::query_as(
        "WITH RECURSIVE up(id, parent_id, depth) AS (
           SELECT p.id, p.parent_id, 0 FROM places p JOIN meters m ON m.place_id = p.id WHERE m.id = $1
           UNION ALL
           SELECT p.id, p.parent_id, u.depth + 1 FROM places p JOIN up u ON p.id = u.parent_id WHERE u.depth < 16)
         SELECT d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w
         FROM up u LEFT JOIN place_defaults d ON d.place_id = u.id ORDER BY u.depth DESC"
    )
    .bind(meter)
    .fetch_all(pool)
    .await)?;
    rows.into_iter().map(|row| row.values()).collect()
}

/// The limits that a meter was last read with.
pub async fn limits_of(db: &Db, meter: MeterId) -> Result<Option<Limits>> {
    let row: Option<(JsonText<StoredLimits>,)> =
        read!(db, |pool| sqlx::query_as("SELECT parameters FROM meter_parameters WHERE meter_id = $1")
            .bind(meter)
            .fetch_optional(pool)
            .await)?;
    Ok(row.map(|(JsonText(stored),)| stored.limits))
}

/// The meters in service with the limits that they were last read with.
pub async fn meters(db: &Db) -> Result<Vec<MeterLimits>> {
    let rows: Vec<(MeterId, PlaceId, Wallet, Option<JsonText<StoredLimits>>)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.place_id, m.wallet, p.parameters FROM meters m LEFT JOIN meter_parameters p ON p.meter_id = m.id
         WHERE m.retired_at IS NULL"
    )
    .fetch_all(pool)
    .await)?;
    let meter = |(meter, place, wallet, stored): (_, _, _, Option<JsonText<StoredLimits>>)| MeterLimits {
        meter,
        place,
        wallet,
        limits: stored.map(|JsonText(stored)| stored.limits),
    };
    Ok(rows.into_iter().map(meter).collect())
}

/// Sets the own values of a place, with their audit line in one transaction. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such place, and with [`AppError::AlarmOrder`] where alarm 2 would come
/// before alarm 1 at the place or below it.
pub async fn set(db: &Db, at: Timestamp, who: &Who, place: PlaceId, values: &DefaultValues) -> Result<()> {
    let mut tx = db.begin().await?;
    // Nobody else changes places and their values until the transaction ends.
    on!(&mut tx, |c| sqlx::query("UPDATE site_settings SET one = one").execute(c).await)?;
    let found: Option<(PlaceId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM places WHERE id = $1").bind(place).fetch_optional(c).await)?;
    found.ok_or(AppError::NotFound)?;
    let [alarm1, alarm2, overdraft, hoarding, overload] = values.0.map(|value| value.map(i64::from));
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO place_defaults (place_id, alarm1_fen, alarm2_fen, overdraft_fen, hoarding_fen, overload_w)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (place_id) DO UPDATE SET alarm1_fen = excluded.alarm1_fen, alarm2_fen = excluded.alarm2_fen,
           overdraft_fen = excluded.overdraft_fen, hoarding_fen = excluded.hoarding_fen, overload_w = excluded.overload_w"
    )
    .bind(place)
    .bind(alarm1)
    .bind(alarm2)
    .bind(overdraft)
    .bind(hoarding)
    .bind(overload)
    .execute(c)
    .await)?;
    check_alarms(&mut tx, place).await?;
    let detail = serde_json::json!({
        "alarm1_fen": alarm1, "alarm2_fen": alarm2, "overdraft_fen": overdraft, "hoarding_fen": hoarding,
        "overload_w": overload
    })
    .to_string();
    let (actor, subject) = (format!("user:{}", who.user), format!("place:{place}"));
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SiteDefaults, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
