//! The place tree: site, building, unit, room.

mod change;

use std::collections::HashSet;

use model::ids::{MeterId, PlaceId, UserId};
use model::place::PlaceKind;
use sqlx::FromRow;

use domain::place_tree::{Place, PlaceTree};
use store::{Db, Result, Tx, on, read};

pub(crate) use change::lock;
pub use change::{check, create, merge, relocate, remove, rename, repriced};

/// A place to add.
#[derive(Clone, Copy, Debug)]
pub struct NewPlace<'a> {
    pub id: PlaceId,
    /// `None` for the site.
    pub parent: Option<PlaceId>,
    pub kind: PlaceKind,
    /// Unique among its siblings.
    pub name: &'a str,
    /// Its order among its siblings.
    pub sort: i64,
}

/// The sites: the roots of the tree.
pub async fn sites(db: &Db) -> Result<Vec<PlaceId>> {
    let rows: Vec<(PlaceId,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM places WHERE parent_id IS NULL").fetch_all(pool).await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// The buildings in their order, with their names.
pub async fn buildings(db: &Db) -> Result<Vec<(PlaceId, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, name FROM places WHERE kind = 'building' ORDER BY sort, name, id")
        .fetch_all(pool)
        .await)
}

/// Adds a place in the caller's transaction.
///
/// # Errors
/// [`StoreError::is_duplicate`](crate::StoreError::is_duplicate) if its parent has a place of that name.
pub async fn add(tx: &mut Tx, place: &NewPlace<'_>) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO places (id, parent_id, kind, name, sort) VALUES ($1, $2, $3, $4, $5)")
        .bind(place.id)
        .bind(place.parent)
        .bind(place.kind)
        .bind(place.name)
        .bind(place.sort)
        .execute(c)
        .await)?;
    Ok(())
}

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    kind: PlaceKind,
    name: String,
    sort: i64,
    meters: i64,
    accounts: i64,
    had_meter: bool,
    had_account: bool,
    in_batch: bool,
}

const TREE: &str =
    "SELECT p.id, p.parent_id, p.kind, p.name, p.sort, COALESCE(m.now, 0) AS meters, COALESCE(a.now, 0) AS accounts,
        m.place_id IS NOT NULL OR EXISTS (SELECT 1 FROM instruments i WHERE i.place_id = p.id)
            OR EXISTS (SELECT 1 FROM circuits c WHERE c.feeds_place_id = p.id) AS had_meter,
        a.place_id IS NOT NULL AS had_account,
        EXISTS (SELECT 1 FROM account_batch_rooms w WHERE w.place_id = p.id AND w.state = 'waiting') AS in_batch
    FROM places p
    LEFT JOIN (SELECT place_id, COUNT(CASE WHEN retired_at IS NULL THEN 1 END) AS now FROM meters GROUP BY place_id) m
      ON m.place_id = p.id
    LEFT JOIN (SELECT place_id, COUNT(CASE WHEN closed_at IS NULL THEN 1 END) AS now FROM accounts GROUP BY place_id) a
      ON a.place_id = p.id";

/// All places, with what is in them.
pub async fn tree(db: &Db) -> Result<PlaceTree> {
    let rows: Vec<PlaceRow> = read!(db, |pool| sqlx::query_as(TREE).fetch_all(pool).await)?;
    Ok(PlaceTree::new(rows.into_iter().map(place).collect()))
}

fn place(row: PlaceRow) -> Place {
    Place {
        id: row.id,
        parent: row.parent_id,
        kind: row.kind,
        name: row.name,
        sort: row.sort,
        meters: u32::try_from(row.meters).unwrap_or(u32::MAX),
        accounts: u32::try_from(row.accounts).unwrap_or(u32::MAX),
        had_meter: row.had_meter,
        had_account: row.had_account,
        in_batch: row.in_batch,
    }
}

/// The meters in service that are directly in a place, with their serial numbers.
pub async fn meters(db: &Db, place: PlaceId) -> Result<Vec<(MeterId, String)>> {
    read!(db, |pool| sqlx::query_as("SELECT id, serial FROM meters WHERE place_id = $1 AND retired_at IS NULL ORDER BY serial")
        .bind(place)
        .fetch_all(pool)
        .await)
}

/// The buildings that operators are limited to, with the operator's id and name.
pub async fn assigned(db: &Db) -> Result<Vec<(PlaceId, UserId, String)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT ob.place_id, u.id, u.name FROM operator_buildings ob JOIN users u ON u.id = ob.user_id
         WHERE NOT u.all_buildings ORDER BY u.name, u.login"
    )
    .fetch_all(pool)
    .await)
}

/// The places that have a price plan or a subsidy rule of their own.
pub async fn with_own_rules(db: &Db) -> Result<HashSet<PlaceId>> {
    let rows: Vec<(PlaceId,)> =
        read!(db, |pool| sqlx::query_as("SELECT place_id FROM price_places UNION SELECT place_id FROM subsidy_rules")
            .fetch_all(pool)
            .await)?;
    Ok(rows.into_iter().map(|(place,)| place).collect())
}
