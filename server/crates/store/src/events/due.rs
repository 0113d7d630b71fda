//! What waits: conditions that differ from their alarm until a delay has passed, the rule is switched on, or the gateway is back.

use model::alarm::AlarmChannel;
use model::event::EventKind;
use model::ids::{GatewayId, InstrumentId, MeterId};
use model::time::{HOUR, MINUTE, Timestamp};
use sqlx::FromRow;

use super::{Observed, Subject, stored};
use crate::{Db, Result, Tx, on, read};
use domain::alarm::{AlarmState, Applied, Observation};
use domain::rng::Rng;

/// The most that are settled in one run; the others follow in the next.
const MOST: i64 = 500;
/// What waits for the rule or the gateway is looked at when that changes, and as often as this: a meter, a place or a group may
/// move under another rule.
const LOOK_AGAIN: i64 = HOUR;

#[derive(FromRow)]
struct WaitRow {
    kind: EventKind,
    meter_id: Option<MeterId>,
    gateway_id: Option<GatewayId>,
    instrument_id: Option<InstrumentId>,
    subject: Option<AlarmChannel>,
    detail: String,
}

impl WaitRow {
    fn subject(&self) -> Subject {
        match (self.meter_id, self.gateway_id, self.instrument_id, self.subject) {
            (Some(id), ..) => Subject::Meter(id),
            (None, Some(id), ..) => Subject::Gateway(id),
            (None, None, Some(id), _) => Subject::Instrument(id),
            (None, None, None, Some(channel)) => Subject::Channel(channel),
            (None, None, None, None) => Subject::Site,
        }
    }
}

pub(super) async fn wait(
    tx: &mut Tx,
    at: Timestamp,
    applied: &Applied,
    state: AlarmState,
    observed: &Observed<'_>,
) -> Result<()> {
    let (meter, gateway, instrument, part) = observed.subject.columns();
    on!(tx, |c| sqlx::query(
        "INSERT INTO alarm_waits (key, kind, meter_id, gateway_id, instrument_id, subject, since, due_at, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (key) DO UPDATE SET since = excluded.since, due_at = excluded.due_at, detail = excluded.detail"
    )
    .bind(observed.subject.key(observed.kind))
    .bind(observed.kind)
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .bind(part)
    .bind(state.waits_since())
    .bind(applied.due(state).unwrap_or_else(|| at.plus(LOOK_AGAIN)))
    .bind(observed.detail)
    .execute(c)
    .await)?;
    Ok(())
}

pub(super) async fn stop_waiting(tx: &mut Tx, kind: EventKind, subject: Subject) -> Result<()> {
    on!(tx, |c| sqlx::query("DELETE FROM alarm_waits WHERE key = $1").bind(subject.key(kind)).execute(c).await)?;
    Ok(())
}

/// When a gateway is no longer lost, what waits behind it is looked at again a minute after `at`, when it was read.
pub(super) async fn look_again_behind(tx: &mut Tx, kind: EventKind, subject: Subject, at: Timestamp) -> Result<()> {
    let (EventKind::GatewayLost, Subject::Gateway(gateway)) = (kind, subject) else { return Ok(()) };
    on!(tx, |c| sqlx::query(
        "UPDATE alarm_waits SET due_at = $2 WHERE meter_id IN (SELECT id FROM meters WHERE gateway_id = $1)
            OR instrument_id IN (SELECT id FROM instruments WHERE gateway_id = $1)"
    )
    .bind(gateway)
    .bind(at.plus(MINUTE))
    .execute(c)
    .await)?;
    Ok(())
}

/// Settles what has waited long enough, each by the current rule. Gives how many were looked at.
pub async fn settle_due(db: &Db, rng: &Rng, at: Timestamp) -> Result<usize> {
    let due: Vec<WaitRow> = read!(db, |pool| sqlx::query_as(
        "SELECT kind, meter_id, gateway_id, instrument_id, subject, detail FROM alarm_waits WHERE due_at <= $1
         ORDER BY due_at, key LIMIT $2"
    )
    .bind(at)
    .bind(MOST)
    .fetch_all(pool)
    .await)?;
    if due.is_empty() {
        return Ok(0);
    }
    let mut tx = db.begin().await?;
    for row in &due {
        let (kind, subject) = (row.kind, row.subject());
        if is_retired(&mut tx, subject).await? {
            stop_waiting(&mut tx, kind, subject).await?;
            continue;
        }
        // What happened since it was read above counts.
        let holds = match stored(&mut tx, kind, subject).await?.0 {
            AlarmState::Raising(_) => true,
            AlarmState::Clearing(_) => false,
            AlarmState::Clear | AlarmState::Raised => continue,
        };
        let observed = Observed { kind, subject, seen: Observation::Holds(holds), detail: &row.detail };
        super::observe(&mut tx, rng, at, &observed).await?;
    }
    tx.commit().await?;
    Ok(due.len())
}

async fn is_retired(tx: &mut Tx, subject: Subject) -> Result<bool> {
    let (meter, gateway, instrument, _) = subject.columns();
    let found: Option<(Timestamp,)> = on!(tx, |c| sqlx::query_as(
        "SELECT retired_at FROM (SELECT retired_at FROM meters WHERE id = $1
             UNION ALL SELECT retired_at FROM gateways WHERE id = $2
             UNION ALL SELECT retired_at FROM instruments WHERE id = $3) one WHERE retired_at IS NOT NULL"
    )
    .bind(meter)
    .bind(gateway)
    .bind(instrument)
    .fetch_optional(c)
    .await)?;
    Ok(found.is_some())
}
