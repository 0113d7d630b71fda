//! Of how many meters the energy of an hour is measured: unknown energy is not zero, and nothing is stored for either.

use std::collections::HashMap;

use model::ids::{AccountId, MeterId, PlaceId, UserId};
use model::time::{HOUR, Timestamp};
use sqlx::FromRow;

use crate::Extent;
use crate::meters::read_below;
use store::{Db, Result, counts, read};

/// From one instant to another.
type TimeSpan = (Timestamp, Timestamp);

/// The time in which a meter counts, and in which its energy is measured.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct MeteredTime {
    pub id: MeterId,
    pub begins_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    /// The first and last readings that count.
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
    /// The first hour with energy, which stays when old readings are removed.
    first_hour: Option<i64>,
    /// Where an operator let the counter start again, in order: what passed before is not counted, and not known.
    #[sqlx(skip)]
    uncounted: Vec<TimeSpan>,
}

impl MeteredTime {
    /// The times whose energy is measured, in order: between the outermost readings, without what was not counted.
    pub fn measured(&self) -> Vec<TimeSpan> {
        let hour = self.first_hour.map(|hour| Timestamp(hour * HOUR));
        let first = self.first_at.into_iter().chain(hour).min();
        let Some((mut from, last)) = first.zip(self.last_at) else { return Vec::new() };
        let mut spans = Vec::new();
        for (begin, end) in &self.uncounted {
            spans.push((from, *begin));
            from = from.max(*end);
        }
        spans.push((from, last));
        spans.retain(|(from, to)| from < to);
        spans
    }

    /// Whether all energy of a time is measured, as far as the meter was in service then; `None` where it was not.
    pub fn covers(&self, from: Timestamp, to: Timestamp) -> Option<bool> {
        let (from, to) = (from.max(self.begins_at), self.ends_at.map_or(to, |end| to.min(end)));
        (from < to).then(|| self.measured().iter().any(|(first, last)| *first <= from && *last >= to))
    }

    /// The hour in which a meter leaves an account is the next account's.
    fn of_account(self) -> Self {
        Self { ends_at: self.ends_at.map(|at| Timestamp(at.hour() * HOUR)), ..self }
    }
}

