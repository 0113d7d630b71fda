//! The rules of places and groups, by kind of alarm.

use std::collections::{HashMap, HashSet};

use model::alarm::{AlarmChannel, OwnAlarmRule};
use model::audit::AuditAction;
use model::defaults::DefaultsOf;
use model::error::AppError;
use model::event::EventKind;
use model::ids::{GatewayId, InstrumentId, MeterId, PlaceGroupId, PlaceId};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::{AssertSqlSafe, FromRow};

use domain::alarm::Observation;
use domain::defaults::{GroupSettings, SettingsTree};
use domain::rng::Rng;
use store::audit;
use store::events::{self, Observed, OwnRuleRow, Subject};
use store::{Db, Result, Tx, on, read};

/// What places and groups set of the rule of one kind.
pub type RuleTree = SettingsTree<OwnAlarmRule>;

/// Open alarms that a changed rule is applied to at once; the others follow when their condition changes.
const MOST_OPEN: i64 = 2_000;

#[derive(FromRow)]
struct PlaceRow {
    id: PlaceId,
    parent_id: Option<PlaceId>,
    #[sqlx(flatten)]
    own: OwnRuleRow,
}

#[derive(FromRow)]
struct GroupRow {
    group_id: PlaceGroupId,
    #[sqlx(flatten)]
    own: OwnRuleRow,
}

/// The rules of a kind that are set for places and groups, with the place tree.
pub async fn tree(db: &Db, kind: EventKind) -> Result<RuleTree> {
    let places: Vec<PlaceRow> = read!(db, |pool| sqlx::query_as(
        "SELECT p.id, p.parent_id, r.is_on, r.level, r.raise_s, r.clear_s, r.threshold
         FROM places p LEFT JOIN place_alarm_rules r ON r.place_id = p.id AND r.kind = $1"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let groups: Vec<GroupRow> = read!(db, |pool| sqlx::query_as(
        "SELECT r.group_id, r.is_on, r.level, r.raise_s, r.clear_s, r.threshold
         FROM group_alarm_rules r JOIN place_groups g ON g.id = r.group_id WHERE r.kind = $1 ORDER BY g.name, g.id"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let members: Vec<(PlaceGroupId, PlaceId)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.group_id, m.place_id FROM place_group_members m
         JOIN group_alarm_rules r ON r.group_id = m.group_id AND r.kind = $1"
    )
    .bind(kind)
    .fetch_all(pool)
    .await)?;
    let mut named: HashMap<PlaceGroupId, HashSet<PlaceId>> = HashMap::new();
    for (group, place) in members {
        named.entry(group).or_default().insert(place);
    }
    let places = places.into_iter().map(|row| Ok((row.id, (row.parent_id, row.own.own()?))));
    let groups = groups.into_iter().map(|row| {
        let places = named.remove(&row.group_id).unwrap_or_default();
        Ok(GroupSettings { id: row.group_id, own: row.own.own()?, places })
    });
    Ok(RuleTree { places: places.collect::<Result<_>>()?, groups: groups.collect::<Result<_>>()? })
}

#[derive(FromRow)]
struct KindRow {
    kind: EventKind,
    place_id: Option<PlaceId>,
    group_id: Option<PlaceGroupId>,
    #[sqlx(flatten)]
    own: OwnRuleRow,
}

/// Everything that is set, of all kinds.
pub async fn own_rules(db: &Db) -> Result<Vec<(EventKind, DefaultsOf, OwnAlarmRule)>> {
    let rows: Vec<KindRow> = read!(db, |pool| sqlx::query_as(
        "SELECT kind, place_id, NULL AS group_id, is_on, level, raise_s, clear_s, threshold FROM place_alarm_rules
         UNION ALL
         SELECT kind, NULL, group_id, is_on, level, raise_s, clear_s, threshold FROM group_alarm_rules"
    )
    .fetch_all(pool)
    .await)?;
    let rule = |row: KindRow| {
        let place = row.place_id.map(DefaultsOf::Place);
        let Some(of) = place.or(row.group_id.map(DefaultsOf::Group)) else { return Ok(None) };
        Ok(Some((row.kind, of, row.own.own()?)))
    };
    rows.into_iter().filter_map(|row| rule(row).transpose()).collect()
}

