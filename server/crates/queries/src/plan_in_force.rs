//! The version of a price plan that is in force at an instant, and the next one.

use std::collections::HashMap;

use model::ids::Uuid;
use model::tariff::in_force;
use model::time::Timestamp;

use domain::price_issue::Wanted;
use store::prices::{self, VersionRow};
use store::{Db, Result};

#[derive(Clone, Debug)]
pub struct PlanInForce {
    pub version: VersionRow,
    /// The number of the next version, and when it takes over.
    pub next: Option<(i64, Timestamp)>,
    /// What meters should keep.
    pub wanted: Wanted,
}

impl PlanInForce {
    /// `None` for a plan without versions.
    pub async fn read(db: &Db, plan: Uuid, at: Timestamp) -> Result<Option<Self>> {
        Ok(Self::of_one(&prices::versions_of(db, plan).await?, at))
    }

    /// Every plan by its id.
    pub async fn all(db: &Db, at: Timestamp) -> Result<HashMap<Uuid, Self>> {
        let rows = prices::versions(db).await?;
        let plans = rows.chunk_by(|one, next| one.plan_id == next.plan_id);
        Ok(plans.filter_map(|rows| Self::of_one(rows, at)).map(|plan| (plan.version.plan_id, plan)).collect())
    }

    /// `rows` are the versions of one plan.
    fn of_one(rows: &[VersionRow], at: Timestamp) -> Option<Self> {
        let (version, next) = in_force(rows, at, |row| row.effective_at)?;
        Some(Self {
            version: version.clone(),
            next: next.map(|one| (one.number, one.effective_at)),
            wanted: Wanted { now: version.prices().clone(), next: next.map(|one| (one.prices().clone(), one.effective_at)) },
        })
    }
}
