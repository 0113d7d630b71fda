//! Instruments in service, and the readings of their circuits.

use std::collections::HashMap;

use domain::classify::{Baseline, Counter, HeldValues, MOST_W_OF_A_BUILDING, classify};
use domain::rng::Rng;
use model::energy::Energy;
use model::event::EventKind;
use model::ids::{CircuitId, GatewayId, InstrumentId};
use model::instrument::{CountStep, InstrumentTrouble, Ratio};
use model::reading::ReadingQuality;
use model::time::Timestamp;
use sqlx::FromRow;

use store::events::{self, Subject};
use store::{Db, Result, Tx, on, read};

/// The least that a counter behind transformers is taken to be able to measure, W.
const LEAST_W: i64 = 10_000;

/// An instrument in service, as it is polled.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct InstrumentRow {
    pub id: InstrumentId,
    pub gateway_id: GatewayId,
    pub unit: i64,
    pub number: String,
    pub profile: String,
    pub start_register: Option<i64>,
    pub step_mwh: Option<CountStep>,
    pub interval_s: i64,
    pub trouble: Option<InstrumentTrouble>,
}

/// A counter of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct CircuitRow {
    pub id: CircuitId,
    pub instrument_id: InstrumentId,
    pub position: i64,
}

/// A counter as it was read, before the transformers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitReading {
    pub circuit: CircuitId,
    pub counter: Energy,
    pub reverse: Option<Energy>,
}

/// Those in service, each with its circuits in their order.
pub async fn in_service(db: &Db) -> Result<Vec<(InstrumentRow, Vec<CircuitRow>)>> {
    let instruments: Vec<InstrumentRow> = read!(db, |pool| sqlx::query_as(
        "SELECT i.id, i.gateway_id, i.unit, i.number, i.profile, i.start_register, i.step_mwh, i.interval_s, s.trouble
         FROM instruments i LEFT JOIN instrument_state s ON s.instrument_id = i.id
         WHERE i.retired_at IS NULL ORDER BY i.gateway_id, i.unit"
    )
    .fetch_all(pool)
    .await)?;
    let circuits: Vec<CircuitRow> = read!(db, |pool| sqlx::query_as(
        "SELECT c.id, c.instrument_id, c.position FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         WHERE i.retired_at IS NULL ORDER BY c.instrument_id, c.position"
    )
    .fetch_all(pool)
    .await)?;
    let mut of: HashMap<InstrumentId, Vec<CircuitRow>> = HashMap::new();
    for circuit in circuits {
        of.entry(circuit.instrument_id).or_default().push(circuit);
    }
    let with_circuits = |row: InstrumentRow| {
        let own = of.remove(&row.id).unwrap_or_default();
        (row, own)
    };
    Ok(instruments.into_iter().map(with_circuits).collect())
}

/// Stores what an instrument was read as, in one transaction; each counter is classified against its last reading that counts,
/// and what does not count is kept and adds no energy. `wrap` is where the counters begin again.
///
/// # Errors
/// [`StoreError::LockLost`](store::StoreError::LockLost), or where the database fails.
pub async fn record(
    db: &Db,
    rng: &Rng,
    at: Timestamp,
    id: InstrumentId,
    wrap: Energy,
    readings: &[CircuitReading],
) -> Result<()> {
    let mut tx = db.begin_fenced().await?;
    // First: two readings of an instrument are stored one after the other.
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO instrument_state (instrument_id, read_at) VALUES ($1, $2)
         ON CONFLICT (instrument_id) DO UPDATE SET read_at = excluded.read_at, lost_since = NULL, trouble = NULL"
    )
    .bind(id)
    .bind(at)
    .execute(c)
    .await)?;
    let mut is_held = false;
    for reading in readings {
        is_held |= add(&mut tx, at, wrap, reading).await?.is_some_and(ReadingQuality::is_held);
    }
    let subject = Subject::Instrument(id);
    for (kind, holds) in [(EventKind::InstrumentLost, false), (EventKind::InstrumentHeld, is_held)] {
        if holds {
            events::raise(&mut tx, rng, kind, subject, at, "{}").await?;
        } else {
            events::clear(&mut tx, rng, kind, subject, at).await?;
        }
    }
    if let Some(gateway) = lost_without_meters(&mut tx, id).await? {
        events::clear(&mut tx, rng, EventKind::GatewayLost, Subject::Gateway(gateway), at).await?;
    }
    tx.commit().await
}

