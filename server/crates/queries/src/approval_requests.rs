//! The requests that wait, as pages show them.

use std::collections::HashSet;

use model::approval::{ApprovalKind, ApprovalLine, Basis, Decision, PriceReach};
use model::ids::{ApprovalId, PlaceId, UserId, Uuid};
use model::money::Fen;
use model::place::PlaceKind;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::plan_places::group_places;
use crate::{PlanPlaces, group_names};
use store::console::{above, within};
use store::{Db, JsonText, Result, prices, read};

/// As many as one page shows.
const MOST: i64 = 200;

#[derive(FromRow)]
struct LineRow {
    id: ApprovalId,
    args: JsonText<Decision>,
    basis: JsonText<Basis>,
    amount_fen: Fen,
    reason: String,
    asked_by: UserId,
    asked_by_name: String,
    asked_at: Timestamp,
    expires_at: Timestamp,
    kind: Option<PlaceKind>,
    name: Option<String>,
    parent_kind: Option<PlaceKind>,
    parent: Option<String>,
    top_kind: Option<PlaceKind>,
    top: Option<String>,
}

impl LineRow {
    /// The place with those above it, from the building downwards.
    fn place(&self) -> String {
        let above = [(self.top_kind, &self.top), (self.parent_kind, &self.parent)];
        let above = above.into_iter().filter(|(kind, _)| kind.is_some_and(|kind| kind != PlaceKind::Site));
        let names = above.chain([(self.kind, &self.name)]).filter_map(|(_, name)| name.as_deref());
        names.collect::<Vec<_>>().join(" ")
    }
}

/// Requests that wait, for places that the operator may see, oldest first; at most 200.
pub async fn approval_requests(db: &Db, operator: UserId, at: Timestamp) -> Result<Vec<ApprovalLine>> {
    let rows: Vec<LineRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT q.id, q.args, q.basis, q.amount_fen, q.reason, q.asked_by, u.name AS asked_by_name, q.asked_at, q.expires_at,
                    r.kind, r.name, b.kind AS parent_kind, b.name AS parent, t.kind AS top_kind, t.name AS top
             FROM approval_requests q JOIN users u ON u.id = q.asked_by LEFT JOIN places r ON r.id = q.place_id",
            above!(),
            "WHERE q.state = 'waiting' AND q.expires_at > $2 AND",
            within!(),
            "ORDER BY q.asked_at, q.id LIMIT $3"
        ))
        .bind(operator)
        .bind(at)
        .bind(MOST)
        .fetch_all(pool)
        .await
    })?;
    let (plans, groups) = (prices::names(db).await?, group_names(db).await?);
    let plan_name = |plan: &Uuid| plans.iter().find(|(id, _)| id == plan).map(|(_, name)| name.clone());
    let charged = if rows.iter().any(|row| row.args.0.kind() == ApprovalKind::PricePlace) {
        Some((PlanPlaces::read(db).await?, group_places(db).await?))
    } else {
        None
    };
    let reach = |decision: &Decision| {
        let (charged, members) = charged.as_ref()?;
        let of: HashSet<PlaceId> = match decision {
            Decision::PricePlace { place, .. } => [*place].into(),
            Decision::PriceGroup { group, .. } => members.iter().filter(|(of, _)| of == group).map(|(_, place)| *place).collect(),
            _ => return None,
        };
        let (rooms, plans) = charged.below(&of, at);
        let plans = plans.into_iter().map(|(plan, meters)| (plan.as_ref().and_then(plan_name), meters)).collect();
        Some(PriceReach { rooms, plans })
    };
    let line = |row: LineRow| {
        let plan = match &row.args.0 {
            Decision::PricePlace { plan, .. } | Decision::PriceGroup { plan: Some(plan), .. } => plan_name(plan),
            _ => None,
        };
        let place = match &row.args.0 {
            Decision::PriceGroup { group, .. } => {
                groups.iter().find(|(id, _)| id == group).map(|(_, name)| name.clone()).unwrap_or_default()
            }
            _ => row.place(),
        };
        ApprovalLine {
            place,
            reach: reach(&row.args.0),
            id: row.id,
            decision: row.args.0,
            basis: row.basis.0,
            amount: row.amount_fen,
            plan,
            reason: row.reason,
            asked_by: row.asked_by_name,
            mine: row.asked_by == operator,
            asked_at: row.asked_at,
            expires_at: row.expires_at,
        }
    };
    Ok(rows.into_iter().map(line).collect())
}

/// What a request is for, where the operator may see it.
pub async fn decision_of(db: &Db, operator: UserId, id: ApprovalId) -> Result<Option<Decision>> {
    let row: Option<(JsonText<Decision>,)> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT q.args FROM approval_requests q LEFT JOIN places r ON r.id = q.place_id",
        above!(),
        "WHERE q.id = $2 AND",
        within!()
    ))
    .bind(operator)
    .bind(id)
    .fetch_optional(pool)
    .await)?;
    Ok(row.map(|(JsonText(decision),)| decision))
}
