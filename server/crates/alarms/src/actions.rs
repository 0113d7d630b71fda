//! What people do about an alarm until it is over: they acknowledge it, and assign it to somebody.

use model::audit::AuditAction;
use model::console::{AlarmAction, AlarmStep};
use model::error::AppError;
use model::event::EventKind;
use model::ids::{EventId, UserId};
use model::person::Who;
use model::time::Timestamp;
use serde_json::json;
use sqlx::FromRow;

use super::lines::visible_events;
use domain::rng::Rng;
use store::audit;
use store::console::{above, within};
use store::roles::{can_log_in, works_on_cases};
use store::{Db, Result, Tx, on, read};

/// Steps of an alarm that are shown.
const STEPS: i64 = 200;

#[derive(FromRow)]
struct StepRow {
    at: Timestamp,
    by_name: String,
    kind: AlarmAction,
    assignee: Option<String>,
}

/// What people did about an alarm, the oldest first; of very many the newest. That the operator may see it was checked.
pub async fn history(db: &Db, event: EventId) -> Result<Vec<AlarmStep>> {
    let rows: Vec<StepRow> = read!(db, |pool| sqlx::query_as(
        "SELECT a.at, u.name AS by_name, a.kind, w.name AS assignee
         FROM alarm_actions a JOIN users u ON u.id = a.by_user LEFT JOIN users w ON w.id = a.assigned_to
         WHERE a.event_id = $1 ORDER BY a.at DESC, a.id DESC LIMIT $2"
    )
    .bind(event)
    .bind(STEPS)
    .fetch_all(pool)
    .await)?;
    let step = |row: StepRow| AlarmStep { at: row.at, by: row.by_name, action: row.kind, assigned: row.assignee };
    Ok(rows.into_iter().rev().map(step).collect())
}

/// The people who can work on an alarm, by name: they may, and see where it is.
macro_rules! assignees {
    () => {
        concat!(
            "SELECT x.id, x.name FROM users x JOIN events e ON e.id = $1 LEFT JOIN meters m ON m.id = e.meter_id
             LEFT JOIN instruments i ON i.id = e.instrument_id LEFT JOIN places r ON r.id = COALESCE(m.place_id, i.place_id)",
            above!(),
            "WHERE (x.all_buildings OR (e.meter_id IS NULL AND e.gateway_id IS NULL AND e.instrument_id IS NULL)
                    OR EXISTS (SELECT 1 FROM operator_buildings o WHERE o.user_id = x.id AND o.place_id IN (r.id, b.id, t.id))
                    OR EXISTS (SELECT 1 FROM meters gm JOIN places gr ON gr.id = gm.place_id
                               LEFT JOIN places gb ON gb.id = gr.parent_id LEFT JOIN places gt ON gt.id = gb.parent_id
                               JOIN operator_buildings o ON o.place_id IN (gr.id, gb.id, gt.id) AND o.user_id = x.id
                               WHERE gm.gateway_id = e.gateway_id AND gm.retired_at IS NULL)) AND ",
            can_log_in!("x"),
            " AND ",
            works_on_cases!("x")
        )
    };
}

/// To whom an alarm can be assigned.
pub async fn assignees(db: &Db, event: EventId) -> Result<Vec<(UserId, String)>> {
    read!(db, |pool| sqlx::query_as(concat!(assignees!(), " ORDER BY x.name, x.id LIMIT 500")).bind(event).fetch_all(pool).await)
}

/// Acknowledges an alarm, with the audit line in one transaction. Only the first acknowledgement is stored.
///
/// # Errors
/// Refused with [`AppError::NotFound`] for an alarm that the operator may not see.
pub async fn acknowledge(db: &Db, rng: &Rng, at: Timestamp, who: &Who, event: EventId) -> Result<()> {
    let mut tx = db.begin().await?;
    let (kind, _) = visible(&mut tx, who, event).await?;
    let first = on!(&mut tx, |c| sqlx::query(
        "UPDATE events SET acknowledged_at = $1, acknowledged_by = $2 WHERE id = $3 AND acknowledged_at IS NULL"
    )
    .bind(at)
    .bind(who.user)
    .bind(event)
    .execute(c)
    .await)?;
    if first == 0 {
        return Ok(());
    }
    note(&mut tx, (rng, at), who, event, (AlarmAction::Acknowledge, None)).await?;
    let subject = format!("event:{event}");
    audit::record(&mut tx, at, who, (AuditAction::EventAcknowledge, &subject), &json!({ "kind": kind })).await?;
    tx.commit().await
}

/// Assigns an open alarm to somebody; `None`: to nobody.
///
/// # Errors
/// [`AppError::NotFound`] for an alarm that the operator may not see, or an assignee who may not see it or not work on it;
/// [`AppError::Conflict`] for one that is over.
pub async fn assign(db: &Db, rng: &Rng, at: Timestamp, who: &Who, event: EventId, assignee: Option<UserId>) -> Result<()> {
    let mut tx = db.begin().await?;
    let (kind, until) = visible(&mut tx, who, event).await?;
    if until.is_some() {
        return Err(AppError::Conflict.into());
    }
    if let Some(assignee) = assignee {
        let found: Option<(UserId, String)> = on!(&mut tx, |c| sqlx::query_as(concat!(assignees!(), " AND x.id = $2"))
            .bind(event)
            .bind(assignee)
            .fetch_optional(c)
            .await)?;
        found.ok_or(AppError::NotFound)?;
    }
    let changed =
        on!(&mut tx, |c| sqlx::query("UPDATE events SET assigned_to = $2 WHERE id = $1 AND assigned_to IS DISTINCT FROM $2")
            .bind(event)
            .bind(assignee)
            .execute(c)
            .await)?;
    if changed == 0 {
        return Ok(());
    }
    note(&mut tx, (rng, at), who, event, (AlarmAction::Assign, assignee)).await?;
    let detail = json!({ "kind": kind, "owner": assignee });
    audit::record(&mut tx, at, who, (AuditAction::EventAssign, &format!("event:{event}")), &detail).await?;
    tx.commit().await
}

/// The kind and the end of an alarm that the operator may see.
async fn visible(tx: &mut Tx, who: &Who, event: EventId) -> Result<(EventKind, Option<Timestamp>)> {
    let found: Option<(EventKind, Option<Timestamp>)> =
        on!(tx, |c| sqlx::query_as(concat!("SELECT e.kind, e.until_at", visible_events!(), " AND e.id = $2"))
            .bind(who.user)
            .bind(event)
            .fetch_optional(c)
            .await)?;
    Ok(found.ok_or(AppError::NotFound)?)
}

async fn note(
    tx: &mut Tx,
    (rng, at): (&Rng, Timestamp),
    who: &Who,
    event: EventId,
    (action, assignee): (AlarmAction, Option<UserId>),
) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO alarm_actions (id, event_id, at, by_user, kind, assigned_to) VALUES ($1, $2, $3, $4, $5, $6)"
    )
    .bind(rng.id(at))
    .bind(event)
    .bind(at)
    .bind(who.user)
    .bind(action)
    .bind(assignee)
    .execute(c)
    .await)?;
    Ok(())
}
