//! Energy by day and hour against the readings that it came from, and whether one of these is missing.

use std::collections::{BTreeMap, BTreeSet};

use model::energy::Energy;
use model::event::EventKind;
use model::ids::MeterId;
use model::reading::ReadingQuality;
use model::time::{DAY, Date, HOUR, MINUTE, Timestamp};
use sqlx::FromRow;

use super::{Difference, Figure, Report, Rule};
use crate::{Result, Tx, on};
use domain::rollup::{ConsumptionInterval, Parts};

/// Where counters of five and of six digits roll over.
const WRAPS: [i64; 2] = [100_000_000, 1_000_000_000];
/// A reading that arrived late was read at most so long before those that it follows, as the recorder takes it.
const LATE: i64 = 10 * MINUTE;

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
        let wrong = wrong_numbers(&readings).into_iter().filter(|wrong| is_ordered(wrong.at.date()));
        report.differences.extend(wrong.map(|wrong| wrong.difference(&meter.serial)));
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

/// Numbers of a meter's readings that are missing between others, or one that several readings have.
#[derive(Debug, PartialEq, Eq)]
struct WrongNumbers {
    first: i64,
    last: i64,
    /// When the reading after them was read, or the first that has the number.
    at: Timestamp,
    /// How many readings have them.
    found: usize,
}

impl WrongNumbers {
    fn difference(&self, serial: &str) -> Difference {
        let (first, last, at) = (self.first, self.last, self.at);
        let subject = if first == last {
            format!("{serial} {at}, number {first}")
        } else {
            format!("{serial} {at}, numbers {first} to {last}")
        };
        let expected = Figure::Count(last.saturating_sub(first).saturating_add(1));
        Difference { rule: Rule::ReadingSequence, subject, expected, found: Figure::Count(self.found as i64) }
    }
}

/// A number and when its reading was read.
type Numbered = (i64, Timestamp);

/// What is wrong with the numbers of the readings of a meter, which are in the order of their instants. Old readings may be
/// removed from the first one on.
fn wrong_numbers(readings: &[ReadingRow]) -> Vec<WrongNumbers> {
    let mut wrong = Vec::new();
    let numbered = readings.iter().filter_map(|reading| Some((reading.sequence?, reading.at)));
    for (index, mut run) in runs(numbered).into_iter().enumerate() {
        run.sort_unstable();
        let mut before = (index > 0).then_some(0_i64);
        for same in run.chunk_by(|(one, _), (other, _)| one == other) {
            let Some(&(number, at)) = same.first() else { continue };
            if let Some(before) = before.filter(|before| number.saturating_sub(*before) > 1) {
                wrong.push(WrongNumbers { first: before + 1, last: number - 1, at, found: 0 });
            }
            if same.len() > 1 {
                wrong.push(WrongNumbers { first: number, last: number, at, found: same.len() });
            }
            before = Some(number);
        }
    }
    wrong
}

/// The numbers as they were counted up: a meter that comes back into service begins at 1 again.
fn runs(numbered: impl Iterator<Item = Numbered>) -> Vec<Vec<Numbered>> {
    let (mut split, mut highest) = (Vec::<Vec<Numbered>>::new(), (0, Timestamp(0)));
    for (number, at) in numbered {
        // Where the first one is missing, only the step back shows it.
        let begins = number == 1 || number < highest.0 && at.since(highest.1) > DAY;
        match split.last_mut() {
            Some(run) if !begins => {
                run.push((number, at));
                highest = highest.max((number, at));
            }
            _ => {
                split.push(vec![(number, at)]);
                highest = (number, at);
            }
        }
    }
    let mut runs = Vec::<Vec<Numbered>>::new();
    for mut run in split {
        if let (Some(before), Some(&(1, start))) = (runs.last_mut(), run.first()) {
            take_late(before, &mut run, start);
        }
        runs.push(run);
    }
    runs
}

