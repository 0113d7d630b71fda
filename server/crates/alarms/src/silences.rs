//! Maintenance: for its time nobody gets messages about the alarms of a place, a gateway or a meter. The alarms are raised all
//! the same, and shown as silenced.

use model::audit::AuditAction;
use model::console::{EventLine, RoomName, SilenceLine, SilenceOf};
use model::error::AppError;
use model::ids::{GatewayId, MeterId, PlaceId, SilenceId, UserId};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use domain::rng::Rng;
use store::audit;
use store::console::{Name, above, names, within};
use store::{Db, Result, Tx, on, read};

/// Silences that are listed.
const MOST: i64 = 200;
/// Places, and gateways, that can be chosen.
const MOST_SCOPES: i64 = 2_000;

#[derive(FromRow)]
struct SilenceRow {
    id: SilenceId,
    place_id: Option<PlaceId>,
    gateway_id: Option<GatewayId>,
    meter_id: Option<MeterId>,
    /// Of a gateway, a building or the site.
    name: Option<String>,
    #[sqlx(flatten)]
    room: Name,
    reason: String,
    from_at: Timestamp,
    until_at: Timestamp,
    set_by: String,
    ended_at: Option<Timestamp>,
    ended_by: Option<String>,
}

impl SilenceRow {
    fn line(self) -> Option<SilenceLine> {
        let place = self.place_id.map(SilenceOf::Place);
        let of = place.or(self.gateway_id.map(SilenceOf::Gateway)).or(self.meter_id.map(SilenceOf::Meter))?;
        Some(SilenceLine {
            id: self.id,
            of,
            name: self.name.unwrap_or_else(|| RoomName::from(self.room).to_string()),
            reason: self.reason,
            from: self.from_at,
            until: self.until_at,
            set_by: self.set_by,
            ended: self.ended_at.map(|at| (at, self.ended_by.unwrap_or_default())),
        })
    }
}

/// The silences that the operator may see. A place is seen by whoever sees it or what is below it, a gateway by whoever sees
/// one of its meters.
macro_rules! visible_silences {
    () => {
        concat!(
            "SELECT s.id, s.place_id, s.gateway_id, s.meter_id, s.reason, s.from_at, s.until_at, u.name AS set_by, s.ended_at,
                    x.name AS ended_by,
                    COALESCE(CASE WHEN p.kind IN ('site', 'building') THEN p.name END, g.name) AS name,",
            names!(),
            " FROM alarm_silences s JOIN users u ON u.id = s.set_by LEFT JOIN users x ON x.id = s.ended_by
             LEFT JOIN places p ON p.id = s.place_id LEFT JOIN gateways g ON g.id = s.gateway_id
             LEFT JOIN meters m ON m.id = s.meter_id LEFT JOIN places r ON r.id = COALESCE(s.place_id, m.place_id)",
            above!(),
            "WHERE (((s.place_id IS NOT NULL OR s.meter_id IS NOT NULL) AND",
            within!(),
            ") OR (s.gateway_id IS NOT NULL AND (SELECT all_buildings FROM users WHERE id = $1))
             OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE (m.gateway_id = s.gateway_id OR s.place_id IN (b.id, t.id, t.parent_id)) AND m.retired_at IS NULL AND",
            within!(),
            ")) "
        )
    };
}

/// The silences that are on or planned and that the operator may see, by their end.
pub async fn silences(db: &Db, operator: UserId, now: Timestamp) -> Result<Vec<SilenceLine>> {
    let rows: Vec<SilenceRow> = read!(db, |pool| sqlx::query_as(concat!(
        visible_silences!(),
        "AND s.ended_at IS NULL AND s.until_at > $2 ORDER BY s.until_at, s.id LIMIT $3"
    ))
    .bind(operator)
    .bind(now)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().filter_map(SilenceRow::line).collect())
}

/// Those that are over or were ended, the newest first, at most so many.
pub async fn past_silences(db: &Db, operator: UserId, now: Timestamp, most: usize) -> Result<Vec<SilenceLine>> {
    let rows: Vec<SilenceRow> = read!(db, |pool| sqlx::query_as(concat!(
        visible_silences!(),
        "AND (s.ended_at IS NOT NULL OR s.until_at <= $2) ORDER BY s.from_at DESC, s.id DESC LIMIT $3"
    ))
    .bind(operator)
    .bind(now)
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().filter_map(SilenceRow::line).collect())
}

