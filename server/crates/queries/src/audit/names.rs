//! The names of what lines are about.

use std::collections::BTreeSet;

use model::audit::{AuditAction, AuditLine, Names, kind_of};
use model::console::RoomName;
use model::ids::{MeterId, Uuid};
use serde_json::Value;
use sqlx::FromRow;

use store::console::{Name, above, names as room_names};
use store::{Db, Result, read};

/// Ids of one line whose names are looked up.
const PER_LINE: usize = 12;

/// The names of the people and things in lines, by `kind:<id>`.
pub async fn names(db: &Db, lines: &[AuditLine]) -> Result<Names> {
    let mut codes = BTreeSet::new();
    for line in lines {
        codes.extend([line.actor.clone(), line.subject.clone()]);
        let mut found = Vec::new();
        if let Ok(detail) = serde_json::from_str(&line.detail) {
            collect("", &detail, &mut found);
        }
        codes.extend(found.into_iter().take(PER_LINE));
    }
    let mut names = Names::new();
    add(db, &mut names, codes.iter().map(String::as_str)).await?;
    for line in lines {
        if !names.contains_key(&line.subject)
            && let Some(name) = name_of_removed(line)
        {
            names.insert(line.subject.clone(), name);
        }
    }
    Ok(names)
}

/// What a thing was called that a line removed: only the line has its name still.
fn name_of_removed(line: &AuditLine) -> Option<String> {
    use AuditAction::{GroupRemove, PlaceRemove, ReportRemove, RoleRemove};
    let action = AuditAction::parse(&line.action)?;
    let detail: Value = match action {
        GroupRemove | PlaceRemove | ReportRemove | RoleRemove => serde_json::from_str(&line.detail).ok()?,
        _ => return None,
    };
    // That of a place is the state before.
    Some(detail.get("name").or_else(|| detail.get("before"))?.as_str()?.to_owned())
}

/// Adds the names of these codes.
pub(super) async fn add(db: &Db, names: &mut Names, codes: impl Iterator<Item = &str>) -> Result<()> {
    for code in codes {
        if !names.contains_key(code)
            && let Some(name) = name(db, code).await?
        {
            names.insert(code.to_owned(), name);
        }
    }
    Ok(())
}

fn collect(key: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        // What was before and after a change is of the kind that changed.
        Value::Object(inner) if inner.contains_key("after") => inner.values().for_each(|value| collect(key, value, found)),
        Value::Object(inner) => inner.iter().for_each(|(key, value)| collect(key, value, found)),
        Value::Array(values) => values.iter().for_each(|value| collect(key, value, found)),
        Value::String(text) => {
            if let (Some(kind), Ok(id)) = (kind_of(key), Uuid::parse_str(text)) {
                found.push(format!("{kind}:{}", id.as_simple()));
            }
        }
        _ => {}
    }
}

/// What a thing or person is called; `None` where that is not known.
async fn name(db: &Db, code: &str) -> Result<Option<String>> {
    let Some((kind, id)) = code.split_once(':') else { return Ok(None) };
    let Ok(id) = Uuid::parse_str(id) else { return Ok(None) };
    let sql = match kind {
        "meter" => return Ok(place(db, code).await?.map(|(_, room)| room.to_string())),
        "user" => "SELECT name FROM users WHERE id = $1",
        "account" => "SELECT number FROM accounts WHERE id = $1",
        "order" => "SELECT CAST(number AS TEXT) FROM orders WHERE id = $1",
        "return" => "SELECT CAST(number AS TEXT) FROM returns WHERE id = $1",
        "refund" => "SELECT refund_no FROM refunds WHERE id = $1",
        "gateway" => "SELECT name FROM gateways WHERE id = $1",
        "instrument" => "SELECT name FROM instruments WHERE id = $1",
        // From the building on: many buildings have a 205.
        "place" => {
            concat!(
                "SELECT COALESCE(CASE WHEN t.kind <> 'site' THEN t.name END || ' ', '')
                        || COALESCE(CASE WHEN b.kind <> 'site' THEN b.name END || ' ', '') || r.name FROM places r",
                above!(),
                "WHERE r.id = $1"
            )
        }
        "plan" => "SELECT name FROM price_plans WHERE id = $1",
        "role" => "SELECT name FROM roles WHERE id = $1",
        "group" => "SELECT name FROM place_groups WHERE id = $1",
        _ => return Ok(None),
    };
    let found: Option<(String,)> = read!(db, |pool| sqlx::query_as(sql).bind(id).fetch_optional(pool).await)?;
    Ok(found.map(|(name,)| name))
}

#[derive(FromRow)]
struct PlaceRow {
    meter_id: MeterId,
    #[sqlx(flatten)]
    name: Name,
}

/// The meter that a subject is about, with its room.
pub async fn place(db: &Db, subject: &str) -> Result<Option<(MeterId, RoomName)>> {
    let Some((kind, id)) = subject.split_once(':') else { return Ok(None) };
    let is_placed = matches!(kind, "meter" | "order" | "account" | "case" | "command" | "return" | "refund" | "event");
    let Some(id) = Uuid::parse_str(id).ok().filter(|_| is_placed) else { return Ok(None) };
    let place: Option<PlaceRow> = read!(db, |pool| sqlx::query_as(concat!(
        "SELECT m.id AS meter_id,",
        room_names!(),
        "FROM meters m JOIN places r ON r.id = m.place_id",
        above!(),
        "WHERE m.id = CASE $1 WHEN 'meter' THEN $2
                           WHEN 'order' THEN (SELECT meter_id FROM orders WHERE id = $2)
                           WHEN 'command' THEN (SELECT meter_id FROM commands WHERE id = $2)
                           WHEN 'return' THEN (SELECT meter_id FROM returns WHERE id = $2)
                           WHEN 'refund' THEN (SELECT o.meter_id FROM refunds f JOIN orders o ON o.id = f.order_id
                                               WHERE f.id = $2)
                           WHEN 'event' THEN (SELECT meter_id FROM events WHERE id = $2)
                           WHEN 'case' THEN (SELECT COALESCE(cases.meter_id, orders.meter_id) FROM cases
                                             LEFT JOIN orders ON orders.id = cases.order_id WHERE cases.id = $2)
                           ELSE (SELECT meter_id FROM account_meters WHERE account_id = $2 ORDER BY from_at LIMIT 1) END"
    ))
    .bind(kind)
    .bind(id)
    .fetch_optional(pool)
    .await)?;
    Ok(place.map(|place| (place.meter_id, place.name.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_group_is_named_by_its_line() {
        let line = |action: AuditAction| AuditLine {
            seq: 1,
            at: model::time::Timestamp(1),
            actor: "system".to_owned(),
            ip: String::new(),
            action: action.as_str().to_owned(),
            subject: "group:00000000000000000000000000000007".to_owned(),
            place: None,
            detail: r#"{"name":"Freshmen"}"#.to_owned(),
        };
        assert_eq!(name_of_removed(&line(AuditAction::GroupRemove)).as_deref(), Some("Freshmen"));
        assert_eq!(name_of_removed(&line(AuditAction::GroupRename)), None, "it has its name in the table");
    }
}
