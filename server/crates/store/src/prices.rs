//! Price plans: their versions, which are never changed, and at which places they hold.

use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::person::Who;
use model::tariff::Prices;
use model::time::{DAY, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::{Db, Result, StoreError, Tx, on, read};
use domain::prices::{Assigned, timeline};
use domain::rng::Rng;
use domain::tariff::Version;

/// The furthest ahead that a version may take over: a typing error in the year shows.
const AHEAD: i64 = 800 * DAY;

/// A version to publish.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The plan's name; a new one makes a new plan.
    pub plan: String,
    /// From when on; `None` for at once. Never in the past: what was charged stays charged.
    pub effective_at: Option<Timestamp>,
    /// What energy costs.
    pub prices: Prices,
}

/// Publishes a version of a plan, and makes the plan where it is new.
///
/// # Errors
/// Refused with [`AppError::Invalid`] for prices or an instant that cannot be, [`AppError::Conflict`] where a version of that
/// instant stands.
pub async fn publish(db: &Db, rng: &Rng, at: Timestamp, who: Option<&Who>, new: &Publication) -> Result<Uuid> {
    let effective = new.effective_at.unwrap_or(at);
    let name = new.plan.trim();
    if new.prices.validate().is_err() || effective < at || effective.since(at) > AHEAD || name.is_empty() || name.len() > 100 {
        return Err(AppError::Invalid.into());
    }
    let mut tx = db.begin().await?;
    // The update locks the plan, so that two publications cannot take the same number.
    let plan: Option<(Uuid,)> = on!(&mut tx, |c| sqlx::query_as(
        "INSERT INTO price_plans (id, name, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"
    )
    .bind(rng.id(at))
    .bind(name)
    .bind(at.0)
    .fetch_optional(c)
    .await)?;
    let (plan,) = plan.ok_or(StoreError::Inconsistent { table: "price_plans", column: "id" })?;
    let (id, prices) = (rng.id(at), serde_json::json!(new.prices).to_string());
    let stored = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO price_versions (id, plan_id, number, effective_at, prices, published_by, published_at)
         SELECT $1, $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5, $6 FROM price_versions WHERE plan_id = $2
         ON CONFLICT (plan_id, effective_at) DO NOTHING"
    )
    .bind(id)
    .bind(plan)
    .bind(effective.0)
    .bind(&prices)
    .bind(who.map(|who| who.user.0))
    .bind(at.0)
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::Conflict.into());
    }
    let detail = serde_json::json!({ "plan": name, "effective_at": effective.0, "prices": new.prices }).to_string();
    record(&mut tx, at, who, "prices.publish", &format!("plan:{}", plan.simple()), &detail).await?;
    tx.commit().await?;
    Ok(plan)
}

/// Says that a plan holds at a place and below it from now on.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown plan or place.
pub async fn assign(db: &Db, at: Timestamp, who: Option<&Who>, place: PlaceId, plan: Uuid) -> Result<()> {
    let mut tx = db.begin().await?;
    let stored = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO price_places (place_id, plan_id, from_at, decided_by)
         SELECT p.id, v.id, $3, $4 FROM places p, price_plans v WHERE p.id = $1 AND v.id = $2
         ON CONFLICT (place_id, from_at) DO UPDATE SET plan_id = excluded.plan_id, decided_by = excluded.decided_by"
    )
    .bind(place.0)
    .bind(plan)
    .bind(at.0)
    .bind(who.map(|who| who.user.0))
    .execute(c)
    .await)?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    let detail = serde_json::json!({ "plan": plan }).to_string();
    record(&mut tx, at, who, "prices.assign", &format!("place:{place}"), &detail).await?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: Option<&Who>, action: &str, subject: &str, detail: &str) -> Result<()> {
    let actor = who.map_or_else(|| "system".to_owned(), |who| format!("user:{}", who.user));
    let ip = who.map_or("", |who| &who.ip);
    audit::append(tx, at, &Entry { actor: &actor, ip, action, subject, detail }).await
}

/// A published version.
#[derive(Clone, Debug, FromRow)]
pub struct VersionRow {
    pub id: Uuid,
    /// Of which plan.
    pub plan_id: Uuid,
    /// 1 for the plan's first.
    pub number: i64,
    pub effective_at: i64,
    pub prices: String,
    /// When it was published.
    pub published_at: i64,
    /// The plan's name.
    pub plan: String,
    /// Who published it.
    pub by_name: Option<String>,
}

impl VersionRow {
    /// What energy costs by it.
    ///
    /// # Errors
    /// Where the stored text is none.
    pub fn prices(&self) -> Result<Prices> {
        serde_json::from_str(&self.prices).map_err(|_| StoreError::Inconsistent { table: "price_versions", column: "prices" })
    }
}

/// All versions of all plans: by plan, the newest first.
pub async fn versions(db: &Db) -> Result<Vec<VersionRow>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT v.id, v.plan_id, v.number, v.effective_at, v.prices, v.published_at, p.name AS plan, u.name AS by_name
         FROM price_versions v JOIN price_plans p ON p.id = v.plan_id LEFT JOIN users u ON u.id = v.published_by
         ORDER BY p.name, v.effective_at DESC"
    )
    .fetch_all(pool)
    .await)
}

/// Where plans hold now: plan, place, and since when.
pub async fn places(db: &Db) -> Result<Vec<(Uuid, Uuid, i64)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT a.plan_id, a.place_id, a.from_at FROM price_places a
         WHERE a.from_at = (SELECT MAX(n.from_at) FROM price_places n WHERE n.place_id = a.place_id)"
    )
    .fetch_all(pool)
    .await)
}

/// Every version of every plan, to make timelines of.
pub(super) struct Catalogue(Vec<(Uuid, Version)>);

impl Catalogue {
    pub(super) async fn load(tx: &mut Tx) -> Result<Self> {
        let rows: Vec<(Uuid, Uuid, i64, String)> =
            on!(tx, |c| sqlx::query_as("SELECT plan_id, id, effective_at, prices FROM price_versions").fetch_all(c).await)?;
        let broken = StoreError::Inconsistent { table: "price_versions", column: "prices" };
        let parsed = rows.into_iter().map(|(plan, id, from, prices)| {
            Some((plan, Version { id, from: Timestamp(from), prices: serde_json::from_str(&prices).ok()? }))
        });
        parsed.collect::<Option<_>>().map(Self).ok_or(broken)
    }

    /// The versions that hold at a meter; empty where no plan does.
    pub(super) async fn timeline(&self, tx: &mut Tx, meter: MeterId) -> Result<Vec<Version>> {
        let rows: Vec<(i64, Uuid, i64)> = on!(tx, |c| sqlx::query_as(
            "WITH RECURSIVE chain (id, parent_id, distance) AS (
                 SELECT p.id, p.parent_id, CAST(0 AS BIGINT) FROM places p JOIN meters m ON m.place_id = p.id WHERE m.id = $1
                 UNION ALL
                 SELECT p.id, p.parent_id, chain.distance + 1 FROM places p JOIN chain ON p.id = chain.parent_id
                 WHERE chain.distance < 16)
             SELECT chain.distance, a.plan_id, a.from_at FROM chain JOIN price_places a ON a.place_id = chain.id"
        )
        .bind(meter.0)
        .fetch_all(c)
        .await)?;
        let assigned = rows.into_iter().map(|(distance, plan, from)| Assigned { distance, plan, from: Timestamp(from) });
        Ok(timeline(&assigned.collect::<Vec<_>>(), &self.0))
    }
}
