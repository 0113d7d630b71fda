//! Of how many meters an hour is known: unknown energy is not zero, and nothing is stored for either.

use model::ids::{MeterId, UserId};
use model::time::{HOUR, Timestamp};
use sqlx::FromRow;

use crate::Extent;
use store::console::{above, within};
use store::{Db, Result, read};

/// The time in which a meter counts, and in which its energy is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct KnownTime {
    pub id: MeterId,
    pub begins_at: Timestamp,
    pub ends_at: Option<Timestamp>,
    /// The first and last readings that count.
    pub first_at: Option<Timestamp>,
    pub last_at: Option<Timestamp>,
    /// The first hour with energy, which stays when old readings are removed.
    first_hour: Option<i64>,
}

impl KnownTime {
    /// From the first to the last instant that is known of it.
    pub fn known(&self) -> Option<(Timestamp, Timestamp)> {
        let hour = self.first_hour.map(|hour| Timestamp(hour * HOUR));
        let first = self.first_at.into_iter().chain(hour).min()?;
        Some((first, self.last_at?))
    }
}

macro_rules! known {
    ($begins:literal, $ends:literal) => {
        concat!(
            "SELECT m.id, ",
            $begins,
            " AS begins_at, ",
            $ends,
            " AS ends_at,
               (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND x.quality IN (0, 1, 6, 7) ORDER BY x.at LIMIT 1)
               AS first_at,
               (SELECT x.at FROM readings x WHERE x.meter_id = m.id AND x.quality IN (0, 1, 6, 7) ORDER BY x.at DESC LIMIT 1)
               AS last_at,
               (SELECT MIN(e.hour) FROM energy_hourly e WHERE e.meter_id = m.id) AS first_hour "
        )
    };
}

/// All meters of an extent without instruments, also those that are out of service.
pub async fn known_times(db: &Db, operator: UserId, extent: &Extent) -> Result<Vec<KnownTime>> {
    if let Extent::Account(account) = extent {
        return read!(db, |pool| sqlx::query_as(concat!(
            known!("a.from_at", "a.to_at"),
            "FROM account_meters a JOIN meters m ON m.id = a.meter_id WHERE a.account_id = $1"
        ))
        .bind(account)
        .fetch_all(pool)
        .await);
    }
    let mut times = Vec::new();
    for place in extent.tops() {
        let below: Vec<KnownTime> = read!(db, |pool| sqlx::query_as(concat!(
            known!("m.created_at", "m.retired_at"),
            "FROM meters m JOIN places r ON r.id = m.place_id",
            above!(),
            "WHERE m.wallet <> 'none' AND $2 IN (r.id, b.id, t.id, t.parent_id) AND",
            within!()
        ))
        .bind(operator)
        .bind(place)
        .fetch_all(pool)
        .await)?;
        times.extend(below);
    }
    Ok(times)
}

/// The meters of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    pub known: i64,
    pub all: i64,
}

/// The hours from one on, each with its meters.
pub struct Coverage {
    from: i64,
    hours: Vec<Covered>,
}

impl Coverage {
    pub fn new(times: &[KnownTime], from: Timestamp, to: Timestamp) -> Self {
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
            if let Some((first, last)) = time.known() {
                // A meter that was read before it was set up, or after it was taken out, is not counted twice.
                let begin = first_whole(first).max(time.begins_at.hour());
                mark(begin, last.hour().min(end), |step| &mut step.known);
            }
        }
        let mut sum = Covered::default();
        for step in &mut steps {
            sum = Covered { known: sum.known + step.known, all: sum.all + step.all };
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
mod tests {
    use super::*;
    use model::ids::Uuid;

    fn time(begins: i64, ends: Option<i64>, known: Option<(i64, i64)>) -> KnownTime {
        let at = |minutes: i64| Timestamp(minutes * HOUR / 60);
        let id = MeterId(Uuid::from_u128(1));
        let (first_at, last_at) = (known.map(|(first, _)| at(first)), known.map(|(_, last)| at(last)));
        KnownTime { id, begins_at: at(begins), ends_at: ends.map(at), first_at, last_at, first_hour: None }
    }

    #[test]
    fn an_hour_is_known_between_two_readings() {
        let times = [time(0, None, Some((30, 200))), time(60, Some(150), Some((60, 150))), time(0, None, None)];
        let coverage = Coverage::new(&times, Timestamp(0), Timestamp(5 * HOUR));
        let hours: Vec<(i64, i64)> = (0..5).map(|hour| coverage.of(Timestamp(hour * HOUR))).map(|c| (c.known, c.all)).collect();
        assert_eq!(hours, [(0, 2), (2, 3), (1, 3), (0, 2), (0, 2)]);
        assert_eq!(coverage.of(Timestamp(-HOUR)), Covered::default());
    }

    #[test]
    fn removed_readings_leave_their_hours() {
        let mut kept = time(0, None, Some((600, 660)));
        kept.first_hour = Some(2);
        assert_eq!(kept.known(), Some((Timestamp(2 * HOUR), Timestamp(11 * HOUR))));
        assert_eq!(time(0, None, None).known(), None);
    }
}
