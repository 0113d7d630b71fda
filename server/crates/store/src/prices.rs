//! Price plans: their versions, which never change, and the places and groups where they apply.

mod estate;

pub use estate::{PricedMeter, given, given_within, keeps, last_commands, meters, used_between};

use model::audit::AuditAction;
use model::error::AppError;
use model::ids::{MeterId, PlaceGroupId, PlaceId};
use model::person::Who;
use model::tariff::{Prices, is_plan_name};
use model::time::{DAY, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::json_text::JsonText;
use super::{Db, Result, StoreError, Tx, on, read};
use domain::prices::{PlanFrom, timeline};
use domain::rng::Rng;
use domain::tariff::Version;

/// The furthest ahead that a version may come into force, so that a typing error in the year is refused.
const AHEAD: i64 = 800 * DAY;

/// A version to publish.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The plan's name; a new one makes a new plan.
    pub plan: String,
    /// From when on; `None` for at once. Never in the past: what was charged stays charged.
    pub effective_at: Option<Timestamp>,
    pub prices: Prices,
}

/// Publishes a version of a plan; creates the plan if it is new.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for prices or an instant out of range, [`AppError::Conflict`] if
/// the plan has a version of that instant.
pub async fn publish(db: &Db, rng: &Rng, at: Timestamp, who: Option<&Who>, new: &Publication) -> Result<Uuid> {
    let mut tx = db.begin().await?;
    let plan = publish_within(&mut tx, rng, at, who, new).await?;
    tx.commit().await?;
    Ok(plan)
}

/// Whether a version may be published at an instant.
///
/// # Errors
/// As [`publish`].
pub fn check(at: Timestamp, new: &Publication) -> Result<()> {
    let (effective, name) = (new.effective_at.unwrap_or(at), new.plan.trim());
    if new.prices.validate().is_err() || effective < at || effective.since(at) > AHEAD || !is_plan_name(name) {
        return Err(AppError::Invalid.into());
    }
    Ok(())
}

/// [`publish`] in the caller's transaction.
pub async fn publish_within(tx: &mut Tx, rng: &Rng, at: Timestamp, who: Option<&Who>, new: &Publication) -> Result<Uuid> {
    check(at, new)?;
    let effective = new.effective_at.unwrap_or(at);
    let name = new.plan.trim();
    // The update locks the plan, so that two publications cannot take the same number.
    let plan: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "INSERT INTO price_plans (id, name, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"
    )
    .bind(rng.id(at))
    .bind(name)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    let (plan,) = plan.ok_or(StoreError::Inconsistent { table: "price_plans", column: "id" })?;
    let id = rng.id(at);
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO price_versions (id, plan_id, number, effective_at, prices, published_by, published_at)
         SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6 FROM price_versions WHERE plan_id = $2
         ON CONFLICT (plan_id, effective_at) DO NOTHING"
    )
    .bind(id)
    .bind(plan)
    .bind(effective)
    .bind(JsonText(&new.prices))
    .bind(who.map(|who| who.user))
    .bind(at)
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::Conflict.into());
    }
    let detail = serde_json::json!({ "plan": name, "effective_at": effective.0, "prices": new.prices }).to_string();
    record(tx, at, who, AuditAction::PricesPublish, &format!("plan:{}", plan.simple()), &detail).await?;
    Ok(plan)
}

/// Applies a plan to a place and everything below it from now on.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown plan or place.
pub async fn assign(db: &Db, at: Timestamp, who: Option<&Who>, place: PlaceId, plan: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    assign_within(&mut tx, at, who, place, plan).await?;
    tx.commit().await
}

