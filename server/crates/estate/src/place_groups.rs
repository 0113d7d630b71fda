//! Groups: named sets of places across buildings, to choose meters by.

use std::collections::HashSet;

use model::audit::AuditAction;
use model::console::GROUPS_MAX;
use model::error::AppError;
use model::ids::{MeterId, PlaceGroupId, PlaceId};
use model::permission::Permission;
use model::person::Who;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::{defaults, places};
use domain::rng::Rng;
use store::audit;
use store::{Db, Result, Tx, on, read};

/// A group that has or had a price plan, or for which one waits for approval.
const PRICED: &str = "SELECT g.id FROM place_groups g WHERE g.id = $1
      AND (EXISTS (SELECT 1 FROM price_groups a WHERE a.group_id = g.id)
           OR EXISTS (SELECT 1 FROM approval_requests q
                      WHERE q.kind = 'price_place' AND q.subject = $2 AND q.state = 'waiting' AND q.expires_at > $3))";

/// Whether a group has settings of its own, or has or had a price plan.
const HAS_SETTINGS: &str = "SELECT EXISTS (SELECT 1 FROM friendly_hours WHERE group_id = $1)
      OR EXISTS (SELECT 1 FROM group_alarm_rules WHERE group_id = $1)
      OR EXISTS (SELECT 1 FROM group_defaults WHERE group_id = $1)
      OR EXISTS (SELECT 1 FROM group_contacts WHERE group_id = $1)
      OR EXISTS (SELECT 1 FROM price_groups WHERE group_id = $1)";

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
    let mut tx = db.begin().await?;
    let id = create_within(&mut tx, rng, at, who, name).await?;
    tx.commit().await?;
    Ok(id)
}

