//! Groups: named sets of places across buildings, to choose meters by.

use model::audit::AuditAction;
use model::console::GROUPS_MAX;
use model::error::AppError;
use model::ids::{MeterId, PlaceGroupId, PlaceId};
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::defaults;
use domain::rng::Rng;
use store::audit::{self, Entry};
use store::{Db, Result, Tx, on, read};

/// A group and the places that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceGroup {
    pub id: PlaceGroupId,
    pub name: String,
    pub places: Vec<PlaceId>,
}

/// All groups by name.
pub async fn all(db: &Db) -> Result<Vec<PlaceGroup>> {
    let rows: Vec<(PlaceGroupId, String, Option<PlaceId>)> = read!(db, |pool| sqlx::query_as(
        "SELECT g.id, g.name, m.place_id FROM place_groups g LEFT JOIN place_group_members m ON m.group_id = g.id
         ORDER BY g.name, g.id"
    )
    .fetch_all(pool)
    .await)?;
    let mut groups: Vec<PlaceGroup> = Vec::new();
    for (id, name, place) in rows {
        if groups.last().is_none_or(|last| last.id != id) {
            groups.push(PlaceGroup { id, name, places: Vec::new() });
        }
        if let (Some(group), Some(place)) = (groups.last_mut(), place) {
            group.places.push(place);
        }
    }
    Ok(groups)
}

/// The meters in service in the places of a group and below them.
pub async fn meters(db: &Db, group: PlaceGroupId) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id FROM meters m JOIN places r ON r.id = m.place_id
         LEFT JOIN places b ON b.id = r.parent_id LEFT JOIN places t ON t.id = b.parent_id
         WHERE m.retired_at IS NULL AND EXISTS
               (SELECT 1 FROM place_group_members g WHERE g.group_id = $1 AND g.place_id IN (r.id, b.id, t.id))"
    )
    .bind(group)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Makes an empty group.
///
/// # Errors
/// Refused with [`AppError::NameTaken`], or [`AppError::TooManyKept`] where there are very many.
pub async fn create(db: &Db, rng: &Rng, at: Timestamp, who: &Who, name: &str) -> Result<PlaceGroupId> {
    let id = PlaceGroupId(rng.id(at));
    let mut tx = db.begin().await?;
    let known: Vec<(PlaceGroupId,)> = on!(&mut tx, |c| sqlx::query_as("SELECT id FROM place_groups").fetch_all(c).await)?;
    if known.len() >= GROUPS_MAX {
        return Err(AppError::TooManyKept.into());
    }
    let inserted = on!(&mut tx, |c| sqlx::query(
        "INSERT INTO place_groups (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(name)
    .bind(at)
    .execute(c)
    .await)?;
    if inserted == 0 {
        return Err(AppError::NameTaken.into());
    }
    record(&mut tx, at, who, AuditAction::GroupCreate, id, &json!({ "name": name })).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a group another name.
///
/// # Errors
/// Refused with [`AppError::NameTaken`] or [`AppError::NotFound`].
pub async fn rename(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId, name: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let renamed =
        on!(&mut tx, |c| sqlx::query("UPDATE place_groups SET name = $2 WHERE id = $1").bind(id).bind(name).execute(c).await);
    match renamed {
        Err(error) if error.is_duplicate() => return Err(AppError::NameTaken.into()),
        Ok(0) => return Err(AppError::NotFound.into()),
        renamed => renamed?,
    };
    record(&mut tx, at, who, AuditAction::GroupRename, id, &json!({ "name": name })).await?;
    tx.commit().await
}

/// Adds places to a group and removes others from it.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown group, and with [`AppError::AlarmOrder`] where the group's default
/// parameters would put alarm 2 before alarm 1.
pub async fn change(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId, added: &[PlaceId], removed: &[PlaceId]) -> Result<()> {
    let mut tx = db.begin().await?;
    defaults::lock(&mut tx).await?;
    // The update locks the group, so that it is not deleted meanwhile.
    let found = on!(&mut tx, |c| sqlx::query("UPDATE place_groups SET name = name WHERE id = $1").bind(id).execute(c).await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let mut changed = 0;
    for place in added {
        changed += on!(&mut tx, |c| sqlx::query(
            "INSERT INTO place_group_members (group_id, place_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        )
        .bind(id)
        .bind(place)
        .execute(c)
        .await)?;
    }
    for place in removed {
        changed += on!(&mut tx, |c| sqlx::query("DELETE FROM place_group_members WHERE group_id = $1 AND place_id = $2")
            .bind(id)
            .bind(place)
            .execute(c)
            .await)?;
    }
    if changed == 0 {
        return Ok(());
    }
    // Its default parameters apply to other places now.
    defaults::check_alarms(&mut tx).await?;
    let detail = json!({ "added": added, "removed": removed });
    record(&mut tx, at, who, AuditAction::GroupMembers, id, &detail).await?;
    tx.commit().await
}

/// Deletes a group; its places stay.
///
/// # Errors
/// Refused with [`AppError::NotFound`], and with [`AppError::AlarmOrder`] as [`change`] is.
pub async fn remove(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId) -> Result<()> {
    let mut tx = db.begin().await?;
    defaults::lock(&mut tx).await?;
    for text in ["DELETE FROM place_group_members WHERE group_id = $1", "DELETE FROM group_defaults WHERE group_id = $1"] {
        on!(&mut tx, |c| sqlx::query(text).bind(id).execute(c).await)?;
    }
    let name: Option<(String,)> = on!(&mut tx, |c| sqlx::query_as("DELETE FROM place_groups WHERE id = $1 RETURNING name")
        .bind(id)
        .fetch_optional(c)
        .await)?;
    let (name,) = name.ok_or(AppError::NotFound)?;
    defaults::check_alarms(&mut tx).await?;
    record(&mut tx, at, who, AuditAction::GroupRemove, id, &json!({ "name": name })).await?;
    tx.commit().await
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, group: PlaceGroupId, detail: &Value) -> Result<()> {
    let (actor, subject, detail) = (format!("user:{}", who.user), format!("group:{group}"), detail.to_string());
    audit::append(tx, at, &Entry { actor: &actor, ip: &who.ip, action, subject: &subject, detail: &detail }).await
}