/// Those of the places, gateway and meter of an alarm since it began; the newest first.
pub async fn silences_of(
    db: &Db,
    operator: UserId,
    line: &EventLine,
    scopes: &[(SilenceOf, String)],
) -> Result<Vec<SilenceLine>> {
    let rows: Vec<SilenceRow> = read!(db, |pool| sqlx::query_as(concat!(
        visible_silences!(),
        "AND s.until_at > $2 AND ($3 IS NULL OR s.from_at < $3) ORDER BY s.from_at DESC, s.id DESC LIMIT $4"
    ))
    .bind(operator)
    .bind(line.since)
    .bind(line.until)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    let covers = |silence: &SilenceLine| scopes.iter().any(|(of, _)| *of == silence.of);
    Ok(rows.into_iter().filter_map(SilenceRow::line).filter(covers).collect())
}

/// Where an alarm can be silenced, the narrowest first: its meter, its gateway, and its building. A gateway that serves more than
/// one building is in none of them.
pub async fn scopes(db: &Db, line: &EventLine) -> Result<Vec<(SilenceOf, String)>> {
    let meter = line.meter.as_ref().map(|(meter, name)| (SilenceOf::Meter(*meter), name.to_string()));
    let rows: Vec<(GatewayId, String, Option<PlaceId>, Option<String>)> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT DISTINCT g.id, g.name, h.id, h.name FROM gateways g
             LEFT JOIN meters m ON m.gateway_id = g.id AND (m.id = $1 OR ($1 IS NULL AND m.retired_at IS NULL))
             LEFT JOIN places r ON r.id = m.place_id
             LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
             LEFT JOIN places h ON h.id = CASE WHEN b.kind = 'building' THEN b.id WHEN t.kind = 'building' THEN t.id END
             WHERE m.id = $1 OR g.id = $2 LIMIT 2",
        )
        .bind(line.meter.as_ref().map(|(meter, _)| *meter))
        .bind(line.gateway.as_ref().map(|(gateway, _)| *gateway))
        .fetch_all(pool)
        .await
    })?;
    let is_shared = rows.len() > 1;
    let around = rows.into_iter().take(1).flat_map(|(gateway, name, building, building_name)| {
        let building = building.filter(|_| !is_shared).map(SilenceOf::Place).zip(building_name);
        [Some((SilenceOf::Gateway(gateway), name)), building].into_iter().flatten()
    });
    Ok(meter.into_iter().chain(around).collect())
}

/// What the operator can silence: buildings, the site, and gateways. The first is preselected, so the site is not the first.
pub async fn all_scopes(db: &Db, operator: UserId) -> Result<Vec<(SilenceOf, String)>> {
    let places: Vec<(PlaceId, String)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT p.id, p.name FROM places p
         WHERE (p.kind = 'site' AND (SELECT all_buildings FROM users WHERE id = $1))
            OR (p.kind = 'building' AND EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE p.id IN (b.id, t.id) AND m.retired_at IS NULL AND",
        within!(),
        ")) ORDER BY (p.kind = 'site'), p.sort, p.name, p.id LIMIT $2"
    ))
    .bind(operator)
    .bind(MOST_SCOPES)
    .fetch_all(pool)
    .await)?;
    let gateways: Vec<(GatewayId, String)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT g.id, g.name FROM gateways g
         WHERE g.retired_at IS NULL AND ((SELECT all_buildings FROM users WHERE id = $1)
            OR EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.gateway_id = g.id AND m.retired_at IS NULL AND",
        within!(),
        ")) ORDER BY g.name, g.id LIMIT $2"
    ))
    .bind(operator)
    .bind(MOST_SCOPES)
    .fetch_all(pool)
    .await)?;
    let places = places.into_iter().map(|(id, name)| (SilenceOf::Place(id), name));
    Ok(places.chain(gateways.into_iter().map(|(id, name)| (SilenceOf::Gateway(id), name))).collect())
}

