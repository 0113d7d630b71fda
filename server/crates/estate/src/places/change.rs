//! Changes of the place tree, each one transaction with its audit line.

use std::collections::BTreeSet;

use model::audit::AuditAction;
use model::console::PlaceChange;
use model::error::AppError;
use model::ids::{MeterId, PlaceId};
use model::person::Who;
use model::place::PlaceKind;
use model::time::Timestamp;
use serde_json::{Value, json};

use super::{NewPlace, PlaceRow, TREE, add, place};
use crate::defaults;
use crate::instruments::check_tree;
use crate::place_groups;
use domain::place_tree::{MergeStep, PlaceTree};
use domain::prices::Repriced;
use domain::rng::Rng;
use store::{Db, Result, Tx, meters, on};
use store::{approvals, audit, prices};

/// Lets nobody else change the tree of places, or that of circuits, or groups, or what is set for any of them, until the
/// transaction ends. Gateways and then meters, by their ids, are locked before it, instruments after it.
pub(crate) async fn lock(tx: &mut Tx) -> Result<()> {
    on!(tx, |c| sqlx::query("UPDATE site_settings SET one = one").execute(c).await)?;
    Ok(())
}

/// The tree, which nobody else changes until the transaction ends.
async fn locked(tx: &mut Tx) -> Result<PlaceTree> {
    lock(tx).await?;
    let rows: Vec<PlaceRow> = on!(tx, |c| sqlx::query_as(TREE).fetch_all(c).await)?;
    Ok(PlaceTree::new(rows.into_iter().map(place).collect()))
}

/// Adds places of a kind below a place; without one, the site. Gives the first.
///
/// # Errors
/// Refused as [`PlaceTree::check_add`] says, and with [`AppError::Invalid`] without a name.
pub async fn create(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    parent: Option<PlaceId>,
    (kind, names): (PlaceKind, &[String]),
) -> Result<PlaceId> {
    let mut tx = db.begin().await?;
    let tree = locked(&mut tx).await?;
    tree.check_add(parent, kind, names)?;
    let last = parent.and_then(|parent| tree.children(parent).map(|place| place.sort).max()).unwrap_or(0);
    let mut first = None;
    for (sort, name) in (last + 1..).zip(names) {
        let id = PlaceId(rng.id(at));
        add(&mut tx, &NewPlace { id, parent, kind, name, sort }).await?;
        first = first.or(Some(id));
    }
    let first = first.ok_or(AppError::Invalid)?;
    let below = parent.map(|parent| tree.full_name(parent)).unwrap_or_default();
    let detail = json!({ "kind": kind, "names": names, "below": below });
    let subject = parent.unwrap_or(first);
    record(&mut tx, at, who, AuditAction::PlaceAdd, subject, &detail).await?;
    tx.commit().await?;
    Ok(first)
}

/// Whether a change would be refused now: it is made in a transaction that is never committed, so that the question and the
/// change cannot have different rules.
///
/// # Errors
/// As the change itself.
pub async fn check(db: &Db, at: Timestamp, who: &Who, id: PlaceId, change: &PlaceChange) -> Result<()> {
    let mut tx = db.begin().await?;
    match change {
        PlaceChange::Rename(name) => rename_within(&mut tx, id, name).await,
        PlaceChange::Move(parent) => relocate_within(&mut tx, at, who, id, *parent).await,
        PlaceChange::Merge(into) => merge_within(&mut tx, at, who, id, *into).await,
        PlaceChange::Remove => remove_within(&mut tx, id).await,
    }
    .map(drop)
}

/// Gives a place another name.
///
/// # Errors
/// Refused as [`PlaceTree::check_rename`] says.
pub async fn rename(db: &Db, at: Timestamp, who: &Who, id: PlaceId, name: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let tree = rename_within(&mut tx, id, name).await?;
    let detail = json!({ "before": tree.full_name(id), "name": name });
    record(&mut tx, at, who, AuditAction::PlaceRename, id, &detail).await?;
    tx.commit().await
}

/// Gives the tree as it was, which the audit log names the place by.
async fn rename_within(tx: &mut Tx, id: PlaceId, name: &str) -> Result<PlaceTree> {
    let tree = locked(tx).await?;
    tree.check_rename(id, name)?;
    on!(tx, |c| sqlx::query("UPDATE places SET name = $2 WHERE id = $1").bind(id).bind(name).execute(c).await)?;
    Ok(tree)
}

/// Moves a floor or room, with everything below it, to another place; it becomes the last there.
///
/// # Errors
/// Refused as [`PlaceTree::check_move`] says, with [`AppError::PlaceRepriced`] where meters would get another price plan, with
/// [`AppError::AlarmOrder`] for default parameters that do not fit there, and as [`check_tree`] says for circuits.
pub async fn relocate(db: &Db, at: Timestamp, who: &Who, id: PlaceId, parent: PlaceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let tree = relocate_within(&mut tx, at, who, id, parent).await?;
    let detail = json!({ "before": tree.full_name(id), "below": tree.full_name(parent) });
    record(&mut tx, at, who, AuditAction::PlaceMove, id, &detail).await?;
    tx.commit().await
}

