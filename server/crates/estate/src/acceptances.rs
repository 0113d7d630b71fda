//! Who accepted a meter after its installation.

use model::audit::AuditAction;
use model::case::CaseKind;
use model::console::{Acceptance, Commissioning, Page, RoomName, UnacceptedMeter};
use model::defaults::DefaultValues;
use model::ids::{MeterId, PlaceId, UserId};
use model::meter::{Latest, Wallet};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, FromRow};

use store::audit;
use store::console::{above, names, within};
use store::{Db, JsonText, Result, on, read};

use crate::defaults::{StoredLimits, unraised};

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

/// Notes that a person accepts meters, with their audit lines in one transaction, and gives how many. Those that were accepted or
/// retired before are left out. The caller has checked the permission and that the operator may see the meters.
pub async fn accept(db: &Db, at: Timestamp, who: &Who, meters: &[MeterId], comment: &str) -> Result<usize> {
    if meters.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "INSERT INTO meter_acceptances (meter_id, accepted_by, accepted_at, comment)
         SELECT id, $1, $2, $3 FROM meters WHERE retired_at IS NULL AND id IN ({})
         ON CONFLICT (meter_id) DO NOTHING RETURNING meter_id",
        placeholders(4, meters.len())
    );
    let mut tx = db.begin().await?;
    let accepted: Vec<(MeterId,)> = on!(&mut tx, |c| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(who.user).bind(at).bind(comment);
        for meter in meters {
            query = query.bind(meter);
        }
        query.fetch_all(c).await
    })?;
    for (meter,) in &accepted {
        let subject = format!("meter:{meter}");
        audit::record(&mut tx, at, who, (AuditAction::MeterAccept, &subject), &json!({ "comment": comment })).await?;
    }
    tx.commit().await?;
    Ok(accepted.len())
}

/// `$4, $5, ...`.
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
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
    base_fen: Option<i64>,
    /// Kinds of its open cases, separated by commas.
    cases: Option<String>,
    total: i64,
}

macro_rules! unaccepted {
    () => {
        concat!(
            "SELECT m.id, m.place_id, m.serial, m.profile, m.wallet, m.unit, g.name AS gateway, p.version, p.read_at,
                    p.parameters, o.base_fen,
                    (SELECT string_agg(k.kind, ',' ORDER BY k.kind) FROM (SELECT DISTINCT c.kind FROM cases c
                     WHERE c.meter_id = m.id AND c.closed_at IS NULL) k) AS cases,
                    COUNT(*) OVER () AS total,",
            names!(),
            "FROM meters m JOIN gateways g ON g.id = m.gateway_id JOIN places r ON r.id = m.place_id",
            above!(),
            "LEFT JOIN meter_parameters p ON p.meter_id = m.id LEFT JOIN meter_overdrafts o ON o.meter_id = m.id
             WHERE m.retired_at IS NULL AND NOT EXISTS (SELECT 1 FROM meter_acceptances a WHERE a.meter_id = m.id) AND",
            within!()
        )
    };
}

/// A page of the meters in service that nobody has accepted, by place, each with the place of its room. The caller adds what the
/// running server knows of them, and what they should keep.
pub async fn unaccepted(db: &Db, operator: UserId, page: i64) -> Result<Page<(Commissioning, PlaceId)>> {
    let rows: Vec<UnacceptedRow> = read!(db, |pool| sqlx::query_as(concat!(
        unaccepted!(),
        "ORDER BY t.sort, b.sort, r.sort, m.unit, m.id LIMIT $2 OFFSET $3"
    ))
    .bind(operator)
    .bind(Page::<UnacceptedMeter>::SIZE)
    .bind(page * Page::<UnacceptedMeter>::SIZE)
    .fetch_all(pool)
    .await)?;
    let total = rows.first().map_or(0, |row| row.total);
    Ok(Page { lines: rows.into_iter().map(to_accept).collect(), total })
}

/// The ones among these meters that [`unaccepted`] would list.
pub async fn unaccepted_of(db: &Db, operator: UserId, meters: &[MeterId]) -> Result<Vec<(Commissioning, PlaceId)>> {
    if meters.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{} AND m.id IN ({})", unaccepted!(), placeholders(2, meters.len()));
    let rows: Vec<UnacceptedRow> = read!(db, |pool| {
        let mut query = sqlx::query_as(AssertSqlSafe(sql.clone())).bind(operator);
        for meter in meters {
            query = query.bind(meter);
        }
        query.fetch_all(pool).await
    })?;
    Ok(rows.into_iter().map(to_accept).collect())
}

fn to_accept(row: UnacceptedRow) -> (Commissioning, PlaceId) {
    let place = row.place_id;
    let meter = Commissioning {
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
        limits: row.parameters.map(|JsonText(stored)| unraised(&stored, row.base_fen)),
        defaults: DefaultValues::default(),
        quality: None,
        accepted: None,
    };
    (meter, place)
}
