//! Instruments in service, and the readings of their circuits.

use domain::classify::{Baseline, Counter, HeldValues, MOST_W_OF_A_BUILDING, classify};
use model::energy::Energy;
use model::ids::{CircuitId, GatewayId, InstrumentId};
use model::instrument::{CountStep, InstrumentTrouble, Ratio};
use model::reading::ReadingQuality;
use model::time::Timestamp;
use sqlx::FromRow;

use super::{Db, Result, Tx, on, read};

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

/// Those in service, with their circuits.
pub async fn in_service(db: &Db) -> Result<(Vec<InstrumentRow>, Vec<CircuitRow>)> {
    let instruments = read!(db, |pool| sqlx::query_as(
        "SELECT i.id, i.gateway_id, i.unit, i.number, i.profile, i.start_register, i.step_mwh, i.interval_s, s.trouble
         FROM instruments i LEFT JOIN instrument_state s ON s.instrument_id = i.id
         WHERE i.retired_at IS NULL ORDER BY i.gateway_id, i.unit"
    )
    .fetch_all(pool)
    .await)?;
    let circuits = read!(db, |pool| sqlx::query_as(
        "SELECT c.id, c.instrument_id, c.position FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         WHERE i.retired_at IS NULL ORDER BY c.instrument_id, c.position"
    )
    .fetch_all(pool)
    .await)?;
    Ok((instruments, circuits))
}

/// Stores what an instrument was read as, in one transaction; each counter is classified against its last reading that counts,
/// and what does not count is kept and adds no energy. `wrap` is where the counters begin again.
///
/// # Errors
/// [`StoreError::LockLost`](super::StoreError::LockLost), or where the database fails.
pub async fn record(db: &Db, at: Timestamp, id: InstrumentId, wrap: Energy, readings: &[CircuitReading]) -> Result<()> {
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
    for reading in readings {
        add(&mut tx, at, wrap, reading).await?;
    }
    tx.commit().await
}

/// An instrument cannot be read, since `at` where it could before.
pub async fn lost(db: &Db, at: Timestamp, id: InstrumentId, trouble: InstrumentTrouble) -> Result<()> {
    let known: Option<(Option<InstrumentTrouble>,)> =
        read!(db, |pool| sqlx::query_as("SELECT trouble FROM instrument_state WHERE instrument_id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await)?;
    // It is tried again and again: nothing is written where nothing is new.
    if known == Some((Some(trouble),)) {
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

#[derive(FromRow)]
struct StoredReading {
    at: Timestamp,
    quality: ReadingQuality,
    counter_wh: Energy,
}

impl StoredReading {
    const fn baseline(&self) -> Baseline {
        Baseline { at: self.at, total: self.counter_wh, reverse: None, rates: None }
    }
}

async fn add(tx: &mut Tx, at: Timestamp, wrap: Energy, reading: &CircuitReading) -> Result<()> {
    let ratios: Option<(Ratio, Ratio)> = on!(tx, |c| sqlx::query_as(
        "SELECT c.ct_ratio, i.pt_ratio FROM circuits c JOIN instruments i ON i.id = c.instrument_id
         WHERE c.id = $1 AND i.retired_at IS NULL"
    )
    .bind(reading.circuit)
    .fetch_optional(c)
    .await)?;
    // Retired or removed while it was read.
    let Some((ct, pt)) = ratios else { return Ok(()) };
    let ratio = ct.get().saturating_mul(pt.get());
    let known: Vec<StoredReading> = on!(tx, |c| sqlx::query_as(
        "SELECT at, quality, counter_wh FROM circuit_readings WHERE circuit_id = $1 AND at >= COALESCE(
             (SELECT at FROM circuit_readings WHERE circuit_id = $1 AND quality IN (0, 1, 6, 7) ORDER BY at DESC LIMIT 1), 0)
         ORDER BY at"
    )
    .bind(reading.circuit)
    .fetch_all(c)
    .await)?;
    let limits = Counter { wrap, per_hour: Energy((MOST_W_OF_A_BUILDING / ratio.max(1)).max(LEAST_W)) };
    let (quality, counted) = judge(&known, at, reading.counter, &limits);
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
    Ok(())
}

/// The quality of a new value and the energy that it counts. `known`: the last reading that counts, and those held since.
fn judge(known: &[StoredReading], at: Timestamp, counter: Energy, limits: &Counter) -> (ReadingQuality, Energy) {
    let (last, held) = match known.split_first() {
        Some((first, held)) if first.quality.counts() => (Some(first.baseline()), held),
        _ => (None, known),
    };
    let held = held.iter().fold(None, |held, next| HeldValues::after(held, &next.baseline(), next.quality, limits));
    let now = Baseline { at, total: counter, reverse: None, rates: None };
    let (quality, passed) = classify(last.as_ref(), held.as_ref(), &now, limits);
    (quality, passed.map_or(Energy::ZERO, |passed| passed.energy))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::time::MINUTE;

    fn stored(minute: i64, quality: ReadingQuality, wh: i64) -> StoredReading {
        StoredReading { at: Timestamp(minute * MINUTE), quality, counter_wh: Energy(wh) }
    }

    #[test]
    fn what_fell_or_jumped_adds_nothing_until_it_is_back() {
        let limits = Counter { wrap: Energy::ZERO, per_hour: Energy(LEAST_W) };
        let judge = |known: &[StoredReading], minute: i64, wh| judge(known, Timestamp(minute * MINUTE), Energy(wh), &limits);
        let good = || stored(0, ReadingQuality::Good, 500_000);
        assert_eq!(judge(&[], 0, 500_000), (ReadingQuality::Good, Energy::ZERO), "nothing to count from");
        assert_eq!(judge(&[good()], 15, 501_000), (ReadingQuality::Good, Energy(1_000)));
        assert_eq!(judge(&[good()], 15, 100_000), (ReadingQuality::Fell, Energy::ZERO));
        assert_eq!(judge(&[good()], 15, 900_000), (ReadingQuality::Jumped, Energy::ZERO));
        let fell = [good(), stored(15, ReadingQuality::Fell, 100_000)];
        assert_eq!(judge(&fell, 30, 100_500), (ReadingQuality::Fell, Energy::ZERO));
        assert_eq!(judge(&fell, 30, 502_000), (ReadingQuality::Good, Energy(2_000)), "one value was wrong");
        let begun = [stored(15, ReadingQuality::Begun, 100_000)];
        assert_eq!(judge(&begun, 30, 100_500), (ReadingQuality::Good, Energy(500)));
    }
}