/// One that arrived late is stored at its own instant, before others with lower numbers: also before the first of its run.
fn take_late(before: &mut Vec<Numbered>, run: &mut Vec<Numbered>, start: Timestamp) {
    let mut numbers: BTreeSet<i64> = run.iter().map(|(number, _)| *number).collect();
    before.sort_unstable();
    before.retain(|&(number, at)| {
        let is_next = numbers.contains(&number.saturating_sub(1)) && !numbers.contains(&number);
        let is_late = is_next && start.since(at) <= LATE;
        if is_late {
            numbers.insert(number);
            run.push((number, at));
        }
        !is_late
    });
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

    /// The numbers of readings, one a minute.
    fn wrong_in(numbers: &[Option<i64>]) -> Vec<WrongNumbers> {
        let row = |(minute, sequence): (i64, _)| ReadingRow { sequence, ..reading(minute * MINUTE, 0, ReadingQuality::Good) };
        wrong_numbers(&(0..).zip(numbers.iter().copied()).map(row).collect::<Vec<_>>())
    }

    fn wrong(first: i64, last: i64, minute: i64, found: usize) -> WrongNumbers {
        WrongNumbers { first, last, at: Timestamp(minute * MINUTE), found }
    }

    #[test]
    fn missing_readings_are_named_by_their_numbers() {
        // Older ones have no number, and midnight values never have one.
        assert_eq!(wrong_in(&[None, None, Some(1), Some(2), None, Some(3)]), []);
        assert_eq!(wrong_in(&[Some(1), Some(3), Some(4)]), [wrong(2, 2, 1, 0)]);
        assert_eq!(wrong_in(&[Some(4), Some(8), Some(10)]), [wrong(5, 7, 1, 0), wrong(9, 9, 2, 0)], "one gap of three");
        assert_eq!(wrong_in(&[Some(3), Some(4)]), [], "old ones are removed from the first one on");
        assert_eq!(wrong_in(&[Some(2), Some(2), Some(2)]), [wrong(2, 2, 0, 3)], "one number of three readings");
        let three = wrong(5, 7, 1, 0).difference("12").subject;
        assert!(three.starts_with("12 1970-01-01 08:01") && three.ends_with(", numbers 5 to 7"), "{three}");
        let difference = wrong(2, 2, 1, 0).difference("12");
        assert!(difference.subject.ends_with(", number 2"), "{}", difference.subject);
        assert_eq!((difference.expected, difference.found), (Figure::Count(1), Figure::Count(0)));
    }

    #[test]
    fn a_reading_that_arrived_late_is_not_missing() {
        assert_eq!(wrong_in(&[Some(4), Some(6), Some(5), Some(7)]), []);
        assert_eq!(wrong_in(&[Some(4), Some(7), Some(5)]), [wrong(6, 6, 1, 0)]);
        assert_eq!(wrong_in(&[Some(2), Some(1), Some(3)]), [], "before the first of its meter");
        assert_eq!(wrong_in(&[Some(7), Some(2), Some(1), Some(3)]), [], "before the first after a return");
    }

    #[test]
    fn a_meter_that_comes_back_begins_at_one_again() {
        assert_eq!(wrong_in(&[Some(7), Some(8), Some(1), Some(2)]), []);
        assert_eq!(wrong_in(&[Some(7), Some(9), Some(1), Some(3)]), [wrong(8, 8, 1, 0), wrong(2, 2, 3, 0)]);
        let row = |(at, number)| ReadingRow { sequence: Some(number), ..reading(at, 0, ReadingQuality::Good) };
        let returned = [(0, 7), (1, 8), (3 * DAY, 3), (3 * DAY + 1, 4)].map(row);
        let missing = WrongNumbers { first: 1, last: 2, at: Timestamp(3 * DAY), found: 0 };
        assert_eq!(wrong_numbers(&returned), [missing], "the first two after its return");
    }
}
