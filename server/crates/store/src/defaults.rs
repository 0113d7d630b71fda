//! Default parameters of meters by place, and the limits that meters were last read with.

use std::collections::HashMap;

use model::audit::AuditAction;
use model::defaults::DefaultValues;
use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::meter::Wallet;
use model::parameters::Limits;
use model::person::Who;
use model::place::PlaceKind;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::audit::{self, Entry};
use super::{Db, JsonText, Result, StoreError, Tx, on, read};

/// A place with its own values.
#[derive(Clone, Debug)]
pub struct PlaceDefaults {
    pub id: PlaceId,
    pub parent: Option<PlaceId>,
    pub kind: PlaceKind,
    pub name: String,
    pub own: DefaultValues,
}

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
    id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    name: String,
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
struct StoredLimits {
    limits: Limits,
}

/// All places in their order, with their own values.
pub async fn places(db: &Db) -> Result<Vec<PlaceDefaults>> {
    let rows: Vec<PlaceRow> = read!(db, |pool| sqlx::query_as(
        "SELECT p.id, p.parent_id, p.kind, p.name, d.alarm1_fen, d.alarm2_fen, d.overdraft_fen, d.hoarding_fen, d.overload_w
         FROM places p LEFT JOIN place_defaults d ON d.place_id = p.id ORDER BY p.sort, p.name"
    )
    .fetch_all(pool)
    .await)?;
    let place = |row: PlaceRow| {
        Ok(PlaceDefaults { id: row.id, parent: row.parent_id, kind: row.kind, name: row.name, own: row.own.values()? })
    };
    rows.into_iter().map(place).collect()
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

/// The name of the price plan that applies at each place where one was assigned.
pub async fn plans(db: &Db, at: Timestamp) -> Result<HashMap<PlaceId, String>> {
    let rows: Vec<(PlaceId, String)> = read!(db, |pool| sqlx::query_as(
        "SELECT a.place_id, p.name FROM price_places a JOIN price_plans p ON p.id = a.plan_id
         WHERE a.from_at = (SELECT MAX(n.from_at) FROM price_places n WHERE n.place_id = a.place_id AND n.from_at <= $1)"
    )
    .bind(at)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().collect())
}

/// Sets the own values of a place, with their audit line in one transaction. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such place.
pub async fn set(db: &Db, at: Timestamp, who: &Who, place: PlaceId, values: &DefaultValues) -> Result<()> {
    let mut tx = db.begin().await?;
    set_within(&mut tx, at, who, place, values).await?;
    tx.commit().await
}

/// [`set`] in the caller's transaction.
pub(super) async fn set_within(tx: &mut Tx, at: Timestamp, who: &Who, place: PlaceId, values: &DefaultValues) -> Result<()> {
    let found: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT id FROM places WHERE id = $1").bind(place).fetch_optional(c).await)?;
    found.ok_or(AppError::NotFound)?;
    let [alarm1, alarm2, overdraft, hoarding, overload] = values.0.map(|value| value.map(i64::from));
    on!(tx, |c| sqlx::query(
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
    let detail = serde_json::json!({
        "alarm1_fen": alarm1, "alarm2_fen": alarm2, "overdraft_fen": overdraft, "hoarding_fen": hoarding,
        "overload_w": overload
    })
    .to_string();
    let (actor, subject) = (format!("user:{}", who.user), format!("place:{place}"));
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SiteDefaults, subject: &subject, detail: &detail };
    audit::append(tx, at, &entry).await
}

/// Gives the site another name. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where the site has no place yet.
pub async fn rename_site(db: &Db, at: Timestamp, who: &Who, name: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let renamed = on!(&mut tx, |c| sqlx::query("UPDATE places SET name = $1 WHERE kind = 'site'").bind(name).execute(c).await)?;
    if renamed == 0 {
        return Err(AppError::NotFound.into());
    }
    let (actor, detail) = (format!("user:{}", who.user), serde_json::json!({ "site": name }).to_string());
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::SiteRename, subject: "site", detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}