/// Sets what a place or group has of its own, with the audit line, and applies it to what is open and to what waits, in one
/// transaction. An empty rule is inherited. The caller has checked the permission.
///
/// # Errors
/// Refused with [`AppError::NotFound`] where there is no such place or group, and [`AppError::Invalid`] for values that
/// the kind cannot have.
pub async fn set_rule(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    who: &Who,
    (of, kind): (DefaultsOf, EventKind),
    own: &OwnAlarmRule,
) -> Result<()> {
    if !own.fits(kind) {
        return Err(AppError::Invalid.into());
    }
    let (table, named, key, id, subject) = match of {
        DefaultsOf::Place(place) => ("place_alarm_rules", "places", "place_id", place.0, format!("place:{place}")),
        DefaultsOf::Group(group) => ("group_alarm_rules", "place_groups", "group_id", group.0, format!("group:{group}")),
    };
    let mut tx = db.begin().await?;
    let set = format!(
        "INSERT INTO {table} ({key}, kind, is_on, level, raise_s, clear_s, threshold)
         SELECT id, $2, $3, $4, $5, $6, $7 FROM {named} WHERE id = $1
         ON CONFLICT ({key}, kind) DO UPDATE SET is_on = excluded.is_on, level = excluded.level, raise_s = excluded.raise_s,
             clear_s = excluded.clear_s, threshold = excluded.threshold"
    );
    let stored = on!(&mut tx, |c| sqlx::query(AssertSqlSafe(set.clone()))
        .bind(id)
        .bind(kind)
        .bind(own.is_on)
        .bind(own.level)
        .bind(own.raise_s.map(i64::from))
        .bind(own.clear_s.map(i64::from))
        .bind(own.threshold.map(i64::from))
        .execute(c)
        .await)?;
    if stored == 0 {
        return Err(AppError::NotFound.into());
    }
    if own.is_empty() {
        let remove = format!("DELETE FROM {table} WHERE {key} = $1 AND kind = $2");
        on!(&mut tx, |c| sqlx::query(AssertSqlSafe(remove.clone())).bind(id).bind(kind).execute(c).await)?;
    }
    let detail = json!({
        "kind": kind, "on": own.is_on, "level": own.level.map(|level| level.code()), "raise_s": own.raise_s,
        "clear_s": own.clear_s, "threshold": own.threshold,
    });
    audit::record(&mut tx, at, who, (AuditAction::EventRule, &subject), &detail).await?;
    apply_to_open(&mut tx, rng, at, kind).await?;
    on!(&mut tx, |c| sqlx::query("UPDATE alarm_waits SET due_at = $2 WHERE kind = $1 AND due_at > $2")
        .bind(kind)
        .bind(at)
        .execute(c)
        .await)?;
    tx.commit().await
}

#[derive(FromRow)]
struct OpenRow {
    meter_id: Option<MeterId>,
    gateway_id: Option<GatewayId>,
    instrument_id: Option<InstrumentId>,
    subject: Option<AlarmChannel>,
    detail: String,
}

/// Alarms of a kind that was switched off are over, and wait for it to be switched on.
async fn apply_to_open(tx: &mut Tx, rng: &Rng, at: Timestamp, kind: EventKind) -> Result<()> {
    let open: Vec<OpenRow> = on!(tx, |c| sqlx::query_as(
        "SELECT e.meter_id, e.gateway_id, e.instrument_id, e.subject, e.detail FROM events e
         WHERE e.kind = $1 AND e.until_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM alarm_waits w WHERE w.kind = e.kind AND w.meter_id IS NOT DISTINCT FROM e.meter_id
                           AND w.gateway_id IS NOT DISTINCT FROM e.gateway_id
                           AND w.instrument_id IS NOT DISTINCT FROM e.instrument_id
                           AND w.subject IS NOT DISTINCT FROM e.subject)
         ORDER BY e.since DESC LIMIT $2"
    )
    .bind(kind)
    .bind(MOST_OPEN)
    .fetch_all(c)
    .await)?;
    for row in open {
        let subject = match (row.meter_id, row.gateway_id, row.instrument_id, row.subject) {
            (Some(id), ..) => Subject::Meter(id),
            (None, Some(id), ..) => Subject::Gateway(id),
            (None, None, Some(id), _) => Subject::Instrument(id),
            (None, None, None, Some(channel)) => Subject::Channel(channel),
            (None, None, None, None) => Subject::Site,
        };
        if !events::applied(tx, kind, subject).await?.is_on {
            let observed = Observed { kind, subject, seen: Observation::Holds(true), detail: &row.detail };
            events::observe(tx, rng, at, &observed).await?;
        }
    }
    Ok(())
}
