//! Meters whose clock is wrong, and commands that set it.

use model::audit::AuditAction;
use model::case::{CaseDetail, CaseKind};
use model::ids::{CommandId, MeterId, Uuid};
use model::parameters::Parameters;
use model::time::{DAY, Timestamp};
use sqlx::FromRow;

use domain::command_args::CommandArgs;
use domain::meter_clock::{ClockObservation, THRESHOLD_S};
use domain::rng::Rng;
use store::audit::{self, Entry};
use store::commands::{self, NewCommand};
use store::{Db, JsonText, Result, cases, read};

#[derive(FromRow)]
struct ClockRow {
    meter_id: MeterId,
    secured: bool,
    offset_s: Option<i64>,
    lost: bool,
    sets: i64,
    last: Option<Timestamp>,
    parameters: Option<JsonText<Parameters>>,
}

/// A meter whose clock is wrong.
#[derive(Clone, Debug)]
pub struct WrongClock {
    pub meter: MeterId,
    /// It has its own wallet and takes the time by a secured frame.
    pub secured: bool,
    pub seen: ClockObservation,
    /// Minutes of the day at which its rates begin.
    pub edges: Vec<u16>,
}

/// Meters that answer, show the wrong time or, with their own wallet, none, and have no clock command under way. None soon after
/// the server's own clock stepped: then it may be the wrong one.
pub async fn wrong_clocks(db: &Db, now: Timestamp) -> Result<Vec<WrongClock>> {
    let rows: Vec<ClockRow> = read!(db, |pool| {
        sqlx::query_as(
            "SELECT l.meter_id, m.wallet = 'meter' AS secured, l.clock_offset_s AS offset_s, (l.status & 8192) <> 0 AS lost,
                p.parameters,
                (SELECT COUNT(*) FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock' AND c.state = 'done'
                    AND c.finished_at >= $1) AS sets,
                (SELECT MAX(c.decided_at) FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock') AS last
         FROM meter_latest l JOIN meters m ON m.id = l.meter_id LEFT JOIN meter_parameters p ON p.meter_id = l.meter_id
         WHERE m.retired_at IS NULL AND (m.wallet = 'meter' OR l.clock_offset_s IS NOT NULL)
           AND l.lost_since IS NULL AND l.observed_at >= $2
           AND (l.clock_offset_s IS NULL OR ABS(l.clock_offset_s) > $3 OR (l.status & 8192) <> 0)
           AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.meter_id = l.meter_id AND c.kind = 'clock'
                           AND c.state IN ('queued', 'sending'))
           AND NOT EXISTS (SELECT 1 FROM cases k WHERE k.meter_id = l.meter_id AND k.kind = 'password' AND k.closed_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.kind = 'clock-stepped' AND e.until_at IS NULL)",
        )
        .bind(now.plus(-30 * DAY))
        .bind(now.plus(-DAY))
        .bind(THRESHOLD_S)
        .fetch_all(pool)
        .await
    })?;
    Ok(rows.into_iter().map(ClockRow::wrong_clock).collect())
}

impl ClockRow {
    fn wrong_clock(self) -> WrongClock {
        let parameters = self.parameters.map(|JsonText(parameters)| parameters).unwrap_or_default();
        let slots = parameters.day_tables.iter().flatten();
        let kept = slots.map(|slot| u16::from(slot.hour) * 60 + u16::from(slot.minute));
        WrongClock {
            meter: self.meter_id,
            secured: self.secured,
            seen: ClockObservation { offset_s: self.offset_s, lost: self.lost, sets: self.sets, last: self.last },
            // Without known day tables a rate may begin at half past as well as on the hour.
            edges: if self.secured { kept.collect() } else { (0..24).map(|hour| hour * 60 + 30).collect() },
        }
    }
}

/// Stores a clock command and its audit line in one transaction.
pub async fn set(db: &Db, rng: &Rng, at: Timestamp, clock: &WrongClock) -> Result<()> {
    let mut tx = db.begin().await?;
    let command = NewCommand::setting(CommandId(rng.id(at)), clock.meter, CommandArgs::ClockCorrection, None);
    commands::enqueue(&mut tx, at, &command).await?;
    let subject = format!("meter:{}", clock.meter);
    let detail = serde_json::json!({ "off_s": clock.seen.offset_s, "lost": clock.seen.lost }).to_string();
    let entry = Entry { actor: "system", ip: "", action: AuditAction::MeterClock, subject: &subject, detail: &detail };
    audit::append(&mut tx, at, &entry).await?;
    tx.commit().await
}

/// A clock that does not keep time: a case, unless one is open.
pub async fn faulty(db: &Db, rng: &Rng, at: Timestamp, clock: &WrongClock) -> Result<()> {
    let known: Option<(Uuid,)> =
        read!(db, |pool| sqlx::query_as("SELECT id FROM cases WHERE meter_id = $1 AND kind = $2 AND closed_at IS NULL")
            .bind(clock.meter)
            .bind(CaseKind::Clock)
            .fetch_optional(pool)
            .await)?;
    if known.is_some() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let case = CaseDetail::Clock { off_s: clock.seen.offset_s, sets: clock.seen.sets };
    cases::open(&mut tx, rng, at, Some(clock.meter), None, &case).await?;
    tx.commit().await
}