/// [`create`] in the caller's transaction.
pub(crate) async fn create_within(tx: &mut Tx, rng: &Rng, at: Timestamp, who: &Who, name: &str) -> Result<PlaceGroupId> {
    let id = PlaceGroupId(rng.id(at));
    let known: Vec<(PlaceGroupId,)> = on!(tx, |c| sqlx::query_as("SELECT id FROM place_groups").fetch_all(c).await)?;
    if known.len() >= GROUPS_MAX {
        return Err(AppError::TooManyKept.into());
    }
    let inserted =
        on!(tx, |c| sqlx::query("INSERT INTO place_groups (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(name)
            .bind(at)
            .execute(c)
            .await)?;
    if inserted == 0 {
        return Err(AppError::NameTaken.into());
    }
    record(tx, at, who, AuditAction::GroupCreate, id, &json!({ "name": name })).await?;
    Ok(id)
}

/// Gives a group another name.
///
/// # Errors
/// Refused with [`AppError::NameTaken`] or [`AppError::NotFound`], as [`check_settings`] says, and with
/// [`AppError::GroupPriced`] where its name decides whether its price plan or that of another group applies, now or once a plan
/// that waits is approved.
pub async fn rename(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId, name: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    places::lock(&mut tx).await?;
    if is_decided_by_name(&mut tx, at, id).await? {
        return Err(AppError::GroupPriced.into());
    }
    check_settings(&mut tx, who, id).await?;
    // The update locks the group.
    let before: Option<(String,)> = on!(&mut tx, |c| {
        sqlx::query_as("UPDATE place_groups SET name = name WHERE id = $1 RETURNING name").bind(id).fetch_optional(c).await
    })?;
    let (before,) = before.ok_or(AppError::NotFound)?;
    let renamed =
        on!(&mut tx, |c| sqlx::query("UPDATE place_groups SET name = $2 WHERE id = $1").bind(id).bind(name).execute(c).await);
    renamed.map_err(|error| error.or_first(AppError::NameTaken))?;
    let detail = json!({ "name": { "before": before, "after": name } });
    record(&mut tx, at, who, AuditAction::GroupRename, id, &detail).await?;
    tx.commit().await
}

/// Adds places to a group and removes others from it.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an unknown group, as [`check_unpriced`] and [`check_settings`] say, and with
/// [`AppError::AlarmOrder`] where the group's default parameters would put alarm 2 before alarm 1.
pub async fn change(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId, added: &[PlaceId], removed: &[PlaceId]) -> Result<()> {
    let mut tx = db.begin().await?;
    places::lock(&mut tx).await?;
    if !change_within(&mut tx, at, id, added, removed).await? {
        return Ok(());
    }
    check_settings(&mut tx, who, id).await?;
    // Its default parameters apply to other places now.
    defaults::check_alarms(&mut tx).await?;
    let detail = json!({ "added": added, "removed": removed });
    record(&mut tx, at, who, AuditAction::GroupMembers, id, &detail).await?;
    tx.commit().await
}

/// Changes the places of a group in the transaction of a caller who has locked the site's places; `false` where nothing changes.
/// The caller records it, and checks the order of alarms.
pub(crate) async fn change_within(
    tx: &mut Tx,
    at: Timestamp,
    id: PlaceGroupId,
    added: &[PlaceId],
    removed: &[PlaceId],
) -> Result<bool> {
    check_unpriced(tx, at, id).await?;
    let mut changed = 0;
    for place in added {
        changed += on!(tx, |c| sqlx::query(
            "INSERT INTO place_group_members (group_id, place_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        )
        .bind(id)
        .bind(place)
        .execute(c)
        .await)?;
    }
    for place in removed {
        changed += on!(tx, |c| sqlx::query("DELETE FROM place_group_members WHERE group_id = $1 AND place_id = $2")
            .bind(id)
            .bind(place)
            .execute(c)
            .await)?;
    }
    Ok(changed > 0)
}

/// Deletes a group; its places stay.
///
/// # Errors
/// Refused with [`AppError::NotFound`], and as [`change`] is.
pub async fn remove(db: &Db, at: Timestamp, who: &Who, id: PlaceGroupId) -> Result<()> {
    let mut tx = db.begin().await?;
    places::lock(&mut tx).await?;
    check_unpriced(&mut tx, at, id).await?;
    check_settings(&mut tx, who, id).await?;
    for text in [
        "DELETE FROM place_group_members WHERE group_id = $1",
        "DELETE FROM group_defaults WHERE group_id = $1",
        "DELETE FROM group_contacts WHERE group_id = $1",
        "DELETE FROM group_alarm_rules WHERE group_id = $1",
        "DELETE FROM friendly_hours WHERE group_id = $1",
    ] {
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

/// Whether this group and another one that names a place of it have or had price plans, or wait for one: there, their names
/// decide which plan applies. Locks them all, so that none gets a plan meanwhile. The caller has locked the site's places.
async fn is_decided_by_name(tx: &mut Tx, at: Timestamp, id: PlaceGroupId) -> Result<bool> {
    let sharing: Vec<(PlaceGroupId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT DISTINCT o.group_id FROM place_group_members m JOIN place_group_members o ON o.place_id = m.place_id
         WHERE m.group_id = $1 ORDER BY o.group_id"
    )
    .bind(id)
    .fetch_all(c)
    .await)?;
    let (mut own, mut others) = (false, false);
    for (group,) in sharing {
        let found = if group == id { &mut own } else { &mut others };
        *found |= is_priced(tx, at, group).await?;
    }
    Ok(own && others)
}

/// Refuses a merge that would bring a place into a group of the one that ends, as [`check_unpriced`] and [`check_settings`] say.
pub(crate) async fn check_merge(tx: &mut Tx, at: Timestamp, who: &Who, from: PlaceId, into: PlaceId) -> Result<()> {
    let joined: Vec<(PlaceGroupId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT m.group_id FROM place_group_members m WHERE m.place_id = $1
           AND NOT EXISTS (SELECT 1 FROM place_group_members o WHERE o.group_id = m.group_id AND o.place_id = $2)
         ORDER BY m.group_id"
    )
    .bind(from)
    .bind(into)
    .fetch_all(c)
    .await)?;
    for (group,) in joined {
        check_unpriced(tx, at, group).await?;
        check_settings(tx, who, group).await?;
    }
    Ok(())
}

/// Refuses to change a group with settings to whoever may not set them, which takes that permission in all buildings: its places
/// would get or lose them.
///
/// # Errors
/// [`AppError::Forbidden`].
async fn check_settings(tx: &mut Tx, who: &Who, id: PlaceGroupId) -> Result<()> {
    let found: Option<(bool,)> = on!(tx, |c| sqlx::query_as(HAS_SETTINGS).bind(id).fetch_optional(c).await)?;
    if found != Some((true,)) {
        return Ok(());
    }
    let sql = "SELECT all_buildings FROM users WHERE id = $1";
    let all_buildings: Option<(bool,)> = on!(tx, |c| sqlx::query_as(sql).bind(who.user).fetch_optional(c).await)?;
    let may_set = who.may(Permission::Site) && all_buildings == Some((true,));
    if may_set { Ok(()) } else { Err(AppError::Forbidden.into()) }
}

/// Refuses to change the places of a group that has a price plan, or for which one waits for approval: that would change prices,
/// which a second person decides about. Also of one that had a plan: what is charged late, invoiced or reported for that time
/// goes by its places. Locks the group, so that it gets no plan meanwhile, nor is deleted.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown group, and [`AppError::GroupPriced`].
async fn check_unpriced(tx: &mut Tx, at: Timestamp, id: PlaceGroupId) -> Result<()> {
    if is_priced(tx, at, id).await? { Err(AppError::GroupPriced.into()) } else { Ok(()) }
}

/// Whether a group has or had a price plan, or waits for one; locks it.
async fn is_priced(tx: &mut Tx, at: Timestamp, id: PlaceGroupId) -> Result<bool> {
    let found = on!(tx, |c| sqlx::query("UPDATE place_groups SET name = name WHERE id = $1").bind(id).execute(c).await)?;
    if found == 0 {
        return Err(AppError::NotFound.into());
    }
    let subject = format!("group:{id}");
    let priced: Option<(PlaceGroupId,)> =
        on!(tx, |c| sqlx::query_as(PRICED).bind(id).bind(&subject).bind(at).fetch_optional(c).await)?;
    Ok(priced.is_some())
}

/// The names of all groups that have or had a price plan, or wait for one.
pub(crate) async fn priced(tx: &mut Tx, at: Timestamp) -> Result<HashSet<String>> {
    let groups: Vec<(PlaceGroupId, String, bool)> = on!(tx, |c| sqlx::query_as(
        "SELECT g.id, g.name, EXISTS (SELECT 1 FROM price_groups a WHERE a.group_id = g.id) AS is_priced FROM place_groups g"
    )
    .fetch_all(c)
    .await)?;
    let waiting: Vec<(String,)> = on!(tx, |c| sqlx::query_as(
        "SELECT subject FROM approval_requests WHERE kind = 'price_place' AND state = 'waiting' AND expires_at > $1"
    )
    .bind(at)
    .fetch_all(c)
    .await)?;
    let waiting: HashSet<String> = waiting.into_iter().map(|(subject,)| subject).collect();
    let keeps = |(id, name, is_priced): (PlaceGroupId, String, bool)| {
        (is_priced || waiting.contains(&format!("group:{id}"))).then_some(name)
    };
    Ok(groups.into_iter().filter_map(keeps).collect())
}

/// Whether a group has settings of its own, or has or had a price plan.
pub async fn has_settings(db: &Db, id: PlaceGroupId) -> Result<bool> {
    let found: Option<(bool,)> = read!(db, |pool| sqlx::query_as(HAS_SETTINGS).bind(id).fetch_optional(pool).await)?;
    Ok(found == Some((true,)))
}

/// Whether [`change`] and [`remove`] would be refused because of prices.
pub async fn keeps_places(db: &Db, at: Timestamp, id: PlaceGroupId) -> Result<bool> {
    let subject = format!("group:{id}");
    let priced: Option<(PlaceGroupId,)> =
        read!(db, |pool| sqlx::query_as(PRICED).bind(id).bind(&subject).bind(at).fetch_optional(pool).await)?;
    Ok(priced.is_some())
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, group: PlaceGroupId, detail: &Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("group:{group}")), detail).await
}
