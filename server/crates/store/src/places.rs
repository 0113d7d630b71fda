//! The place tree: site, building, unit, room.

use model::ids::PlaceId;
use model::place::PlaceKind;

use super::{Db, Result, Tx, on, read};

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
