//! Energy by day and hour against the readings that it came from, and whether one of these is missing.

use std::collections::BTreeMap;

use model::energy::Energy;
use model::event::EventKind;
use model::ids::MeterId;
use model::reading::ReadingQuality;
use model::time::{Date, HOUR, Timestamp};
use sqlx::FromRow;

use super::{Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};
use domain::rollup::{ConsumptionInterval, Parts};

/// Where counters of five and of six digits roll over.
const WRAPS: [i64; 2] = [100_000_000, 1_000_000_000];

#[derive(FromRow)]
struct MeterRow {
    id: MeterId,
    serial: String,
    created_at: Timestamp,
}

#[derive(Clone, Copy, FromRow)]
struct ReadingRow {
    at: Timestamp,
    quality: ReadingQuality,
    total_wh: Energy,
    /// What an operator entered for the gap before it.
    settled_wh: Option<Energy>,
    /// Its number among the readings of the meter.
    sequence: Option<i64>,
}

/// Energy by day or by hour since the epoch, as it is stored.
#[derive(FromRow)]
struct StoredRow {
    slot: i64,
    wh: Energy,
}

/// A time during which the server's clock was set: readings of that time were moved, and the order of their instants is not the
/// order in which they were read.
#[derive(FromRow)]
struct ClockStepRow {
    since: Timestamp,
    until_at: Option<Timestamp>,
}

impl ClockStepRow {
    fn covers(&self, day: Date) -> bool {
        day >= self.since.date().plus(-1) && self.until_at.is_none_or(|until| day <= until.date().plus(1))
    }
}

/// Each day and hour of a meter after the day of its first reading: energy from before that was taken over. The days on which the
/// clock was set, and their neighbours, are left out.
pub(super) async fn verify(tx: &mut Tx, report: &mut Report) -> Result<()> {
    let meters: Vec<MeterRow> =
        on!(tx, |c| sqlx::query_as("SELECT id, serial, created_at FROM meters ORDER BY serial").fetch_all(c).await)?;
    let steps: Vec<ClockStepRow> = on!(tx, |c| sqlx::query_as("SELECT since, until_at FROM events WHERE kind = $1")
        .bind(EventKind::ClockStepped)
        .fetch_all(c)
        .await)?;
    let is_ordered = |day: Date| !steps.iter().any(|step| step.covers(day));
    for meter in meters {
        let mut readings: Vec<ReadingRow> = on!(tx, |c| sqlx::query_as(
            "SELECT r.at, r.quality, r.total_wh, (SELECT CAST(SUM(d.energy_wh) AS BIGINT) FROM counter_decisions d
                                                  WHERE d.meter_id = r.meter_id AND d.at = r.at) AS settled_wh, r.sequence
             FROM readings r WHERE r.meter_id = $1 ORDER BY r.at"
        )
        .bind(meter.id)
        .fetch_all(c)
        .await)?;
        for (at, expected, found) in gaps(&readings).into_iter().filter(|(at, ..)| is_ordered(at.date())) {
            let subject = format!("{} {at}", meter.serial);
            report.differences.push(Difference { rule: Rule::ReadingSequence, subject, expected, found });
        }
        readings.retain(|reading| reading.quality.counts());
        let after = readings.first().map_or(meter.created_at, |first| first.at).date();
        let first_hour = after.plus(1).start().hour();
        let (days, hours) = by_readings(&readings);
        let stored: Vec<StoredRow> =
            on!(tx, |c| sqlx::query_as("SELECT day AS slot, wh FROM energy_daily WHERE meter_id = $1 AND day > $2")
                .bind(meter.id)
                .bind(after)
                .fetch_all(c)
                .await)?;
        for (day, expected, found) in differences(days, stored, after.0 + 1) {
            if !is_ordered(Date(day)) {
                continue;
            }
            let subject = format!("{} {}", meter.serial, Date(day));
            report.differences.push(Difference { rule: Rule::EnergyOfDay, subject, expected, found });
        }
        for (day, expected, found) in before_readings(tx, meter.id, after, first_hour).await? {
            if !is_ordered(Date(day)) {
                continue;
            }
            let subject = format!("{} {}", meter.serial, Date(day));
            report.differences.push(Difference { rule: Rule::EnergyOfDay, subject, expected, found });
        }
        let stored: Vec<StoredRow> =
            on!(tx, |c| sqlx::query_as("SELECT hour AS slot, wh FROM energy_hourly WHERE meter_id = $1 AND hour >= $2")
                .bind(meter.id)
                .bind(first_hour)
                .fetch_all(c)
                .await)?;
        for (hour, expected, found) in differences(hours, stored, first_hour) {
            if !is_ordered(Timestamp(hour * HOUR).date()) {
                continue;
            }
            let subject = format!("{} {}", meter.serial, Timestamp(hour * HOUR));
            report.differences.push(Difference { rule: Rule::EnergyOfHour, subject, expected, found });
        }
    }
    Ok(())
}

/// The days up to that of the first reading, which no readings explain, against their hours.
async fn before_readings(tx: &mut Tx, meter: MeterId, last: Date, end: i64) -> Result<Vec<(i64, Figure, Figure)>> {
    // Days of Shanghai, as `Timestamp::date` counts them; years of hours are not loaded.
    let hours: Vec<StoredRow> = on!(tx, |c| sqlx::query_as(
        "SELECT (hour + 8) / 24 AS slot, CAST(SUM(wh) AS BIGINT) AS wh FROM energy_hourly
         WHERE meter_id = $1 AND hour < $2 GROUP BY 1"
    )
    .bind(meter)
    .bind(end)
    .fetch_all(c)
    .await)?;
    let stored: Vec<StoredRow> =
        on!(tx, |c| sqlx::query_as("SELECT day AS slot, wh FROM energy_daily WHERE meter_id = $1 AND day <= $2")
            .bind(meter)
            .bind(last)
            .fetch_all(c)
            .await)?;
    let days = hours.into_iter().map(|day| (day.slot, day.wh)).collect();
    Ok(differences(days, stored, i64::MIN))
}