/// The gateway of an instrument, where it is lost and has no meter whose reading would say that it is back.
async fn lost_without_meters(tx: &mut Tx, id: InstrumentId) -> Result<Option<GatewayId>> {
    let found: Option<(GatewayId,)> = on!(tx, |c| sqlx::query_as(
        "SELECT i.gateway_id FROM instruments i
         WHERE i.id = $1 AND NOT EXISTS (SELECT 1 FROM meters m WHERE m.gateway_id = i.gateway_id AND m.retired_at IS NULL)
           AND (EXISTS (SELECT 1 FROM events e WHERE e.gateway_id = i.gateway_id AND e.kind = 'gateway-lost'
                        AND e.until_at IS NULL)
                OR EXISTS (SELECT 1 FROM alarm_waits w WHERE w.gateway_id = i.gateway_id AND w.kind = 'gateway-lost'))"
    )
    .bind(id)
    .fetch_optional(c)
    .await)?;
    Ok(found.map(|(gateway,)| gateway))
}

/// An instrument cannot be read, since `at` where it could before.
pub async fn lost(db: &Db, rng: &Rng, at: Timestamp, id: InstrumentId, trouble: InstrumentTrouble) -> Result<()> {
    let before: Option<(Option<InstrumentTrouble>,)> =
        read!(db, |pool| sqlx::query_as("SELECT trouble FROM instrument_state WHERE instrument_id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await)?;
    // It is tried again and again: nothing is written where nothing is new.
    if before == Some((Some(trouble),)) {
        return Ok(());
    }
    let mut tx = db.begin_fenced().await?;
    on!(&mut tx, |c| sqlx::query(
        "INSERT INTO instrument_state (instrument_id, lost_since, trouble) VALUES ($1, $2, $3)
         ON CONFLICT (instrument_id) DO UPDATE SET trouble = excluded.trouble,
             lost_since = COALESCE(instrument_state.lost_since, excluded.lost_since)"
    )
    .bind(id)
    .bind(at)
    .bind(trouble)
    .execute(c)
    .await)?;
    // One fault, one report: that of a gateway is reported as such.
    if trouble != InstrumentTrouble::Gateway {
        events::raise(&mut tx, rng, EventKind::InstrumentLost, Subject::Instrument(id), at, "{}").await?;
    }
    tx.commit().await
}

/// Stores the counters of a circuit that an earlier system read, in their order, before the first reading of this one.
pub async fn take_over(db: &Db, circuit: CircuitId, ratio: i64, readings: &[(Timestamp, Energy)]) -> Result<()> {
    let mut tx = db.begin().await?;
    let mut before: Option<Energy> = None;
    for (at, counter) in readings {
        let passed = before.map_or(0, |before| (*counter - before).0.saturating_mul(ratio));
        before = Some(*counter);
        on!(&mut tx, |c| sqlx::query(
            "INSERT INTO circuit_readings (circuit_id, at, quality, counter_wh, ratio, energy_wh) VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(circuit)
        .bind(at)
        .bind(ReadingQuality::Good)
        .bind(counter)
        .bind(ratio)
        .bind(passed)
        .execute(c)
        .await)?;
    }
    tx.commit().await
}

/// What a new value of a circuit is compared with.
#[derive(FromRow)]
struct LastCounter {
    ct_ratio: Ratio,
    pt_ratio: Ratio,
    /// The last reading that counts.
    last_at: Option<Timestamp>,
    last_wh: Option<Energy>,
    /// The first and the newest of those held since then, the lowest, and whether one was too high.
    first_at: Option<Timestamp>,
    first_wh: Option<Energy>,
    newest_at: Option<Timestamp>,
    newest_wh: Option<Energy>,
    lowest_wh: Option<Energy>,
    jumped: bool,
}

impl LastCounter {
    fn last(&self) -> Option<Baseline> {
        let (at, total) = self.last_at.zip(self.last_wh)?;
        Some(Baseline { at, total, reverse: None, rates: None })
    }

    fn held(&self) -> Option<HeldValues> {
        let ((first_at, first_wh), (at, total)) = (self.first_at.zip(self.first_wh)?, self.newest_at.zip(self.newest_wh)?);
        let grown = Energy((total - first_wh).0.max(0));
        Some(HeldValues { first_at, at, total, lowest: self.lowest_wh?, grown, jumped: self.jumped })
    }
}

/// `None` where the circuit was removed, or its instrument retired, while it was read.
async fn before(tx: &mut Tx, circuit: CircuitId) -> Result<Option<LastCounter>> {
    on!(tx, |c| {
        sqlx::query_as(
            "WITH counted AS (SELECT at, counter_wh FROM circuit_readings
                       WHERE circuit_id = $1 AND quality IN (0, 1, 6, 7) ORDER BY at DESC LIMIT 1),
              held AS (SELECT at, counter_wh, quality FROM circuit_readings
                       WHERE circuit_id = $1 AND quality IN (2, 3, 5) AND at > COALESCE((SELECT at FROM counted), -1))
         SELECT c.ct_ratio, i.pt_ratio, l.at AS last_at, l.counter_wh AS last_wh,
                (SELECT at FROM held ORDER BY at LIMIT 1) AS first_at,
                (SELECT counter_wh FROM held ORDER BY at LIMIT 1) AS first_wh,
                (SELECT at FROM held ORDER BY at DESC LIMIT 1) AS newest_at,
                (SELECT counter_wh FROM held ORDER BY at DESC LIMIT 1) AS newest_wh,
                (SELECT MIN(counter_wh) FROM held) AS lowest_wh, EXISTS (SELECT 1 FROM held WHERE quality = 3) AS jumped
         FROM circuits c JOIN instruments i ON i.id = c.instrument_id LEFT JOIN counted l ON 1 = 1
         WHERE c.id = $1 AND i.retired_at IS NULL",
        )
        .bind(circuit)
        .fetch_optional(c)
        .await
    })
}

/// Gives the quality; `None` where the circuit is not there any more.
async fn add(tx: &mut Tx, at: Timestamp, wrap: Energy, reading: &CircuitReading) -> Result<Option<ReadingQuality>> {
    let Some(before) = before(tx, reading.circuit).await? else { return Ok(None) };
    let ratio = before.ct_ratio.get().saturating_mul(before.pt_ratio.get());
    let limits = Counter { wrap, per_hour: Energy((MOST_W_OF_A_BUILDING / ratio.max(1)).max(LEAST_W)) };
    let (quality, counted) = judge(&before, at, reading.counter, &limits);
    on!(tx, |c| sqlx::query(
        "INSERT INTO circuit_readings (circuit_id, at, quality, counter_wh, reverse_wh, ratio, energy_wh)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (circuit_id, at) DO NOTHING"
    )
    .bind(reading.circuit)
    .bind(at)
    .bind(quality)
    .bind(reading.counter)
    .bind(reading.reverse)
    .bind(ratio)
    .bind(counted.0.saturating_mul(ratio))
    .execute(c)
    .await)?;
    Ok(Some(quality))
}

/// The quality of a new value and the energy that it counts.
fn judge(before: &LastCounter, at: Timestamp, counter: Energy, limits: &Counter) -> (ReadingQuality, Energy) {
    let now = Baseline { at, total: counter, reverse: None, rates: None };
    let (quality, passed) = classify(before.last().as_ref(), before.held().as_ref(), &now, limits);
    (quality, passed.map_or(Energy::ZERO, |passed| passed.energy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::MINUTE;

    fn minute(minute: i64) -> Option<Timestamp> {
        Some(Timestamp(minute * MINUTE))
    }

    /// After a reading of 500 kWh that counts.
    fn good() -> LastCounter {
        LastCounter {
            ct_ratio: Ratio::ONE,
            pt_ratio: Ratio::ONE,
            last_at: minute(0),
            last_wh: Some(Energy(500_000)),
            first_at: None,
            first_wh: None,
            newest_at: None,
            newest_wh: None,
            lowest_wh: None,
            jumped: false,
        }
    }

    #[test]
    fn what_fell_or_jumped_adds_nothing_until_it_is_back() {
        let limits = Counter { wrap: Energy::ZERO, per_hour: Energy(LEAST_W) };
        let judge = |before: &LastCounter, minute: i64, wh| judge(before, Timestamp(minute * MINUTE), Energy(wh), &limits);
        let nothing = LastCounter { last_at: None, last_wh: None, ..good() };
        assert_eq!(judge(&nothing, 0, 500_000), (ReadingQuality::Good, Energy::ZERO), "nothing to count from");
        assert_eq!(judge(&good(), 15, 501_000), (ReadingQuality::Good, Energy(1_000)));
        assert_eq!(judge(&good(), 15, 100_000), (ReadingQuality::Fell, Energy::ZERO));
        assert_eq!(judge(&good(), 15, 900_000), (ReadingQuality::Jumped, Energy::ZERO));
        let low = Some(Energy(100_000));
        let held =
            LastCounter { first_at: minute(15), newest_at: minute(15), first_wh: low, newest_wh: low, lowest_wh: low, ..good() };
        assert_eq!(judge(&held, 30, 100_500), (ReadingQuality::Fell, Energy::ZERO));
        assert_eq!(judge(&held, 30, 502_000), (ReadingQuality::Good, Energy(2_000)), "one value was wrong");
        let begun = LastCounter { last_at: minute(15), last_wh: low, ..good() };
        assert_eq!(judge(&begun, 30, 100_500), (ReadingQuality::Good, Energy(500)));
    }
}
