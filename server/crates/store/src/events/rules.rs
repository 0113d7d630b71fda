//! The rule of a kind where an alarm is: what its place sets, else its groups, else what is above.

use model::alarm::{AlarmLevel, AlarmRule, OwnAlarmRule};
use model::event::EventKind;
use sqlx::FromRow;

use super::Subject;
use crate::{Db, Result, StoreError, Tx, on, read};

/// What a place or group sets.
#[derive(Clone, Copy, Debug, FromRow)]
pub struct OwnRuleRow {
    pub is_on: Option<bool>,
    pub level: Option<AlarmLevel>,
    pub raise_s: Option<i64>,
    pub clear_s: Option<i64>,
    pub threshold: Option<i64>,
}

impl OwnRuleRow {
    /// # Errors
    /// [`StoreError::Inconsistent`] for a negative number.
    pub fn own(&self) -> Result<OwnAlarmRule> {
        let number = |value: Option<i64>| value.map(u32::try_from).transpose();
        let inconsistent = |_| StoreError::Inconsistent { table: "place_alarm_rules", column: "threshold" };
        Ok(OwnAlarmRule {
            is_on: self.is_on,
            level: self.level,
            raise_s: number(self.raise_s).map_err(inconsistent)?,
            clear_s: number(self.clear_s).map_err(inconsistent)?,
            threshold: number(self.threshold).map_err(inconsistent)?,
        })
    }
}

/// The rule that applies to a subject. A gateway is where its first meter's floor or building is, the server at the site.
pub async fn applied(tx: &mut Tx, kind: EventKind, subject: Subject) -> Result<AlarmRule> {
    let (meter, gateway, instrument, _) = subject.columns();
    let rows: Vec<OwnRuleRow> = on!(tx, |c| sqlx::query_as(
        "WITH RECURSIVE up (id, distance) AS (
             SELECT p.id, CAST(0 AS BIGINT) FROM places p WHERE p.id = COALESCE(
                 (SELECT place_id FROM meters WHERE id = $2),
                 (SELECT r.parent_id FROM meters m JOIN places r ON r.id = m.place_id
                  WHERE m.gateway_id = $3 AND m.retired_at IS NULL ORDER BY m.id LIMIT 1),
                 (SELECT place_id FROM instruments WHERE id = $4),
                 (SELECT id FROM places WHERE kind = 'site' ORDER BY id LIMIT 1))
             UNION ALL
             SELECT p.parent_id, up.distance + 1 FROM up JOIN places p ON p.id = up.id
             WHERE p.parent_id IS NOT NULL AND up.distance < 16)
         SELECT o.is_on, o.level, o.raise_s, o.clear_s, o.threshold FROM (
             SELECT up.distance * 2 AS nearness, '' AS name, r.is_on, r.level, r.raise_s, r.clear_s, r.threshold
             FROM up JOIN place_alarm_rules r ON r.place_id = up.id AND r.kind = $1
             UNION ALL
             SELECT up.distance * 2 + 1, g.name, r.is_on, r.level, r.raise_s, r.clear_s, r.threshold
             FROM up JOIN place_group_members m ON m.place_id = up.id
             JOIN group_alarm_rules r ON r.group_id = m.group_id AND r.kind = $1
             JOIN place_groups g ON g.id = m.group_id) o
         ORDER BY o.nearness, o.name"
    )
    .bind(kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .fetch_all(c)
    .await)?;
    let own = rows.iter().try_fold(OwnAlarmRule::default(), |nearer, row| Ok::<_, StoreError>(nearer.or(&row.own()?)))?;
    Ok(AlarmRule::of(kind, &own))
}

/// Whether a place or group switches the alarms of a kind off, or raises them after a delay: then stored ones are not all.
pub async fn is_limited(db: &Db, kind: EventKind) -> Result<bool> {
    let found: Option<(i64,)> = read!(db, |pool| sqlx::query_as(
        "SELECT COUNT(*) FROM (SELECT kind, is_on, raise_s FROM place_alarm_rules
                               UNION ALL SELECT kind, is_on, raise_s FROM group_alarm_rules) r
         WHERE r.kind = $1 AND (NOT r.is_on OR r.raise_s > 0)"
    )
    .bind(kind)
    .fetch_optional(pool)
    .await)?;
    Ok(found.is_some_and(|(rules,)| rules > 0))
}