/// Gives the tree as it was.
async fn relocate_within(tx: &mut Tx, at: Timestamp, who: &Who, id: PlaceId, parent: PlaceId) -> Result<PlaceTree> {
    let tree = locked(tx).await?;
    tree.check_move(id, parent)?;
    check_prices(tx, at, who, id, &[MergeStep::Place { place: id, parent }]).await?;
    put_below(tx, &tree, id, parent).await?;
    defaults::check_alarms(tx).await?;
    check_tree(tx).await?;
    Ok(tree)
}

/// The places that would get another price plan by the steps of a move or merge of a place, as
/// `PlanTree::repriced` says.
pub async fn repriced(db: &Db, at: Timestamp, id: PlaceId, steps: &[MergeStep]) -> Result<Vec<Repriced>> {
    repriced_within(&mut db.begin_reading().await?, at, id, steps).await
}

async fn repriced_within(tx: &mut Tx, at: Timestamp, id: PlaceId, steps: &[MergeStep]) -> Result<Vec<Repriced>> {
    let rooms: Vec<(PlaceId,)> = on!(tx, |c| sqlx::query_as(
        "WITH RECURSIVE below (id) AS (
             SELECT id FROM places WHERE id = $1 UNION SELECT p.id FROM places p JOIN below b ON p.parent_id = b.id)
         SELECT DISTINCT m.place_id FROM meters m
         WHERE m.retired_at IS NULL AND m.wallet <> 'none' AND m.place_id IN (SELECT id FROM below)"
    )
    .bind(id)
    .fetch_all(c)
    .await)?;
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let rooms: Vec<PlaceId> = rooms.into_iter().map(|(room,)| room).collect();
    Ok(prices::given_within(tx).await?.repriced(steps, &rooms, at))
}

/// Refuses steps that would give meters another price plan, where a second person would have to approve that plan for the place.
///
/// # Errors
/// [`AppError::PlaceRepriced`].
async fn check_prices(tx: &mut Tx, at: Timestamp, who: &Who, id: PlaceId, steps: &[MergeStep]) -> Result<()> {
    let is_repriced = !repriced_within(tx, at, id, steps).await?.is_empty();
    if is_repriced && approvals::waits_at_place(tx, at, who.user, id).await? {
        return Err(AppError::PlaceRepriced.into());
    }
    Ok(())
}

async fn put_below(tx: &mut Tx, tree: &PlaceTree, id: PlaceId, parent: PlaceId) -> Result<()> {
    let sort = tree.children(parent).map(|place| place.sort).max().unwrap_or(0) + 1;
    on!(tx, |c| sqlx::query("UPDATE places SET parent_id = $2, sort = $3 WHERE id = $1")
        .bind(id)
        .bind(parent)
        .bind(sort)
        .execute(c)
        .await)?;
    Ok(())
}

/// Merges a place into another of its kind, which stays with its price plan and subsidy; those of the other end.
///
/// # Errors
/// Refused as [`PlaceTree::merge`] says, with [`AppError::Conflict`] where a meter is put there meanwhile, with
/// [`AppError::AlarmOrder`] for default parameters that do not fit there, with [`AppError::GroupPriced`] where it would bring the
/// other into a group with a price plan, with [`AppError::Forbidden`] where into one with settings that this person may not set,
/// with [`AppError::PlaceRepriced`] where meters would get another plan, and as [`check_tree`] says for circuits.
pub async fn merge(db: &Db, at: Timestamp, who: &Who, from: PlaceId, into: PlaceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let tree = merge_within(&mut tx, at, who, from, into).await?;
    let detail = json!({ "before": tree.full_name(from), "into": tree.full_name(into) });
    record(&mut tx, at, who, AuditAction::PlaceMerge, into, &detail).await?;
    tx.commit().await
}

/// Gives the tree as it was.
async fn merge_within(tx: &mut Tx, at: Timestamp, who: &Who, from: PlaceId, into: PlaceId) -> Result<PlaceTree> {
    let meters = meters_below(tx, from).await?;
    for meter in &meters {
        meters::lock(tx, *meter).await?;
    }
    let tree = locked(tx).await?;
    // One that came meanwhile may be getting an account.
    if !meters_below(tx, from).await?.is_subset(&meters) {
        return Err(AppError::Conflict.into());
    }
    let steps = tree.merge(from, into)?;
    for step in &steps {
        if let MergeStep::Absorb { from, into } = *step {
            place_groups::check_merge(tx, at, who, from, into).await?;
        }
    }
    check_prices(tx, at, who, from, &steps).await?;
    for step in steps {
        match step {
            MergeStep::Place { place, parent } => put_below(tx, &tree, place, parent).await?,
            MergeStep::Absorb { from, into } => absorb(tx, from, into).await?,
        }
    }
    defaults::check_alarms(tx).await?;
    check_tree(tx).await?;
    Ok(tree)
}