macro_rules! metered {
    ($begins:literal, $ends:literal, $from:literal) => {
        concat!(
            "SELECT m.id, ",
            $begins,
            " AS begins_at, ",
            $ends,
            " AS ends_at,
               (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND",
            counts!("x."),
            "ORDER BY x.at LIMIT 1)
               AS first_at,
               (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND",
            counts!("x."),
            "ORDER BY x.at DESC LIMIT 1)
               AS last_at,
               (SELECT MIN(e.hour) FROM energy_hourly e WHERE e.meter_id = m.id) AS first_hour FROM ",
            $from
        )
    };
}

macro_rules! uncounted {
    ($from:literal) => {
        concat!(
            "SELECT DISTINCT g.meter_id, g.from_at, g.at FROM ",
            $from,
            " WHERE g.choice = 'accept' AND g.from_at IS NOT NULL ORDER BY g.meter_id, g.from_at"
        )
    };
}

/// All meters of an extent without instruments, also those that are out of service.
pub async fn metered_times(db: &Db, operator: impl Into<Option<UserId>>, extent: &Extent) -> Result<Vec<MeteredTime>> {
    let operator: Option<UserId> = operator.into();
    let (times, uncounted) = match extent {
        Extent::Account(account) => of_account(db, *account).await?,
        _ => of_places(db, operator, &extent.tops()).await?,
    };
    let mut by_meter: HashMap<MeterId, Vec<TimeSpan>> = HashMap::new();
    uncounted.into_iter().for_each(|(meter, from, to)| by_meter.entry(meter).or_default().push((from, to)));
    let with_uncounted =
        |time: MeteredTime| MeteredTime { uncounted: by_meter.get(&time.id).cloned().unwrap_or_default(), ..time };
    Ok(times.into_iter().map(with_uncounted).collect())
}

/// Meters, and the times of each that were not counted.
type Metered = (Vec<MeteredTime>, Vec<(MeterId, Timestamp, Timestamp)>);

async fn of_account(db: &Db, account: AccountId) -> Result<Metered> {
    let times: Vec<MeteredTime> = read!(db, |pool| sqlx::query_as(concat!(
        metered!("a.from_at", "a.to_at", "account_meters a JOIN meters m ON m.id = a.meter_id"),
        " WHERE a.account_id = $1"
    ))
    .bind(account)
    .fetch_all(pool)
    .await)?;
    let uncounted = read!(db, |pool| sqlx::query_as(uncounted!(
        "counter_decisions g JOIN account_meters a ON a.meter_id = g.meter_id AND a.account_id = $1"
    ))
    .bind(account)
    .fetch_all(pool)
    .await)?;
    Ok((times.into_iter().map(MeteredTime::of_account).collect(), uncounted))
}

async fn of_places(db: &Db, operator: Option<UserId>, places: &[PlaceId]) -> Result<Metered> {
    let times = read_below!(
        db,
        operator,
        places,
        metered!("m.created_at", "m.retired_at", "below JOIN meters m ON m.id = below.meter_id AND m.wallet <> 'none'")
    );
    let uncounted =
        read_below!(db, operator, places, uncounted!("counter_decisions g JOIN below ON below.meter_id = g.meter_id"));
    Ok((times, uncounted))
}

/// The meters of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    pub measured: i64,
    pub all: i64,
}

/// The hours from one on, each with its meters.
pub struct Coverage {
    from: i64,
    hours: Vec<Covered>,
}

impl Coverage {
    pub fn new(times: &[MeteredTime], from: Timestamp, to: Timestamp) -> Self {
        let (from, to) = (from.hour(), to.hour().max(from.hour()));
        let mut steps = vec![Covered::default(); usize::try_from(to - from + 1).unwrap_or(1)];
        let mut mark = |begin: i64, end: i64, mark: fn(&mut Covered) -> &mut i64| {
            let place = |hour: i64| usize::try_from(hour.clamp(from, to) - from).unwrap_or(0);
            if begin < end {
                for (place, change) in [(place(begin), 1), (place(end), -1)] {
                    if let Some(step) = steps.get_mut(place) {
                        *mark(step) += change;
                    }
                }
            }
        };
        let first_whole = |at: Timestamp| at.plus(HOUR - 1).hour();
        for time in times {
            let end = time.ends_at.map_or(to, first_whole);
            mark(time.begins_at.hour(), end, |step| &mut step.all);
            for (first, last) in time.measured() {
                // A meter that was read before it was set up, or after it was taken out, is not counted twice.
                let begin = first_whole(first).max(time.begins_at.hour());
                mark(begin, last.hour().min(end), |step| &mut step.measured);
            }
        }
        let mut sum = Covered::default();
        for step in &mut steps {
            sum = Covered { measured: sum.measured + step.measured, all: sum.all + step.all };
            *step = sum;
        }
        Self { from, hours: steps }
    }

    /// The meters of the hour that begins at an instant.
    pub fn of(&self, at: Timestamp) -> Covered {
        let place = usize::try_from(at.hour() - self.from).ok();
        place.and_then(|place| self.hours.get(place)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
pub mod fixtures {
    use super::*;
    use model::ids::Uuid;

    /// A meter that was read from one instant to another.
    pub fn metered(meter: u128, (begins_at, ends_at): (Timestamp, Option<Timestamp>), read: Option<TimeSpan>) -> MeteredTime {
        let id = MeterId(Uuid::from_u128(meter));
        let (first_at, last_at) = read.unzip();
        MeteredTime { id, begins_at, ends_at, first_at, last_at, first_hour: None, uncounted: Vec::new() }
    }

    /// The same with a time in it that was not counted.
    pub fn with_gap(time: MeteredTime, gap: TimeSpan) -> MeteredTime {
        MeteredTime { uncounted: vec![gap], ..time }
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{metered, with_gap};
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp(minutes * HOUR / 60)
    }

    fn time(begins: i64, ends: Option<i64>, read: Option<(i64, i64)>) -> MeteredTime {
        metered(1, (at(begins), ends.map(at)), read.map(|(first, last)| (at(first), at(last))))
    }

    /// The measured and all meters of five hours.
    fn hours(times: &[MeteredTime]) -> Vec<(i64, i64)> {
        let coverage = Coverage::new(times, Timestamp(0), Timestamp(5 * HOUR));
        assert_eq!(coverage.of(Timestamp(-HOUR)), Covered::default());
        (0..5).map(|hour| coverage.of(Timestamp(hour * HOUR))).map(|covered| (covered.measured, covered.all)).collect()
    }

    #[test]
    fn an_hour_is_measured_between_two_readings() {
        let times = [time(0, None, Some((30, 200))), time(60, Some(150), Some((60, 150))), time(0, None, None)];
        assert_eq!(hours(&times), [(0, 2), (2, 3), (1, 3), (0, 2), (0, 2)]);
    }

    #[test]
    fn energy_that_was_not_counted_is_unknown() {
        let accepted = with_gap(time(0, None, Some((0, 300))), (at(90), at(190)));
        assert_eq!(hours(std::slice::from_ref(&accepted)), [(1, 1), (0, 1), (0, 1), (0, 1), (1, 1)]);
        assert_eq!(
            [(0, 90), (0, 91), (100, 150), (190, 300)].map(|(from, to)| accepted.covers(at(from), at(to))),
            [Some(true), Some(false), Some(false), Some(true)]
        );
    }

    #[test]
    fn the_last_partial_hour_is_not_the_old_accounts() {
        let closed = time(0, Some(150), Some((0, 300)));
        assert_eq!(hours(std::slice::from_ref(&closed))[2], (1, 1));
        assert_eq!(hours(&[closed.of_account()]), [(1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_meter_covers_the_time_in_which_it_was_in_service() {
        let replaced = time(60, Some(120), Some((60, 120)));
        let covers = |from, to| replaced.covers(at(from), at(to));
        assert_eq!([covers(0, 60), covers(0, 90), covers(60, 300), covers(120, 300)], [None, Some(true), Some(true), None]);
    }

    #[test]
    fn removed_readings_leave_their_hours() {
        let mut kept = time(0, None, Some((600, 660)));
        kept.first_hour = Some(2);
        assert_eq!(kept.measured(), [(Timestamp(2 * HOUR), Timestamp(11 * HOUR))]);
        assert_eq!(time(0, None, None).measured(), []);
    }
}