/// [`assign`] in the caller's transaction.
pub async fn assign_within(tx: &mut Tx, at: Timestamp, who: Option<&Who>, place: PlaceId, plan: Uuid) -> Result<()> {
    let stored = on!(tx, |c| sqlx::query(
        "INSERT INTO price_places (place_id, plan_id, from_at, decided_by)
         SELECT p.id, v.id, $3, $4 FROM places p, price_plans v WHERE p.id = $1 AND v.id = $2
         ON CONFLICT (place_id, from_at) DO UPDATE SET plan_id = excluded.plan_id, decided_by = excluded.decided_by"
    )
    .bind(place)
    .bind(plan)
    .bind(at)
    .bind(who.map(|who| who.user))
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = serde_json::json!({ "plan": plan }).to_string();
    record(tx, at, who, AuditAction::PricesAssign, &format!("place:{place}"), &detail).await
}

/// Applies a plan to the places of a group and everything below them from now on, in the caller's transaction; `None` takes it
/// away, so that the plan above applies.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown group, and with [`AppError::GroupEmpty`] for a plan for one without places.
pub async fn assign_group_within(
    tx: &mut Tx,
    at: Timestamp,
    who: Option<&Who>,
    group: PlaceGroupId,
    plan: Option<Uuid>,
) -> Result<()> {
    if plan.is_some() {
        require_places(tx, group).await?;
    }
    let before = plan_of_group(tx, group).await?;
    let stored = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO price_groups (group_id, plan_id, from_at, decided_by) SELECT id, $2, $3, $4 FROM place_groups WHERE id = $1
         ON CONFLICT (group_id, from_at) DO UPDATE SET plan_id = excluded.plan_id, decided_by = excluded.decided_by"
    )
    .bind(group)
    .bind(plan)
    .bind(at)
    .bind(who.map(|who| who.user))
    .execute(c)
    .await
    })?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = serde_json::json!({ "plan": { "before": before, "after": plan } }).to_string();
    record(tx, at, who, AuditAction::PricesAssign, &format!("group:{group}"), &detail).await
}

/// The plan that a group has itself.
pub(super) async fn plan_of_group(tx: &mut Tx, group: PlaceGroupId) -> Result<Option<Uuid>> {
    let row: Option<(Option<Uuid>,)> =
        on!(tx, |c| sqlx::query_as("SELECT plan_id FROM price_groups WHERE group_id = $1 ORDER BY from_at DESC LIMIT 1")
            .bind(group)
            .fetch_optional(c)
            .await)?;
    Ok(row.and_then(|(plan,)| plan))
}

/// Refuses a plan for a group that names no place: it keeps its places from then on.
///
/// # Errors
/// [`AppError::GroupEmpty`].
pub(super) async fn require_places(tx: &mut Tx, group: PlaceGroupId) -> Result<()> {
    let place: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM place_group_members WHERE group_id = $1 LIMIT 1")
            .bind(group)
            .fetch_optional(c)
            .await)?;
    if place.is_some() { Ok(()) } else { Err(AppError::GroupEmpty.into()) }
}

/// The number of a plan's newest version; `None` without one.
pub(super) async fn newest(tx: &mut Tx, plan: &str) -> Result<Option<i64>> {
    let row: Option<(Option<i64>,)> = on!(tx, |c| sqlx::query_as(
        "SELECT MAX(v.number) FROM price_versions v JOIN price_plans p ON p.id = v.plan_id WHERE p.name = $1"
    )
    .bind(plan)
    .fetch_optional(c)
    .await)?;
    Ok(row.and_then(|(number,)| number))
}

/// Whether a plan has a version of an instant.
pub(super) async fn begins_at(tx: &mut Tx, plan: &str, at: Timestamp) -> Result<bool> {
    let row: Option<(Uuid,)> = on!(tx, |c| sqlx::query_as(
        "SELECT v.id FROM price_versions v JOIN price_plans p ON p.id = v.plan_id WHERE p.name = $1 AND v.effective_at = $2"
    )
    .bind(plan)
    .bind(at)
    .fetch_optional(c)
    .await)?;
    Ok(row.is_some())
}

/// The plans by id.
pub async fn names(db: &Db) -> Result<Vec<(Uuid, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, name FROM price_plans ORDER BY name").fetch_all(pool).await)
}

async fn record(tx: &mut Tx, at: Timestamp, who: Option<&Who>, action: AuditAction, subject: &str, detail: &str) -> Result<()> {
    let actor = who.map_or_else(|| "system".to_owned(), |who| format!("user:{}", who.user));
    let ip = who.map_or("", |who| &who.ip);
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject, detail }).await
}

/// A published version.
#[derive(Clone, Debug, FromRow)]
pub struct VersionRow {
    pub id: Uuid,
    pub plan_id: Uuid,
    /// 1 for the plan's first.
    pub number: i64,
    pub effective_at: Timestamp,
    prices: JsonText<Prices>,
    pub published_at: Timestamp,
    /// The plan's name.
    pub plan: String,
    /// Who published it.
    pub by_name: Option<String>,
    /// The second person who approved it.
    pub approved_by: Option<String>,
}

