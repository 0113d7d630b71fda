//! Meters whose clock is off, and telling them the time.

use model::case::{CaseDetail, CaseKind};
use model::ids::{CommandId, MeterId};
use model::parameters::Parameters;
use model::time::{DAY, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::audit::{self, Entry};
use super::commands::{self, NewCommand, priority};
use super::{Db, Result, cases, read};
use domain::meter_clock::{ClockObservation, THRESHOLD_S};
use domain::rng::Rng;

/// The fields of a clock command that the rule decided: it is sent soon or not at all.
pub const BY_RULE: &str = r#"{"by_rule":true}"#;

#[derive(FromRow)]
struct Row {
    meter_id: Uuid,
    secured: bool,
    offset_s: Option<i64>,
    lost: bool,
    sets: i64,
    last: Option<i64>,
    parameters: Option<String>,
}

/// A meter whose clock is off.
#[derive(Clone, Debug)]
pub struct Off {
    pub meter: MeterId,
    /// It has a wallet of its own, and takes the time by a secured frame.
    pub secured: bool,
    /// What is known of its clock.
    pub seen: ClockObservation,
    /// Minutes of the day at which its rates begin.
    pub edges: Vec<u16>,
}

/// Meters that answer, show the wrong time or, with a wallet of their own, none, and are not being told already.
pub async fn off(db: &Db, now: Timestamp) -> Result<Vec<Off>> {
    let rows: Vec<Row> = read!(db, |pool| {
        sqlx::query_as(
        "SELECT l.meter_id, m.wallet = 'meter' AS secured, l.clock_offset_s AS offset_s, (l.status & 8192) <> 0 AS lost, p.parameters,
                (SELECT COUNT(*) FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock' AND c.state = 'done'
                    AND c.finished_at >= $1) AS sets,
                (SELECT MAX(c.decided_at) FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock') AS last
         FROM meter_latest l JOIN meters m ON m.id = l.meter_id LEFT JOIN meter_parameters p ON p.meter_id = l.meter_id
         WHERE m.retired_at IS NULL AND (m.wallet = 'meter' OR l.clock_offset_s IS NOT NULL) AND l.lost_since IS NULL AND l.observed_at >= $2
           AND (l.clock_offset_s IS NULL OR ABS(l.clock_offset_s) > $3 OR (l.status & 8192) <> 0)
           AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock'
                           AND c.state IN ('queued', 'sending'))
           AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = l.meter_id AND k.kind = 'password' AND k.closed_at IS NULL)"
    )
    .bind(now.plus(-30 * DAY).0)
    .bind(now.plus(-DAY).0)
    .bind(THRESHOLD_S)
    .fetch_all(pool)
    .await
    })?;
    Ok(rows.into_iter().map(Row::off).collect())
}

impl Row {
    fn off(self) -> Off {
        let parameters = self.parameters.and_then(|text| serde_json::from_str::<Parameters>(&text).ok()).unwrap_or_default();
        let slots = parameters.day_tables.iter().flatten();
        let kept = slots.map(|slot| u16::from(slot.hour) * 60 + u16::from(slot.minute));
        Off {
            meter: MeterId(self.meter_id),
            secured: self.secured,
            seen: ClockObservation { offset_s: self.offset_s, lost: self.lost, sets: self.sets, last: self.last.map(Timestamp) },
            // Where nobody reads the day tables, a rate may begin at half past as well as on the hour.
            edges: if self.secured { kept.collect() } else { (0..24).map(|hour| hour * 60 + 30).collect() },
        }
    }
}

/// Tells a meter the time: command and audit line in one transaction.
pub async fn set(db: &Db, rng: &Rng, at: Timestamp, off: &Off) -> Result<()> {
    let mut tx = db.begin().await?;
    let command = NewCommand {
        id: CommandId(rng.id(at)),
        meter: off.meter,
        account: None,
        order: None,
        kind: "clock",
        args: BY_RULE.to_owned(),
        money: false,
        priority: priority::SETTINGS,
        by: None,
    };
    commands::enqueue(&mut tx, at, &command).await?;
    let subject = format!("meter:{}", off.meter);
    let detail = serde_json::json!({ "off_s": off.seen.offset_s, "lost": off.seen.lost }).to_string();
    let entry = Entry { actor: "system", ip: "", action: "meter.clock", subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// A clock that does not keep time: a case, unless one is open.
pub async fn faulty(db: &Db, rng: &Rng, at: Timestamp, off: &Off) -> Result<()> {
    let known: Option<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM cases WHERE meter_id = $1 AND kind = $2 AND closed_at IS NULL")
            .bind(off.meter.0)
            .bind(CaseKind::Clock)
            .fetch_optional(pool)
            .await)?;
    if known.is_some() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let case = CaseDetail::Clock { off_s: off.seen.offset_s, sets: off.seen.sets };
    cases::open(&mut tx, rng, at, Some(off.meter), None, &case).await?;
    tx.commit().await
}
