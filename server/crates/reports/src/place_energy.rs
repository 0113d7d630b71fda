//! Energy by place above rooms, kept up from the energy of the meters by a task, so that a year of ten thousand meters is read
//! from a few thousand rows.
//!
//! Readings never touch these rows: gateways that store at the same time would wait for each other at their building's. Today and
//! yesterday are computed again each time; an earlier day when a batch noted that it changed it (`store::place_energy`);
//! everything when a meter or place gets another place.

mod compute;
mod write;

use std::collections::BTreeSet;

use model::ids::MeterId;
use model::subsidy::Month;
use model::time::{Date, Timestamp};
use sqlx::FromRow;

use store::{Db, Result, read};

/// Notes of late days that one activation takes up; the next one goes on.
const NOTES: i64 = 1_000;
/// Days that are computed at once.
const CHUNK: i64 = 31;

/// What an activation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rolled {
    pub days: usize,
    /// Everything was computed again.
    pub rebuilt: bool,
}

#[derive(Clone, Copy, FromRow)]
struct StateRow {
    rolled_at: Option<Timestamp>,
    changes: i64,
    rolled_changes: i64,
}

/// A batch changed a day that was over before yesterday.
#[derive(Clone, Copy, Debug, FromRow)]
struct LateDay {
    meter_id: MeterId,
    day: Date,
    at: Timestamp,
}

/// Up to when energy by place is known; `None` before the first activation.
pub async fn rolled_at(db: &Db) -> Result<Option<Timestamp>> {
    Ok(state(db).await?.rolled_at)
}

async fn state(db: &Db) -> Result<StateRow> {
    let row: Option<StateRow> =
        read!(db, |pool| sqlx::query_as("SELECT rolled_at, changes, rolled_changes FROM place_energy_state")
            .fetch_optional(pool)
            .await)?;
    Ok(row.unwrap_or(StateRow { rolled_at: None, changes: 0, rolled_changes: -1 }))
}

/// Computes what changed since the last activation. What is stored meanwhile is computed by the next one. Does nothing while
/// another process does it: whoever read less would write last.
pub async fn roll(db: &Db, now: Timestamp) -> Result<Rolled> {
    if !write::claim(db, now).await? {
        return Ok(Rolled::default());
    }
    let rolled = roll_claimed(db, now).await;
    if rolled.is_err() {
        write::release(db).await?;
    }
    rolled
}

async fn roll_claimed(db: &Db, now: Timestamp) -> Result<Rolled> {
    let state = state(db).await?;
    let Some(rolled_at) = state.rolled_at.filter(|at| *at <= now && state.changes == state.rolled_changes) else {
        return rebuild(db, now).await;
    };
    let late: Vec<LateDay> = read!(db, |pool| sqlx::query_as("SELECT meter_id, day, at FROM late_energy_days LIMIT $1")
        .bind(NOTES)
        .fetch_all(pool)
        .await)?;
    let open = (rolled_at.date().0 - 1..=now.date().0).map(Date);
    let days: BTreeSet<Date> = late.iter().map(|late| late.day).filter(|day| *day <= now.date()).chain(open).collect();
    let tree = compute::Tree::read(db).await?;
    for (from, until) in runs(&days) {
        let rows = compute::days(db, &tree, from, until).await?;
        write::days(db, (from, until), &rows, months(from, until, now)).await?;
    }
    write::done(db, &late, now, state.changes).await?;
    Ok(Rolled { days: days.len(), rebuilt: false })
}

/// Computes everything again from the energy of the meters, where no other process computes. The result is the same as that of
/// calling [`roll`] after each batch.
pub async fn rebuild(db: &Db, now: Timestamp) -> Result<Rolled> {
    let state = state(db).await?;
    let late: Vec<LateDay> =
        read!(db, |pool| sqlx::query_as("SELECT meter_id, day, at FROM late_energy_days").fetch_all(pool).await)?;
    let first: Option<(Option<Date>,)> =
        read!(db, |pool| sqlx::query_as("SELECT MIN(day) FROM energy_daily").fetch_optional(pool).await)?;
    let today = now.date();
    let first = first.and_then(|(first,)| first).unwrap_or(today).min(today);
    let tree = compute::Tree::read(db).await?;
    write::clear(db, (first, today), Month::of(now)).await?;
    let mut from = first;
    while from <= today {
        let until = from.plus(CHUNK - 1).min(today);
        let rows = compute::days(db, &tree, from, until).await?;
        write::days(db, (from, until), &rows, months(from, until, now)).await?;
        from = until.plus(1);
    }
    write::done(db, &late, now, state.changes).await?;
    Ok(Rolled { days: usize::try_from(today.0 - first.0 + 1).unwrap_or(0), rebuilt: true })
}

/// The months that days from `from` to `until` are in, as far as they are over.
fn months(from: Date, until: Date, now: Timestamp) -> Vec<Month> {
    let last = Month::of(until.start()).min(Month(Month::of(now).0 - 1));
    (Month::of(from.start()).0..=last.0).map(Month).collect()
}

/// Days next to each other as ranges of at most [`CHUNK`].
fn runs(days: &BTreeSet<Date>) -> Vec<(Date, Date)> {
    let mut runs: Vec<(Date, Date)> = Vec::new();
    for &day in days {
        match runs.last_mut() {
            Some((from, until)) if until.plus(1) == day && day.0 - from.0 < CHUNK => *until = day,
            _ => runs.push((day, day)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_next_to_each_other_are_computed_together() {
        let days = |days: &[i64]| days.iter().copied().map(Date).collect();
        assert_eq!(runs(&days(&[1, 2, 3, 7, 9, 10])), [(Date(1), Date(3)), (Date(7), Date(7)), (Date(9), Date(10))]);
        let long: Vec<i64> = (0..40).collect();
        assert_eq!(runs(&days(&long)), [(Date(0), Date(30)), (Date(31), Date(39))]);
        assert_eq!(runs(&BTreeSet::new()), []);
    }

    #[test]
    fn only_months_that_are_over_are_summed() {
        let day = |month, day| Date::from_ymd(2026, month, day).unwrap();
        let now = day(11, 29).start();
        let sums = |from, until| months(from, until, now).into_iter().map(|month| month.to_string()).collect::<Vec<_>>();
        assert_eq!(sums(day(9, 30), day(11, 29)), ["2026-09", "2026-10"]);
        assert_eq!(sums(day(11, 28), day(11, 29)), [""; 0]);
        assert_eq!(months(day(11, 30), day(12, 1), day(12, 1).start()).len(), 1);
    }
}