/// Energy by day and by hour since the epoch.
type Slots = BTreeMap<i64, Energy>;

/// Where the stored energy from a slot on is not that of the readings; a slot without energy may be left out.
fn differences(mut computed: Slots, stored: Vec<StoredRow>, from: i64) -> Vec<(i64, Figure, Figure)> {
    let mut found: Vec<(i64, Energy, Energy)> =
        stored.into_iter().map(|row| (row.slot, computed.remove(&row.slot).unwrap_or_default(), row.wh)).collect();
    found.extend(computed.into_iter().filter(|(slot, _)| *slot >= from).map(|(slot, energy)| (slot, energy, Energy::ZERO)));
    found.retain(|(_, expected, found)| expected != found);
    found.into_iter().map(|(slot, expected, found)| (slot, Figure::Energy(expected), Figure::Energy(found))).collect()
}

/// The readings before which another one is missing, each with the number that it should have and the one that it has. Old
/// readings may be removed from the first one on, and a meter that comes back into service begins at 1 again. One that arrived
/// late is stored at its own instant, before others with lower numbers, so that the numbers are sorted first.
fn gaps(readings: &[ReadingRow]) -> Vec<(Timestamp, Figure, Figure)> {
    let mut numbered: Vec<(i64, Timestamp)> =
        readings.iter().filter_map(|reading| Some((reading.sequence?, reading.at))).collect();
    let mut broken = Vec::new();
    for run in numbered.chunk_by_mut(|_, (now, _)| *now != 1) {
        run.sort_unstable();
        for ((last, _), (now, at)) in run.iter().zip(run.iter().skip(1)) {
            let expected = last.saturating_add(1);
            if *now != expected {
                broken.push((*at, Figure::Count(expected), Figure::Count(*now)));
            }
        }
    }
    broken
}

/// The energy of each day and hour by the readings alone, split as the recorder splits it.
fn by_readings(readings: &[ReadingRow]) -> (Slots, Slots) {
    let (mut days, mut hours) = (Slots::new(), Slots::new());
    let add = |slots: &mut Slots, slot, share| {
        let sum = slots.entry(slot).or_default();
        *sum = *sum + share;
    };
    for (last, now) in readings.iter().zip(readings.iter().skip(1)) {
        let energy = match now.quality {
            ReadingQuality::Begun => Energy::ZERO,
            ReadingQuality::Settled => now.settled_wh.unwrap_or_default(),
            _ => grown(last.total_wh, now.total_wh),
        };
        let interval = ConsumptionInterval { from: last.at, to: now.at, energy, parts: Parts::default() };
        interval.by_day().for_each(|(day, share, _)| add(&mut days, day.0, share));
        interval.by_hour().for_each(|(hour, share)| add(&mut hours, hour, share));
    }
    (days, hours)
}

/// What a counter advanced; one that is lower than before has rolled over at the first value that fits.
fn grown(last: Energy, now: Energy) -> Energy {
    let wrap = WRAPS.into_iter().find(|wrap| last.0 < *wrap).unwrap_or_default();
    if now < last { Energy(now.0 - last.0 + wrap) } else { now - last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at: i64, total: i64, quality: ReadingQuality) -> ReadingRow {
        ReadingRow { at: Timestamp(at), quality, total_wh: Energy(total), settled_wh: Some(Energy(7)), sequence: None }
    }

    #[test]
    fn days_are_added_up_from_readings() {
        let readings = [
            reading(15 * HOUR, 99_999_900, ReadingQuality::Good),
            // Over midnight in Shanghai and over the counter's end.
            reading(17 * HOUR, 100, ReadingQuality::Rollover),
            reading(18 * HOUR, 5_000, ReadingQuality::Begun),
            reading(19 * HOUR, 9_000, ReadingQuality::Settled),
        ];
        let (days, hours) = by_readings(&readings);
        assert_eq!(days, Slots::from([(0, Energy(100)), (1, Energy(107))]));
        assert_eq!(hours, Slots::from([(15, Energy(100)), (16, Energy(100)), (17, Energy(0)), (18, Energy(7))]));
    }

    #[test]
    fn a_missing_reading_leaves_a_gap() {
        let gaps_in = |numbers: &[Option<i64>]| {
            let row = |(at, sequence)| ReadingRow { sequence, ..reading(at, 0, ReadingQuality::Good) };
            gaps(&(0..).zip(numbers.iter().copied()).map(row).collect::<Vec<_>>())
        };
        // Older ones have no number, and midnight values never have one.
        assert_eq!(gaps_in(&[None, None, Some(1), Some(2), None, Some(3)]), []);
        assert_eq!(gaps_in(&[Some(1), Some(3), Some(4)]), [(Timestamp(1), Figure::Count(2), Figure::Count(3))]);
        assert_eq!(gaps_in(&[Some(7), Some(8), Some(1), Some(2)]), [], "old ones are removed, and it came back into service");
        assert_eq!(gaps_in(&[Some(2), Some(2)]), [(Timestamp(1), Figure::Count(3), Figure::Count(2))]);
        assert_eq!(gaps_in(&[Some(4), Some(6), Some(5), Some(7)]), [], "one arrived late");
        assert_eq!(gaps_in(&[Some(4), Some(7), Some(5)]), [(Timestamp(1), Figure::Count(6), Figure::Count(7))]);
    }
}