/// Whether the operator sees a meter there; only operators of all buildings see the site and gateways without meters.
async fn is_visible(tx: &mut Tx, who: &Who, of: SilenceOf) -> Result<bool> {
    let (place, gateway, meter) = columns(of);
    let found: Option<(i64,)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT CAST(1 AS BIGINT) FROM users u WHERE u.id = $1 AND (
             (u.all_buildings AND EXISTS (SELECT 1 FROM gateways g WHERE g.id = $3 AND g.retired_at IS NULL))
             OR ((u.all_buildings OR NOT EXISTS (SELECT 1 FROM places p WHERE p.id = $4 AND p.kind = 'site'))
                 AND EXISTS (SELECT 1 FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.retired_at IS NULL AND (m.id = $2 OR m.gateway_id = $3 OR $4 IN (r.id, b.id, t.id, t.parent_id)) AND",
        within!(),
        ")))"
    ))
    .bind(who.user)
    .bind(meter)
    .bind(gateway)
    .bind(place)
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}

const fn columns(of: SilenceOf) -> (Option<PlaceId>, Option<GatewayId>, Option<MeterId>) {
    match of {
        SilenceOf::Place(id) => (Some(id), None, None),
        SilenceOf::Gateway(id) => (None, Some(id), None),
        SilenceOf::Meter(id) => (None, None, Some(id)),
    }
}

/// Silences alarms from now until an instant, with the audit line in one transaction.
///
/// # Errors
/// [`AppError::NotFound`] for what the operator may not see.
pub async fn silence(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    of: SilenceOf,
    (until, reason): (Timestamp, &str),
) -> Result<SilenceId> {
    let mut tx = db.begin().await?;
    if !is_visible(&mut tx, who, of).await? {
        return Err(AppError::NotFound.into());
    }
    let (id, (place, gateway, meter)) = (SilenceId(rng.id(at)), columns(of));
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO alarm_silences (id, place_id, gateway_id, meter_id, reason, from_at, until_at, set_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    )
    .bind(id)
    .bind(place)
    .bind(gateway)
    .bind(meter)
    .bind(reason)
    .bind(at)
    .bind(until)
    .bind(who.user)
    .execute(c)
    .await)?;
    let detail = json!({ "silent_until": until, "said": reason });
    audit::record(&mut tx, at, who, (AuditAction::EventSilence, &of.text()), &detail).await?;
    tx.commit().await?;
    Ok(id)
}

/// Ends a silence before its time.
///
/// # Errors
/// [`AppError::NotFound`] for one that the operator may not see or that is over; [`AppError::Forbidden`] for that of the whole
/// site where they do not see all buildings.
pub async fn end_silence(db: &Db, at: Timestamp, who: &Who, id: SilenceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<SilenceRow> = on!(&mut tx, |c| sqlx::query_as(concat!(
        visible_silences!(),
        "AND s.id = $2 AND s.ended_at IS NULL AND s.until_at > $3"
    ))
    .bind(who.user)
    .bind(id)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let line = found.and_then(SilenceRow::line).ok_or(AppError::NotFound)?;
    let may: Option<(UserId,)> = on!(&mut tx, |c| sqlx::query_as(
        "SELECT u.id FROM users u WHERE u.id = $1 AND (u.all_buildings OR NOT EXISTS (
             SELECT 1 FROM alarm_silences s JOIN places p ON p.id = s.place_id WHERE s.id = $2 AND p.kind = 'site'))"
    )
    .bind(who.user)
    .bind(id)
    .fetch_optional(c)
    .await)?;
    may.ok_or(AppError::Forbidden)?;
    on!(&mut tx, |c| sqlx::query("UPDATE alarm_silences SET ended_at = $2, ended_by = $3 WHERE id = $1 AND ended_at IS NULL")
        .bind(id)
        .bind(at)
        .bind(who.user)
        .execute(c)
        .await)?;
    let detail = json!({ "said": line.reason });
    audit::record(&mut tx, at, who, (AuditAction::EventSilenceEnd, &line.of.text()), &detail).await?;
    tx.commit().await
}
