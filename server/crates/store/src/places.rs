//! The place tree: site, building, unit, room.

use model::ids::{PlaceId, Uuid};

use super::{Db, Result, Tx, on, read};

/// A place to add.
#[derive(Clone, Copy, Debug)]
pub struct NewPlace<'a> {
    pub id: PlaceId,
    /// What it is part of; `None` for the site.
    pub parent: Option<PlaceId>,
    /// `site`, `building`, `unit` or `room`.
    pub kind: &'a str,
    /// What people call it; unique among its siblings.
    pub name: &'a str,
    /// Where it stands among its siblings.
    pub sort: i64,
}

/// The tops of the tree: the sites.
pub async fn sites(db: &Db) -> Result<Vec<PlaceId>> {
    let rows: Vec<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM places WHERE parent_id IS NULL").fetch_all(pool).await)?;
    Ok(rows.into_iter().map(|(id,)| PlaceId(id)).collect())
}

/// Adds a place in the caller's transaction.
///
/// # Errors
/// A duplicate where its parent has one of that name.
pub async fn add(tx: &mut Tx, place: &NewPlace<'_>) -> Result<()> {
    on!(tx, |c| sqlx::query("INSERT INTO places (id, parent_id, kind, name, sort) VALUES ($1, $2, $3, $4, $5)")
        .bind(place.id.0)
        .bind(place.parent.map(|id| id.0))
        .bind(place.kind)
        .bind(place.name)
        .bind(place.sort)
        .execute(c)
        .await)?;
    Ok(())
}
