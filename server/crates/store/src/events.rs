//! Events: alarms of meters, gateways, instruments and the server. Each of them has at most one open event of a kind. What is
//! observed goes through the engine, `domain::alarm`, with the rule of the place; what it waits for is in `alarm_waits`.

mod due;
mod rules;
mod silences;

use model::alarm::{AlarmChannel, AlarmLevel};
use model::event::EventKind;
use model::ids::{EventId, GatewayId, InstrumentId, MeterId};
use model::time::Timestamp;

pub use due::settle_due;
pub use rules::{OwnRuleRow, applied, is_limited};
pub use silences::is_silenced;

use super::{Db, Result, Tx, notifications, on, read};
use domain::alarm::{AlarmChange, AlarmState, Applied, Observation};
use domain::rng::Rng;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Meter(MeterId),
    /// A gateway and the meters behind it.
    Gateway(GatewayId),
    Instrument(InstrumentId),
    Channel(AlarmChannel),
    /// The server itself.
    Site,
}

impl Subject {
    const fn columns(self) -> (Option<MeterId>, Option<GatewayId>, Option<InstrumentId>, Option<AlarmChannel>) {
        match self {
            Self::Meter(id) => (Some(id), None, None, None),
            Self::Gateway(id) => (None, Some(id), None, None),
            Self::Instrument(id) => (None, None, Some(id), None),
            Self::Channel(channel) => (None, None, None, Some(channel)),
            Self::Site => (None, None, None, None),
        }
    }

    /// What waits is stored by kind and subject.
    fn key(self, kind: EventKind) -> String {
        let subject = match self {
            Self::Meter(id) => id.to_string(),
            Self::Gateway(id) => id.to_string(),
            Self::Instrument(id) => id.to_string(),
            Self::Channel(channel) => channel.as_str().to_owned(),
            Self::Site => String::new(),
        };
        format!("{} {subject}", kind.as_str())
    }
}

/// An event that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: EventKind,
    pub subject: Subject,
    pub at: Timestamp,
    pub turn: Turn,
}

/// How an event changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It began; the detail is JSON.
    Raised(String),
    Over,
    /// It began and ended at once; the detail is JSON.
    Happened(String),
}

/// What was observed of an alarm; the detail is JSON.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    pub kind: EventKind,
    pub subject: Subject,
    pub seen: Observation,
    pub detail: &'a str,
}

/// The subject of events: `$1` is the kind, `$2` to `$5` are the columns of [`Subject`].
macro_rules! of_subject {
    () => {
        " kind = $1 AND (meter_id = $2 OR gateway_id = $3 OR instrument_id = $4
              OR (meter_id IS NULL AND gateway_id IS NULL AND instrument_id IS NULL AND $2 IS NULL AND $3 IS NULL
                  AND $4 IS NULL AND COALESCE(subject, '') = COALESCE($5, ''))) "
    };
}

/// Passes a change of a condition to the engine, in the caller's transaction.
pub async fn apply(tx: &mut Tx, rng: &Rng, change: &Change) -> Result<()> {
    apply_late(tx, rng, change.at, change).await
}

/// The same where it is `now`, perhaps long after the change was observed: people are told as of now, or what they are told would
/// be too old before it is sent.
pub(crate) async fn apply_late(tx: &mut Tx, rng: &Rng, now: Timestamp, change: &Change) -> Result<()> {
    let Change { kind, subject, at, turn } = change;
    let (seen, detail) = match turn {
        Turn::Raised(detail) => (true, detail.as_str()),
        Turn::Over => (false, "{}"),
        Turn::Happened(detail) => return happened(tx, rng, (*kind, *subject), *at, detail).await,
    };
    observe_late(tx, rng, (*at, now), &Observed { kind: *kind, subject: *subject, seen: Observation::Holds(seen), detail }).await
}

/// The condition of a kind appeared, in the caller's transaction.
pub async fn raise(tx: &mut Tx, rng: &Rng, kind: EventKind, subject: Subject, since: Timestamp, detail: &str) -> Result<()> {
    observe(tx, rng, since, &Observed { kind, subject, seen: Observation::Holds(true), detail }).await
}