/// The meters of a place and of those below it.
async fn meters_below(tx: &mut Tx, place: PlaceId) -> Result<BTreeSet<MeterId>> {
    let rows: Vec<(MeterId,)> = on!(tx, |c| sqlx::query_as(
        "WITH RECURSIVE below (id) AS (
             SELECT id FROM places WHERE id = $1 UNION SELECT p.id FROM places p JOIN below b ON p.parent_id = b.id)
         SELECT m.id FROM meters m WHERE m.retired_at IS NULL AND m.place_id IN (SELECT id FROM below)"
    )
    .bind(place)
    .fetch_all(c)
    .await)?;
    Ok(rows.into_iter().map(|(meter,)| meter).collect())
}

/// What names `from` names `into` afterwards. Accounts are not among it: a room that ever had one is not merged.
async fn absorb(tx: &mut Tx, from: PlaceId, into: PlaceId) -> Result<()> {
    for text in [
        "UPDATE meters SET place_id = $2 WHERE place_id = $1",
        "UPDATE instruments SET place_id = $2 WHERE place_id = $1",
        "UPDATE circuits SET feeds_place_id = $2 WHERE feeds_place_id = $1",
        "UPDATE approval_requests SET place_id = $2 WHERE place_id = $1",
        // What was refused or withdrawn there is not tried in another room.
        "UPDATE account_batch_rooms SET place_id = $2 WHERE place_id = $1 AND state = 'done'",
        "INSERT INTO operator_buildings (user_id, place_id) SELECT user_id, $2 FROM operator_buildings
         WHERE place_id = $1 ON CONFLICT DO NOTHING",
        "INSERT INTO place_group_members (group_id, place_id) SELECT group_id, $2 FROM place_group_members
         WHERE place_id = $1 ON CONFLICT DO NOTHING",
    ] {
        on!(tx, |c| sqlx::query(text).bind(from).bind(into).execute(c).await)?;
    }
    delete(tx, from).await
}

/// Removes a place that nothing is or was in.
///
/// # Errors
/// Refused as [`PlaceTree::check_remove`] says, and with [`AppError::PlaceAssigned`] while an operator is
/// limited to it.
pub async fn remove(db: &Db, at: Timestamp, who: &Who, id: PlaceId) -> Result<()> {
    let mut tx = db.begin().await?;
    let tree = remove_within(&mut tx, id).await?;
    let detail = json!({ "before": tree.full_name(id) });
    record(&mut tx, at, who, AuditAction::PlaceRemove, id, &detail).await?;
    tx.commit().await
}

/// Gives the tree as it was.
async fn remove_within(tx: &mut Tx, id: PlaceId) -> Result<PlaceTree> {
    let tree = locked(tx).await?;
    tree.check_remove(id)?;
    let assigned: Option<(PlaceId,)> =
        on!(tx, |c| sqlx::query_as("SELECT place_id FROM operator_buildings WHERE place_id = $1 LIMIT 1")
            .bind(id)
            .fetch_optional(c)
            .await)?;
    if assigned.is_some() {
        return Err(AppError::PlaceAssigned.into());
    }
    let parent = tree.get(id).and_then(|place| place.parent);
    on!(tx, |c| sqlx::query("UPDATE approval_requests SET place_id = $2 WHERE place_id = $1")
        .bind(id)
        .bind(parent)
        .execute(c)
        .await)?;
    delete(tx, id).await?;
    Ok(tree)
}

async fn delete(tx: &mut Tx, id: PlaceId) -> Result<()> {
    for text in [
        "DELETE FROM place_group_members WHERE place_id = $1",
        "DELETE FROM place_defaults WHERE place_id = $1",
        "DELETE FROM place_contacts WHERE place_id = $1",
        "DELETE FROM place_alarm_rules WHERE place_id = $1",
        "DELETE FROM alarm_silences WHERE place_id = $1",
        "DELETE FROM friendly_hours WHERE place_id = $1",
        // Of batches that did nothing there.
        "DELETE FROM account_batch_rooms WHERE place_id = $1",
        "DELETE FROM operator_buildings WHERE place_id = $1",
        "DELETE FROM price_places WHERE place_id = $1",
        "DELETE FROM subsidy_rules WHERE place_id = $1",
        "DELETE FROM places WHERE id = $1",
    ] {
        on!(tx, |c| sqlx::query(text).bind(id).execute(c).await)?;
    }
    Ok(())
}

async fn record(tx: &mut Tx, at: Timestamp, who: &Who, action: AuditAction, subject: PlaceId, detail: &Value) -> Result<()> {
    audit::record(tx, at, who, (action, &format!("place:{subject}")), detail).await
}
