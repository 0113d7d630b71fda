//! The requests that wait, as pages show them.

use model::approval::{ApprovalKind, ApprovalLine, Basis, Decision};
use model::ids::{ApprovalId, UserId, Uuid};
use model::money::Fen;
use model::time::Timestamp;
use sqlx::FromRow;

use crate::group_names;
use crate::plan_places::{PlaceNames, place_names};
use crate::price_changes::PriceChanges;
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
    #[sqlx(flatten)]
    names: PlaceNames,
}

/// Requests that wait, for places that the operator may see, oldest first; at most 200.
pub async fn approval_requests(db: &Db, operator: UserId, at: Timestamp) -> Result<Vec<ApprovalLine>> {
    let rows: Vec<LineRow> = read!(db, |pool| {
        sqlx::query_as(concat!(
            "SELECT q.id, q.args, q.basis, q.amount_fen, q.reason, q.asked_by, u.name AS asked_by_name, q.asked_at,
                    q.expires_at,",
            place_names!(),
            "FROM approval_requests q JOIN users u ON u.id = q.asked_by LEFT JOIN places r ON r.id = q.place_id",
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
    let changes = if rows.iter().any(|row| row.args.0.kind() == ApprovalKind::PricePlace) {
        Some(PriceChanges::read(db, at).await?)
    } else {
        None
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
            _ => row.names.full_name(),
        };
        ApprovalLine {
            place,
            reach: changes.as_ref().and_then(|changes| changes.of(&row.args.0)),
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