impl VersionRow {
    #[must_use]
    pub const fn prices(&self) -> &Prices {
        &self.prices.0
    }
}

/// The versions of a plan, the newest first.
pub async fn versions_of(db: &Db, plan: Uuid) -> Result<Vec<VersionRow>> {
    Ok(versions(db).await?.into_iter().filter(|row| row.plan_id == plan).collect())
}

/// All versions of all plans: by plan, the newest first.
pub async fn versions(db: &Db) -> Result<Vec<VersionRow>> {
    read!(db, |pool| sqlx::query_as(
        // An approval carries the request out in its own transaction, at its own instant.
        "SELECT v.id, v.plan_id, v.number, v.effective_at, v.prices, v.published_at, p.name AS plan, u.name AS by_name,
                (SELECT MAX(d.name) FROM approval_requests r JOIN users d ON d.id = r.decided_by
                 WHERE r.kind = 'prices' AND r.subject = 'prices:' || p.name AND r.state = 'approved'
                   AND r.decided_at = v.published_at) AS approved_by
         FROM price_versions v JOIN price_plans p ON p.id = v.plan_id LEFT JOIN users u ON u.id = v.published_by
         ORDER BY p.name, v.effective_at DESC"
    )
    .fetch_all(pool)
    .await)
}

/// Who asked for a version of a plan that waits for approval, and when.
pub async fn waiting(db: &Db, plan: &str) -> Result<Option<(String, Timestamp)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT u.name, r.asked_at FROM approval_requests r JOIN users u ON u.id = r.asked_by
         WHERE r.kind = 'prices' AND r.subject = 'prices:' || $1 AND r.state = 'waiting'"
    )
    .bind(plan)
    .fetch_optional(pool)
    .await)
}

/// Every version of every plan, to make timelines of.
pub(super) struct Catalogue(Vec<(Uuid, Version)>);

impl Catalogue {
    pub(super) async fn load(tx: &mut Tx) -> Result<Self> {
        let rows: Vec<(Uuid, Uuid, Timestamp, JsonText<Prices>)> =
            on!(tx, |c| sqlx::query_as("SELECT plan_id, id, effective_at, prices FROM price_versions").fetch_all(c).await)?;
        Ok(Self(rows.into_iter().map(|(plan, id, from, JsonText(prices))| (plan, Version { id, from, prices })).collect()))
    }

    /// The versions that apply to a meter; empty without a plan.
    pub(super) async fn timeline(&self, tx: &mut Tx, meter: MeterId) -> Result<Vec<Version>> {
        // Its places from the room upwards; at each, its own plans, then those of its groups.
        let mut rows: Vec<(i64, Option<String>, Option<Uuid>, Timestamp)> = on!(tx, |c| sqlx::query_as(
            "WITH RECURSIVE chain (id, parent_id, distance) AS (
                 SELECT p.id, p.parent_id, CAST(0 AS BIGINT) FROM places p JOIN meters m ON m.place_id = p.id WHERE m.id = $1
                 UNION ALL
                 SELECT p.id, p.parent_id, chain.distance + 1 FROM places p JOIN chain ON p.id = chain.parent_id
                 WHERE chain.distance < 16)
             SELECT chain.distance, CAST(NULL AS TEXT) AS name, a.plan_id, a.from_at
             FROM chain JOIN price_places a ON a.place_id = chain.id
             UNION ALL
             SELECT chain.distance, g.name, a.plan_id, a.from_at
             FROM chain JOIN place_group_members n ON n.place_id = chain.id JOIN place_groups g ON g.id = n.group_id
                        JOIN price_groups a ON a.group_id = g.id"
        )
        .bind(meter)
        .fetch_all(c)
        .await)?;
        rows.sort_unstable();
        let sources = rows.chunk_by(|one, next| (one.0, &one.1) == (next.0, &next.1));
        let given = |rows: &[(i64, Option<String>, Option<Uuid>, Timestamp)]| {
            rows.iter().map(|&(_, _, plan, from)| PlanFrom { plan, from }).collect::<Vec<_>>()
        };
        Ok(timeline(&sources.map(given).collect::<Vec<_>>(), &self.0))
    }
}
