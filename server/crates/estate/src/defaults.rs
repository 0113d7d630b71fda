//! Default parameters of meters by place and group, and the limits that meters were last read with.

use model::audit::AuditAction;
use model::defaults::{DefaultValues, DefaultsOf};
use model::error::AppError;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::Wallet;
use model::parameters::Limits;
use model::person::Who;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, FromRow};

use crate::places;
use store::audit::{self, Entry};
use store::defaults::tree_within;
use store::{Db, JsonText, Result, Tx, on, read};

/// A meter in service.
#[derive(Clone, Debug)]
pub struct MeterLimits {
    pub meter: MeterId,
    pub place: PlaceId,
    pub wallet: Wallet,
    /// As last read, without what friendly hours and emergency credit add; `None`: never.
    pub limits: Option<Limits>,
}

/// The part of stored parameters that is compared.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StoredLimits {
    pub(super) limits: Limits,
}

/// The limits that a meter showed. `base` is the overdraft limit in fen that it would have if the server had not raised it;
/// `None` if it has not.
pub(super) fn unraised(stored: &StoredLimits, base: Option<i64>) -> Limits {
    let shown = stored.limits;
    Limits { overdraft: base.and_then(|base| u32::try_from(base).ok()).unwrap_or(shown.overdraft), ..shown }
}

/// Refuses an alarm 2 that would come before alarm 1 somewhere, as the transaction has left the places and groups.
///
/// # Errors
/// [`AppError::AlarmOrder`].
pub(super) async fn check_alarms(tx: &mut Tx) -> Result<()> {
    if tree_within(tx).await?.alarms_fit() { Ok(()) } else { Err(AppError::AlarmOrder.into()) }
}

/// Where a meter is, or was before it was retired.
pub async fn room_of(db: &Db, meter: MeterId) -> Result<Option<PlaceId>> {
    let room: Option<(PlaceId,)> =
        read!(db, |pool| sqlx::query_as("SELECT place_id FROM meters WHERE id = $1").bind(meter).fetch_optional(pool).await)?;
    Ok(room.map(|(room,)| room))
}

/// The limits that a meter was last read with, without what friendly hours and emergency credit add.
pub async fn limits_of(db: &Db, meter: MeterId) -> Result<Option<Limits>> {
    let row: Option<(JsonText<StoredLimits>, Option<i64>)> = read!(db, |pool| sqlx::query_as(
        "SELECT p.parameters, o.base_fen FROM meter_parameters p
         LEFT JOIN meter_overdrafts o ON o.meter_id = p.meter_id WHERE p.meter_id = $1"
    )
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(JsonText(stored), base)| unraised(&stored, base)))
}

#[derive(FromRow)]
struct MeterLimitsRow {
    id: MeterId,
    place_id: PlaceId,
    wallet: Wallet,
    parameters: Option<JsonText<StoredLimits>>,
    base_fen: Option<i64>,
}

/// The meters in service with the limits that they were last read with.
pub async fn meters(db: &Db) -> Result<Vec<MeterLimits>> {
    let rows: Vec<MeterLimitsRow> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id, m.place_id, m.wallet, p.parameters, o.base_fen
         FROM meters m LEFT JOIN meter_parameters p ON p.meter_id = m.id LEFT JOIN meter_overdrafts o ON o.meter_id = m.id
         WHERE m.retired_at IS NULL"
    )
    .fetch_all(pool)
    .await)?;
    let meter = |row: MeterLimitsRow| MeterLimits {
        meter: row.id,
        place: row.place_id,
        wallet: row.wallet,
        limits: row.parameters.map(|JsonText(stored)| unraised(&stored, row.base_fen)),
    };
    Ok(rows.into_iter().map(meter).collect())
}

/// Sets what a place or group has of its own, with the audit line in one transaction. The caller has checked the permission.
///
/// # Errors
/// As [`set_within`].
pub async fn set(db: &Db, at: Timestamp, who: &Who, of: DefaultsOf, values: &DefaultValues) -> Result<()> {
    let mut tx = db.begin().await?;
    places::lock(&mut tx).await?;
    set_within(&mut tx, at, (who.user, &who.ip), of, values).await?;
    tx.commit().await
}

/// The same in a transaction that holds [`places::lock`]; `by` is who, and from where.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such place or group, and with [`AppError::AlarmOrder`] where alarm 2
/// would come before alarm 1 somewhere.
pub(super) async fn set_within(
    tx: &mut Tx,
    at: Timestamp,
    by: (UserId, &str),
    of: DefaultsOf,
    values: &DefaultValues,
) -> Result<()> {
    store_within(tx, at, by, of, values).await?;
    check_alarms(tx).await
}

/// As [`set_within`], without checking the order of the alarms, which the caller does when all values are stored.
pub(super) async fn store_within(
    tx: &mut Tx,
    at: Timestamp,
    by: (UserId, &str),
    of: DefaultsOf,
    values: &DefaultValues,
) -> Result<()> {
    const OTHERS: &str = "DO UPDATE SET alarm1_fen = excluded.alarm1_fen, alarm2_fen = excluded.alarm2_fen,
         overdraft_fen = excluded.overdraft_fen, hoarding_fen = excluded.hoarding_fen, overload_w = excluded.overload_w,
         sweep_interval_s = excluded.sweep_interval_s";
    let (table, named, key, id) = match of {
        DefaultsOf::Place(place) => ("place_defaults", "places", "place_id", place.0),
        DefaultsOf::Group(group) => ("group_defaults", "place_groups", "group_id", group.0),
    };
    let sql = format!(
        "INSERT INTO {table} ({key}, alarm1_fen, alarm2_fen, overdraft_fen, hoarding_fen, overload_w, sweep_interval_s)
         SELECT id, $2, $3, $4, $5, $6, $7 FROM {named} WHERE id = $1 ON CONFLICT ({key}) {OTHERS}"
    );
    let [alarm1, alarm2, overdraft, hoarding, overload, interval] = values.0.map(|value| value.map(i64::from));
    let stored = on!(tx, |c| sqlx::query(AssertSqlSafe(sql.clone()))
        .bind(id)
        .bind(alarm1)
        .bind(alarm2)
        .bind(overdraft)
        .bind(hoarding)
        .bind(overload)
        .bind(interval)
        .execute(c)
        .await)?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = serde_json::json!({
        "alarm1_fen": alarm1, "alarm2_fen": alarm2, "overdraft_fen": overdraft, "hoarding_fen": hoarding,
        "overload_w": overload, "seconds": interval
    })
    .to_string();
    let subject = match of {
        DefaultsOf::Place(place) => format!("place:{place}"),
        DefaultsOf::Group(group) => format!("group:{group}"),
    };
    let (user, ip) = by;
    let entry =
        Entry { actor: &format!("user:{user}"), ip, action: AuditAction::SiteDefaults, subject: &subject, detail: &detail };
    audit::append(tx, at, &entry).await
}
