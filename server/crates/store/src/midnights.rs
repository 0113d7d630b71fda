//! What a meter kept of its midnights: put between the readings around them, so that the days are split where they end.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::ids::MeterId;
use model::time::{Date, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use super::energy::{self, Day, Hour};
use super::{Db, Result, Tx, on, read};
use domain::classify::{Baseline, Counter, Quality, passed};
use domain::meter_records::Frozen;
use domain::reading_source::Source;
use domain::rollup::{ConsumptionInterval, Parts};

/// Meters that were read before and after a midnight and whose counter at it is not known, at most `limit`.
pub async fn missing(db: &Db, midnight: Timestamp, limit: i64) -> Result<Vec<MeterId>> {
    let rows: Vec<(Uuid,)> = read!(db, |pool| sqlx::query_as(
        "SELECT m.id FROM meters m JOIN meter_latest l ON l.meter_id = m.id
         WHERE m.retired_at IS NULL AND l.lost_since IS NULL AND l.observed_at > $1
           AND NOT EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.at = $1)
           AND EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.at < $1)
         LIMIT $2"
    )
    .bind(midnight.0)
    .bind(limit)
    .fetch_all(pool)
    .await)?;
    Ok(rows.into_iter().map(|(id,)| MeterId(id)).collect())
}

/// A reading that counts.
#[derive(FromRow)]
struct Row {
    at: i64,
    quality: i64,
    total_wh: i64,
    reverse_wh: Option<i64>,
    spike_wh: Option<i64>,
    peak_wh: Option<i64>,
    flat_wh: Option<i64>,
    valley_wh: Option<i64>,
}

impl Row {
    fn baseline(&self) -> Baseline {
        let rates = match (self.spike_wh, self.peak_wh, self.flat_wh, self.valley_wh) {
            (Some(spike), Some(peak), Some(flat), Some(valley)) => Some([spike, peak, flat, valley].map(Energy)),
            _ => None,
        };
        let (at, total) = (Timestamp(self.at), Energy(self.total_wh));
        Baseline { at, total, reverse: self.reverse_wh.map(Energy), rates }
    }
}

/// Stores midnights that are not known yet and splits the energy around each anew: hours and days change by what moves, their
/// sums do not. A midnight that does not fit between its neighbours is kept, but splits nothing. Gives how many were stored.
///
/// # Errors
/// Where the database fails; then nothing was stored.
pub async fn fill(db: &Db, at: Timestamp, meter: MeterId, counter: &Counter, frozen: &[Frozen]) -> Result<usize> {
    let mut midnights: Vec<Frozen> = frozen.to_vec();
    midnights.sort_by_key(|one| one.day);
    let mut tx = db.begin().await?;
    let mut moved = Moved::default();
    let (mut rest, mut stored) = (midnights.as_slice(), 0);
    while let Some(first) = rest.first() {
        let Some((before, after)) = around(&mut tx, meter, first.day.start()).await? else {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        };
        // All midnights of one gap at once: what the gap is made of is known only as a whole.
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
            if quality == Quality::Good {
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

/// A counter at midnight lies between those around it.
const fn fits(total: Energy, from: Energy, to: Energy) -> Quality {
    if total.0 < from.0 {
        Quality::Fell
    } else if total.0 > to.0 {
        Quality::Jumped
    } else {
        Quality::Good
    }
}

/// The readings before and after an instant between which the counter simply went on; `None` where there are none such, or
/// where the instant is known.
async fn around(tx: &mut Tx, meter: MeterId, at: Timestamp) -> Result<Option<(Baseline, Baseline)>> {
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(
        "SELECT at, quality, total_wh, reverse_wh, spike_wh, peak_wh, flat_wh, valley_wh FROM readings
         WHERE meter_id = $1 AND at >= COALESCE(
               (SELECT MAX(at) FROM readings WHERE meter_id = $1 AND at < $2 AND quality IN (0, 1, 6, 7)), $2)
           AND at <= COALESCE(
               (SELECT MIN(at) FROM readings WHERE meter_id = $1 AND at > $2 AND quality IN (0, 1, 6, 7)), $2)
           AND (quality IN (0, 1, 6, 7) OR at = $2)
         ORDER BY at"
    )
    .bind(meter.0)
    .bind(at.0)
    .fetch_all(c)
    .await)?;
    let [before, after] = rows.as_slice() else { return Ok(None) };
    let went_on = before.at < at.0 && after.at > at.0 && after.quality == Quality::Good as i64;
    Ok(went_on.then(|| (before.baseline(), after.baseline())))
}

async fn insert(tx: &mut Tx, meter: MeterId, frozen: &Frozen, quality: Quality) -> Result<()> {
    on!(tx, |c| sqlx::query(
        "INSERT INTO readings (meter_id, at, quality, source, status, total_wh, remaining_fen)
         VALUES ($1, $2, $3, $4, 0, $5, $6) ON CONFLICT (meter_id, at) DO NOTHING"
    )
    .bind(meter.0)
    .bind(frozen.day.start().0)
    .bind(quality as i64)
    .bind(Source::Freeze as i64)
    .bind(frozen.total.0)
    .bind(frozen.remaining.map_or(0, |fen| fen.0))
    .execute(c)
    .await)?;
    Ok(())
}

/// Energy taken from hours and days and given to others.
#[derive(Default)]
struct Moved {
    hours: BTreeMap<i64, Energy>,
    days: BTreeMap<Date, (Energy, Parts)>,
}

impl Moved {
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

    /// What changed, in the order in which the recorder takes the same rows.
    fn rows(self, meter: MeterId) -> (Vec<Hour>, Vec<Day>) {
        let hours = self.hours.into_iter().filter(|(_, energy)| *energy != Energy::ZERO);
        let days = self.days.into_iter().filter(|(_, moved)| *moved != (Energy::ZERO, Parts::default()));
        (
            hours.map(|(hour, energy)| Hour { meter, hour, energy }).collect(),
            days.map(|(day, (energy, parts))| Day { meter, day, energy, parts }).collect(),
        )
    }
}
