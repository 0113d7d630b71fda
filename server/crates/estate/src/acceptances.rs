//! Who accepted a meter after its installation.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::console::{Acceptance, Commissioning, Page, RoomName, UnacceptedMeter};
use model::defaults::DefaultValues;
use model::error::AppError;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::{Latest, Wallet};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use store::audit::{self, Entry};
use store::console::{above, names, within};
use store::{Db, JsonText, Result, on, read};

use crate::defaults::StoredLimits;

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    building: String,
    floor: String,
    room: String,
    serial: String,
    profile: String,
    wallet: Wallet,
    gateway: String,
    unit: i64,
    version: Option<i64>,
    read_at: Option<Timestamp>,
    accepted_by: Option<String>,
    accepted_at: Option<Timestamp>,
    comment: Option<String>,
}

/// A meter in service that the operator may see. The caller adds what the running server knows of it.
pub async fn commissioning(db: &Db, operator: UserId, meter: MeterId) -> Result<Option<Commissioning>> {
    let row: Option<MeterRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.serial, m.profile, m.wallet, g.name AS gateway, m.unit, p.version, p.read_at, u.name AS accepted_by,
                a.accepted_at, a.comment,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN meter_parameters p ON p.meter_id = m.id LEFT JOIN meter_acceptances a ON a.meter_id = m.id
         LEFT JOIN users u ON u.id = a.accepted_by
         WHERE m.id = $2 AND m.retired_at IS NULL AND",
        within!()
    ))
    .bind(operator)
    .bind(meter)
    .fetch_optional(pool)
    .await)?;
    let Some(row) = row else { return Ok(None) };
    let cases: Vec<(CaseKind,)> = read!(db, |pool| sqlx::query_as(
        "SELECT DISTINCT kind FROM cases WHERE meter_id = $1 AND closed_at IS NULL ORDER BY kind"
    )
    .bind(meter)
    .fetch_all(pool)
    .await)?;
    let accepted = row.accepted_at.map(|at| Acceptance {
        by: row.accepted_by.unwrap_or_default(),
        at,
        comment: row.comment.unwrap_or_default(),
    });
    Ok(Some(Commissioning {
        is_priced: None,
        meter,
        room: RoomName { building: row.building, floor: row.floor, room: row.room },
        serial: row.serial,
        profile: row.profile,
        wallet: row.wallet,
        gateway: row.gateway,
        unit: row.unit,
        latest: Latest::unseen(row.id),
        is_identified: None,
        cases: cases.into_iter().map(|(kind,)| kind).collect(),
        parameters: row.version.zip(row.read_at),
        limits: None,
        defaults: DefaultValues::default(),
        quality: None,
        accepted,
    }))
}

/// Notes that a person accepts a meter, with its audit line in one transaction. The caller has checked the permission and that
/// the operator may see the meter.
///
/// # Errors
/// [`AppError::Conflict`] where it was accepted before; [`AppError::NotFound`] where it is not in service.
pub async fn accept(db: &Db, at: Timestamp, who: &Who, meter: MeterId, comment: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(MeterId,)> =
        on!(&mut tx, |c| sqlx::query_as("SELECT id FROM meters WHERE id = $1 AND retired_at IS NULL")
            .bind(meter)
            .fetch_optional(c)
            .await)?;
    if found.is_none() {
        return Err(AppError::NotFound.into());
    }
    let added: Result<u64> = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO meter_acceptances (meter_id, accepted_by, accepted_at, comment) VALUES ($1, $2, $3, $4)"
    )
    .bind(meter)
    .bind(who.user)
    .bind(at)
    .bind(comment)
    .execute(c)
    .await);
    match added {
        Err(error) if error.is_duplicate() => return Err(AppError::Conflict.into()),
        added => added?,
    };
    let (actor, subject) = (format!("user:{}", who.user), format!("meter:{meter}"));
    let detail = json!({ "comment": comment }).to_string();
    let entry = Entry { actor: &actor, ip: &who.ip, action: AuditAction::MeterAccept, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

#[derive(FromRow)]
struct UnacceptedRow {
    id: MeterId,
    place_id: PlaceId,
    building: String,
    floor: String,
    room: String,
    gateway: String,
    unit: i64,
    serial: String,
    profile: String,
    wallet: Wallet,
    version: Option<i64>,
    read_at: Option<Timestamp>,
    parameters: Option<JsonText<StoredLimits>>,
    /// Kinds of its open cases, separated by commas.
    cases: Option<String>,
    total: i64,
}

/// A page of the meters in service that nobody has accepted, by place, each with the place of its room. The caller adds what the
/// running server knows of them, and what they should keep.
pub async fn unaccepted(db: &Db, operator: UserId, page: i64) -> Result<Page<(Commissioning, PlaceId)>> {
    let rows: Vec<UnacceptedRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id, m.place_id, m.serial, m.profile, m.wallet, m.unit, g.name AS gateway, p.version, p.read_at, p.parameters,
                (SELECT string_agg(k.kind, ',' ORDER BY k.kind) FROM (SELECT DISTINCT c.kind FROM cases c
                 WHERE c.meter_id = m.id AND c.closed_at IS NULL) k) AS cases,
                COUNT(*) OVER () AS total,",
        names!(),
        "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
        above!(),
        "LEFT JOIN meter_parameters p ON p.meter_id = m.id
         WHERE m.retired_at IS NULL AND NOT EXISTS (SELECT 1 FROM meter_acceptances a WHERE a.meter_id = m.id) AND",
        within!(),
        "ORDER BY t.sort, b.sort, r.sort, m.unit, m.id LIMIT $2 OFFSET $3"
    ))
    .bind(operator)
    .bind(Page::<UnacceptedMeter>::SIZE)
    .bind(page * Page::<UnacceptedMeter>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    let line = |row: UnacceptedRow| {
        let place = row.place_id;
        (to_accept(row), place)
    };
    Ok(Page { lines: rows.into_iter().map(line).collect(), total })
}

fn to_accept(row: UnacceptedRow) -> Commissioning {
    Commissioning {
        is_priced: None,
        meter: row.id,
        room: RoomName { building: row.building, floor: row.floor, room: row.room },
        serial: row.serial,
        profile: row.profile,
        wallet: row.wallet,
        gateway: row.gateway,
        unit: row.unit,
        latest: Latest::unseen(row.id),
        is_identified: None,
        cases: row.cases.unwrap_or_default().split(',').filter_map(CaseKind::parse).collect(),
        parameters: row.version.zip(row.read_at),
        limits: row.parameters.map(|JsonText(stored)| stored.limits),
        defaults: DefaultValues::default(),
        quality: None,
        accepted: None,
    }
}