/// The condition of a kind is gone, in the caller's transaction.
pub async fn clear(tx: &mut Tx, rng: &Rng, kind: EventKind, subject: Subject, until: Timestamp) -> Result<()> {
    observe(tx, rng, until, &Observed { kind, subject, seen: Observation::Holds(false), detail: "{}" }).await
}

/// Passes what was observed to the engine, in the caller's transaction, and stores what follows.
pub async fn observe(tx: &mut Tx, rng: &Rng, at: Timestamp, observed: &Observed<'_>) -> Result<()> {
    observe_late(tx, rng, (at, at), observed).await
}

async fn observe_late(tx: &mut Tx, rng: &Rng, (at, now): (Timestamp, Timestamp), observed: &Observed<'_>) -> Result<()> {
    let Observed { kind, subject, seen, detail } = *observed;
    let (state, is_suspended) = stored(tx, kind, subject).await?;
    let applied = Applied { kind, rule: rules::applied(tx, kind, subject).await?, is_suspended };
    let (next, change) = applied.step(state, seen, at);
    match change {
        Some(AlarmChange::Raised(since)) => {
            let change = Change { kind, subject, at: since, turn: Turn::Raised(detail.to_owned()) };
            insert(tx, rng, (at, now), &applied, &change).await?;
        }
        // Switched off while its condition holds, so nobody is told that it is over.
        Some(AlarmChange::Cleared(until)) if next.waits_since().is_some() => {
            close(tx, kind, subject, until).await?;
            due::look_again_behind(tx, kind, subject, at).await?;
        }
        Some(AlarmChange::Cleared(until)) => over(tx, rng, now, kind, subject, until).await?,
        None => {}
    }
    if next.waits_since().is_some() {
        due::wait(tx, at, &applied, next, observed).await
    } else if state.waits_since().is_some() {
        due::stop_waiting(tx, kind, subject).await
    } else {
        Ok(())
    }
}

/// The state of an alarm, and whether the gateway of its meter or instrument is lost.
async fn stored(tx: &mut Tx, kind: EventKind, subject: Subject) -> Result<(AlarmState, bool)> {
    let (meter, gateway, instrument, part) = subject.columns();
    let found: Option<(i64, Option<Timestamp>, i64)> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT (SELECT COUNT(*) FROM events WHERE until_at IS NULL AND",
        of_subject!(),
        "),
                (SELECT since FROM alarm_waits WHERE key = $6),
                (SELECT COUNT(*) FROM events e WHERE e.kind = 'gateway-lost' AND e.until_at IS NULL
                   AND e.gateway_id IN (SELECT gateway_id FROM meters WHERE id = $2
                                        UNION ALL SELECT gateway_id FROM instruments WHERE id = $4))"
    ))
    .bind(kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(part)
    .bind(subject.key(kind))
    .fetch_optional(c)
    .await)?;
    let (open, waits_since, lost) = found.unwrap_or_default();
    Ok((AlarmState::from_stored(open > 0, waits_since), lost > 0))
}

/// Something happened that is over at once.
async fn happened(tx: &mut Tx, rng: &Rng, (kind, subject): (EventKind, Subject), at: Timestamp, detail: &str) -> Result<()> {
    let applied = Applied { kind, rule: rules::applied(tx, kind, subject).await?, is_suspended: false };
    if !applied.rule.is_on {
        return Ok(());
    }
    insert(tx, rng, (at, at), &applied, &Change { kind, subject, at, turn: Turn::Happened(detail.to_owned()) }).await
}

