//! The midnight values of meters: stored between the readings around them, so that days are split where they end.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::MeterId;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use domain::classify::{Baseline, Counter, passed};
use domain::meter_records::Frozen;
use domain::rollup::{ConsumptionInterval, Parts};
use model::reading::{ReadingQuality, ReadingSource};
use store::energy::{self, Day, Hour};
use store::{Db, Result, Tx, counts, on, read, readings};

/// Meters that were read before and after a midnight but not at it, at most `limit`.
pub async fn missing(db: &Db, midnight: Timestamp, limit: i64) -> Result<Vec<MeterId>> {
    let rows: Vec<(MeterId,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id FROM meters m JOIN meter_latest l ON l.meter_id = m.id
         WHERE m.retired_at IS NULL AND l.lost_since IS NULL AND l.observed_at > $1
           AND NOT EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.at = $1)
           AND EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.at < $1)
         LIMIT $2"
    )
    .bind(midnight)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// A reading that counts, before or after a midnight.
#[derive(FromRow)]
struct NeighbourRow {
    at: Timestamp,
    quality: ReadingQuality,
    total_wh: Energy,
    reverse_wh: Option<Energy>,
    spike_wh: Option<Energy>,
    peak_wh: Option<Energy>,
    flat_wh: Option<Energy>,
    valley_wh: Option<Energy>,
}

impl NeighbourRow {
    fn baseline(&self) -> Baseline {
        let rates = readings::rates([self.spike_wh, self.peak_wh, self.flat_wh, self.valley_wh]);
        Baseline { at: self.at, total: self.total_wh, reverse: self.reverse_wh, rates }
    }
}

/// Stores new midnight values and splits the energy around each again: energy moves between hours and days, and their sums stay.
/// A value that does not lie between its neighbours is stored, but splits nothing. Gives how many were stored.
pub async fn fill(db: &Db, at: Timestamp, meter: MeterId, counter: &Counter, frozen: &[Frozen]) -> Result<usize> {
    let mut midnights: Vec<Frozen> = frozen.to_vec();
    midnights.sort_by_key(|one| one.day);
    let mut tx = db.begin().await?;
    let mut moved = MovedEnergy::default();
    let (mut rest, mut stored) = (midnights.as_slice(), 0);
    while let Some(first) = rest.first() {
        let Some((before, after)) = around(&mut tx, meter, first.day.start()).await? else {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        };
        // All midnights of one gap together: its energy is known only as a whole.
        let count = rest.iter().take_while(|one| one.day.start() < after.at).count().max(1);
        let (gap, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = later;
        let whole = passed(&before, &after, after.total - before.total, counter.wrap);
        moved.take(&whole);
        let mut left = whole;
        for one in gap {
            let start = whole.energy - left.energy;
            let quality = fits(one.total - before.total, start, whole.energy);
            insert(&mut tx, meter, one, quality).await?;
            stored += 1;
            if quality == ReadingQuality::Good {
                let (piece, rest) = left.cut(one.day.start(), one.total - before.total - start);
                moved.give(&piece);
                left = rest;
            }
        }
        moved.give(&left);
    }
    let (hours, days) = moved.rows(meter);
    energy::add(&mut tx, &hours, &days, Some(at)).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Whether a counter at midnight lies between those around it.
const fn fits(total: Energy, from: Energy, to: Energy) -> ReadingQuality {
    if total.0 < from.0 {
        ReadingQuality::Fell
    } else if total.0 > to.0 {
        ReadingQuality::Jumped
    } else {
        ReadingQuality::Good
    }
}

/// The readings before and after an instant between which the counter simply went on; `None` if there are none, or if the instant
/// itself was read.
async fn around(tx: &mut Tx, meter: MeterId, at: Timestamp) -> Result<Option<(Baseline, Baseline)>> {
    let rows: Vec<NeighbourRow> = on!(tx, |c| sqlx::query_as(concat!(
        "SELECT at, quality, total_wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh FROM readings
         WHERE meter_id = $1 AND at >= COALESCE(
               (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at < $2 AND",
        counts!(""),
        "), $2)
           AND at <= COALESCE(
               (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at > $2 AND",
        counts!(""),
        "), $2)
           AND (",
        counts!(""),
        "OR at = $2)
         ORDER BY at"
    ))
    .bind(meter)
    .bind(at)
    .fetch_all(c)
    .await)?;
    let [before, after] = rows.as_slice() else { return Ok(None) };
    let continued = before.at < at && after.at > at && after.quality == ReadingQuality::Good;
    Ok(continued.then(|| (before.baseline(), after.baseline())))
}

async fn insert(tx: &mut Tx, meter: MeterId, frozen: &Frozen, quality: ReadingQuality) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
         VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (meter_id, at) DO NOTHING"
    )
    .bind(meter)
    .bind(frozen.day.start())
    .bind(quality)
    .bind(ReadingSource::Freeze)
    .bind(frozen.total)
    .bind(frozen.remaining.unwrap_or_default())
    .execute(c)
    .await)?;
    Ok(())
}

/// Energy taken from some hours and days and given to others.
#[derive(Default)]
struct MovedEnergy {
    hours: BTreeMap<i64, Energy>,
    days: BTreeMap<Date, (Energy, Parts)>,
}

impl MovedEnergy {
    fn take(&mut self, interval: &ConsumptionInterval) {
        self.change(interval, |held, share| held - share);
    }

    fn give(&mut self, interval: &ConsumptionInterval) {
        self.change(interval, |held, share| held + share);
    }

    fn change(&mut self, interval: &ConsumptionInterval, rule: impl Fn(Energy, Energy) -> Energy + Copy) {
        for (hour, share) in interval.by_hour() {
            let slot = self.hours.entry(hour).or_default();
            *slot = rule(*slot, share);
        }
        for (day, share, parts) in interval.by_day() {
            let (energy, all) = self.days.entry(day).or_default();
            (*energy, *all) = (rule(*energy, share), all.zip(parts, rule));
        }
    }

    /// The changes, in the order in which the recorder locks the same rows.
    fn rows(self, meter: MeterId) -> (Vec<Hour>, Vec<Day>) {
        let hours = self.hours.into_iter().filter(|(_, energy)| *energy != Energy::ZERO);
        let days = self.days.into_iter().filter(|(_, moved)| *moved != (Energy::ZERO, Parts::default()));
        (
            hours.map(|(hour, energy)| Hour { meter, hour, energy }).collect(),
            days.map(|(day, (energy, parts))| Day { meter, day, energy, parts }).collect(),
        )
    }
}