/// Stores an event, which may have begun a delay ago, and tells of it as of now.
async fn insert(tx: &mut Tx, rng: &Rng, (at, now): (Timestamp, Timestamp), applied: &Applied, change: &Change) -> Result<()> {
    let (id, (meter, gateway, instrument, part)) = (EventId(rng.id(change.at)), change.subject.columns());
    let (until, detail) = match &change.turn {
        Turn::Raised(detail) => (None, detail.as_str()),
        Turn::Happened(detail) => (Some(change.at), detail.as_str()),
        Turn::Over => return Ok(()),
    };
    let inserted = on!(tx, |c| {
        sqlx::query(
        "INSERT INTO events (id, kind, meter_id, gateway_id, instrument_id, subject, since, until_at, detail, level, raised_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(change.kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(part)
    .bind(change.at)
    .bind(until)
    .bind(detail)
    .bind(applied.rule.level)
    .bind(at)
    .execute(c)
    .await
    })?;
    if inserted == 1 { notifications::event_began(tx, rng, now, id, (change, applied.rule.level)).await } else { Ok(()) }
}

/// Ends the open event, tells those whom it concerns, and notes that the power is back where it was cut.
async fn over(tx: &mut Tx, rng: &Rng, now: Timestamp, kind: EventKind, subject: Subject, until: Timestamp) -> Result<()> {
    for (event, level) in close(tx, kind, subject, until).await? {
        let change = Change { kind, subject, at: until, turn: Turn::Over };
        notifications::event_ended(tx, rng, now, event, (&change, level)).await?;
        if matches!(kind, EventKind::Arrears | EventKind::Overload | EventKind::Malignant | EventKind::Tripped) {
            happened(tx, rng, (EventKind::Restored, subject), until, &serde_json::json!({ "after": kind }).to_string()).await?;
        }
    }
    due::look_again_behind(tx, kind, subject, until).await
}

/// Ends an alarm without delay, in the caller's transaction. Nobody is told.
pub async fn end(tx: &mut Tx, kind: EventKind, subject: Subject, until: Timestamp) -> Result<()> {
    close(tx, kind, subject, until).await?;
    due::stop_waiting(tx, kind, subject).await
}

/// Ends all alarms of what leaves service, and what waits, in the caller's transaction. Nobody is told.
pub async fn end_all(tx: &mut Tx, subject: Subject, until: Timestamp) -> Result<()> {
    let (meter, gateway, instrument, _) = subject.columns();
    on!(tx, |c| sqlx::query(
        "UPDATE events SET until_at = CASE WHEN since > $4 THEN since ELSE $4 END
         WHERE until_at IS NULL AND (meter_id = $1 OR gateway_id = $2 OR instrument_id = $3)"
    )
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(until)
    .execute(c)
    .await)?;
    on!(tx, |c| sqlx::query("DELETE FROM alarm_waits WHERE meter_id = $1 OR gateway_id = $2 OR instrument_id = $3")
        .bind(meter)
        .bind(gateway)
        .bind(instrument)
        .execute(c)
        .await)?;
    Ok(())
}

async fn close(tx: &mut Tx, kind: EventKind, subject: Subject, until: Timestamp) -> Result<Vec<(EventId, Option<AlarmLevel>)>> {
    let (meter, gateway, instrument, part) = subject.columns();
    on!(tx, |c| sqlx::query_as(concat!(
        "UPDATE events SET until_at = CASE WHEN since > $6 THEN since ELSE $6 END WHERE until_at IS NULL AND",
        of_subject!(),
        "RETURNING id, level"
    ))
    .bind(kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(part)
    .bind(until)
    .fetch_all(c)
    .await)
}

/// The conditions of meters that hold, as far as the engine was told, and since when.
pub async fn open_of_meters(db: &Db) -> Result<Vec<(MeterId, EventKind, Timestamp)>> {
    read!(db, |pool| sqlx::query_as(
        "SELECT e.meter_id, e.kind, e.since FROM events e WHERE e.until_at IS NULL AND e.meter_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM alarm_waits w WHERE w.meter_id = e.meter_id AND w.kind = e.kind)
         UNION ALL
         SELECT w.meter_id, w.kind, w.since FROM alarm_waits w WHERE w.meter_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM events e WHERE e.meter_id = w.meter_id AND e.kind = w.kind AND e.until_at IS NULL)"
    )
    .fetch_all(pool)
    .await)
}

/// Gateways that are lost, whether that is an alarm yet or not.
pub async fn lost_gateways(db: &Db) -> Result<Vec<GatewayId>> {
    let rows: Vec<(GatewayId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT gateway_id FROM events WHERE until_at IS NULL AND gateway_id IS NOT NULL AND kind = 'gateway-lost'
         UNION
         SELECT gateway_id FROM alarm_waits WHERE gateway_id IS NOT NULL AND kind = 'gateway-lost'"
    )
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
